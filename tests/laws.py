"""What every filter, noise and schedule is held to.

A law is a function of a component and a case; it asserts. `test_laws.py` runs every component of
every catalog through all of them, so that a new component is tested by being in its tuple.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from cases import images_of, in_units

from napari_diffusion import Grid
from napari_diffusion.core.image import Image
from napari_diffusion.noise import SaltPepper

# --- Laws of filters ---


def keeps_mean(component, case):
    """The mean changes by less than 1e-6 of the range or of itself, whichever is larger."""
    for dtype, part in itertools.product((np.float32, np.float64), _channels_apart(case)):
        image = case.image(dtype)
        before, after = image[part], component(image, **case.options)[part]
        assert_mean_kept(before, after)


def assert_mean_kept(before, after):
    mean = before.mean(dtype=np.float64)
    tolerance = 1e-6 * max(np.ptp(before.astype(np.float64)), abs(mean))
    assert abs(after.mean(dtype=np.float64) - mean) <= tolerance


def _channels_apart(case):
    """Return the slices of each image and channel."""
    for part in images_of(case):
        if "c" not in case.axes:
            yield part
            continue
        c = case.axes.index("c")
        for i in range(case.shape[c]) if part[c] == slice(None) else [part[c].start]:
            yield (*part[:c], slice(i, i + 1), *part[c + 1 :])


def keeps_range(component, case):
    """No value leaves the range of its image, not by the last bit."""
    for dtype, part in itertools.product((np.float32, np.float64), _channels_apart(case)):
        image = case.image(dtype)
        before, after = image[part], component(image, **case.options)[part]
        assert after.min() >= before.min()
        assert after.max() <= before.max()


def keeps_constant(component, case):
    """A constant image stays as it is, to the bit."""
    for value in (0.0, 1.0, 0.1, -1234.567, 1e30, 1e-30):
        image = np.full(case.shape, value, np.float32)
        np.testing.assert_array_equal(component(image, **case.options), image)


def nearly_keeps_constant(component, case):
    """A constant image changes by no more than round-off."""
    for value in (0.0, 1.0, 0.1, -1234.567, 1e30, 1e-30):
        image = np.full(case.shape, value, np.float32)
        np.testing.assert_allclose(component(image, **case.options), image, rtol=1e-6)


def is_linear(component, case):
    """The filter of a·u + b·v is a times that of u plus b times that of v."""
    u, v = case.image(seed=0), case.image(seed=1)
    together = component(3.0 * u - 0.7 * v, **case.options)
    apart = 3.0 * component(u, **case.options) - 0.7 * component(v, **case.options)
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12)


def shifts_with_grey(component, case):
    """A brighter image is filtered as the darker one, and stays as much brighter."""
    image = case.image()
    shifted = component(image + 16.0, **case.options) - 16.0
    np.testing.assert_allclose(shifted, component(image, **case.options), rtol=0, atol=1e-12)


def scales_with_intensity(component, case):
    """u → c·u with the parameters in intensity units alike: the same bits for a power of two."""
    image = case.image(np.float32)
    plain = component(image, **case.options)
    for factor in (np.float32(2.0**5), np.float32(2.0**-7)):
        scaled = in_units(component, intensity=float(factor))(image * factor, **case.options)
        np.testing.assert_array_equal(scaled, plain * factor)


def scales_with_length(component, case):
    """h → c·h with the parameters in world units alike: the same bits for a power of two."""
    image = case.image(np.float32)
    plain = component(image, **case.options)
    spacing = np.broadcast_to(case.more.get("spacing", 1.0), len(case.along))
    for factor in (4.0, 0.125):
        options = {**case.options, "spacing": tuple(factor * spacing)}
        scaled = in_units(component, length=factor)(image, **options)
        np.testing.assert_array_equal(scaled, plain)


def is_local(component, case):
    """Say whether a result depends on nothing but pixels within the halo."""
    return component.halo(Grid.of(case.shape, **case.options)) is not None


def flips(component, case):
    """The mirror image is filtered to the mirror image, along every axis in space and time.

    To the bit for local components; a transform of the whole image rounds in another order.
    """
    image = case.image(np.float32)
    plain = component(image, **case.options)
    for axis in (i for i, name in enumerate(case.axes) if name != "c"):
        mirrored = np.flip(image, axis)
        again = np.flip(component(mirrored, **case.options), axis)
        if is_local(component, case):
            np.testing.assert_array_equal(again, plain)
        else:
            np.testing.assert_allclose(again, plain, rtol=0, atol=1e-6)


def turns(component, case):
    """Any two axes that diffuse may change places, with their spacings."""
    image = case.image()
    plain = component(image, **case.options)
    spacing = dict(
        zip(
            case.along, np.broadcast_to(case.more.get("spacing", 1.0), len(case.along)), strict=True
        )
    )
    for a, b in itertools.combinations(case.along, 2):
        swapped = {**spacing, a: spacing[b], b: spacing[a]}
        options = {**case.options, "spacing": tuple(swapped[axis] for axis in case.along)}
        i, j = case.axes.index(a), case.axes.index(b)
        turned = component(image.swapaxes(i, j), **options).swapaxes(i, j)
        np.testing.assert_allclose(turned, plain, rtol=0, atol=1e-12)


def keeps_images_apart(component, case):
    """Each image of a batch comes out as if it were filtered alone, to the bit."""
    image = case.image(np.float32)
    whole = component(image, **case.options)
    for part in images_of(case):
        np.testing.assert_array_equal(component(image[part], **case.options), whole[part])


def returns_its_own(component, case):
    """The input is never written, may be read-only and of any layout; the output is a new array."""
    image = case.image(np.float32)
    expected = component(image, **case.options)
    wide = np.zeros([3 * n for n in image.shape], np.float32)
    strided = wide[tuple(slice(1, None, 3) for _ in image.shape)]
    strided[...] = image
    backwards = np.flip(np.flip(image).copy())
    for view in (strided, backwards, np.asfortranarray(image), image.astype(">f4")):
        view.flags.writeable = False
        before = view.copy()
        out = component(view, **case.options)
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(view, before)
        assert not np.shares_memory(out, view)
        assert out.flags.writeable
        assert out.flags.owndata
        assert out.flags.c_contiguous


def keeps_type(component, case):
    """float64 stays, whatever else becomes float32 and gives what float32 would."""
    image = case.image(np.float64)
    assert component(image, **case.options).dtype == np.float64
    for dtype in (np.float32, np.float16, np.uint8, np.int8, np.uint16, np.int32, np.int64, bool):
        typed = (image * (1 if np.dtype(dtype).kind in "fb" else 100)).astype(dtype)
        out = component(typed, **case.options)
        assert out.dtype == np.float32
        assert out.shape == case.shape
        np.testing.assert_array_equal(out, component(typed.astype(np.float32), **case.options))


def survives_extremes(component, case):
    """Neither huge nor tiny images, nor such parameters, give anything but finite numbers."""
    for scale, factor in itertools.product((1e30, 1.0, 1e-30), (1e30, 1.0, 1e-30)):
        image = (scale * case.image()).astype(np.float32)
        out = in_units(component, intensity=factor)(image, **case.options)
        assert np.isfinite(out).all()
        for part in _channels_apart(case):
            if "maximum_principle" in component.claims:
                assert image[part].min() <= out[part].min()
                assert out[part].max() <= image[part].max()
            if "keeps_mean" in component.claims:
                assert_mean_kept(image[part], out[part])


def survives_denormals(component, case):
    """Images of the smallest numbers there are obey the same laws."""
    random = np.random.default_rng(0)
    smallest = np.finfo(np.float32).smallest_subnormal
    for top in (2, 5, 100, 100_000):
        image = random.integers(0, top, case.shape, endpoint=True).astype(np.float32) * smallest
        out = component(image, **case.options)
        assert np.isfinite(out).all()
        if "maximum_principle" in component.claims:
            assert image.min() <= out.min()
            assert out.max() <= image.max()


def stays_inside(component, case):
    """With a mask nothing changes outside of it, and nothing outside changes what is inside."""
    image, mask = case.image(np.float32), case.mask()
    inside = case.spread(mask)
    out = component(image, mask=mask, **case.options)
    np.testing.assert_array_equal(out[~inside], image[~inside])
    assert not np.array_equal(out[inside], image[inside])
    for outside in (1e30, -1e30, 7.0):
        other = np.where(inside, image, np.float32(outside))
        again = component(other, mask=mask, **case.options)
        np.testing.assert_array_equal(again[inside], out[inside])
        np.testing.assert_array_equal(again[~inside], other[~inside])
    for part in _channels_apart(case):
        before, after = image[part][inside[part]], out[part][inside[part]]
        if "keeps_mean" in component.claims:
            assert_mean_kept(before, after)
        if "maximum_principle" in component.claims:
            assert before.min() <= after.min()
            assert after.max() <= before.max()


def takes_holes_as_a_mask(component, case):
    """missing="ignore" gives the bits of a mask of what is finite, and keeps what is not."""
    image, inside = case.image(np.float32), case.spread(case.mask())
    holed = np.where(inside, image, np.float32(np.nan))
    out = component(holed, missing="ignore", **case.options)
    masked = component(image, mask=case.mask(), **case.options)
    np.testing.assert_array_equal(out[inside], masked[inside])
    np.testing.assert_array_equal(np.isnan(out), ~inside)


# --- Laws of noises ---


def reference_of(component):
    """Return the intensity at which a noise has its scale: its own where it depends on that."""
    typed = getattr(component, "reference", "auto")
    return 100.0 if typed == "auto" else typed


def imaged(component, case):
    """Return a case with images that a noise takes."""
    return dataclasses.replace(case, positive="signal_dependent" in component.claims)


def adds_what_it_says(component, case):
    """The mean stays and the standard deviation is the noise scale, within what chance allows."""
    level = reference_of(component)
    image = np.full((200, 300), level)
    # Of few outliers no image of this size says how many there are.
    least = 0.1 if isinstance(component, SaltPepper) else 0.001
    for scale in (least * level, 0.25 * level):
        seeds = range(5, 6 if "white" in component.claims else 25)
        noises = [component(image, scale, seed=seed) - image for seed in seeds]
        if "keeps_mean" in component.claims:
            assert_within_chance([noise.ravel() for noise in noises], 0, 1e-6 * scale)
        if "has_scale" in component.claims:
            squares = [(noise - noise.mean()).ravel() ** 2 for noise in noises]
            assert_within_chance(squares, scale**2, 1e-4 * scale**2)
        if "white" in component.claims:
            noise = noises[0] - noises[0].mean()
            beside = np.mean(noise[:, 1:] * noise[:, :-1]) / noise.var()
            above = np.mean(noise[1:] * noise[:-1]) / noise.var()
            assert max(abs(beside), abs(above)) < 4.5 / np.sqrt(image.size)


def assert_within_chance(found, expected, rounding):
    """Hold the mean of numbers to what is expected: of one list, or of many lists' means."""
    numbers = found[0] if len(found) == 1 else np.array([each.mean() for each in found])
    error = numbers.std(ddof=1) / np.sqrt(len(numbers))
    assert abs(numbers.mean() - expected) < 4.5 * error + rounding


