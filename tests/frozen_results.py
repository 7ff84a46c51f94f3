"""What every part of the engine makes of small images, frozen as a table of hashes.

``python tests/frozen_results.py`` makes the whole table again; with names of rows as arguments it
renews those rows alone, and says how far each moved. Renew a row only where a result was meant to
change.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import inspect
import io
import json
import platform
import sys
import tempfile
import typing
import warnings
from importlib.metadata import version
from pathlib import Path

import dask.array as da
import llvmlite.binding
import numpy as np
import tifffile
import zarr
from cases import variants
from PIL import Image

import napari_diffusion as nd
from napari_diffusion.cli import main as command
from napari_diffusion.loop.registry import UNIT_FIELDS

TABLE = Path(__file__).with_suffix(".json")
VALUES = Path(__file__).with_suffix(".npz")

# Between processors the compiler fuses and orders sums differently, and mathematical functions
# differ in the last digit: 1e-7 of a float32, which steep edge maps and many steps make some
# hundred times larger. Between code for the newest processors and for the oldest ones the worst row
# differs by 1e-5 of its range.
RTOL = ATOL = 1e-4
# Where a result is rounded or compared with a threshold (counts of photons, grey levels, which
# windows are alike), a last digit may tip a sample to the next count, or a window out of a group:
# so large a share of the samples may be off there.
TIPPED = 0.02
TIPPING = ("noise/", "preset/", "store/", "whole/", "filter/NonLocal", "filter/Reaction")

RENEW = "run: python tests/frozen_results.py"


# Pictures


def small_image(*shape, seed=0, kind=np.float64):
    """Return flat parts, an edge, a ramp and noise, from 0 to about 1.5.

    Sums and products of integers and powers of two only, so that no library has a say in it.
    """
    at = np.indices(shape)
    scene = 2.0 * (2 * at[0] > shape[0]) + 1.5 * (3 * at[1] > shape[1]) + at[0] / 16
    noise = np.random.default_rng(seed).integers(-128, 129, (4, *shape)).sum(axis=0) / 1024
    return (0.2 + 0.25 * scene + 0.3 * noise).clip(0, None).astype(kind)


def dotted(*shape, seed=0):
    """Return a grid of bright squares whose noise is stronger than that of the dark ground."""
    at = np.indices(shape)
    squares = (at[0] % 14 < 6) & (at[1] % 14 < 7)
    noise = np.random.default_rng(seed).integers(-128, 129, (4, *shape)).sum(axis=0) / 1024
    return 0.0625 + squares * 0.375 + at[0] / 512 + noise * (0.5 + 0.5 * squares)


def mask_of(*shape):
    """Return a mask with islands, a bay and single samples."""
    mask = np.random.default_rng(1).integers(0, 10, shape) > 2
    mask[tuple(slice(n // 2) for n in shape)] = True
    return mask


PLANE, SPACE, COLOUR = (17, 23), (6, 8, 9), (9, 11, 3)
STRETCHED = {"axes": "zyx", "spacing": (2.0, 1.0, 0.5)}
COLOURS = {"axes": "yxc", "rgb": True}

# What is tried on an image and the keywords that go with it.
WHOLE = {
    "2d": (small_image(*PLANE), {}),
    "3d": (small_image(*SPACE), STRETCHED),
    "rgb": (small_image(*COLOUR), COLOURS),
}
NARROW = {"2d-float32": (small_image(*PLANE, kind=np.float32), {})}
APART = {"rgb-apart": (small_image(*COLOUR), {**COLOURS, "joint_channels": False})}
MASKED = {
    "masked-2d": (small_image(*PLANE), {"mask": mask_of(*PLANE)}),
    "masked-3d": (small_image(*SPACE), {**STRETCHED, "mask": mask_of(*SPACE)}),
}

# Large enough for windows and spectra; of these only numbers are kept.
LARGE = {
    "2d": (dotted(48, 56), {}),
    "masked-2d": (dotted(64, 72), {"mask": np.indices((64, 72)).sum(axis=0) > 30}),
    "3d": (dotted(10, 24, 26), STRETCHED),
    "rgb": (dotted(32, 40, 3), COLOURS),
}

SMOOTHING = nd.filters.PeronaMalik(contrast=0.3, smoothing=0.7, time=0.3)
QUIET = nd.Recipe(num_steps=3, noise=None, starting_noise_scale=0.0, diffusion_filter=SMOOTHING)
NOISY = nd.Recipe(num_steps=3, starting_noise_scale=0.1, diffusion_filter=SMOOTHING)


# Rows: each has a name and a function that makes one array


def rows():
    """Return what makes each row, by name."""
    found = {}
    for part in (
        filter_rows, noise_rows, schedule_rows, domain_rows, metric_rows, preset_rows,
        estimate_rows, whole_rows, store_rows,
    ):  # fmt: skip
        for name, make in part():
            assert name not in found, f"two rows are called {name}"
            found[name] = make
    return found


def name_of(component):
    """Return a class name and the parameters that differ from their defaults."""
    changed = [
        f"{p.name}={_word(getattr(component, p.name))}"
        for p in component.parameters()
        if getattr(component, p.name) != p.default
    ]
    return f"{type(component).__name__}({', '.join(changed)})"


def _word(value):
    if isinstance(value, tuple):
        return f"[{', '.join(map(_word, value))}]"
    return name_of(value) if hasattr(value, "parameters") else str(value)


def forms(cls):
    """Return a component at its defaults, where it has them, and those of other code paths."""
    plain = [cls()] if all(hasattr(cls, p.name) for p in cls.parameters()) else []
    found = [*plain, *variants(cls)]
    return [each for i, each in enumerate(found) if each not in found[:i]]


def filter_rows():
    for cls in nd.filters.FILTERS:
        for place, chosen in enumerate(forms(cls)):
            inputs = WHOLE | NARROW | (MASKED if _takes_mask(chosen) else {})
            inputs |= APART if place == 0 else {}
            for name, (image, options) in inputs.items():
                row = f"filter/{name_of(chosen)}/{name}"
                yield row, functools.partial(chosen, image, **options)
    plain = nd.filters.PeronaMalik(contrast=0.3)
    yield "filter/PeronaMalik(contrast=0.3)/dask", lambda: plain(_lazy()).compute()


def _takes_mask(chosen):
    # With a mask linear diffusion takes sub-steps, too many of them for the longest times.
    time = getattr(chosen, "time", 0)
    return "takes_mask" in chosen.claims and (isinstance(time, str) or time <= 100)


def noise_rows():
    for cls in nd.noise.NOISES:
        for chosen in forms(cls):
            inputs = WHOLE | {"masked-2d": MASKED["masked-2d"]} | NARROW
            for name, (image, options) in inputs.items():
                row = f"noise/{name_of(chosen)}/{name}"
                yield row, functools.partial(chosen, image, 0.1, seed=3, step=2, **options)
            if "natural" in chosen.claims:
                own = functools.partial(chosen, small_image(*PLANE), None, seed=3)
                yield f"noise/{name_of(chosen)}/own-scale", own
    plain = nd.noise.Gaussian()
    image, options = WHOLE["rgb"]
    each = functools.partial(plain, image, (0.05, 0.1, 0.2), seed=2**40, **options)
    yield "noise/Gaussian()/scale-per-channel", each
    yield "noise/Gaussian()/dask", lambda: plain(_lazy(), 0.1, seed=3).compute()


def _lazy():
    return da.from_array(small_image(*PLANE), chunks=(8, 10))


def schedule_rows():
    for cls in nd.schedules.SCHEDULES:
        for chosen in forms(cls):
            if chosen.tabulated:
                yield f"schedule/{name_of(chosen)}/table", functools.partial(_tables, chosen)
            yield f"schedule/{name_of(chosen)}/run", functools.partial(_scales, chosen)


def _tables(schedule):
    return np.concatenate([schedule(0.3, count) for count in (1, 2, 9)])


def _scales(schedule):
    image, options = WHOLE["2d"]
    recipe = NOISY.replaced(num_steps=4, stop_at=6, schedule=schedule)
    return np.array([step.noise_scale for step in nd.steps(image, recipe, **options)])


def domain_rows():
    for cls in nd.domains.DOMAINS:
        for chosen in forms(cls):
            for name, (image, options) in (WHOLE | NARROW | MASKED).items():
                recipe = NOISY.replaced(domain=chosen)
                row = f"domain/{name_of(chosen)}/{name}"
                yield row, functools.partial(_steps, image, recipe, options)


def metric_rows():
    for name in LARGE:
        for cls in nd.metrics.METRICS:
            for chosen in forms(cls):
                yield f"metric/{name_of(chosen)}/{name}", functools.partial(_curve, name, chosen)


def _curve(name, metric):
    return np.array(next(each.values for each in _curves(name) if each.metric == metric))


@functools.cache
def _curves(name):
    """Return the curves of all metrics on one image, which share their runs."""
    image, options = LARGE[name]
    metrics = [each for cls in nd.metrics.METRICS for each in forms(cls)]
    best_step = nd.analysis.best_step
    second = dotted(*image.shape, seed=9)
    truth = np.mean([dotted(*image.shape, seed=k) for k in range(20, 36)], axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = best_step(image, QUIET, reference=truth, second=second, metrics=metrics, **options)
    return found.curves


def preset_rows():
    for preset, recipe in nd.PRESETS.items():
        for name, (image, options) in (WHOLE | NARROW).items():
            yield f"preset/{preset}/{name}", functools.partial(_steps, image, recipe, options)


def _steps(image, recipe, options):
    """Return the images of all steps; the last is the final filter's."""
    return np.stack([step.image for step in nd.steps(image, recipe, **options)])


