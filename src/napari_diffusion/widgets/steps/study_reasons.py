"""Why a run cannot be studied in one way or another; empty where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.analysis.ensemble import check_random
from napari_diffusion.analysis.parameter_sweep import parameter_names
from napari_diffusion.filters.flows.flow import Flow
from napari_diffusion.records.provenance import described_recipe

if TYPE_CHECKING:
    from napari_diffusion.widgets.results.step_run import StepRun


def why_no_sweep(run: StepRun | None) -> str:
    """Return why there is no parameter sweep."""
    if run is None:
        return ""
    if "channel" in run.record:
        return "Not for layers that were joined as channels."
    known = parameter_names(described_recipe(run.record))
    return "" if known else "The filter has no numeric parameter."


def why_not_random(run: StepRun | None) -> str:
    """Return why there is no ensemble."""
    if run is None:
        return ""
    try:
        check_random(described_recipe(run.record))
    except ValueError as error:
        return str(error)
    return ""


def why_not_noise_free(run: StepRun | None) -> str:
    """Return why there is no noise-free run."""
    if run is None:
        return ""
    if run.record.get("noise_free_run") or described_recipe(run.record).noise is None:
        return "This run has no noise."
    return "It is there already." if all(run.noise_free_run) else ""


def why_no_flux(run: StepRun | None) -> str:
    """Return why a filter shows nothing of what it sees."""
    filters = () if run is None else described_recipe(run.record).filters
    flows = any(isinstance(each, Flow) for each in filters)
    return "" if flows or run is None else "The filter of this run has no flux."