def has_an_address(component, case):
    """Seed and step alone choose the numbers; another of either gives others."""
    image = imaged(component, case).image(np.float32)

    def noisy(**address):
        return component(image, 0.1, **{"seed": 3, "step": 2, **address}, **case.options)

    first = noisy()
    np.testing.assert_array_equal(noisy(), first)
    for other in ({"seed": 4}, {"step": 1}, {"seed": 2**64 - 1}, {"step": 2**32 - 1}):
        changed = noisy(**other)
        if "random" not in component.claims:
            np.testing.assert_array_equal(changed, first)
        else:
            # Sparse noise leaves most pixels alone, and a bias that follows the image is shared.
            alike = np.corrcoef((changed - image).ravel(), (first - image).ravel())[0, 1]
            assert alike < 0.9


def takes_its_own_parameters(component, case):
    """Without a noise scale the parameters of the noise make one, and the noise is that."""
    image = imaged(component, case).image(np.float32)
    if "natural" not in component.claims:
        with pytest.raises(TypeError, match=r"noise_scale must be a number.*\(got None\)\.$"):
            component(image, None, seed=3, **case.options)
        return
    source = Image.of(image, **case.options)
    scale = component.resolved(source).natural_scale()
    own = component(image, None, seed=3, **case.options)
    np.testing.assert_array_equal(own, component(image, scale, seed=3, **case.options))
    assert not np.array_equal(own, image)


