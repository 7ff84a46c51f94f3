"""Files from strangers, mutated: one sentence or an image, never a traceback, a hang or a write.

Each of the five kinds is tried on twice the examples of the profile: some hundred files with the
other tests, ten thousand in `make test-long`. At least half of them must get past the parser, so
that what comes after it is tried too.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import resource
import shutil
import time
import warnings

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from strategies import settings  # of the profile that is asked for

import napari_diffusion as nd
from napari_diffusion.io import Output, Source, read_image, read_record
from napari_diffusion.records import legend, paragraph, recipe_of, record
from napari_diffusion.records.references import bibtex
from napari_diffusion.records.reproduce import command, python
from napari_diffusion.records.supplement import supplement

# What a command prints in one line, instead of a traceback.
SAID = (ValueError, TypeError, OSError, MemoryError)
SECONDS, BYTES = 20, 1 << 30
MANY = settings(max_examples=2 * settings.default.max_examples, deadline=None)
IMAGE = np.random.default_rng(0).normal(100, 9, (12, 16)).astype(np.float32)
RECIPE = nd.Recipe(
    num_steps=2,
    starting_noise_scale=5.0,
    diffusion_filter=nd.filters.PeronaMalik(contrast=4.0, time=1.0),
    final_filter=nd.filters.Heat(time=0.5),
)
STEP = nd.Step(1, 2.0, IMAGE, is_final=False, next_noise_scale=1.0)
RECORD = record(RECIPE, STEP, {"axes": "yx", "spacing": (1.0, 1.0)}, "a.tif", unit="micrometer")

WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.sampled_from([0, -1, 2**31, 2**32, 2**63, 2**64, 10**30, 10**400, 1e-300, 1e300]),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "auto", "x" * 5000, "../../x", "/etc/passwd", "\x00", "os:system", "yx'; x"]
    ),
    st.lists(st.integers(-9, 9), max_size=3),
    st.dictionaries(st.sampled_from(["type", "path", "name"]), st.text(max_size=3), max_size=2),
)
# Numbers that are as good as those that were there: these mutants get past every check of a type.
MILD = {int: st.integers(1, 4), float: st.floats(0.1, 4.0)}


def places(value, path=()):
    """Yield the path of each value in nested plain ones."""
    if path:
        yield path
    if not isinstance(value, dict | list):
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(inner, (*path, name))


@st.composite
def mutated(draw, original):
    """Draw plain values with some of them changed, most of them mildly."""
    values = json.loads(json.dumps(original))
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        mild = draw(st.integers(0, 3)) > 0
        known = list(places(values))
        numbers = [p for p in known if type(at(values, p)) in MILD and p[-1] != "schema"]
        path = draw(st.sampled_from(numbers if mild and numbers else known))
        inner = at(values, path[:-1])
        if not mild and draw(st.integers(0, 9)) == 0 and isinstance(inner, dict):
            inner[draw(st.sampled_from(["type", "x", "steps", "function"]))] = draw(WILD)
        else:
            inner[path[-1]] = draw(MILD[type(inner[path[-1]])] if mild and numbers else WILD)
    return values


def at(values, path):
    for name in path:
        values = values[name]
    return values


class Count:
    """How many mutants there were, and how many got past the parser."""

    def __init__(self) -> None:
        self.tried = self.past = 0

    def half(self):
        assert self.tried > 40
        assert self.past >= 0.5 * self.tried, f"{self.past} of {self.tried}"


def tried(count, folder, parse, use):
    """Parse and use a mutant: it says what is wrong, in time, and writes nothing."""
    before, began = listing(folder), time.process_time()
    high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count.tried += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(*SAID):
            parsed = parse()
            count.past += 1
            use(parsed)
    assert listing(folder) == before
    if count.tried > 5:  # the first ones compile
        assert time.process_time() - began < SECONDS
        assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - high) < BYTES


def listing(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def test_recipes(tmp_path):
    count = Count()

    def use(recipe):
        for _ in itertools.islice(nd.steps(IMAGE, recipe, axes="yx"), 2):
            pass
        assert nd.Recipe.from_json(recipe.to_json()) == recipe

    @MANY
    @given(mutated(RECIPE.to_dict()))
    def each(values):
        text = json.dumps(values)
        tried(count, tmp_path, lambda: nd.Recipe.from_json(text), use)

    each()
    count.half()


def test_records(tmp_path):
    """A record in a TIFF: words, code and the recipe are made of what gets past its check."""
    path = tmp_path / "a.ome.tif"
    with Output(path, Source(name="a", image=IMAGE, axes="yx"), 1, IMAGE.dtype) as output:
        output.write(IMAGE, RECORD)
    with tifffile.TiffFile(path) as file:
        xml = file.ome_metadata
    start = xml.index("{")
    old = xml[start : xml.rindex("}") + 1]
    count = Count()

    def parse():
        assert read_image(path).image.shape == IMAGE.shape
        kept = read_record(path)
        if kept is None:
            raise ValueError("no record")
        return kept

    def use(kept):
        for text in (paragraph, legend, bibtex, command, supplement):
            assert text(kept)
        compile(python(kept), "copied", "exec")
        recipe_of(kept)

    @MANY
    @given(mutated(RECORD))
    def each(values):
        from xml.sax.saxutils import escape

        tifffile.tiffcomment(path, xml.replace(old, escape(json.dumps(values))).encode())
        tried(count, tmp_path, parse, use)

    each()
    count.half()


def test_zarr_metadata(tmp_path):
    path = tmp_path / "a.ome.zarr"
    with Output(path, Source(name="a", image=IMAGE, axes="yx"), 1, IMAGE.dtype) as output:
        output.write(IMAGE, RECORD)
    files = {name: json.loads((path / name).read_text()) for name in ("zarr.json", "0/zarr.json")}
    count = Count()

    def parse():
        zarr.open(str(path), mode="r")
        return path

    @MANY
    @given(
        st.sampled_from(sorted(files)).flatmap(
            lambda name: st.tuples(st.just(name), mutated(files[name]))
        )
    )
    def each(mutant):
        name, values = mutant
        (path / name).write_text(json.dumps(values))
        try:
            tried(count, tmp_path, parse, lambda found: np.asarray(read_image(found).image))
            tried(Count(), tmp_path, lambda: read_image(path, lazy=True), lambda found: found)
        finally:
            (path / name).write_text(json.dumps(files[name]))

    each()
    count.half()


BYTES_OF_TIFF = st.lists(
    st.tuples(st.integers(4, 400), st.sampled_from([0, 1, 2, 3, 7, 127, 128, 255])),
    min_size=1,
    max_size=3,
)


def test_tiff_headers(tmp_path):
    path, whole = tmp_path / "a.tif", tmp_path / "whole.tif"
    tifffile.imwrite(whole, (IMAGE * 9).astype(np.uint16), compression="zlib", rowsperstrip=4)
    raw = whole.read_bytes()
    count = Count()

    def parse():
        try:
            with tifffile.TiffFile(path) as file:
                assert file.series[0].shape
        except Exception:
            read_image(path)  # says so, in one sentence
            raise ValueError("it is no TIFF") from None
        return path

    @MANY
    @given(BYTES_OF_TIFF)
    def each(changes):
        mutant = bytearray(raw)
        for place, value in changes:
            mutant[place % len(mutant)] = value
        path.write_bytes(mutant)
        tried(count, tmp_path, parse, lambda found: read_image(found).image.sum())
        path.write_bytes(mutant)

    each()
    count.half()


def test_npy_headers(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, IMAGE)
    raw, count = path.read_bytes(), Count()
    header = raw[10:128].decode("latin-1")

    def filtered(found):
        nd.filters.Heat(time=0.1)(found.image)

    @st.composite
    def headers(draw):
        shape = draw(st.sampled_from(["(12, 16)", "(16, 12)", "(192,)", "(4, 48)", "(2, 96)"]))
        wild = st.sampled_from(["(10**9, 10**9)", "(-1, 16)", "(2**62, 8)", "()", "(12, 16, 9)"])
        kind = draw(st.sampled_from([*["<f4", "<i4", ">u4"] * 6, "|O", "<c8", "<U9", "V4"]))
        shape = draw(wild) if draw(st.integers(0, 9)) == 9 else shape
        text = header.replace("(12, 16)", shape).replace("<f4", kind)
        text = text.replace("False", draw(st.sampled_from(["False"] * 8 + ["True", "None"])))
        return raw[:10] + text[:118].ljust(118).encode("latin-1") + raw[128:]

    @MANY
    @given(headers())
    def each(mutant):
        path.write_bytes(mutant)
        tried(
            count,
            tmp_path,
            lambda: read_image(path),
            lambda found: nd.filters.Heat(time=0.1)(found.image),
        )

    each()
    count.half()


@pytest.mark.parametrize("depth", [1, 3])
def test_links_out_of_a_store_are_not_followed(tmp_path, depth):
    secret = tmp_path / "secret"
    zarr.create_array(secret, shape=(4, 4), dtype="u1")[...] = 7
    path = tmp_path / "a.ome.zarr"
    with Output(path, Source(name="a", image=IMAGE, axes="yx"), 1, IMAGE.dtype) as output:
        output.write(IMAGE, RECORD)
    if depth == 1:
        shutil.rmtree(path / "0")
        (path / "0").symlink_to(secret, target_is_directory=True)
    else:
        chunk = next(
            each for each in (path / "0").rglob("*") if each.is_file() and each.name != "zarr.json"
        )
        chunk.unlink()
        chunk.symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match=r"a\.ome\.zarr"):
        np.asarray(read_image(path).image)
