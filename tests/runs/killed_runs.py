"""Kills runs by progress, lets each go on, and prints what was found; run as a program.

python killed_runs.py FOLDER OUTPUT EVENT…   kills at these events, each in a process of its own.
python killed_runs.py FOLDER OUTPUT count    prints how many events an unbroken run has.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import dask.array  # noqa: F401 - imported before the fork, as all that runs need
import numpy as np
import yaozarrs.v05  # noqa: F401
import zarr  # noqa: F401

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.io import Output, memory
from napari_diffusion.io.ome_zarr import image, writer  # noqa: F401 - imported before the fork
from napari_diffusion.io.tiff import folder_writer  # noqa: F401
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.runs import file_run
from napari_diffusion.runs.passes import pass_array, pass_plan
from napari_diffusion.runs.run_input import Reading, read_input

RECIPE = nd.Recipe(
    num_steps=3,
    diffusion_filter=nd.filters.PeronaMalik(time=0.3),
    final_filter=nd.filters.Median(),
    schedule=nd.schedules.Geometric(end=0.5),
)
MEMORY = 2 << 20


class Events:
    """Counts what a run does to the disk; at one of them the process is killed."""

    def __init__(self, fatal: int | None) -> None:
        self.count, self.fatal = 0, fatal

    def happened(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        for module, name in ((os, "replace"), (os, "fsync"), (os, "link"), (os, "rename")):
            setattr(module, name, self._watched(getattr(module, name)))
        pass_array.PassArray.write = self._watched(pass_array.PassArray.write)

    def _watched(self, function):
        def watched(*given, **options):
            self.happened()
            result = function(*given, **options)
            self.happened()
            return result

        return watched


def run(folder: Path, output: Path, *, resume: bool) -> file_run.FileRun:
    read = read_input(folder / "volume.npy", Reading(), lazy=True)
    kept = kept_steps(RECIPE, 2)
    target = Output(output, read.source, len(kept), read.computing_type, resume=resume)
    made = file_run.FileRun(read, RECIPE, target, kept)
    with memory.limited_memory(MEMORY):
        made.run()
    return made


def in_child(work) -> tuple[bool, str]:
    """Call a function in a process of its own; return whether it ended, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and status:
        raise SystemExit("a run failed")
    return not os.WIFSIGNALED(status), said


def hashes(output: Path) -> dict[str, str]:
    from napari_diffusion.io import read_image, step_paths
    from napari_diffusion.records.provenance import content_hash

    paths = step_paths(output) or [output]
    return {str(k): content_hash(read_image(path).image) for k, path in enumerate(paths)}


def killed(folder: Path, output: Path, event: int | None):
    def work():
        events = Events(event)
        events.watch()
        made = run(folder, output, resume=False)
        assert made.passes is not None
        return {"events": events.count, "made": made.passes.made, "hashes": hashes(output)}

    return work


def resumed(folder: Path, output: Path):
    def work():
        made = run(folder, output, resume=True)
        passes = made.passes
        return {
            "whole": list(made.output.whole),
            "made": passes.made if passes else 0,
            "skipped": passes.skipped if passes else 0,
            "total": passes.plan.tiling.count * len(passes.plan.passes) if passes else 0,
            "hashes": hashes(output),
        }

    return work


def tiles_there(output: Path) -> int:
    """Return how many tiles of the pass under way are files."""
    (folder,) = output.parent.glob(f"{output.name.partition('.')[0]}.partial*.passes")
    state = json.loads((folder / "passes.json").read_text())
    step, _, stop, _ = state["plan"]["passes"][state["done"]]
    return sum(1 for _ in (folder / f"{step:06}-{stop}" / "c").rglob("*[0-9]") if _.is_file())


def main() -> None:
    folder, name, *events = sys.argv[1:]
    folder = Path(folder)
    if not (folder / "volume.npy").exists():
        rng = np.random.default_rng(3)
        np.save(folder / "volume.npy", rng.normal(100, 10, (90, 40, 36)).astype(np.float32))
    # The same tiles in every run, whatever else the machine does.
    pass_plan.Costs.of = lambda recipe, grid: pass_plan.Costs.unknown(recipe)
    # Kernels are loaded once, before the fork.
    few = Image.of(np.load(folder / "volume.npy")[:32])
    resolved = RECIPE.resolved_on(few)
    noise_report(few, RECIPE, resolved)
    list(nd.steps(few, resolved))
    if events == ["count"]:
        print(in_child(killed(folder, folder / name, None))[1])
        return
    for event in map(int, events):
        output = folder / f"{event}{name}"
        ended, _ = in_child(killed(folder, output, event))
        found = {"event": event, "ended": ended}
        if not ended:
            try:
                found["there"] = tiles_there(output)
            except (ValueError, FileNotFoundError, IndexError):
                found["there"] = None
            found |= json.loads(in_child(resumed(folder, output))[1])
            known = ("volume.npy", name, output.name)
            found["left"] = sorted(p.name for p in folder.iterdir() if p.name not in known)
        shutil.rmtree(output) if output.is_dir() else output.unlink()
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