def adds_nothing_at_scale_0(component, case):
    image = imaged(component, case).image(np.float32)
    np.testing.assert_array_equal(component(image, 0.0, **case.options), image)


# --- Laws of schedules ---


def table_of(component, start, num_steps):
    """Return the noise scales of a run, the filter of each step taking out half of its noise."""
    scales = [component.first_scale(start)]
    for step in range(num_steps - 1):
        scales.append(component.next_scale(scales[-1], step, num_steps, removed=scales[-1] / 2))
    return np.array(scales)


def spans_the_run(component, start, num_steps):
    """It begins at the start and ends at the fraction it names; the monotone never turn back."""
    table = table_of(component, start, num_steps)
    assert table[0] == start or "relative" not in component.claims
    if num_steps > 1 and hasattr(component, "end"):
        np.testing.assert_allclose(table[-1], start * component.end, rtol=1e-12, atol=1e-15 * start)
    if "monotone" in component.claims:
        slopes = np.diff(table)
        # Where a rule hardly moves, the last bit of a power may turn back.
        last_bit = 4 * np.finfo(float).eps * np.abs(table).max()
        falls = getattr(component, "end", 0) <= 1
        assert (slopes <= last_bit).all() if falls else (slopes >= -last_bit).all()
    assert (table >= 0).all()
    assert table.max() <= component.largest_scale(start, num_steps) * (1 + 1e-12)


