"""The sections that show images: before and after, the steps, what was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.io import shown_range
from napari_diffusion.records.provenance import noise_scale_of
from napari_diffusion.report.blocks import (
    Block,
    Comparison,
    Figure,
    Gallery,
    Section,
    table,
    text,
)
from napari_diffusion.report.colour_bar import ColourBar
from napari_diffusion.report.png_image import grey_uri, map_uri, reduced
from napari_diffusion.report.value_text import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.merkle_hash import Sliceable
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.report.report import Report
    from napari_diffusion.report.shown_part import ShownPart

#: The most steps and channels that are shown.
MOST_STEPS, MOST_CHANNELS = 48, 4

# The longest side of a thumbnail, and of the part that is shown without reduction.
_THUMBNAIL, _DETAIL = 192, 384

_NOT_SEEN = (
    "Outlines or objects that are seen here were removed with the noise. Structure weaker than the "
    "noise cannot be seen here, whether it was removed or not."
)

# Images with fewer pixels a side are shown with their pixels as squares.
_SQUARES = 300


def before_and_after(report: Report, part: ShownPart) -> Section:
    """Return the source and the result, with a slider."""
    blocks: list[Block] = [*text([part.in_words()], "note")]
    if report.source is None:
        why = report.missing.get("source", "The source is not at hand.")
        blocks += [*text([f"{why} The result alone is shown."], "missing")]
    for channel in range(min(part.channels, MOST_CHANNELS)):
        blocks += _compared(report, part, channel)
    blocks += text(left_channels(part), "note")
    return Section("before-after", "Before and after", tuple(blocks))


def every_step(report: Report, part: ShownPart) -> Section:
    """Return the kept steps as thumbnails with their noise scales."""
    kept = report.steps
    if len(kept) > MOST_STEPS:
        places = np.unique(np.linspace(0, len(kept) - 1, MOST_STEPS).round().astype(int))
        kept = tuple(kept[k] for k in places)
    limits = _limits(report, part, 0)
    figures = []
    if report.source is not None:
        figures.append(_thumbnail(part.plane(report.source), limits, part, "source"))
    for step in kept:
        label = step_words(step.record)
        figures.append(_thumbnail(part.plane(step.values), limits, part, label))
    count, shown = len(report.steps), len(kept)
    said = ["One step was kept." if count == 1 else f"{count} steps were kept."]
    said += [f"{shown} of them are shown."] * (shown < count)
    said += ["The first channel is shown."] * (part.channels > 1)
    note = "All images have the same grey levels as those above."
    return Section(
        "steps", "Every kept step", (*text(said), Gallery(tuple(figures), small=True, note=note))
    )


def step_words(record: StepRecord) -> str:
    """Return which step a record is of, and its noise scale."""
    if "recipe" not in record:
        return "noisy copy"
    name = f"step {record['step']}"
    if record.get("is_final"):
        last = record["recipe"].get("final_filter") is None
        name = "last step" if last else "after the final filter"
    scale = noise_scale_of(record)
    scales = scale if isinstance(scale, tuple) else (scale,)
    if record.get("is_final") or not any(scales):
        return name
    return f"{name} · noise scale {' / '.join(number(each) for each in scales)}"


def residual_blocks(report: Report, part: ShownPart) -> list[Block]:
    """Return source minus result as maps with colour bars, and its numbers."""
    if report.source is None:
        return [*text([report.missing.get("source", "The source is not at hand.")], "missing")]
    figures, rows = [], []
    for channel in range(min(part.channels, MOST_CHANNELS)):
        before = part.plane(report.source, channel)
        removed = before - part.plane(report.result.values, channel)
        if removed.ndim == 3:  # of colours the mean, as a map has one value for each pixel
            removed = removed.mean(axis=-1)
        figures.append(_residual(removed, part, _channel_words(part, channel)))
        rows.append(_row(removed, before, _channel_words(part, channel) or "all", report, channel))
    columns = ("channel", "mean", "standard deviation", "minimum", "maximum", "noise σ measured")
    return [
        *text(_removed_words(part)),
        Gallery(tuple(figures)),
        table("Source minus result in the plane shown, in intensity units", columns, rows),
        *text([_NOT_SEEN], "limits"),
    ]


def _compared(report: Report, part: ShownPart, channel: int) -> list[Block]:
    """Return one channel before and after; of a reduced one also a part as it is."""
    limits = _limits(report, part, channel)
    title = _channel_words(part, channel)
    after = part.plane(report.result.values, channel)
    before = None if report.source is None else part.plane(report.source, channel)
    caption = f"Grey levels from {number(limits[0])} (black) to {number(limits[1])} (white)."
    blocks: list[Block] = [
        _pair(before, after, limits, part, part.factor, f"{title} {caption}".strip())
    ]
    if part.factor > 1 and channel == 0:
        where = _middle(after.shape[:2], min(_DETAIL, part.longest))
        cut = None if before is None else before[where]
        blocks.append(_pair(cut, after[where], limits, part, 1, "The middle of it, not reduced."))
    return blocks


def _pair(
    before: NDArray[np.float64] | None,
    after: NDArray[np.float64],
    limits: tuple[float, float],
    part: ShownPart,
    factor: int,
    caption: str,
) -> Block:
    ratio = part.ratio_of(after.shape)
    sharp = max(after.shape[:2]) <= _SQUARES
    shown = Figure(grey_uri(reduced(after, factor), limits), ratio, "result", "result", sharp=sharp)
    if before is None:
        return Figure(shown.uri, ratio, "result", caption, sharp=sharp)
    uri = grey_uri(reduced(before, factor), limits)
    return Comparison(caption, Figure(uri, ratio, "source", "source", sharp=sharp), shown)


def _thumbnail(
    plane: NDArray[np.float64], limits: tuple[float, float], part: ShownPart, label: str
) -> Figure:
    factor = -(-max(plane.shape[:2]) // min(_THUMBNAIL, part.longest))
    uri = grey_uri(reduced(plane, factor), limits)
    return Figure(uri, part.ratio, label, label, sharp=max(plane.shape[:2]) < _THUMBNAIL)


def _residual(removed: NDArray[np.float64], part: ShownPart, channel: str) -> Figure:
    finite = np.abs(removed[np.isfinite(removed)])
    end = float(np.percentile(finite, 99.5)) if finite.size else 1.0
    end = end or 1.0
    uri = map_uri(reduced(removed, part.factor), (-end, end), diverging=True)
    labels = (f"≤ {number(-end)}", "0", f"≥ {number(end)}")
    caption = f"source minus result{f', {channel}' if channel else ''}"
    return Figure(
        uri, part.ratio, caption, caption, ColourBar(True, labels),
        sharp=max(removed.shape) <= _SQUARES,
    )  # fmt: skip


def _row(
    removed: NDArray[np.float64],
    before: NDArray[np.float64],
    name: str,
    report: Report,
    channel: int,
) -> tuple[str | float, ...]:
    finite = removed[np.isfinite(removed)]
    if not finite.size:
        return (name, *(float("nan"),) * 5)
    # Colours have one noise each, and one residual here.
    sigma = float("nan")
    if len(report.noise) > channel and before.ndim == 2:
        sigma = report.noise[channel].sigma
    mean, deviation = float(finite.mean()), float(finite.std())
    # What is left of rounding is no bias.
    mean = 0.0 if abs(mean) < 1e-6 * deviation else mean
    return (name, mean, deviation, float(finite.min()), float(finite.max()), sigma)


def _removed_words(part: ShownPart) -> list[str]:
    said = ["What the result lacks of the source: red where the source was brighter."]
    return said + ["The mean over the three colours is shown."] * part.grid.rgb


def _limits(report: Report, part: ShownPart, channel: int) -> tuple[float, float]:
    """Return the intensities shown black and white, by the source where there is one."""
    array = report.result.values if report.source is None else report.source
    return grey_limits(array, part, channel)


def grey_limits(array: Sliceable, part: ShownPart, channel: int) -> tuple[float, float]:
    """Return the intensities of an image that are shown black and white."""
    plane = part.plane(array, channel)
    if part.grid.rgb and array.dtype.kind in "iu":
        return 0.0, float(np.iinfo(array.dtype).max)
    finite = plane[np.isfinite(plane)]
    if not finite.size:
        return 0.0, 1.0
    if part.grid.rgb and finite.min() >= 0 and finite.max() <= 1:
        return 0.0, 1.0
    return shown_range(finite)


def grey_figure(array: Sliceable, part: ShownPart, channel: int) -> Figure:
    """Return one channel of an image, or its colours."""
    limits = grey_limits(array, part, channel)
    plane = part.plane(array, channel)
    uri = grey_uri(reduced(plane, part.factor), limits)
    said = f"Grey levels from {number(limits[0])} (black) to {number(limits[1])} (white)."
    caption = f"{_channel_words(part, channel)} {said}".strip()
    sharp = max(plane.shape[:2]) <= _SQUARES
    return Figure(uri, part.ratio_of(plane.shape[:2]), "image", caption, sharp=sharp)


def _middle(shape: tuple[int, ...], side: int) -> tuple[slice, ...]:
    starts = [max((size - side) // 2, 0) for size in shape]
    return tuple(slice(start, start + side) for start in starts)


def _channel_words(part: ShownPart, channel: int) -> str:
    return f"Channel {channel}." if part.channels > 1 else ""


def left_channels(part: ShownPart) -> list[str]:
    """Return a sentence on the channels that are not shown."""
    left = part.channels - MOST_CHANNELS
    return [f"{left} further channels are not shown."] if left > 0 else []
