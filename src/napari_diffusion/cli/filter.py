"""Apply one filter to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion import Recipe
from napari_diffusion.cli.component import component
from napari_diffusion.cli.run import check_one, opened, prepared, threads, write_steps

if TYPE_CHECKING:
    from argparse import Namespace

_LAST = 0


def apply(arguments: Namespace) -> int:
    """Read an image, apply a filter to it, and write the result."""
    component("filter", arguments.filter, arguments.settings)  # wrong ones are said before reading
    check_one(arguments)
    source, options, dtype = prepared(arguments)
    length = min(source.spacing_along(options["along"] or ""))
    chosen = component("filter", arguments.filter, arguments.settings, length)
    # One step without noise is the filter itself, and its record a recipe to be used again.
    recipe = Recipe(num_steps=1, noise=None, diffusion_filter=chosen)
    output = opened(arguments.output, source, recipe, _LAST, dtype, arguments.overwrite)
    with threads(arguments.threads):
        recipe = recipe.resolved(source.image, **options)
        write_steps(output, source, recipe, options, _LAST, quiet=True)
    if not arguments.quiet:
        print(f"{output.path}: {source.name} after {arguments.filter}, {output.dtype}")
    return 0
