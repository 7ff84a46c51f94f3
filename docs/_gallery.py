"""The gallery: every filter on the same noisy picture, a row each."""

from __future__ import annotations

import dataclasses

import _measure
import _members
import _pictures

from napari_diffusion.loop import registry

#: Where the page stands in the site.
PLACE = "filters/gallery.md"


def page() -> str:
    """Return the page; its pictures are those of the filters' own pages."""
    before = _measure.psnr(_pictures.noisy(), _pictures.clean())
    parts = [
        "# Gallery\n",
        f"Every filter at its defaults on the same picture with noise of σ = {_pictures.NOISE} "
        "(intensities from 0 to 1, samples 1 world unit apart), again and again, no noise added. "
        "What is `auto` was measured once, on the source. The number is the PSNR in dB against "
        f"the picture without noise, {before:.1f} before; **the best of the row is bold**. "
        "It says which filter is gentle and which is quick, not which is best: their "
        "parameters are on their own pages.\n",
    ]
    for cls in registry.MEMBERS["filter"]:
        if all(p.default is not dataclasses.MISSING for p in cls.parameters()):
            parts.append(f"## [{cls.__name__}]({cls.__name__}.md)\n\n{cls.summary()}\n")
            parts.append(_row(cls))
    return "\n".join(parts)


def _row(cls: type) -> str:
    images = _members.steps_of(cls)
    found = {k: _measure.psnr(images[k - 1], _pictures.clean()) for k in _members.SHOWN_STEPS}
    best = max(found.values())
    shown = [(f"{cls.__name__}/source.png", "source")]
    for count, psnr in found.items():
        number = f"**{psnr:.1f}**" if psnr == best else f"{psnr:.1f}"
        steps = f"{count} step{'s' * (count > 1)}"
        shown.append((f"{cls.__name__}/step_{count}.png", f"{steps} · {number}"))
    return _pictures.strip(shown).replace('class="strip"', 'class="strip row"')