def estimate_rows():
    for name, (image, options) in LARGE.items():
        for make in (_sigmas, _contrasts, _times, _evidence, _models, _regions):
            row = f"estimate/{make.__name__.strip('_')}/{name}"
            yield row, functools.partial(make, image, options)
    yield "estimate/kernel/2d", _kernel
    yield "estimate/repeats/tyx", _repeats
    yield "estimate/bands/2d", _bands


def _methods(estimate):
    """Return what the parameter `method` of an estimate can be."""
    kind = inspect.signature(estimate).parameters["method"].annotation
    return typing.get_args(estimate.__globals__[kind])


def _sigmas(image, options):
    estimate = nd.estimate.noise_sigma
    return np.array([estimate(image, method, **options) for method in _methods(estimate)])


def _contrasts(image, options):
    estimate = functools.partial(nd.estimate.contrast, image, **options)
    beside = {"background": {"background": _background(image, options)}}
    methods = _methods(nd.estimate.contrast)
    found = [estimate(method=method, **beside.get(method, {})) for method in methods]
    return np.array([*found, estimate(smoothing=0.8), estimate(method="percentile", quantile=0.7)])


def _background(image, options):
    """Return where the image is dark and flat, colours sharing one mask."""
    shape = image.shape[:-1] if options.get("rgb") else image.shape
    empty = np.zeros(shape, bool)
    empty[..., : shape[-2] // 2, : shape[-1] // 3] = True
    return empty


def _times(image, options):
    estimate = functools.partial(nd.estimate.diffusion_time, image, **options)
    return np.array([estimate(), estimate(0.5), estimate(noise_sigma=0.1)])


def _evidence(image, options):
    found = nd.estimate.evidence(image, smoothing=0.5, **options)
    numbers = [*found.sigmas.values(), *found.contrasts.values(), *found.times.values()]
    return np.array([*numbers, *found.gradient_edges, *found.gradient_counts], float)


def _models(image, options):
    ways = ({}, {"offset": 0.1}, {"region_mask": _background(image, options)})
    return np.concatenate([_model(image, **way, **options) for way in ways])


def _model(image, **options):
    found = nd.estimate.noise_model(image, **options)
    single = (found.sigma, found.level, found.gain, found.offset, found.read_noise)
    lines = (found.row_noise, found.column_noise, *found.levels, *found.variances)
    spectrum = (*found.frequencies, *found.power, *np.ravel(found.kernel))
    return np.array([*single, *lines, *spectrum])


def _regions(image, options):
    all_of_it = (slice(None),) * image.ndim
    boxes = [all_of_it, (slice(0, None), slice(8, None), *all_of_it[2:])]
    return np.array(list(nd.estimate.noise_by_region(image, boxes, **options).values()))


def _kernel():
    rough = dotted(48, 56, seed=4)
    rough[1:] += rough[:-1]
    return np.asarray(nd.estimate.noise_kernel(rough, np.ones(rough.shape, bool)))


def _bands():
    """Measure noise that grows from band to band."""
    shape = 96, 128
    bands = np.indices(shape)[1] // 16
    noise = np.random.default_rng(6).integers(-128, 129, (4, *shape)).sum(axis=0) / 1024
    return _model(1 + bands + noise * (1 + bands / 4))


def _repeats():
    frames = np.stack([dotted(24, 26, seed=k) for k in range(4)])
    return _model(frames, axes="tyx", repeats="t")


KINDS = {"denoise": {}, "denoise-fast": {"fast": True}, "denoise-known": {"noise_sigma": 0.1}}


def whole_rows():
    """Rows of the functions that run whole recipes."""
    series = NOISY.replaced(
        diffusion_filter=(SMOOTHING, nd.filters.Heat()),
        final_filter=nd.filters.Median(radius=1.0),
    )
    for name, (image, options) in (WHOLE | NARROW | APART).items():
        for kind, settings in KINDS.items():
            make = functools.partial(nd.denoise, image, **settings, **options)
            yield f"whole/{kind}/{name}", make
        yield f"whole/series/{name}", functools.partial(_steps, image, series, options)
    for make in (
        _ensemble, _parameter_sweep, _sweep_runs, _noise_free_run, _local_error, _region,
        _resumed, _holes, _chunks,
    ):  # fmt: skip
        yield f"whole/{make.__name__.strip('_')}", make


def _ensemble():
    found = nd.analysis.ensemble(small_image(*PLANE), NOISY, seeds=3)
    return np.stack([found.mean, found.sensitivity])


def _parameter_sweep():
    found = nd.analysis.parameter_sweep(
        small_image(*PLANE), QUIET, {"contrast": [0.2, 0.4], "time": [0.5, 1.0]}
    )
    return np.stack([run.image for run in found.sweep_runs])


def _sweep_runs():
    found = nd.analysis.parameter_sweep(
        dotted(48, 56), QUIET, noise_sigma=0.06, metric=nd.metrics.Sure()
    )
    return np.array([run.value for run in found.sweep_runs])


def _noise_free_run():
    return np.stack(
        [(a.image, b.image) for a, b in nd.analysis.noise_free_run(small_image(*PLANE), NOISY)]
    )


def _local_error():
    image = small_image(*PLANE)
    return nd.analysis.local_error(image, QUIET, tile=6, noise_sigma=0.06, white=True).values


def _region():
    part = (slice(3, 12), slice(5, 20))
    return nd.run(small_image(*PLANE), NOISY, region=part).image


def _resumed():
    image = small_image(*PLANE)
    recipe = NOISY.resolved(image)
    first = next(nd.steps(image, recipe)).image
    return nd.run(first, recipe, first_step=1).image


def _holes():
    image = small_image(*PLANE)
    image[3:5, 4], image[9, 9] = np.nan, np.inf
    return nd.run(image, NOISY, missing="ignore").image


def _chunks():
    recipe = nd.PRESETS["explore"].replaced(num_steps=2, starting_noise_scale="auto")
    return np.asarray(nd.run(_lazy(), recipe).image)


# Files: what is read back from each format that is written, of each that is read

ENDINGS = (".ome.zarr", ".zarr", ".ome.tiff", ".ome.tif", ".tiff", ".tif", ".npy", "")
SOURCES = (
    "grey.png", "colour.png", "deep.tif", "volume.tif", "wide.npy", "run.ome.zarr/steps/0001",
)  # fmt: skip
FIXED = ("--set", "starting_noise_scale=4", "--set", "diffusion_filter.contrast=9")
RUN = ("run", "--steps", "3", *FIXED)
COMMANDS = {
    "filter": ("filter", "--filter", "Median"),
    "noise": ("noise", "--noise", "PoissonGaussian", "--scale", "4"),
    "last": (*RUN, "--keep", "last"),
    "mask": (*RUN, "--mask", "grey.png"),
    "axes": (*RUN, "--axes", "tx", "--along", "tx", "--spacing", "2,0.5", "--no-rgb"),
    "seed": (*RUN, "--seed", "9", "--threads", "1"),
}


def store_rows():
    for source in SOURCES:
        for ending in ENDINGS:
            for more in ((), ("--dtype", "source", "--keep", "every:2")):
                row = "/".join(("store", source.replace("/", "-"), ending or "folder", *more[1::2]))
                yield row, functools.partial(_written, RUN + more, source, ending)
    for ending in ENDINGS:
        row = f"store/recipe/{ending or 'folder'}"
        yield row, functools.partial(_recipe_kept, ending)
    for name, words in COMMANDS.items():
        yield f"store/{name}/.npy", functools.partial(_written, words, "grey.png", ".npy")
    yield "store/curves/.csv", _curves_written


def _written(words, source, ending):
    with _folder():
        _typed(*words, source, f"made{ending}")
        return _read(Path(f"made{ending}"))


def _recipe_kept(ending):
    """Return the letters of the recipe that a format gives back."""
    with _folder(), contextlib.redirect_stdout(io.StringIO()) as said:
        _typed(*RUN, "grey.png", f"made{ending}")
        kept = next(Path().glob("made/*")) if not ending else Path(f"made{ending}")
        command(["recipe", str(kept)])
    recipe = json.loads(said.getvalue())
    recipe = {name: value for name, value in recipe.items() if name not in UNIT_FIELDS}
    return np.frombuffer(json.dumps(recipe, sort_keys=True).encode(), np.uint8)


def _curves_written():
    with _folder(), contextlib.redirect_stdout(io.StringIO()):
        _typed("best", *RUN[1:], "grey.png", "--reference", "grey.png", "--curves", "made.csv")
        table = list(csv.reader(Path("made.csv").read_text("utf-8").splitlines()))
    return np.array(table[1:], float)


def _typed(*words):
    assert command([*words, "--quiet"]) == 0, words


@contextlib.contextmanager
def _folder():
    """Work in a new folder that holds a source of each format."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        scene, volume = small_image(*PLANE), small_image(*SPACE)
        Image.fromarray(_whole(scene, 100, np.uint8)).save("grey.png")
        Image.fromarray(_whole(small_image(*COLOUR), 100, np.uint8)).save("colour.png")
        tifffile.imwrite("deep.tif", _whole(scene, 1000, np.uint16))
        lengths = {"axes": "ZYX", "spacing": 1.5, "unit": "um"}
        volume = _whole(volume, 100, np.uint16)
        tifffile.imwrite(
            "volume.tif", volume, imagej=True, resolution=((4, 1), (4, 1)), metadata=lengths
        )
        np.save("wide.npy", 100 * scene)
        _typed(*RUN, "colour.png", "run.ome.zarr")
        yield


def _whole(values, factor, kind):
    return np.floor(factor * values).astype(kind)


def _read(path):
    """Return the array, or all steps as one, that a file or folder holds."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".zarr":
        steps = sorted((path / "steps").glob("[0-9]*"))
        return np.stack([zarr.open_array(str(step / "0"), mode="r")[...] for step in steps])
    if path.is_dir():
        return np.stack([tifffile.imread(step) for step in sorted(path.glob("*.tif"))])
    return tifffile.imread(path)


# The table


def made(make):
    """Return the array of a row; what the engine warns of is no concern here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.asarray(make())
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))


def hash_of(array):
    """Return the SHA-256 of type, shape and values."""
    head = f"{array.dtype.str} {array.shape} "
    return hashlib.sha256(head.encode() + array.tobytes()).hexdigest()


def machine():
    """Return what the last digits depend on: the type of processor, and the compiler."""
    cpu = llvmlite.binding.get_host_cpu_name()
    return {"processor": f"{platform.machine()} {cpu}", "numba": version("numba")}


def table():
    """Return the hashes by row, and what they were made with."""
    return json.loads(TABLE.read_text("utf-8"))


def values():
    """Return the values by row, flat and in single precision."""
    with np.load(VALUES) as kept:
        parts = np.split(kept["values"], np.cumsum(kept["counts"])[:-1])
        return dict(zip(kept["names"].tolist(), parts, strict=True))


def kept_values(array):
    """Return the values as they are kept: they are compared with a far larger tolerance."""
    return array.ravel().astype(np.float32)


def is_near(row, array, kept):
    """Say whether a result is the kept one up to the last digits of another processor."""
    found, kept = kept_values(array), kept.astype(np.float64)
    if found.size != kept.size:
        return False
    finite = kept[np.isfinite(kept)]
    reach = float(np.ptp(finite)) if finite.size else 0.0
    near = np.isclose(found, kept, rtol=RTOL, atol=ATOL * reach, equal_nan=True)
    return bool(np.mean(near) >= 1 - (TIPPED if row.startswith(TIPPING) else 0.0))


def write(hashes, kept):
    """Write the table and the values, row by row in the order of their names."""
    names = sorted(hashes)
    text = {"made_with": machine(), "rows": {name: hashes[name] for name in names}}
    TABLE.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")
    flat = [kept[name] for name in names]
    counts = np.array([each.size for each in flat])
    np.savez_compressed(VALUES, names=np.array(names), counts=counts, values=np.concatenate(flat))


def renew(names):
    """Renew some rows, or all, and say how far each moved."""
    makers, hashes, kept = rows(), {}, {}
    there = TABLE.exists() and VALUES.exists()
    before = values() if there else {}
    if names:
        unknown = [name for name in names if name not in makers]
        if unknown or table()["made_with"] != machine():
            raise SystemExit(f"No such rows: {unknown}" if unknown else f"Another machine: {RENEW}")
        hashes = {name: each for name, each in table()["rows"].items() if name in makers}
        kept = {name: before[name] for name in hashes}
    for name in names or makers:
        array = made(makers[name])
        hashes[name], kept[name] = hash_of(array), kept_values(array)
        if names:
            print(f"{name}: {moved(kept[name], before.get(name))}")
    write(hashes, kept)
    print(f"{len(names or makers)} of {len(hashes)} rows written to {TABLE.name}, {VALUES.name}.")


def moved(now, before):
    """Say in words how far the values of a row are from those before."""
    if before is None:
        return "new"
    if now.size != before.size:
        return f"{before.size} values became {now.size}"
    same = (now == before) | (np.isnan(now) & np.isnan(before))
    far = np.abs(now[~same].astype(np.float64) - before[~same])
    return f"largest difference {far.max() if far.size else 0.0:.3g}"


if __name__ == "__main__":
    renew(sys.argv[1:])
