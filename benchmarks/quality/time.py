"""How long it takes, beside BM3D, both with the threads that they take by themselves."""

from __future__ import annotations

import os
from time import perf_counter, process_time
from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.quality import peers

SIZES = (512, 2048)
_SIGMA = 0.1


def _noisy(size: int) -> Any:
    from skimage import data

    camera = data.camera() / 255.0
    whole = np.tile(
        np.block([[camera, camera[:, ::-1]], [camera[::-1], camera[::-1, ::-1]]]), (2, 2)
    )
    noise = np.random.default_rng(0).normal(size=(size, size))
    return (whole[:size, :size] + _SIGMA * noise).astype(np.float32)


def measured(seeds: int) -> dict[str, Any]:
    """Return [wall, CPU] seconds of every round: ways in turn, after a warm-up of ours."""
    ways: dict[str, Any] = {
        "denoise": nd.denoise,
        "denoise fast": lambda image: nd.denoise(image, fast=True),
    }
    if peers.here("bm3d"):
        ways["BM3D"] = lambda image: peers.bm3d(image, None, _SIGMA)
    found: dict[str, Any] = {"processors": os.cpu_count()}
    for size in SIZES:
        image = _noisy(size)
        for name in ("denoise", "denoise fast"):
            ways[name](image[:64, :64])
        rounds: dict[str, list[list[float]]] = {name: [] for name in ways}
        for turn in range(max(seeds, 3) if size == SIZES[0] else 2):
            for name, way in ways.items():
                if name == "BM3D" and turn and size > SIZES[0]:
                    continue
                wall, cpu = perf_counter(), process_time()
                way(image)
                rounds[name].append([perf_counter() - wall, process_time() - cpu])
                print(size, name, rounds[name][-1], flush=True)
        found[str(size)] = rounds
    return found


def lines(found: dict[str, Any]) -> list[str]:
    rows = ["| | wall s | CPU s | wall: times faster than BM3D | CPU |", "|---|--:|--:|--:|--:|"]
    for size in SIZES:
        rounds = found[str(size)]
        best = {name: np.min(values, axis=0) for name, values in rounds.items()}
        for name, (wall, cpu) in best.items():
            times = best["BM3D"] / best[name] if "BM3D" in best else (np.nan, np.nan)
            ratios = [f"{value:.1f}" if value > 1 and name != "BM3D" else "–" for value in times]
            cells = [f"{name}, {size}²", f"{wall:.2f}", f"{cpu:.2f}", *ratios]
            rows.append(f"| {' | '.join(cells)} |")
    return [
        "## Time\n",
        f"One picture with noise of {_SIGMA} of the range, float32, the best of some rounds in "
        f"turn, each with the threads that it takes by itself; {found['processors']} processors, "
        "which other programs may have used too: the CPU's clock says more than the wall's.\n",
        *rows,
        "",
    ]
