"""Some squares of the images are held out, and no window sees one of them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.learning.planes import Planes, wider
from napari_diffusion.learning.window_size import AROUND, MARGIN


def random(seed):
    return np.random.Generator(np.random.Philox(seed))


def stack(*shape):
    return np.zeros(shape, np.float32)


def seen(place):
    return wider(place.rows), wider(place.columns)


def overlap(a, b):
    return a.start < b.stop and b.start < a.stop


@pytest.mark.parametrize("size", [(512, 512), (300, 201), (256, 256), (120, 400)])
def test_no_window_sees_what_is_held_out(size):
    planes = Planes([stack(1, *size)])
    held = planes.squares()
    assert held
    for n in range(200):
        place = planes.window(random(n))
        assert place.rows.stop <= size[0]
        assert place.columns.stop <= size[1]
        rows, columns = seen(place)
        for square in held:
            assert not (overlap(rows, square.rows) and overlap(columns, square.columns))


def test_one_square_in_eight_of_a_large_image_is_held_out():
    planes = Planes([stack(1, 512, 512)], most_held=1000)
    assert len(planes.squares()) == 64 // 8
    assert planes.side == 96


def test_planes_that_show_something_alike_have_the_same_squares_held_out():
    planes = Planes([stack(1, 256, 256) for _ in range(5)], groups=[0] * 5, most_held=1000)
    places = {(each.rows.start, each.columns.start) for each in planes.squares()}
    assert len(planes.squares()) == 5 * len(places)


def test_of_many_small_planes_the_last_are_held_out_as_a_whole():
    planes = Planes([stack(1, 64, 64) for _ in range(40)], most_held=1000)
    assert {each.stack for each in planes.squares()} == set(range(35, 40))
    assert {planes.window(random(n)).stack for n in range(300)} == set(range(35))


@pytest.mark.parametrize("side", [16, 25, 100])
def test_two_small_planes_are_enough(side):
    planes = Planes([stack(1, side, side), stack(1, side, side)])
    (held,) = planes.squares()
    assert held.stack == 1
    assert planes.window(random(0)).stack == 0


def test_a_single_plane_without_room_for_both_has_none():
    assert Planes([stack(1, 64, 64)]).side == 0


def test_windows_count_no_pixel_outside():
    inside = random(0).random((256, 256)) > 1e-4
    inside[:90, :120] = False
    planes = Planes([stack(1, 256, 256)], inside=[inside])
    for place in [*planes.squares(), *(planes.window(random(n)) for n in range(100))]:
        assert inside[place.rows, place.columns].all()


def test_what_is_seen_around_a_window_is_what_filters_see():
    assert wider(slice(40, 50)) == slice(40 - MARGIN - AROUND, 50 + MARGIN + AROUND)
    assert wider(slice(4, 50), clip=True).start == 0
