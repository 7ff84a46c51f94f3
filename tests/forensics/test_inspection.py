"""All traces of one image, with the hash of what was inspected."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from trace_cases import Blocks, FromFile, inspection

from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.forensics import evidence_of, limits
from napari_diffusion.forensics.inspection import inspect
from napari_diffusion.forensics.limits import NULL_WORDS, limit_sentences, limits_text


def test_what_cannot_be_read_is_kept_with_the_reason():
    found = inspection()
    assert [each.trace for each in found.readings] == [Blocks()]
    (left,) = found.not_read
    assert (left.trace, left.why.split(",")[0]) == (FromFile(), "It is read from the file")


@pytest.mark.parametrize(
    ("shape", "dtype", "options"),
    [
        ((12, 15), np.uint8, {}),
        ((3, 12, 15), ">u2", {"axes": "cyx"}),
        ((12, 15, 3), np.uint8, {"axes": "yxc", "rgb": True}),
        ((12, 15), np.float64, {}),
    ],
)
def test_the_hash_is_that_of_the_values_as_they_were_given(shape, dtype, options):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    found = inspection(image, **options)
    assert (found.inspected.of, found.inspected.sha256) == ("values", hash_of(image))
    np.testing.assert_array_equal(found.values, image)


def test_of_a_file_the_bytes_are_hashed(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((9, 9)))
    evidence = evidence_of(np.zeros((9, 9)), np.ones((4, 4)), file=path)
    found = inspect(evidence, [FromFile()], "a.npy", "b.npy")
    assert found.readings[0].remarks == ("The file was seen.",)
    assert found.inspected.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.reference.name, found.reference.of) == ("b.npy", "values")


def test_the_json_has_hashes_parameters_and_reasons_and_no_verdict():
    found = json.loads(json.dumps(inspection().to_dict(), allow_nan=False))
    assert set(found) == {"inspected", "what", "reference", "readings", "not_read"}
    assert found["readings"][0]["parameters"] == {"type": "Blocks", "side": 8}
    assert found["readings"][0]["places"][0]["log10_nfa"] == -4.5
    assert found["not_read"][0]["trace"] == "FromFile"


def test_the_traces_are_told_before_they_are_read():
    told = []
    inspect(evidence_of(np.zeros((9, 9))), (Blocks(), FromFile()), "a", progress=told.append)
    assert told == [Blocks(), FromFile()]


def test_a_file_that_has_gone_is_one_reason_and_not_the_end(tmp_path):
    class Gone(FromFile):
        """Opens the file."""

        def read(self, evidence):
            evidence.file.read_bytes()

    evidence = evidence_of(np.zeros((9, 9)), file=tmp_path / "gone.tif")
    found = inspect(evidence, (Gone(), Blocks()), "a")
    assert "gone.tif" in found.not_read[0].why
    assert len(found.readings) == 1


def test_limits_say_the_null_the_assumption_and_every_innocent_cause():
    first, second, third, *others = limit_sentences(Blocks())
    assert first == NULL_WORDS["a-contrario"]
    assert second.startswith("Assumed: Blocks are blocks")
    assert third == "How often untouched images show the same has not been measured."
    assert others == [f"What else looks the same: {each}" for each in Blocks.misleads]
    assert limit_sentences(FromFile()) == (NULL_WORDS["none"],)


def test_limits_say_how_often_untouched_images_show_the_same(monkeypatch):
    counted = {"what": "Crops with a region listed", "saved": "PNG", "found": 1, "of": 24,
               "photographs": 15, "low": 0.001, "high": 0.211, "version": "9.9"}  # fmt: skip
    seen = {"what": "Mean AUC of pixels, part moved", "saved": "PNG", "value": 0.9,
            "photographs": 15, "low": 0.8, "high": 0.95, "version": "9.9"}  # fmt: skip
    table = {"Blocks": {"untouched": [counted, {**counted, "saved": "JPEG-85"}], "changed": [seen]}}
    monkeypatch.setattr(limits, "_table", lambda: table)
    untouched, changed = limit_sentences(Blocks())[2:4]
    assert untouched == (
        "Measured with version 9.9 and default settings on 15 untouched photographs; in brackets "
        "intervals of 95 %. Crops with a region listed: 1 of 24 as PNG (0 … 21 %), 1 of 24 as "
        "JPEG-85 (0 … 21 %)."
    )
    assert changed == (
        "Measured on known changes. Mean AUC of pixels, part moved: 0.90 as PNG (0.80 … 0.95). An "
        "AUC of 1 tells all apart, and 0.5 is chance."
    )
    assert untouched in limits_text(Blocks())
    assert changed not in limits_text(Blocks())
    found = inspect(evidence_of(np.zeros((9, 9))), (Blocks(),), "a").to_dict()
    assert found["readings"][0]["measured"] == table["Blocks"]


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((9, 8), {}, "9 × 8 pixels, float64"),
        ((1, 9, 8), {"axes": "tyx"}, "1 frame of 9 × 8 pixels, float64"),
        ((5, 9, 8), {}, "5 planes of 9 × 8 pixels, float64"),
        ((3, 2, 9, 8), {"axes": "tcyx"}, "3 frames × 2 channels of 9 × 8 pixels, float64"),
        ((9, 8, 3), {"axes": "yxc", "rgb": True}, "9 × 8 pixels in colour, float64"),
        ((9, 8, 4), {"axes": "yxc", "rgb": True},
         "9 × 8 pixels in colour, float64; transparency is not inspected"),
    ],
)  # fmt: skip
def test_what_was_inspected_is_said(shape, options, words):
    evidence = evidence_of(np.arange(float(np.prod(shape))).reshape(shape), **options)
    assert inspect(evidence, (), "a").what == words
