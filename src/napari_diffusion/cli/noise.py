"""Add noise to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.cli.arguments import UsageError
from napari_diffusion.cli.component import component
from napari_diffusion.cli.run import check_one, computed, prepared, processed, stoppable, threads

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.noise import Noise


def noise(arguments: Namespace) -> int:
    """Read an image, add noise to it, and write the noisy copy."""
    from napari_diffusion.io import Output, cast_record
    from napari_diffusion.records.noisy_copy import noise_record, noisy_copy

    _scale(arguments, component("noise", arguments.noise, arguments.settings))
    check_one(arguments)
    source, options, dtype = prepared(arguments)
    length = min(source.spacing_along(options["along"] or ""))
    chosen = component("noise", arguments.noise, arguments.settings, length)
    scale, kind = _scale(arguments, chosen), computed(source)
    output = Output(arguments.output, source, 1, dtype or kind, arguments.overwrite)
    with threads(arguments.threads), output, stoppable() as stop:
        made = noisy_copy(source.image, chosen, scale, arguments.seed, stop=stop, **options)
        cast = cast_record(kind, output.dtype)
        more = {"cast": cast, "source_processed": processed(source)}
        record = noise_record(made, options, source.name, **more)
        output.write(made.image, record)
    if not arguments.quiet:
        print(f"{output.path}: {source.name} with {arguments.noise} noise, {output.dtype}")
    return 0


def _scale(arguments: Namespace, chosen: Noise) -> Any:
    """Return the noise scale as `noisy_copy` takes it."""
    natural = "natural" in chosen.claims
    if arguments.scale == "own" and not natural:
        raise UsageError(
            f"No parameter of {arguments.noise} says how strong the noise is: give --scale a "
            "number, or auto."
        )
    if arguments.scale is None:
        return None if natural and arguments.settings else "auto"
    return None if arguments.scale == "own" else arguments.scale
