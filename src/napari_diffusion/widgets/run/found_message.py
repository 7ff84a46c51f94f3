"""What is said of the noise that was found, and what speaks against a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.denoising.report_text import detail_texts, found_text, warning_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.widgets.forms.theme import Role


class FoundMessage(NamedTuple):
    """A sentence without its full stop, what it is, and the details on demand."""

    sentence: str
    role: Role
    details: str


def found_message(report: NoiseReport | None) -> FoundMessage:
    """Return what is said of the noise; a report of None is noise that was typed."""
    if report is None:
        return FoundMessage("White noise with the standard deviation entered", "good", "")
    warnings = warning_texts(report)
    told = (found_text(report), *warnings, *detail_texts(report))
    details = "\n\n".join(told if warnings or report.stabilised else ())
    sentence = found_text(report).removesuffix(".")
    if report.stabilised:
        sentence = f"Photon noise, σ = {report.sigma:.3g} at the mean intensity"
    return FoundMessage(sentence, "warning" if warnings else "good", details)


def caution(warnings: Sequence[str]) -> str:
    """Return the first sentence of what speaks against a result, nothing where nothing does."""
    return "" if not warnings else f"{warnings[0].split('. ')[0].removesuffix('.')}."


def caution_of(report: NoiseReport | None) -> str:
    """Return the caution of a report; None is noise that was typed, which has none."""
    return caution(() if report is None else warning_texts(report))
