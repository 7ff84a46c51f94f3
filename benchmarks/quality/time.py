"""How long it takes, beside BM3D and BM4D, all with the threads that they take by themselves."""

from __future__ import annotations

import os
from time import perf_counter, process_time
from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.quality import earlier, peers
from napari_diffusion.filters import LearnedDiffusion

SIDES = {"512²": (512,) * 2, "2048²": (2048,) * 2, "128³": (128,) * 3}
_SIGMA = 0.1

_LEARNED = "LearnedDiffusion, given the noise"


def _noisy(shape: tuple[int, ...]) -> Any:
    """Return a mosaic of a photograph; in space its planes move against each other."""
    camera = images.load("camera") / 255.0
    whole = np.tile(
        np.block([[camera, camera[:, ::-1]], [camera[::-1], camera[::-1, ::-1]]]), (2, 2)
    )
    plane = whole[: shape[-2], : shape[-1]]
    if len(shape) == 3:
        plane = np.stack([whole[z : z + shape[1], 200 : 200 + shape[2]] for z in range(shape[0])])
    noise = np.random.default_rng(0).normal(size=shape)
    return (plane + _SIGMA * noise).astype(np.float32)


def _ways(dimensions: int) -> dict[str, Any]:
    name, peer = {2: ("BM3D", peers.bm3d), 3: ("BM4D", peers.bm4d)}[dimensions]
    ways: dict[str, Any] = {
        "denoise": nd.denoise,
        "denoise fast": lambda image: nd.denoise(image, fast=True),
        earlier.NAME: earlier.denoise,
    }
    if dimensions == 2:
        ways[_LEARNED] = LearnedDiffusion(noise_sigma=_SIGMA)
    if peers.here(name.lower()):
        ways[name] = lambda image: peer(image, None, _SIGMA)
    return ways


def measured(seeds: int) -> dict[str, Any]:
    """Return [wall, CPU] seconds of every round: ways in turn, after a warm-up of ours."""
    found: dict[str, Any] = {"processors": os.cpu_count()}
    for size, shape in SIDES.items():
        image, ways = _noisy(shape), _ways(len(shape))
        for name in filter(lambda each: not each.startswith("BM"), ways):
            ways[name](image[tuple(slice(64 if len(shape) == 2 else 16) for _ in shape)])
        rounds: dict[str, list[list[float]]] = {name: [] for name in ways}
        for turn in range(max(seeds, 3) if size == "512²" else 2):
            for name, way in ways.items():
                if name.startswith("BM") and turn and size != "512²":
                    continue
                wall, cpu = perf_counter(), process_time()
                way(image)
                rounds[name].append([perf_counter() - wall, process_time() - cpu])
                print(size, name, rounds[name][-1], flush=True)
        found[size] = rounds
    return found


def lines(found: dict[str, Any]) -> list[str]:
    rows = ["| | wall s | CPU s | wall: times faster | CPU |", "|---|--:|--:|--:|--:|"]
    for size in SIDES:
        best = {name: np.min(values, axis=0) for name, values in found.get(size, {}).items()}
        other = next((name for name in best if name.startswith("BM")), None)
        for name, (wall, cpu) in best.items():
            ratios = ["–", "–"]
            if other is not None and name != other:
                ratios = [f"{value:.1f}" for value in best[other] / best[name]]
            cells = [f"{name}, {size}", f"{wall:.2f}", f"{cpu:.2f}", *ratios]
            rows.append(f"| {' | '.join(cells)} |")
    return [
        "## Time\n",
        f"Noise of {_SIGMA} of the range, float32, the best of some rounds in turn (of BM3D at "
        "2048² and BM4D one), each with the threads that it takes by itself; "
        f"{found['processors']} processors, which other programs may have used too: the CPU's "
        "clock says more than the wall's. Times faster than BM3D in planes, BM4D in space.\n",
        *rows,
        "",
    ]
