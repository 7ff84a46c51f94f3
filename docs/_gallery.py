"""The gallery: every filter on the same noisy image, one row each."""

from __future__ import annotations

import dataclasses
import itertools

import _components
import _example_images
import _measure

from napari_diffusion.loop import registry

#: Where the page stands in the site.
PLACE = "filters/gallery.md"


def page() -> str:
    """Return the page; its images are those of the filters' own pages."""
    before = _measure.psnr(_example_images.noisy(), _example_images.clean())
    parts = [
        "# Gallery\n",
        "Every filter with its default parameters on the same image with white noise of σ = "
        f"{_example_images.NOISE} (intensities from 0 to 1, pixel size 1), applied repeatedly, "
        "without added noise. Each `auto` was measured once, on the source. The number is the PSNR "
        f"in dB against the ground truth, {before:.1f} for the source; **the best of a row is "
        "bold**. It shows how strongly a filter acts in one step, not which filter is best: that "
        "depends on the parameters, which are on the page of each filter.\n",
    ]
    for cls in itertools.chain(*_components.grouped(registry.COMPONENTS["filter"])):
        if all(p.default is not dataclasses.MISSING for p in cls.parameters()):
            parts.append(f"## [{cls.display_name}]({cls.__name__}.md)\n\n{cls.summary()}\n")
            parts.append(_row(cls))
    return "\n".join(parts)


def _row(cls: type) -> str:
    images = _components.steps_of(cls)
    found = {
        k: _measure.psnr(images[k - 1], _example_images.clean()) for k in _components.SHOWN_STEPS
    }
    best = max(found.values())
    shown = [(f"{cls.__name__}/source.png", "source")]
    for count, psnr in found.items():
        number = f"**{psnr:.1f}**" if psnr == best else f"{psnr:.1f}"
        steps = f"{count} step{'s' * (count > 1)}"
        shown.append((f"{cls.__name__}/step_{count}.png", f"{steps} · {number}"))
    return _example_images.strip(shown).replace('class="strip"', 'class="strip row"')
