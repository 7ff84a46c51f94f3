"""The gallery: every filter on the same noisy image, a row each."""

from __future__ import annotations

import dataclasses

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
        "Every filter at its defaults on the same image with noise of σ = "
        f"{_example_images.NOISE} (intensities from 0 to 1, pixels 1 world unit apart), again and "
        "again, no noise added. What is `auto` was measured once, on the source. The number is the "
        f"PSNR in dB against the image without noise, {before:.1f} before; **the best of the row "
        "is bold**. It says which filter is gentle and which is quick, not which is best: their "
        "parameters are on their own pages.\n",
    ]
    for cls in registry.COMPONENTS["filter"]:
        if all(p.default is not dataclasses.MISSING for p in cls.parameters()):
            parts.append(f"## [{cls.__name__}]({cls.__name__}.md)\n\n{cls.summary()}\n")
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
