"""What every trace is held to: nothing is written, nothing is judged, and limits stand beside."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_diffusion.forensics import TRACES, Reading, evidence_of
from napari_diffusion.loop.registry import from_dict, to_dict

FORENSICS = Path(inspect.getfile(Reading)).parent
# Titles of works are not ours.
FORBIDDEN = re.compile(
    r"\b(fakes?|faked|forged|forgery|manipulated|authentic|probability of|verdicts?|tampered|"
    r"suspicious|guilty|innocent image|real image)\b",
    re.IGNORECASE,
)
REFERENCES = re.compile(r"References\n *-+\n.*?(?=\n\n|\Z)", re.DOTALL)
NO_VERDICT = re.compile(r"\b(no|never|not|without)\b[^.]*\bverdicts?\b")


def textured(shape, seed=0, top=255.0):
    random = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(random.normal(size=shape), [0] * (len(shape) - 2) + [2, 2])
    values = 0.5 + 0.2 * values / values.std() + 0.02 * random.normal(size=shape)
    return np.round(np.clip(values, 0, 1) * top)


def masked():
    mask = np.zeros((96, 80), bool)
    mask[20:90, 10:70] = True
    return mask


IMAGES = {
    "2d": (textured((96, 80)).astype(np.uint8), {"axes": "yx"}),
    "rgb": (
        np.stack([textured((96, 80), seed=i).astype(np.uint8) for i in range(3)], -1),
        {"axes": "yxc", "rgb": True},
    ),
    "stack": (textured((3, 64, 72)).astype(np.uint8), {"axes": "zyx"}),
    "movie": (textured((6, 64, 48)).astype(np.uint8), {"axes": "tyx"}),
    "channels": (textured((2, 64, 64)).astype(np.uint8), {"axes": "cyx"}),
    "float64": (textured((96, 80), top=4.0) / 7 - 0.2, {"axes": "yx"}),
    "uint16": (textured((96, 80), top=60000).astype(np.uint16), {"axes": "yx"}),
    "columns first": (textured((80, 96)).astype(np.uint8).T, {"axes": "xy"}),
    "tiny": (textured((8, 8)).astype(np.uint8), {"axes": "yx"}),
    "one pixel": (np.full((1, 1), 7, np.uint8), {"axes": "yx"}),
    "constant": (np.full((64, 64), 42, np.uint8), {"axes": "yx"}),
    "masked": (textured((96, 80)).astype(np.uint8), {"axes": "yx", "mask": masked()}),
    "nothing inside": (
        textured((96, 80)).astype(np.uint8), {"axes": "yx", "mask": np.zeros((96, 80), bool)}
    ),
    "missing values": (
        np.where(masked(), textured((96, 80)), np.nan), {"axes": "yx", "missing": "ignore"}
    ),
}  # fmt: skip

traces = pytest.mark.parametrize("cls", TRACES, ids=lambda cls: cls.__name__)
images = pytest.mark.parametrize("name", IMAGES)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the file of each image; values that no photo holds are those of a photo."""
    folder, found = tmp_path_factory.mktemp("files"), {}
    for name in IMAGES:
        found[name] = folder / f"{name}.{'jpg' if name in ('2d', 'rgb') else 'png'}"
        image = IMAGES[name][0] if name in ("2d", "rgb") else textured((96, 80)).astype(np.uint8)
        Image.fromarray(image).save(found[name])
    return found


def given(cls, name, files):
    """Return an image with all that a trace may need, the file only where it needs one."""
    image, options = IMAGES[name]
    more = {}
    if "second image" in cls.needs:
        more["reference"] = np.flip(image, -1).copy()
        options = {key: value for key, value in options.items() if key != "mask"}
    if "file" in cls.needs:
        more["file"] = files[name]
    return image, more | options


@pytest.fixture(scope="module")
def readings(files):
    """Return a function that reads a trace from an image once; None where it cannot be read."""
    kept = {}

    def read(cls, name):
        if (cls, name) not in kept:
            image, options = given(cls, name, files)
            kept[cls, name] = None
            if not cls().why_not(evidence_of(image, **options)):
                kept[cls, name] = cls()(image, **options)
        return kept[cls, name]

    return read


def said_by(reading):
    """Yield all sentences and names of a reading."""
    yield from (*reading.remarks, *reading.limits(), *reading.sentences())
    yield from (text for number in reading.numbers for text in (number.name, number.words))
    yield from (place.words for place in reading.places)
    yield from (text for curve in reading.curves for text in (curve.name, curve.x_label))
    yield from (text for shown in reading.maps for text in (shown.name, shown.null_words))


