"""Trains the weights that ship with the package, and writes into them what they were learned from.

python tools/train_photographs.py FOLDER OUTPUT [--seconds N]
python tools/train_photographs.py TRAINED OUTPUT --about [--seconds N] [--updates N]

FOLDER holds the files of the packages in `photographs.csv`, unpacked, in any order; every file is
known by its SHA-256. Time decides when training ends: another run comes near, not to the same bits.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from napari_diffusion.filters.learned.weights_file import bytes_of, weights_in
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.planes import Planes
from napari_diffusion.learning.training import FAST, Training
from napari_diffusion.learning.windows import CleanWindows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.filters.learned.network import Network

TABLE = Path(__file__).with_name("photographs.csv")

# Steps at each scale, the finest first; filters of a step, nodes of an influence function, and
# where it ends in units of the noise.
STEPS, FILTERS, NODES, REACH = (5, 4, 3), 24, 31, 8.0

# Two scales are learned first, from scratch; then all three, more gently.
TWO_SECONDS, ALL_SECONDS, GENTLER = 360.0, 6000.0, 3e-3
SEEDS = {"two scales": 0, "all scales": 11, "the third at first": 77}

# The influence of the third scale begins this much weaker, so that it does no harm.
WEAKER = 0.3

LEVELS = (0.01, 1.2)

# Factors of the differences of pixels, before the first step: least squares to the ground truth on
# 120 windows of 128² pixels with noise of 0.02 to 0.3.
PILOT = (
    (0.581563842, -0.602820809),
    (0.252008036, -0.260802946),
    (1.21925952, -1.1378009),
    (1.87821477, -1.92032573),
    (1.038596, -0.790518821),
    (1.06540641, -1.1321408),
    (1.03195626, -0.679739359),
    (1.08691032, -1.00848037),
    (1.00213687, -0.632491738),
    (0.992864625, -0.678902387),
)
PILOT_FROM = (
    "20 factors by least squares, on the images of lomiri-wallpapers-16.04 and one more of it, "
    "umang_by_Abhishek_Mudgal.jpg (Abhishek Mudgal, 2018, CC-BY-4.0)"
)

# Images are made smaller: their finest detail and noise is that of the camera and of JPEG.
LONGEST = ((2400, (1600, 900, 500)), (1300, (900, 500)), (0, (500,)))
LARGEST_SHARE, OF_ITS_OWN, LEAST_SIDE = 0.75, 0.62, 200

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_DARKEST, _BRIGHTEST = 0.002, 0.998


def table() -> list[dict[str, str]]:
    """Return what is known of every image, in the order of the list."""
    with TABLE.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def planes(folder: Path) -> list[Any]:
    """Return grey planes from 0 to 1 of every image in the list, at one size or more."""
    files = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    found = {digest_of(each): each for each in files}
    wanted = table()
    if missing := [each for each in wanted if each["digest"] not in found]:
        raise SystemExit(
            f"{len(missing)} of {len(wanted)} images are not in {folder}, such as "
            f"{missing[0]['file']} of {missing[0]['package']} {missing[0]['version']}."
        )
    return [plane for each in wanted for plane in _grey(found[each["digest"]])]


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _grey(file: Path) -> Iterator[Any]:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    image = Image.open(file)
    if image.mode in ("I;16", "I", "F"):
        values = np.asarray(image, np.float32)
        low, high = np.quantile(values, (_DARKEST, _BRIGHTEST))
        scaled = np.clip((values - low) / (high - low) * 255, 0, 255)
        image = Image.fromarray(scaled.astype(np.uint8))
    image = image.convert("RGB")
    largest = max(image.size)
    for side in next(sides for least, sides in LONGEST if largest > least):
        longest = int(OF_ITS_OWN * largest) if side > LARGEST_SHARE * largest else side
        size = tuple(round(n * (longest / largest)) for n in image.size)
        if min(size) >= LEAST_SIDE:
            smaller = image.resize(size, Image.Resampling.LANCZOS)
            grey = np.asarray(smaller, np.float32) @ _GREY
            yield grey.round().astype(np.float32) / np.float32(255)


def trained(windows: CleanWindows, seconds: float) -> tuple[Network, float, int]:
    """Return the best weights, the seconds of the processor that they took, and the updates."""
    two = FreeWeights.random(STEPS[:2], FILTERS, NODES, REACH, PILOT, SEEDS["two scales"])
    first = _run(windows, two, TWO_SECONDS, FAST, SEEDS["two scales"])
    third = FreeWeights.random(
        STEPS[2:], FILTERS, NODES, REACH, PILOT, SEEDS["the third at first"]
    ).arrays
    weaker = [third[0], WEAKER * third[1], WEAKER * third[2]]
    all_three = FreeWeights([*FreeWeights.of(first.best).arrays, *weaker], REACH, PILOT)
    last = _run(windows, all_three, seconds, GENTLER, SEEDS["all scales"])
    used = [each.scores[-1] for each in (first, last)]
    return last.best, sum(each.seconds for each in used), sum(each.steps for each in used)


def _run(
    windows: CleanWindows, start: FreeWeights, seconds: float, rate: float, seed: int
) -> Training:
    training = Training(windows, start, seconds, rate, seed)
    training.run(lambda score: print(score, flush=True))
    return training


def about(seconds: float, updates: int) -> dict[str, Any]:
    """Return what the file says of its weights."""
    keys = ("package", "version", "file", "author", "licence")
    learned_from = [[each[key] for key in keys] for each in table()]
    return {
        "name": "photographs",
        "learned_from": learned_from,
        "pilot_from": PILOT_FROM,
        "noise": "white and Gaussian, on images from 0 to 1",
        "levels": list(LEVELS),
        "steps": list(STEPS),
        "rates": [FAST, GENTLER],
        "seeds": SEEDS,
        "seconds": round(seconds),
        "updates": updates,
        "program": f"napari-diffusion {nd.__version__}",
    }


def with_about(trained_file: Path, output: Path, seconds: float, updates: int) -> None:
    """Write weights again, with what they were learned from.

    Parameters
    ----------
    trained_file, output : Path
        The weights, and where they are written.
    seconds : float
        Of the processor, in all.
    updates : int
        How often all weights were moved.
    """
    network, _ = weights_in(trained_file.read_bytes(), str(trained_file))
    output.write_bytes(bytes_of(network, about(seconds, updates)))


def main() -> None:
    """Train, or only write what is known of weights that were trained."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the images; with --about the trained weights")
    parser.add_argument("output", type=Path)
    parser.add_argument("--about", action="store_true", help="train nothing")
    parser.add_argument("--seconds", type=float, default=ALL_SECONDS, help="of the processor")
    parser.add_argument("--updates", type=int, default=0, help="with --about: how many there were")
    options = parser.parse_args()
    if options.about:
        with_about(options.folder, options.output, options.seconds, options.updates)
        return
    stacks = [each[None] for each in planes(options.folder)]
    network, seconds, updates = trained(CleanWindows(Planes(stacks), LEVELS), options.seconds)
    options.output.write_bytes(bytes_of(network, about(seconds, updates)))


if __name__ == "__main__":
    main()
