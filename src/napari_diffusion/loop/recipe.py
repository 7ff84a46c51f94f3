"""A recipe: everything that determines a run."""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Unpack

from napari_diffusion.core.address import Address
from napari_diffusion.core.component import Component
from napari_diffusion.core.image import Image
from napari_diffusion.core.json_text import json_object
from napari_diffusion.core.noise_scale import (
    AskedScale,
    NoiseScale,
    asked_scale,
    check_channels,
    checked_scale,
)
from napari_diffusion.engine.gathering import together
from napari_diffusion.filters import Filter, PeronaMalik
from napari_diffusion.loop import registry
from napari_diffusion.loop.recipe_checks import (
    check_components,
    check_maps,
    checked_count,
    domain_called,
    is_auto,
)
from napari_diffusion.loop.restoration import check_measurement, filled, resolved_measurement
from napari_diffusion.loop.reverse_step import Update, check_update
from napari_diffusion.noise import Gaussian, Noise
from napari_diffusion.schedules import Geometric, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.domains import Domain
    from napari_diffusion.measurements import Measurement

SCHEMA = 1


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a run: noise, schedule, filters, number of steps, random seed.

    Parameters
    ----------
    num_steps : int
        Number of times that noise is added and the diffusion filter applied, 1 or more.
    starting_noise_scale : float, tuple of float, str or None
        Standard deviation of the noise of step 0 in intensity units, 0 or more; a tuple has one
        per channel. "auto" is the noise of the image itself, or with a measurement enough noise to
        hide what is missing; "5 % of range" is that share of the image's maximum minus its minimum;
        None uses the strength given by the parameters of the noise, such as the gain of Poisson
        noise.
    noise : Noise or None
        The noise model; None adds no noise.
    schedule : Schedule
        The noise scale as a function of the step.
    diffusion_filter : Filter or tuple of Filter
        Applied in every step. Of a series, step k uses the k-th filter, and the last one repeats.
    final_filter : Filter or None
        Applied once, after the last step.
    domain : Domain, "anscombe", "log", "auto" or None
        A transform that makes the noise equally strong everywhere. Noise and filters then act on
        the transformed values, and the noise scale and the contrast are in stabilised units. A
        name is that domain with all parameters measured; "auto" is `Anscombe` if the image has
        photon noise that differs between dark and bright parts, else none.
    seed : int
        Random seed, 0 … 2⁶⁴ − 1; the same seed gives the same noise.
    stop_at : int or None
        Number of steps to run if it differs from `num_steps`: fewer end the run early, more
        continue with the last noise scale. The schedule always spans `num_steps`.
    update : {"whole", "reverse"}
        "whole": each step adds its noise to the image and filters all of it. "reverse": the noise
        of step 0 is that of the source, with `starting_noise_scale` its standard deviation; each
        later step keeps a part of the noise and adds white Gaussian noise up to its own noise
        scale. Its image is the filtered one. With a filter that knows what images look like, and
        is told the noise of each step by ``noise_sigma="step"``, the last image is one plausible
        image, not a measurement: other seeds give others.
    measurement : Measurement or None
        How the source was measured of the image that reverse updates then restore: with missing
        pixels, blurred, … They start from the mean of what was measured and noise, so that
        `starting_noise_scale` is to be as large as the differences in what is missing, and correct
        the image of every step by what was measured.
    rounds : int
        Of conjugate gradients, by which a measurement corrects a step, 0 to 100: each filters the
        image once more. More fit what was measured better; 5 are enough.
    asked : dict
        Of a resolved recipe: what its values were asked for as, such as
        ``{"diffusion_filter.contrast": "auto"}``; records keep it. Recipes that differ in nothing
        else are equal.
    """

    num_steps: int = 10
    starting_noise_scale: AskedScale = "auto"
    noise: Noise | None = field(default_factory=Gaussian)
    schedule: Schedule = field(default_factory=Geometric)
    diffusion_filter: Filter | tuple[Filter, ...] = field(default_factory=PeronaMalik)
    final_filter: Filter | None = None
    domain: Domain | Literal["anscombe", "log", "auto"] | None = None
    seed: int = 0
    stop_at: int | None = None
    update: Update = "whole"
    measurement: Measurement | None = None
    rounds: int = 3
    asked: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("num_steps", "stop_at"):
            object.__setattr__(self, name, checked_count(name, getattr(self, name)))
        if self.num_steps is None:
            raise TypeError("num_steps must be a whole number (got None).")
        if isinstance(self.diffusion_filter, list):
            object.__setattr__(self, "diffusion_filter", tuple(self.diffusion_filter))
        if isinstance(self.domain, str) and not is_auto(self.domain):
            object.__setattr__(self, "domain", domain_called(self.domain))
        check_components(self.noise, self.schedule, self.filters, self.final_filter, self.domain)
        check_update(self.update, self.noise, self.schedule, self.filters, self.final_filter)
        check_measurement(self.measurement, self.rounds, self.update, self.domain)
        object.__setattr__(self, "seed", Address(self.seed).seed)
        own = self.starting_noise_scale is None and "natural" in getattr(self.noise, "claims", ())
        if not own:
            scale = asked_scale(self.starting_noise_scale, "starting_noise_scale")
            object.__setattr__(self, "starting_noise_scale", scale)

    @property
    def total_steps(self) -> int:
        """Number of steps of a run."""
        return self.num_steps if self.stop_at is None else self.stop_at

    @property
    def last_step(self) -> int:
        """Index of the last step with an image of its own: that of the final filter, if any."""
        return self.total_steps - (self.final_filter is None)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The diffusion filters as a tuple, also for a single filter."""
        chosen = self.diffusion_filter
        return chosen if isinstance(chosen, tuple) else (chosen,)

    @property
    def working_domain(self) -> Domain | None:
        """The domain of a resolved recipe, never a name."""
        assert not isinstance(self.domain, str)
        return self.domain

    def filter_at(self, step: int) -> Filter:
        """Return the diffusion filter of a step."""
        return self.filters[min(step, len(self.filters) - 1)]

    @property
    def is_resolved(self) -> bool:
        """Whether everything that is measured on the image has been replaced by its value."""
        return self.starting_noise_scale is not None and not self.autos()

    def autos(self) -> dict[str, str]:
        """Return the path of each value that is measured on the image, and what was asked for.

        Such as ``{"starting_noise_scale": "5 % of range", "diffusion_filter.contrast": "auto"}``.
        """
        series = self.diffusion_filter
        slots: dict[str, Any] = {"noise": self.noise, "diffusion_filter": series}
        if isinstance(series, tuple):
            slots |= {f"diffusion_filter.{k}": each for k, each in enumerate(series)}
        slots |= {"final_filter": self.final_filter, "domain": self.domain}
        slots |= {"measurement": self.measurement}
        asked = {"starting_noise_scale": self.starting_noise_scale, "domain": self.domain}
        found = {name: value for name, value in asked.items() if isinstance(value, str)}
        for slot, component in slots.items():
            if isinstance(component, Component):
                found |= {f"{slot}.{name}": text for name, text in component.asked().items()}
        return found

    def replaced(self, **changes: Any) -> Recipe:
        """Return a copy with some fields changed and checked."""
        # What a value was asked for as is no longer true of another one.
        left = {k: v for k, v in self.asked.items() if k.split(".")[0] not in changes}
        return dataclasses.replace(self, **{"asked": left, **changes})

    def scaled(self, length: float, digits: int = 17) -> Recipe:
        """Return this recipe for images whose pixel size is `length` times as large.

        The lengths of the filters, the noise and the measurement are scaled. Presets are written
        for a pixel size of 1; ``PRESETS["explore"].scaled(0.107)`` does the same to pixels of
        0.107 µm. `digits` rounds the new values.
        """
        scaled = self.with_filters(lambda each: each.scaled(length, digits))
        noise = self.noise and self.noise.scaled(length, digits)
        scaled = scaled if noise == self.noise else scaled.replaced(noise=noise)
        measurement = self.measurement and self.measurement.scaled(length, digits)
        return scaled.replaced(measurement=measurement) if measurement else scaled

    def with_filters(self, change: Callable[[Filter], Filter]) -> Recipe:
        """Return a copy with `change` applied to every filter."""
        series = tuple(change(each) for each in self.filters)
        return self.replaced(
            diffusion_filter=series if isinstance(self.diffusion_filter, tuple) else series[0],
            final_filter=self.final_filter and change(self.final_filter),
        )

    def resolved(self, image: ArrayLike, **options: Unpack[GridOptions]) -> Recipe:
        """Return this recipe with every "auto" replaced by its value for an image.

        Parameters
        ----------
        image : array_like
            The whole source. Previews, crops and chunks use the recipe resolved on it.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.
        """
        return self.resolved_on(Image.of(image, **options))

    def resolved_on(self, image: Image) -> Recipe:
        """Return this recipe resolved on an `Image`."""
        domain, chosen = self._domain_on(image), self
        check_maps(self.filters, domain)
        asked = {**self.asked, **self.autos()}
        if domain is not None:
            domain = domain.resolved(image)
            chosen = self._knowing(domain.noise_of(image))
            image = domain.image(image)
        last = () if chosen.final_filter is None else (chosen.final_filter,)
        series = tuple(dict.fromkeys((*chosen.filters, *last)))
        measurement = self.measurement and resolved_measurement(self.measurement, image)
        seen = image if measurement is None else filled(image)
        noise, asked_scale, *resolved = together(
            image,
            [
                lambda: self.noise and self.noise.resolved(image),
                lambda: self._asked_scale_on(seen, measurement),
                *(functools.partial(each.resolved, seen) for each in series),
            ],
        )
        scale = self._started_scale(asked_scale, noise)
        check_channels(scale, image.grid)
        made = dict(zip(series, resolved, strict=True))
        chosen = chosen.with_filters(made.__getitem__)
        return chosen.replaced(
            starting_noise_scale=scale,
            noise=noise,
            domain=domain,
            measurement=measurement,
            asked=asked,
        )

    def _asked_scale_on(self, image: Image, measurement: Measurement | None) -> NoiseScale | None:
        """Return the noise scale asked for, measured on an image where that is a text."""
        scale = self.starting_noise_scale
        if measurement is not None and is_auto(scale):
            return measurement.starting_scale(image)
        if not isinstance(scale, str) or self.noise is None:
            return None if isinstance(scale, str) else scale
        from napari_diffusion.estimate.asked_scale import asked_scale_of

        return 1.0 if self.schedule.starts_itself else asked_scale_of(image, scale)

    def _started_scale(self, asked: NoiseScale | None, noise: Noise | None) -> NoiseScale:
        """Return the noise scale of step 0; `noise` is resolved."""
        scale = 0.0 if noise is None else noise.natural_scale() if asked is None else asked
        return _started(self.schedule, checked_scale(scale, "starting_noise_scale"))

    def _domain_on(self, image: Image) -> Domain | None:
        """Return the domain for an image, its parameters not yet measured."""
        if not is_auto(self.domain):
            return self.working_domain
        from napari_diffusion.domains.automatic import automatic

        return automatic(image)

    def _knowing(self, noise_sigma: float | None) -> Recipe:
        """Return this recipe with the noise set in filters that would measure it."""
        if noise_sigma is None:
            return self
        from napari_diffusion.filters.denoisers.guided_filter import with_noise

        return self.with_filters(lambda each: with_noise(each, noise_sigma))

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, ready for JSON."""
        series = self.diffusion_filter
        return {
            "schema": SCHEMA,
            "num_steps": self.num_steps,
            "starting_noise_scale": self.starting_noise_scale,
            "noise": registry.to_dict(self.noise),
            "schedule": registry.to_dict(self.schedule),
            "diffusion_filter": [registry.to_dict(each) for each in series]
            if isinstance(series, tuple)
            else registry.to_dict(series),
            "final_filter": registry.to_dict(self.final_filter),
            "domain": "auto" if is_auto(self.domain) else registry.to_dict(self.working_domain),
            "seed": self.seed,
            "stop_at": self.stop_at,
            # Versions before it read all other recipes.
            **({} if self.update == "whole" else {"update": self.update}),
            **(
                {}
                if self.measurement is None
                else {"measurement": registry.to_dict(self.measurement), "rounds": self.rounds}
            ),
        }

    def to_json(self) -> str:
        """Return the recipe as JSON text; `from_json` gives an equal recipe back."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, allow_code: AllowCode = False) -> Recipe:
        """Make a recipe from plain values; raise for unknown names and versions.

        Parameters
        ----------
        values : dict
            As `to_dict` returns them.
        allow_code : bool or collection of str
            Whether the recipe may name functions to run, such as that of a `Custom` filter. A
            recipe from elsewhere could run anything that way: allow it only if you know the
            functions. A collection allows the functions of these names.

        Raises
        ------
        CodeRefused
            If it names a function that is not allowed; a ValueError.
        ValueError, TypeError
            If it is no recipe of this version.
        """
        try:
            return cls(**registry.recipe_fields(values, SCHEMA, allow_code))
        except OverflowError as error:
            raise ValueError(f"The recipe holds a number that is too large: {error}.") from None

    @classmethod
    def from_json(cls, text: str, *, allow_code: AllowCode = False) -> Recipe:
        """Make a recipe from JSON text; see `from_dict` for `allow_code`."""
        return cls.from_dict(json_object(text, "recipe"), allow_code=allow_code)


def _started(schedule: Schedule, scale: NoiseScale) -> NoiseScale:
    """Return the noise scale of step 0, which a list of levels sets itself."""
    if isinstance(scale, tuple):
        return tuple(schedule.first_scale(each) for each in scale)
    return schedule.first_scale(scale)