def same(first, second):
    """Return whether two readings are equal to the bit."""
    if json.dumps(first.to_dict()) != json.dumps(second.to_dict()):
        return False
    for one, other in zip(first.maps, second.maps, strict=True):
        assert (one.name, one.unit, one.limits) == (other.name, other.unit, other.limits)
        if one.values.tobytes() != other.values.tobytes():
            return False
    return first.curves == second.curves


@traces
@images
def test_a_trace_is_read_or_says_why_not(cls, name, readings, files):
    reading = readings(cls, name)
    if reading is not None:
        assert isinstance(reading, Reading)
        assert reading.remarks, "there is always a sentence"
        return
    image, options = given(cls, name, files)
    why = cls().why_not(evidence_of(image, **options))
    assert re.fullmatch(r"[A-Z].*\.", why, re.DOTALL), why
    assert not FORBIDDEN.search(why)
    with pytest.raises(ValueError, match=re.escape(why)):
        cls()(image, **options)


@traces
@images
def test_a_reading_is_the_same_again_and_the_image_is_not_written(cls, name, readings, files):
    reading = readings(cls, name)
    if reading is None:
        pytest.skip("cannot be read")
    image, options = given(cls, name, files)
    image = image.copy()
    before = image.tobytes()
    image.flags.writeable = False
    again = cls()(image, **options)
    assert image.tobytes() == before
    assert same(reading, again)


@traces
@images
def test_maps_have_the_shape_of_the_image(cls, name, readings):
    image, options = IMAGES[name]
    axes, shape = options["axes"], image.shape
    colours = tuple(n for a, n in zip(axes, shape, strict=True) if a != "c")
    reading = readings(cls, name)
    for shown in reading.maps if reading else ():
        assert shown.values.shape in ((colours,) if options.get("rgb") else (shape, colours))
        assert shown.values.dtype.kind == "f"
        low, high = shown.limits
        assert np.isfinite([low, high]).all()
        assert low < high
        assert not np.isinf(shown.values).any()
        assert shown.null is None or shown.null.ndim == 1
        assert shown.null is None or shown.null_words


@traces
@images
def test_a_reading_is_plain_json(cls, name, readings):
    reading = readings(cls, name)
    if reading is not None:
        json.dumps(reading.to_dict(), allow_nan=False)
        for curve in reading.curves:
            assert len(curve.x) == len(curve.y)
        for table in reading.tables():
            assert all(len(row) == len(table.columns) for row in table.rows)


@traces
@images
def test_places_lie_in_the_image(cls, name, readings):
    image, options = IMAGES[name]
    sizes = dict(zip(options["axes"], image.shape, strict=True))
    reading = readings(cls, name)
    for place in reading.places if reading else ():
        assert place.outline.ndim == 2
        assert place.outline.shape[1] == 2
        assert (place.outline >= -1).all()
        assert (place.outline <= [sizes["y"], sizes["x"]]).all()
        if place.log10_nfa is not None:
            assert cls.null == "a-contrario"


@traces
@images
def test_no_sentence_is_a_verdict(cls, name, readings):
    reading = readings(cls, name)
    for text in said_by(reading) if reading else ():
        assert not FORBIDDEN.search(text), text


@traces
def test_limits_and_purpose_are_written(cls):
    assert cls.slot == "trace"
    assert cls.needs <= {"pixels", "file", "second image", "frames"}
    assert cls.needs
    assert cls.null in ("a-contrario", "reference", "same image", "none")
    assert cls.assumes.endswith(".")
    assert cls.misleads
    assert all(re.fullmatch(r"[A-Z].*\.", each, re.DOTALL) for each in cls.misleads)
    for part in ("Notes\n", "References\n"):
        assert part in cls.__doc__, part
    if cls.parameters():
        assert "Parameters\n" in cls.__doc__


@traces
def test_each_parameter_is_explained(cls):
    for parameter in cls.parameters():
        assert parameter.tooltip, parameter.name
        assert f"{parameter.name} : " in cls.__doc__, parameter.name


@traces
def test_parameters_come_back_from_json(cls):
    made = cls()
    kept = json.loads(json.dumps(to_dict(made), allow_nan=False))
    assert from_dict("trace", kept) == made


def test_the_texts_of_the_package_hold_no_verdict():
    for path in sorted(FORENSICS.rglob("*.py")):
        text = REFERENCES.sub("", path.read_text("utf-8"))
        found = FORBIDDEN.findall(NO_VERDICT.sub("", text))
        assert not found, f"{path.relative_to(FORENSICS)}: {found}"


def test_traces_are_in_the_registry_with_names_of_their_own():
    from napari_diffusion.forensics.catalog import traces as known

    assert {cls.__name__ for cls in TRACES} <= {cls.__name__ for cls in known()}
    assert len({cls.display_name for cls in TRACES}) == len(TRACES)
