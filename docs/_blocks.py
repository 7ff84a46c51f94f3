"""The parts of hand-written pages that are made from the program.

A page has ``<!-- made: name -->`` where the part of that name goes.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from functools import partial
from pathlib import Path

import _cli
import _components
import _example_images
import _learned
import _measure

import napari_diffusion as nd
from napari_diffusion.core import Component
from napari_diffusion.loop import PRESETS

MARK = re.compile(r"<!-- made: ([\w -]+) -->")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

Files = dict[str, "str | bytes"]


def filled(text: str) -> str:
    """Return a page with all parts in their places."""
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)


def files() -> Files:
    """Return the images that the parts show."""
    shown = (_one_step, _all_steps, _measure.beside, *_learned.SHOWN.values())
    return {place: image for make in shown for place, image in make()[1].items()}


@functools.cache
def _run() -> tuple[nd.Recipe, list[nd.Step]]:
    recipe = PRESETS["explore"].replaced(num_steps=10).resolved(_example_images.noisy())
    return recipe, list(nd.steps(_example_images.noisy(), recipe))


@functools.cache
def _one_step() -> tuple[list[tuple[str, str]], Files]:
    recipe, steps = _run()
    assert recipe.noise is not None
    k = 2
    scale = steps[k].noise_scale
    noisy = recipe.noise(steps[k - 1].image, noise_scale=scale, seed=recipe.seed, step=k)
    images = {
        f"after step {k - 1}": steps[k - 1].image,
        f"noise of scale {scale:.3f} added": noisy,
        f"filtered: step {k}": steps[k].image,
    }
    shown = [(f"loop/close_{i}.png", caption) for i, caption in enumerate(images)]
    made: Files = {
        place: _example_images.png(image)
        for (place, _), image in zip(shown, images.values(), strict=True)
    }
    return shown, made


@functools.cache
def _all_steps() -> tuple[list[tuple[str, str]], Files]:
    shown = [("loop/source.png", "source")]
    made: Files = {"loop/source.png": _example_images.png(_example_images.noisy())}
    for step in _run()[1]:
        place = f"loop/step_{step.index:02d}.png"
        caption = f"step {step.index}, noise scale {step.noise_scale:.3f}"
        shown.append((place, "final filter" if step.is_final else caption))
        made[place] = _example_images.png(step.image)
    return shown, made


def _presets() -> str:
    fields = [
        field.name
        for field in dataclasses.fields(nd.Recipe)
        if field.name not in ("stop_at", "asked")
    ]
    rows = [f"| | {' | '.join(PRESETS)} |", "|---" * (1 + len(PRESETS)) + "|"]
    for name in fields:
        values = [getattr(recipe, name) for recipe in PRESETS.values()]
        shown = [
            f"`{_components.call(v) if isinstance(v, Component) else repr(v)}`" for v in values
        ]
        rows.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(rows) + "\n\nParameters not shown have their defaults.\n"


def _examples() -> str:
    """Return every file of the examples under the first line of its docstring."""
    parts = []
    for path in sorted(EXAMPLES.glob("*.py")):
        code = path.read_text("utf-8").strip()
        title = (ast.get_docstring(ast.parse(code)) or path.stem).splitlines()[0]
        _, _, body = code.partition('"""\n')
        parts.append(f"**{title}** `examples/{path.name}`\n\n```python\n{body.strip()}\n```\n")
    return "\n".join(parts)


#: The parts by their names.
PARTS = {
    "one step": lambda: _example_images.strip(_one_step()[0]),
    "all steps": lambda: _example_images.strip(_all_steps()[0]),
    "beside the noise-free run": lambda: _example_images.strip(_measure.beside()[0]),
    "sources of weights": _learned.sources,
    "digits": _learned.digits,
    "noise table": _measure.table,
    "linear theorem": _measure.linear_sentence,
    "presets": _presets,
    "recipe json": lambda: f"```json\n{PRESETS['explore'].to_json()}\n```\n",
    "commands": _cli.commands,
    "examples": _examples,
    **{name: partial(_learned.shown, name) for name in _learned.SHOWN},
}
