"""Runs whose tiles are made by the workers of dask.distributed."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io import Output
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.passes.pass_plan import planned
from napari_diffusion.runs.passes.tiling import Tiling
from napari_diffusion.runs.passes.workers import Workers, active_client, cluster
from napari_diffusion.runs.run_input import Reading, read_input

pytestmark = [
    pytest.mark.slow,
    # Of the libraries under it, in processes that end.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

RECIPE = nd.Recipe(
    num_steps=2,
    diffusion_filter=nd.filters.PeronaMalik(contrast=8.0, time=0.5),
    final_filter=nd.filters.Median(),
    starting_noise_scale=3.0,
)


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    made = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    # A worker that ends before the cluster has heard of it would let closing fail.
    update = made._update_worker_status

    def known(op, message):
        if op != "remove" or message in made.scheduler_info["workers"]:
            update(op, message)

    made._update_worker_status = known
    with made, distributed.Client(made, set_as_default=False) as connected:
        yield connected


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "volume.npy"
    np.save(path, np.random.default_rng(5).normal(100, 10, (64, 30, 28)).astype(np.float32))
    return path


def run_of(source, name, workers=None, **options):
    read = read_input(source, Reading(), lazy=True)
    kept = kept_steps(RECIPE)
    output = Output(source.with_name(name), read.source, len(kept), read.computing_type, **options)
    return FileRun(read, RECIPE, output, kept, workers=workers)


@pytest.fixture
def small_tiles(monkeypatch):
    """Let every run have tiles of 8 planes."""

    def thin(recipe, grid, *more):
        plan = planned(recipe, grid, *more)
        tiling = Tiling(grid.shape, (1, 1, 8, 30, 28), (1, 1, 8, 30, 28))
        return type(plan)(plan.passes, tiling, plan.at_once, 1.0, 1.0, plan.tile_bytes)

    monkeypatch.setattr("napari_diffusion.runs.file_run.planned", thin)


def images(path):
    from napari_diffusion.io import read_image, step_paths

    return [read_image(each).image for each in step_paths(path)]


def expected(source):
    """Return the steps in memory."""
    return [step.image for step in nd.steps(np.load(source), RECIPE)]


def check_equal(path, source):
    for image, whole in zip(images(path), expected(source), strict=True):
        np.testing.assert_array_equal(image, whole)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_processes_gives_the_same_bits(count, client, source, small_tiles):
    client.cluster.scale(count)
    client.wait_for_workers(count)
    run_of(source, "out.ome.zarr", Workers.of_client(client)).run()
    check_equal(source.with_name("out.ome.zarr"), source)


def test_a_worker_that_is_lost_is_replaced(client, source, small_tiles):
    client.cluster.scale(2)
    client.wait_for_workers(2)
    run = run_of(source, "out.ome.zarr", Workers.of_client(client))
    lost = []

    def progress(done, total, unit):
        if done == total // 3 and not lost:
            lost.append(next(iter(client.run(os.getpid).values())))
            os.kill(lost[0], signal.SIGTERM)

    run.progress = progress
    run.run()
    assert lost
    check_equal(source.with_name("out.ome.zarr"), source)


def test_a_run_stops_and_goes_on_with_other_workers(client, source, small_tiles):
    stop = threading.Event()
    run = run_of(source, "out.ome.zarr", Workers.of_client(client))
    run.progress = lambda done, total, unit: stop.set() if done == total // 2 else None
    with pytest.raises(Stopped):
        run.run(stop)
    again = run_of(source, "out.ome.zarr", resume=True)
    again.run()
    assert again.passes.made < run.passes.made + again.passes.made
    check_equal(source.with_name("out.ome.zarr"), source)


def test_the_scheduler_holds_few_tasks_however_many_tiles_there_are(client):
    """The window bounds what it knows of, and so its memory."""
    workers = Workers.of_client(client)
    most = []

    def known(dask_scheduler):
        return len(dask_scheduler.tasks)

    for done, _ in enumerate(workers.results(_nothing, range(16_000 // 8), None)):
        if done % 250 == 0:
            most.append(client.run_on_scheduler(known))
    assert max(most) <= 3 * workers.window


def _nothing(tile):
    return tile


def test_workers_of_another_processor_are_named(client, monkeypatch):
    from napari_diffusion.runs.passes import workers

    ours = {**workers.versions(), "processor": "x86_64 other"}
    monkeypatch.setattr(workers, "versions", _Sent(ours))
    with pytest.warns(UserWarning, match=r"The worker tcp://.* has processor x86_64"):
        Workers.of_client(client).warn_of_others()


class _Sent:
    """What this process says of itself; a worker says the truth."""

    def __init__(self, ours):
        self.ours = ours

    def __call__(self):
        return self.ours

    def __reduce__(self):
        from napari_diffusion.records import provenance

        return _its_own, (provenance.__name__,)


def _its_own(name):
    import importlib

    return importlib.import_module(name).versions


def test_the_active_client_is_used(client, source):
    assert active_client() is None or active_client() is not client
    with client.as_current(), cluster(None, None, 1 << 30) as workers:
        assert workers.client is client
    with cluster(None, None, 1 << 30) as workers:
        assert workers is None


def test_no_scheduler_is_one_sentence():
    there_is_none = pytest.raises(ConnectionError, match="There is no scheduler at 'tcp:")
    with there_is_none, cluster(None, "tcp://127.0.0.1:1", 1 << 30):
        pass