def tabulates_its_rule(component, start, num_steps):
    """The table is next_scale again and again, and past the last step the scale stays."""
    expected = table_of(component, start, num_steps)
    if "tabulated" in component.claims:
        table = component(start, num_steps)
        assert table.shape == (num_steps,)
        np.testing.assert_array_equal(table, expected)
    elif num_steps > 1:
        with pytest.raises(ValueError, match="unknown until the step before"):
            component(start, num_steps)
    last = expected[-1]
    for step in (num_steps - 1, num_steps + 5):
        assert component.next_scale(last, step, num_steps, removed=last / 2) == last


def scales_with_its_start(component, start, num_steps):
    """Twice the start is twice the noise at every step."""
    if "relative" not in component.claims:
        return
    twice, once = (table_of(component, each, num_steps) for each in (2 * start, start))
    np.testing.assert_array_equal(twice, 2 * once)


# --- Laws of all components ---


def is_frozen_and_equal_by_value(component):
    again = type(component)(**{p.name: getattr(component, p.name) for p in component.parameters()})
    assert again == component
    assert hash(again) == hash(component)
    for p in component.parameters():
        try:
            setattr(component, p.name, p.default)
        except dataclasses.FrozenInstanceError:
            continue
        raise AssertionError(f"{p.name} can be changed")
