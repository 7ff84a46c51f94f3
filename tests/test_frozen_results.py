"""Nothing that the engine makes changes by itself: every result has the hash it had."""

from __future__ import annotations

import functools

import pytest
from frozen_results import (
    RENEW,
    hash_of,
    is_near,
    kept_values,
    machine,
    made,
    moved,
    rows,
    table,
    values,
)

ROWS = rows()
TABLE = table()
SAME_MACHINE = TABLE["made_with"] == machine()

kept = functools.cache(values)


@pytest.mark.parametrize("row", ROWS)
def test_the_result_is_the_frozen_one(row):
    assert row in TABLE["rows"], f"row missing: {RENEW} {row!r}"
    array, before = made(ROWS[row]), kept()[row]
    same = hash_of(array) == TABLE["rows"][row]
    # The last digits are those of one type of processor and one compiler.
    frozen = same if SAME_MACHINE else same or is_near(row, array, before)
    far = moved(kept_values(array), before)
    assert frozen, f"{array.dtype} {array.shape}, {far}; if that was meant, {RENEW} {row!r}"


def test_every_row_has_its_values_and_is_still_made():
    assert set(TABLE["rows"]) <= set(ROWS), f"rows that nothing makes any more: {RENEW}"
    assert set(TABLE["rows"]) == set(kept())
