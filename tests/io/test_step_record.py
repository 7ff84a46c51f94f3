"""The seal of a record: any change of it is found, and no way through a file is one."""

from __future__ import annotations

import json

import pytest

from napari_diffusion.io.step_record import (
    SEAL,
    as_record,
    checked_record,
    seal_holds,
    sealed,
    with_output_hash,
)

RECORD = {
    "schema": 1,
    "recipe": {"seed": 7, "diffusion_filter": {"type": "Heat", "time": 1.0}, "noise": None},
    "step": 2,
    "is_final": False,
    "noise_scale": 1,
    "grid": {
        "axes": "yx",
        "spacing": [1, 0.1],
        "along": "yx",
        "joint_channels": True,
        "rgb": False,
    },
    "source": "Zürich – 1.tif",
    "versions": {"napari-diffusion": "1.0"},
    "hashes": {"input": "0" * 64, "output": "1" * 64},
    "steps": [{"step": 2, "noise_scale": [1.0, 1e-300], "is_final": False, "sha256": "1" * 64}],
}


def paths(value, path=()):
    """Yield the place of everything in a record."""
    yield path
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in items:
            yield from paths(each, (*path, name))


PLACES = [path for path in paths(RECORD) if path]


def test_a_seal_holds_through_json_and_the_check():
    record = sealed(RECORD)
    assert list(record) == [*RECORD, SEAL]
    assert seal_holds(record) is True
    turned = dict(reversed(record.items()))
    for again in (json.loads(json.dumps(turned)), checked_record(record), as_record(turned)):
        assert seal_holds(again) is True
    assert sealed(record) == record
    assert sealed({**record, "step": 3})[SEAL] != record[SEAL]


def test_the_seal_is_the_hash_that_its_docstring_names():
    import hashlib

    text = b'{"a":[1,1e-05],"b":{"c":"\\u00fc","d":null},"e":true}'
    record = {"e": True, "b": {"d": None, "c": "ü"}, "a": [1.0, 1e-5]}
    assert sealed(record)[SEAL] == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_every_change_breaks_it(path):
    changes = [
        lambda owner, name: owner.__setitem__(name, "changed"),
        lambda owner, name: owner.pop(name),
        lambda owner, _: owner.append(0) if isinstance(owner, list) else owner.update(new=0),
    ]
    for change in changes:
        record = json.loads(json.dumps(sealed(RECORD)))
        owner = record
        for name in path[:-1]:
            owner = owner[name]
        change(owner, path[-1])
        assert seal_holds(record) is False


def test_records_without_a_seal_stay_readable():
    assert seal_holds(RECORD) is None
    assert as_record(RECORD) is not None


def test_what_cannot_be_sealed_does_not_hold():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert seal_holds({"recipe": {"a": deep}, SEAL: "0" * 64}) is False
    assert seal_holds({"step": 1, SEAL: "0" * 64}) is False


@pytest.mark.parametrize("wrong", ["", "0" * 63, "g" * 64, "0" * 64 + "\n", 7, None])
def test_hashes_are_hashes(wrong):
    for record in (
        {**RECORD, SEAL: wrong},
        {**RECORD, "hashes": {"input": wrong}},
        {**RECORD, "steps": [{**RECORD["steps"][0], "sha256": wrong}]},
    ):
        with pytest.raises(ValueError, match="is not what records hold"):
            checked_record(record)


def test_the_hash_of_the_output_joins_that_of_the_input():
    record = with_output_hash({"hashes": {"input": "0" * 64, "output": "1" * 64}}, "2" * 64)
    assert record["hashes"] == {"input": "0" * 64, "output": "2" * 64}
    assert with_output_hash({}, "2" * 64)["hashes"] == {"output": "2" * 64}
    assert with_output_hash(record, None)["hashes"] == {"input": "0" * 64}
    assert with_output_hash({"hashes": {"output": "1" * 64}, "step": 1}, None) == {"step": 1}
    assert record["hashes"]["output"] == "2" * 64
