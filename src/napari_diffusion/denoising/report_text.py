"""The words for what was found about the noise of an image that is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from napari_diffusion.denoising.noise_report import PROCESSED
from napari_diffusion.estimate import finding_text

if TYPE_CHECKING:
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.estimate.finding import Finding, FindingName

_STRIPES: dict[FindingName, str] = {"rows": "row", "columns": "column"}

_CAUSES: dict[FindingName, str] = {
    "compressed": "The image was JPEG-compressed",
    "correlated": "The noise is not white: the image was compressed, smoothed or resized",
    "sharpened": "The noise is not white: the image was sharpened",
    "falling": "The noise decreases with intensity: a tone curve or processing was applied",
}


class ReportEntries(TypedDict, total=False):
    """What a record keeps of a report."""

    noise_found: str
    noise_warnings: list[str]


def found_text(report: NoiseReport) -> str:
    """Return the noise that was measured, in one sentence."""
    model = report.model
    if model is None:
        return f"White noise, σ = {report.sigma:.3g}."
    if report.stabilised:
        return (
            f"Photon noise: gain {model.gain:.3g}, offset {model.offset:.3g}, read noise "
            f"{model.read_noise:.3g}; its variance is stabilised while filtering."
        )
    if model.kind == "none":
        return "No noise found: nothing is removed."
    return f"{'White noise' if model.is_white else 'Noise'}, σ = {model.sigma:.3g}."


def warning_texts(report: NoiseReport) -> tuple[str, ...]:
    """Return what speaks against the result and the cure, one text for each warning."""
    return tuple(_warning(report, finding) for finding in report.warnings)


def report_record(report: NoiseReport | None) -> ReportEntries:
    """Return the entries of a record that keep a report, none without one."""
    if report is None:
        return {}
    entries: ReportEntries = {"noise_found": found_text(report)}
    if warnings := list(warning_texts(report)):
        entries["noise_warnings"] = warnings
    return entries


def _warning(report: NoiseReport, finding: Finding) -> str:
    if finding.name in PROCESSED:
        stronger = report.coarse_sigma > report.sigma
        cure = f", such as {report.coarse_sigma:.2g}," if stronger else ""
        return (
            f"{_CAUSES[finding.name]}. Only the noise left at the finest scale, σ = "
            f"{report.sigma:.2g}, is removed: enter a noise σ{cure} to remove more, or start from "
            "the raw data."
        )
    stripe = _STRIPES.get(finding.name)
    if stripe is None:
        return finding_text(finding)
    return (
        f"{finding_text(finding)} It is not removed: subtract the median of each {stripe} first, "
        "if the scene allows it."
    )
