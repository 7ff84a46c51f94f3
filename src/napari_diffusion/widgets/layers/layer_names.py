"""What layers are called: what tells them apart comes first, the source last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.step import Step

_RUN = re.compile(r" \(run (\d+)\)$")

# How the titles of a loop's layers begin: a step, the final filter's, a stack of so many.
_OF_A_LOOP = re.compile(r"(\d+|final)\b")


def layer_name(title: str, source: str, run: int = 1) -> str:
    """Return the name of a layer, such as ``07 · σ=2 · face`` or ``final · face (run 2)``."""
    return f"{title} · {source}" if run == 1 else f"{title} · {source} (run {run})"


def free_name(title: str, source: str, run: int, taken: Container[str]) -> str:
    """Return the name of the first run, from a given one on, that no layer has yet."""
    while (name := layer_name(title, source, run)) in taken:
        run += 1
    return name


def run_number(name: str) -> int:
    """Return which run on its source a layer is of, by its name."""
    found = _RUN.search(name)
    return int(found[1]) if found else 1


def next_run(names: Iterable[str], source: str) -> int:
    """Return the number of the next run of the loop on a source: 1 where there is none yet.

    Parameters
    ----------
    names : iterable of str
        The names of all layers.
    source : str
        The name of the source.
    """
    there = [0]
    for name in names:
        title, dot, rest = name.partition(f" · {source}")
        if dot and _OF_A_LOOP.match(title) and (not rest or _RUN.fullmatch(rest)):
            there.append(run_number(rest))
    return max(there) + 1


def step_name(step: Step, num_steps: int, record: StepRecord) -> str:
    """Return what a step is called before its source, such as ``07 · σ=0.031``."""
    number = step_number(step, num_steps)
    kind = " · plausible" * (record["recipe"].get("update") == "reverse")
    if step.is_final or record["recipe"]["noise"] is None:
        return number + kind
    return f"{number} · {scale_name(step)}{kind}"


def noise_free_name(step: Step, num_steps: int) -> str:
    """Return what a step without noise is called before its source, such as ``07 · noise-free``."""
    return f"{step_number(step, num_steps)} · noise-free"


def step_number(step: Step, num_steps: int) -> str:
    """Return the number of a step, as many digits as the last one has, or "final"."""
    return "final" if step.is_final else f"{step.index:0{max(2, len(str(num_steps - 1)))}}"


def scale_name(step: Step) -> str:
    """Return the noise scale of a step as a layer's name has it, such as ``σ=0.031``."""
    scales = step.noise_scale if isinstance(step.noise_scale, tuple) else (step.noise_scale,)
    return f"σ={'/'.join(_short(scale) for scale in scales)}"


def _short(number: float) -> str:
    return f"{number:.2g}" if number < 100 else f"{number:.0f}"
