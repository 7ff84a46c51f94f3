"""The words for what was found about the noise of an image that is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from napari_diffusion.estimate import warning_text
from napari_diffusion.estimate.finding import PROCESSED

if TYPE_CHECKING:
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.estimate.finding import Finding, FindingName

_CAUSES: dict[FindingName, str] = {
    "compressed": "The image was JPEG-compressed",
    "correlated": "The image was smoothed, resized or compressed",
    "sharpened": "The image was sharpened",
    "falling": "A tone curve was applied",
}


_KINDS = {
    "correlated": "Correlated noise",
    "processed": "Noise of a processed image",
    "poisson": "Photon noise",
    "poisson-gaussian": "Photon noise",
}


class ReportEntries(TypedDict, total=False):
    """What a record keeps of a report."""

    noise_found: str
    noise_warnings: list[str]
    noise_details: list[str]


def found_text(report: NoiseReport) -> str:
    """Return the noise that was measured, in one short sentence."""
    model = report.model
    if report.stabilised and model is not None:
        return (
            f"Photon noise, σ = {report.sigma:.3g} at the mean intensity, {model.level:.3g}, in "
            "intensity units."
        )
    if report.sigma == 0:
        return "No noise found."
    where = ""
    if model is not None and model.kind.startswith("poisson") and model.finding("uneven"):
        # Another number than the one at the mean intensity, and not called alike.
        where = " in calm regions,"
    return f"{_kind(model)}, σ = {report.sigma:.3g}{where} in intensity units."


def _kind(model: NoiseModel | None) -> str:
    if model is None or model.is_white:
        return "White noise"
    return _KINDS.get(model.kind, "Noise")


def detail_texts(report: NoiseReport) -> tuple[str, ...]:
    """Return all that was measured, in full, for whoever asks for details."""
    model = report.model
    return () if model is None else (f"By intensity: {model.in_words()}", *model.details)


def warning_texts(report: NoiseReport) -> tuple[str, ...]:
    """Return what speaks against the result, one sentence each, the most serious first."""
    return tuple(_warning(report, finding) for finding in report.warnings)


def report_record(report: NoiseReport | None) -> ReportEntries:
    """Return the entries of a record that keep a report, none without one."""
    if report is None:
        return {}
    entries: ReportEntries = {"noise_found": found_text(report)}
    if warnings := list(warning_texts(report)):
        entries["noise_warnings"] = warnings
    if details := list(detail_texts(report)):
        entries["noise_details"] = details
    return entries


def _warning(report: NoiseReport, finding: Finding) -> str:
    if finding.name not in PROCESSED:
        return warning_text(finding)
    cure = f", such as {report.coarse_sigma:.2g}" if report.coarse_sigma > report.sigma else ""
    left = f"only σ = {report.sigma:.2g}" if report.sigma else "none"
    return (
        f"{_CAUSES[finding.name]}: {left} of its noise can be measured; enter a larger noise "
        f"σ{cure}."
    )
