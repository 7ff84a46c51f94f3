"""The words for what was measured of a noise: the one place where a finding becomes a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.estimate.finding import Finding, FindingName

_SENTENCES: dict[FindingName, str] = {
    "clipped": (
        "{amount:.1%} of the pixels are exactly {listed}: the image is clipped there. Regions with "
        "clipped pixels were excluded."
    ),
    "few photons": (
        "{amount:.1%} of the pixels are exactly {listed}, all over the image: few photons were "
        "detected, or most intensities were clipped."
    ),
    "rows": "Row noise, σ = {amount:.3g}.",
    "columns": "Column noise, σ = {amount:.3g}.",
    "correlated": (
        "The noise is not white: its power at the finest scale is {amount:.2g} times that at "
        "coarser scales. The image was smoothed, interpolated, compressed or otherwise processed, "
        "or has fine texture everywhere."
    ),
    "sharpened": (
        "The noise is not white: its power at the finest scale is {amount:.2g} times that at "
        "coarser scales. The image was sharpened or otherwise processed."
    ),
    "compressed": (
        "The image was JPEG-compressed: its blocks of 8 × 8 pixels start at row {values[0]:g} and "
        "column {values[1]:g}. Compression may have removed some of the noise."
    ),
    "crooked": (
        "The variance does not grow linearly with intensity (the points deviate by {amount:.0%}): "
        "a tone curve or other processing was applied, or texture was mistaken for noise."
    ),
    "falling": (
        "The noise decreases with intensity: a tone curve, clipping or other processing was "
        "applied."
    ),
    "uneven": (
        "The noise variance differs by a factor of {amount:.2g} between dark and bright regions."
    ),
    "alike": (
        "The intensities are too similar to tell how the noise depends on them: it is assumed to "
        "be constant."
    ),
    "texture": (
        "Even the calmest parts of the image vary {amount:.2g} times as much as this noise would "
        "(in variance): texture was mistaken for noise, or the noise is not white."
    ),
    "rounded": (
        "The image is quantized in steps of {amount:g}, more than twice the noise: the estimate is "
        "mostly rounding error."
    ),
    "stretched": (
        "The gray levels are unevenly spaced: the image was stretched or passed through a tone "
        "curve after quantization."
    ),
    "moving": (
        "Successive frames are more similar than others (by a factor of {amount:.2g} in variance): "
        "the scene moves, bleaches or drifts. What successive frames share is not counted as noise."
    ),
    "few windows": (
        "Cannot tell whether the noise is white: only {amount:.0f} windows are free of structure."
    ),
}

_ALTERNATING = (
    "Successive frames differ more than others (by a factor of {amount:.2g} in variance): "
    "something alternates from frame to frame and is counted as noise."
)

# One sentence each, for a list that is read at a glance.
_WARNINGS: dict[FindingName, str] = {
    "compressed": "The image was JPEG-compressed, which removed some of its noise.",
    "correlated": "The noise is not white: the image was smoothed, resized or compressed.",
    "sharpened": "The noise is not white: the image was sharpened.",
    "falling": "The noise decreases with intensity: a tone curve was applied.",
    "clipped": "{amount:.1%} of the pixels are exactly {listed}: the image is clipped there.",
    "few photons": "Few photons were detected: {amount:.1%} of the pixels are exactly {listed}.",
    "rounded": "The image is quantized in steps of {amount:g}, more than twice the noise.",
    "stretched": "The gray levels are unevenly spaced: the image was stretched.",
    "moving": "Successive frames are too similar: the scene moves, bleaches or drifts.",
    "texture": "Fine texture was mistaken for noise, or the noise is not white.",
    "crooked": "The variance does not grow linearly with intensity: a tone curve was applied.",
    "rows": "Row noise, σ = {amount:.3g}, remains: subtract the median of each row first.",
    "columns": "Column noise, σ = {amount:.3g}, remains: subtract the median of each column first.",
    "alike": "The intensities are too similar to tell how the noise depends on them.",
    "few windows": "Cannot tell whether the noise is white: few windows are free of structure.",
}

_ALTERNATING_WARNING = "Successive frames differ more than others: something alternates."

_UNDERESTIMATED = (
    " The noise is underestimated: measure it on a background region or on repeated frames."
)


def finding_text(finding: Finding) -> str:
    """Return a finding in words.

    Examples
    --------
    >>> import napari_diffusion as nd
    >>> nd.estimate.finding_text(nd.estimate.Finding("rows", 2.5))
    'Row noise, σ = 2.5.'
    """
    sentence = _ALTERNATING if _alternates(finding) else _SENTENCES[finding.name]
    return _filled(sentence, finding) + (_UNDERESTIMATED if finding.underestimated else "")


def warning_text(finding: Finding) -> str:
    """Return what a finding says against a measurement in one short sentence.

    `finding_text` has the details.
    """
    if _alternates(finding):
        return _ALTERNATING_WARNING
    return _filled(_WARNINGS[finding.name], finding)


def _alternates(finding: Finding) -> bool:
    return finding.name == "moving" and finding.amount > 1


def _filled(sentence: str, finding: Finding) -> str:
    listed = " and ".join(f"{value:g}" for value in finding.values)
    return sentence.format(amount=finding.amount, values=finding.values, listed=listed)
