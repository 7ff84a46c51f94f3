"""Runs that are killed, or find the disk full, at the n-th thing that they do to their files.

They are child processes of a server that has imported everything: each starts at once.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
from zarr_stores import made_up, record_of

from napari_diffusion.io import Output, npy_writer
from napari_diffusion.io.tiff import writer as tiff_writer

for name in ("dask.array", "psutil", "tifffile", "yaozarrs.v05"):
    importlib.import_module(name)
for name in ("ome_zarr.writer", "tiff.folder_writer", "tiff.imagej_writer"):
    importlib.import_module(f"napari_diffusion.io.{name}")

STEPS = 4
PLAN = {"recipe": {"num_steps": STEPS}, "kept": list(range(STEPS))}
FORMATS = {
    "run": ("a.ome.zarr", {}),
    "stack": ("a.zarr", {"stack": True}),
    "folder": ("a", {}),
    "tiff": ("a.ome.tif", {}),
    "imagej": ("a.tif", {"imagej": True}),
    "npy": ("a.npy", {}),
}
EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


def context():
    """Return what starts processes; on Linux and macOS copies of one that has imported all this."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["killed_runs"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), before or ""])
    try:
        forkserver.ensure_running()
    finally:
        os.environ["PYTHONPATH"] = before or ""
        if before is None:
            del os.environ["PYTHONPATH"]
    return found


def source():
    return made_up("zyx", (2, 20, 300))


def made_from(image, step):
    """Return what a step makes of the one before."""
    noise = np.random.default_rng(step).standard_normal(image.shape, np.float32)
    return np.tanh(image + noise)


class Progress:
    """Counts what is done to files in a folder, and stops at one of it."""

    def __init__(self, folder, at, how):
        self.folder, self.at, self.how, self.count = str(folder), at, how, 0
        sys.addaudithook(self.hear)
        planes, slabs = tiff_writer.planes, npy_writer.slabs

        def heard(function):
            def each(*arguments):
                for part in function(*arguments):
                    yield part
                    self.tick(writes=True)

            return each

        # What is written survives the process without it, and it takes most of the time.
        os.fsync = lambda _: self.tick(writes=False)
        tiff_writer.planes, npy_writer.slabs = heard(planes), heard(slabs)

    def hear(self, event, arguments):
        if event in EVENTS and str(arguments[0]).startswith(self.folder):
            self.tick(writes=event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)))

    def tick(self, *, writes):
        self.count += 1
        if self.at is None or self.count < self.at:
            return
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
        if writes:
            raise OSError(28, "No space left on device")


def run(folder, kind, resume, at, how, said):
    """Run the loop into a folder; `said` is a file for the steps that were made."""
    name, options = FORMATS[kind]
    origin = source()
    with Path(said).open("w") as file:
        progress = Progress(folder, at, how)
        output = Output(
            Path(folder, name), origin, STEPS, np.dtype("f4"), resume=resume, plan=PLAN, **options
        )
        failed = False
        try:
            with output:
                last = output.last_whole()
                step, image, _ = last or (-1, origin.image, None)
                print(json.dumps(["whole", output.whole]), file=file, flush=True)
                for index in range(step + 1, STEPS):
                    image = made_from(image, index)
                    output.write(image, record_of(origin, index))
                    print(json.dumps(["made", index]), file=file, flush=True)
        except OSError as error:
            failed = error.errno == 28
            if not failed:
                raise
        print(json.dumps(["failed" if failed else "done", progress.count]), file=file, flush=True)


def ran(folder, kind, said, *, resume=False, at=None, how="kill"):
    """Run in a process of its own; return what it said."""
    process = context().Process(target=run, args=(str(folder), kind, resume, at, how, str(said)))
    process.start()
    process.join()
    return [json.loads(line) for line in Path(said).read_text().splitlines()]
