"""Local risk of a step as a layer: where it is nearer to the truth than its source."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.derived import risk_record
from napari_diffusion.drive import Stopped
from napari_diffusion.provenance import grid_of, recipe_of
from napari_diffusion.risk import LocalRisk, local_risk
from napari_diffusion.widgets.channels import source_of
from napari_diffusion.widgets.images import is_image
from napari_diffusion.widgets.job import Grown, Refused, Said
from napari_diffusion.widgets.layer_axes import Fold
from napari_diffusion.widgets.layers import KEY, Place, is_stack, records_of
from napari_diffusion.widgets.outlet import family
from napari_diffusion.widgets.reading import refusing

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.drive import StopToken
    from napari_diffusion.widgets.steps_actions import ChosenStep
    from napari_diffusion.widgets.worker import Worker


@dataclass(frozen=True, eq=False)
class RiskOf:
    """The local risk of one step: computed by any thread, shown by the one that has the window.

    Attributes
    ----------
    step : ChosenStep
        The step.
    data : array
        The values of its source.
    record : dict
        The step's own record.
    """

    step: ChosenStep
    data: Any
    record: dict[str, Any]

    @classmethod
    def of(cls, step: ChosenStep, viewer: napari.Viewer) -> RiskOf:
        """Look the step's source up; `Refused` says why its risk cannot be told."""
        record, source = step.record, _source(step, viewer)
        if source is None:
            raise Refused(
                "steps",
                f"Local risk needs the source {source_of(record)!r}, which is not among the layers "
                "any more as it was: open it again, with that name.",
            )
        if {"region", "mask", "channel"} & {*record, *record["grid"]}:
            raise Refused(
                "steps",
                "Local risk is told of runs on one whole layer without a mask: run the recipe on "
                "all of it.",
            )
        return cls(step, source.data, record)

    def compute(self, stop: StopToken | None = None) -> LocalRisk:
        """Run the recipe again beside a small change of the source; ValueError says why not."""
        record = self.record
        fold = Fold(record.get("layer_axes", record["grid"]["axes"]), np.shape(self.data))
        return local_risk(
            fold.folded(np.asarray(self.data)),
            recipe_of(record),
            step=None if record["is_final"] else record["step"],
            stop=stop,
            **grid_of(record),
        )

    def show(self, risk: LocalRisk, viewer: napari.Viewer) -> Image:
        """Insert a layer above all steps: green where it is nearer to the truth, pink where not."""
        from napari.layers import Image

        rgb = self.record["grid"]["rgb"]
        letters = self.record.get("layer_axes", self.record["grid"]["axes"])
        fold = Fold(letters, np.shape(self.data))
        values = (fold.without("c") if rgb else fold).unfolded(risk.values)
        largest = float(np.max(risk.noise_sigma))
        layer = Image(
            values,
            name=f"{self.step.layer.name} · local risk",
            metadata={KEY: risk_record(risk, self.record)},
            **{
                **self.step.look.arguments(),
                "rgb": False,
                "blending": "translucent",
                "colormap": _colours(),
                "contrast_limits": (-largest, largest),
            },
        )
        Place(viewer, family(viewer, self.step.layer)).insert(layer)
        return layer


def risk_of(risk: RiskOf) -> Any:
    """Return the work that tells a step's local risk: it posts `Said` and `Grown`."""

    def work(worker: Worker) -> None:
        worker.post(Said("Running beside a small change of the source …"))
        with contextlib.suppress(Stopped), refusing("steps"):
            worker.post(Grown(risk.compute(worker.stop), 1))

    return work


class RiskOutlet:
    """Shows local risk as a layer.

    Parameters
    ----------
    risk : RiskOf
        Of which step.
    viewer : napari.Viewer
        Where to.
    """

    def __init__(self, risk: RiskOf, viewer: napari.Viewer) -> None:
        self._risk = risk
        self._viewer = viewer
        self._words = "nothing"

    def grow(self, found: LocalRisk) -> None:
        """Insert the layer."""
        self._risk.show(found, self._viewer)
        share = 100 * float(np.mean(found.values < 0))
        self._words = (
            f"local risk of {self._risk.step.title}. Green, {share:.0f} % of it, is nearer to the "
            "truth than the source; pink is farther (expected error less that of the source, "
            f"{_number(found.noise_sigma)}, in intensity units)"
        )

    def said(self) -> str:
        """Return what there is, in words."""
        return self._words

    def finish(self) -> None:
        """Nothing is left to be shown."""


def _number(sigma: float | tuple[float, ...]) -> str:
    each = sigma if isinstance(sigma, tuple) else (sigma,)
    return " / ".join(f"{value:.3g}" for value in each)


def _source(step: ChosenStep, viewer: napari.Viewer) -> Image | None:
    shape = np.shape(step.data)
    for layer in viewer.layers:
        named = is_image(layer) and layer.name == source_of(step.record)
        if named and not is_stack(layer) and np.shape(layer.data) == shape:
            return layer if not records_of(layer) or step.record.get("source_processed") else None
    return None


def _colours() -> Any:
    """Return PiYG the other way round: what lies below 0 is good."""
    from napari.utils.colormaps import Colormap, ensure_colormap

    return Colormap(ensure_colormap("PiYG").colors[::-1], name="PiYG reversed")
