"""Which named recipe the form shows, or that it is an edited one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_diffusion.loop.presets import DIGITS, PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOM, SAMPLE = "custom", "sample recipe"

_TOOLTIP = "Start from a named recipe. An edited one is called custom."
_ABOUT = {
    "explore": "Ten steps of fading noise and Perona–Malik diffusion: shows what the loop does.",
    "denoise": "One step without noise: several denoising filters, blended.",
    "denoise fast": "As denoise, with fewer filters.",
    "smooth": "Eight steps of Perona–Malik diffusion without noise.",
    "restore holes": "Missing pixels: NaN, or those of a mask. One plausible image fills them.",
    "sharpen": "An image blurred by a Gaussian: give its width. One plausible image.",
    "enlarge": "Pixels that are means of smaller ones. One plausible image.",
    "fill the wedge": "Frequencies that a tilt series has not measured. One plausible volume.",
    "low light": "Few photons, step by step from the image's own noise. One plausible image.",
    CUSTOM: "The recipe as you edited it.",
}


class PresetChoice(Box):
    """The presets by name; "custom" stands there once a recipe has been edited.

    Choosing "custom" again brings the edited recipe back.

    Parameters
    ----------
    presets : mapping of str to Recipe
        By their names, for a pixel size of 1.
    """

    #: A preset was chosen: its recipe, for the pixel size of the image.
    chosen = Signal(Recipe)
    #: The edited recipe was chosen, with the unit that it was typed in.
    custom_chosen = Signal(TypedRecipe)

    def __init__(self, presets: Mapping[str, Recipe] = PRESETS) -> None:
        self._unscaled = presets
        self._presets = dict(presets)
        self._sample: Recipe | None = None
        self._before_sample = next(iter(presets))
        self._custom: TypedRecipe | None = None
        self.choice = Choice({name: name for name in presets}, _ABOUT)
        super().__init__(labelled("preset", self.choice, tooltip=_TOOLTIP))
        self.choice.tooltip = _TOOLTIP
        self.choice.changed.connect(self._choose)

    @property
    def value(self) -> str:
        """The name in view: that of a preset, of the image's own recipe, or "custom"."""
        return str(self.choice.value)

    @value.setter
    def value(self, name: str) -> None:
        self.choice.value = name

    def set_pixel_size(self, length: float) -> None:
        """Scale the presets to a pixel size."""
        self._presets = {key: each.scaled(length, DIGITS) for key, each in self._unscaled.items()}

    def recipe_in_view(self) -> Recipe | None:
        """Return the recipe of the name in view, None of "custom"."""
        return self._named().get(self.value)

    def offer_sample(self, recipe: Recipe | None) -> None:
        """Offer the recipe that the image in view comes with, and show it unless one was edited.

        Without one, what it was in place of comes back.
        """
        if recipe == self._sample:
            return
        shown, before = self.value, self._sample
        with self.choice.changed.blocked():
            if before is not None:
                if shown == SAMPLE:
                    self.choice.value = shown = self._before_sample
                self.choice.withdraw(SAMPLE)
            self._sample = recipe
            if recipe is not None:
                self.choice.offer(SAMPLE, SAMPLE, "The recipe that comes with this sample image.")
        if recipe is not None and shown != CUSTOM:
            self._before_sample = shown
            self.value = SAMPLE
        elif before is not None and shown == self._before_sample:
            self._choose()

    def show_recipe(self, typed: TypedRecipe | None, shown: Recipe | None) -> None:
        """Show which preset a recipe is.

        Parameters
        ----------
        typed : TypedRecipe or None
            What "custom" brings back; None is one that cannot be made yet.
        shown : Recipe or None
            The recipe in the form.
        """
        names = [name for name, each in self._named().items() if each == shown]
        if not names and typed is not None:
            self._custom = typed
        with self.choice.changed.blocked():
            if not names and CUSTOM not in self.choice.options_named:
                self.choice.offer(CUSTOM, CUSTOM, _ABOUT[CUSTOM])
            self.choice.value = names[0] if names else CUSTOM

    def _named(self) -> dict[str, Recipe]:
        # The sample's goes first: it may equal a preset, and is what was asked for.
        own = {} if self._sample is None else {SAMPLE: self._sample}
        return {**own, **self._presets}

    def _choose(self) -> None:
        recipe = self.recipe_in_view()
        if recipe is not None:
            self.chosen.emit(recipe)
        elif self._custom is not None:
            self.custom_chosen.emit(self._custom)
