"""That the benchmark runs and that its arithmetic is right; never how fast anything is."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("measure", "cases", "peers", "blur", "noise", "report", "plot", "startup", "machine")
MODULES += ("memory", "targets")


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmark, by name."""
    sys.path.insert(0, str(ROOT))
    try:
        names = {name: importlib.import_module(f"benchmarks.{name}") for name in MODULES}
        yield SimpleNamespace(**names)
    finally:
        sys.path.remove(str(ROOT))


def _duel(bench, ours, theirs):
    def costs(walls):
        return tuple(bench.measure.Cost(wall, 2 * wall) for wall in walls)

    return bench.measure.Duel(costs(ours), costs(theirs))


def _result(bench, threads=1, own=False, **changes):
    values = {
        "case": "heat",
        "title": "Heat",
        "unit": "sample",
        "threads": threads,
        "ours": "Heat (exact)",
        "theirs": "a library",
        "note": "same to 1e-08",
        "own": own,
        "duel": _duel(bench, [1e-9, 2e-9, 4e-9], [8e-9, 10e-9, 12e-9]),
    }
    return bench.cases.Result(**{**values, **changes})


def test_ratios_are_taken_pair_by_pair(bench):
    # The ratio of the medians would be 5, and that of the bests 8.
    ratio = _duel(bench, [1, 2, 4], [8, 10, 12]).ratio("wall")
    assert (ratio.least, ratio.median, ratio.greatest) == (3, 5, 8)
    ratio = _duel(bench, [1, 4, 2], [8, 8, 6]).ratio("cpu")
    assert (ratio.least, ratio.median, ratio.greatest) == (2, 3, 8)


def test_the_median_of_an_even_number_lies_between(bench):
    assert bench.measure.Spread.of([4, 1, 2, 30]) == bench.measure.Spread(3, 1, 30)


def test_the_best_is_the_least_cost_of_a_side(bench):
    duel = _duel(bench, [3, 2, 5], [7, 9, 8])
    assert duel.best("ours", "wall") == 2
    assert duel.best("theirs", "cpu") == 14


def test_costs_are_per_unit_of_work(bench, monkeypatch):
    ticks = {"perf_counter": [10.0, 22.0], "process_time": [3.0, 9.0]}
    for name, times in ticks.items():
        monkeypatch.setattr(bench.measure.time, name, lambda times=times: times.pop(0))
    calls = []
    assert bench.measure.cost(lambda: calls.append(1), 2.0, repeats=3) == bench.measure.Cost(2, 1)
    assert len(calls) == 3


def test_both_sides_are_measured_in_turn_after_a_warm_up(bench, monkeypatch):
    monkeypatch.setattr(bench.measure, "SHORTEST", 0.0)
    order = []
    duel = bench.measure.duel(
        lambda: order.append("A"), 1, lambda: order.append("B"), 1, rounds=4, budget=1e9
    )
    assert "".join(order) == "AABB" + "ABABABAB"
    assert len(duel.ours) == len(duel.theirs) == 4


def test_three_rounds_are_measured_however_slow(bench, monkeypatch):
    monkeypatch.setattr(bench.measure, "SHORTEST", 0.0)
    duel = bench.measure.duel(lambda: None, 1, lambda: None, 1, rounds=9, budget=0.0)
    assert len(duel.ours) == 3


def test_results_survive_json(bench):
    result = _result(bench)
    again = bench.cases.Result.from_dict(json.loads(json.dumps(result.as_dict())))
    assert again.title == result.title
    assert again.duel.ratio("wall").median == pytest.approx(result.duel.ratio("wall").median)
    assert again.duel.best("theirs", "cpu") == pytest.approx(16e-9)


@pytest.mark.parametrize("shape", [(40, 30), (12, 10, 8)])
def test_the_exact_solutions_are_exact(bench, shape):
    """On a cosine mode, whose decay is known in closed form on the grid and in space."""
    sigma, wave = 1.5, 3
    omega = np.pi * wave / shape[0]
    mode = np.cos(omega * (np.arange(shape[0]) + 0.5))
    image = np.broadcast_to(mode.reshape(-1, *(1,) * (len(shape) - 1)), shape).copy()
    exact = bench.blur.Exact(image, sigma)
    grid = np.exp(-0.5 * sigma**2 * (2 - 2 * np.cos(omega)))
    np.testing.assert_allclose(exact.on_grid, grid * image, atol=1e-12)
    np.testing.assert_allclose(
        exact.continuous, np.exp(-0.5 * (sigma * omega) ** 2) * image, atol=1e-12
    )
    assert "error 1e-01 to heat" in exact.errors(exact.on_grid + 0.1)


def test_what_differs_is_said(bench):
    assert bench.cases.agreement(2e-7) == "same to 2e-07"
    assert bench.cases.agreement(0.02, " inside").startswith("DIFFERS by 0.02")
    a = np.zeros((6, 6))
    b = np.pad(np.zeros((4, 4)), 1, constant_values=1.0)
    assert bench.cases.difference(a, b) == 1
    assert bench.cases.difference(a, b, margin=1) == 0


def test_numbers_of_the_wrong_scale_are_noticed(bench):
    numbers = np.random.default_rng(0).standard_normal(10**5)
    assert bench.noise.moments(numbers) == ""
    assert "NOT" in bench.noise.moments(1.02 * numbers)
    assert "NOT" in bench.noise.moments(numbers + 0.02)


def test_a_missing_library_is_said_to_be_missing(bench, tmp_path):
    absent = bench.peers.Peer("Absent", "no_such_library", ("no-such-library",))
    assert absent.version == "missing"
    assert not absent.ready(1)
    versions = {"numpy": "1.0", absent.name: absent.version}
    page = _written(bench, tmp_path, [_result(bench)], versions)
    assert "| missing | Absent |" in page
    assert "| compared with | numpy 1.0 |" in page


def test_a_library_of_one_thread_is_left_out_of_two(bench):
    alone = bench.peers.Peer("numpy", "numpy", ("numpy",))
    told = []
    many = bench.peers.Peer("numpy", "numpy", ("numpy",), lambda _, n: told.append(n))
    assert alone.ready(1)
    assert not alone.ready(2)
    assert many.ready(2)
    assert told == [2]


def test_the_page_has_a_table_for_each_number_of_threads(bench, tmp_path):
    results = [
        _result(bench),
        _result(bench, own=True, theirs="a part"),
        _result(bench, threads=2),
    ]
    page = _written(bench, tmp_path, results, {"numpy": "1.0"})
    assert page.index("## 1 thread") < page.index("## 2 threads")
    assert "| a library | 2 | 16 | 5 (3–8) | 5 (3–8) | same to 1e-08 |" in page
    assert "| *a part* |" in page
    assert "| filters.Heat | 1.25 |" in page
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_what_fails_is_left_out_and_said(bench, capsys):
    def broken():
        raise OSError("no such thing")

    here = bench.peers.Peer("Broken", "numpy", ("numpy",))
    fine = bench.cases.Side("fine", lambda: None, 1.0)
    setting = bench.cases.Setting("tiny")
    assert list(bench.cases.here(setting, (here, broken), (here, lambda: fine))) == [fine]
    other = bench.cases.Side("another", broken, 1.0)
    case = bench.cases.Case("heat", "Heat", "sample", fine, (other, fine))
    assert [result.theirs for result in bench.cases.measured(case, setting)] == ["fine"]
    said = capsys.readouterr().err
    assert "Broken failed: OSError('no such thing')" in said
    assert "another failed" in said


def test_on_more_threads_we_stand_beside_ourselves_on_one(bench, monkeypatch):
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "2")
    seen = set()
    ours = bench.cases.Side("ours", lambda: seen.add(os.environ["NAPARI_DIFFUSION_THREADS"]), 1.0)
    part = bench.cases.Side("a part", lambda: None, 1.0, own=True)
    case = bench.cases.Case("heat", "Heat", "sample", ours, (part,))
    (found,) = bench.cases.measured(case, bench.cases.Setting("tiny", 2))
    assert (found.theirs, found.own) == ("the same on one thread", True)
    assert seen == {"1", "2"}
    assert os.environ["NAPARI_DIFFUSION_THREADS"] == "2"


def test_a_target_is_held_to_the_fastest_library(bench, tmp_path):
    def heat(theirs, walls, **changes):
        duel = _duel(bench, [1e-9] * 3, [wall * 1e-9 for wall in walls])
        values = {"title": "Heat to σ = 3, 9³", "theirs": theirs, "duel": duel, **changes}
        return _result(bench, **values)

    results = [
        heat("scipy gaussian_filter", [9, 9, 9]),
        heat("DIPlib Gauss", [3, 4, 5]),
        heat("copy of the array", [0.1, 0.1, 0.1], own=True),
        heat("SimpleITK Gaussian", [2, 2, 2], threads=2),
        heat("the same on one thread", [1.5, 1.8, 1.8], threads=2, own=True),
    ]
    page = _written(bench, tmp_path, results, {"numpy": "1.0"})
    assert "| Heat to σ = 3, 9³ | 1 | DIPlib Gauss | 4 (3–5) | 4 (3–5) | yes |" in page
    assert "| Heat to σ = 3, 9³ | 2 | SimpleITK Gaussian | 2 (2–2) | 2 (2–2) | no |" in page
    assert "| 2 | the same on one thread | 1.8 (1.5–1.8) | 1.8 (1.5–1.8) | yes |" in page
    edges = _result(bench, case="edge-enhancing", title="Edges, 9³", threads=2)
    page = _written(bench, tmp_path, [edges], {"numpy": "1.0"})
    assert "| Edges, 9³ | 1 | 200 | yes |" in page


def test_a_crash_takes_one_case_with_it(bench, monkeypatch, tmp_path):
    main = importlib.import_module("benchmarks.__main__")
    asked = []

    def run(command, env, check):
        cases = command[command.index("--case") + 1 :]
        asked.append(cases)
        lines = Path(command[command.index("--worker") + 1])
        done = [_result(bench, case=name).as_dict() for name in cases[:2]]
        lines.write_text("\n".join(json.dumps(each) for each in (done[0], cases[0], *done[1:])))

    monkeypatch.setattr(main.subprocess, "run", run)
    monkeypatch.setattr(main, "CASES", dict.fromkeys("abcd"))
    options = SimpleNamespace(case=["a", "b", "c", "d", "memory"], size="tiny")
    found = main._in_a_process(options, 1)
    assert asked == [["a", "b", "c", "d"], ["c", "d"]]
    assert [result.case for result in found] == ["a", "b", "c", "d"]


def _written(bench, folder, results, versions):
    machine = {"date": "2000-01-01", "processor": "a processor"}
    peaks = [bench.memory.Peak("filters.Heat", 256, 1.25)]
    report = bench.report.Report(results, [], peaks, None, machine, versions, "full", 0.0)
    return bench.report.write(folder, report)[0].read_text("utf-8")


def test_a_busy_machine_is_owned_up_to(bench, tmp_path):
    machine = {"date": "2000-01-01", "processor": "a processor"}
    for load, said in ((0.2, False), (3.0, True), (None, False)):
        report = bench.report.Report([], [], [], None, machine, {}, "full", load)
        page = bench.report.write(tmp_path, report)[0].read_text("utf-8")
        assert ("Other programs" in page) == said


def test_first_calls_are_timed_in_new_processes(bench):
    call = bench.startup.first_call("filter", "Median", times=1)
    assert call.name == "filters.Median"
    assert 0 < call.second.wall <= max(call.cold.wall, call.warm.wall)
    assert "filters.Median" in bench.report.first_call_line(call)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not tell")
def test_the_largest_memory_is_counted_from_a_moment_on():
    """In a process of its own: where others have worked before, freed memory is used again."""
    code = """
import numpy as np
from benchmarks import memory
assert memory.can_measure()
large = np.ones(2**24)
del large
memory.start_again()
before = memory.resident("VmRSS")
large = np.ones(2**22)
print(large.nbytes)
del large
print(memory.resident("VmHWM") - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    size, counted = map(int, done.stdout.split())
    # The system counts pages in batches.
    assert 0.9 * size < counted < 2 * size


def test_memory_is_measured_in_a_new_process(bench):
    peak = bench.memory.peak("filter", "Median", 64)
    assert (peak.name, peak.size) == ("filters.Median", 64)
    assert 0 <= peak.times < 20
    assert "filters.Median" in bench.report.peak_line(peak)


def test_it_runs_from_end_to_end(tmp_path):
    cases = ["perona-malik-rational", "perona-malik-exponential", "perona-malik-colour"]
    cases += ["perona-malik-smoothed"]
    cases += ["noise-gaussian", "whole-step", "heat"]
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--threads", "1"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path), "--case", *cases],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))["results"]
    assert {result["case"] for result in results} == set(cases)
    for result in results:
        assert result["theirs"] in done.stdout
        costs = result["duel"]["ours"] + result["duel"]["theirs"]
        assert all(wall > 0 and cpu > 0 for wall, cpu in costs)
    page = (tmp_path / "index.md").read_text("utf-8")
    assert "DIFFERS" not in page
    assert "NOT standard" not in page


@pytest.fixture(scope="module")
def images(bench):
    """The images of the benchmarks."""
    return importlib.import_module("benchmarks.images")


def test_every_image_has_one_role(images):
    names = [each.name for each in images.PHOTOGRAPHS]
    assert len(set(names)) == len(names)
    roles = [{each.name for each in images.photographs(role)} for role in ("train", "choose",
             "report")]  # fmt: skip
    assert set.union(*roles) == set(names)
    assert sum(map(len, roles)) == len(names)
    assert {part.photograph for part in images.PARTS.values()} <= set(names)


def test_no_photograph_has_two_roles(images):
    """Files that show the same thing share a scene, and copies in two packages a hash."""
    for same in ("scene", "digest"):
        roles = {}
        for each in images.PHOTOGRAPHS:
            roles.setdefault(getattr(each, same) or each.name, set()).add(each.role)
        assert [key for key, found in roles.items() if len(found) > 1] == []


def test_there_are_enough_images_to_report(images):
    report = images.photographs("report")
    assert len(report) >= 24
    assert len({each.package for each in report}) >= 6
    assert sum(each.kind == "repeated" for each in report) >= 6
    assert sum(each.kind in ("medical", "microscopy") for each in report) >= 6


def test_enough_of_them_stand_as_untouched(images):
    history = importlib.import_module("benchmarks.traces.vetted").HISTORY
    untouched = [images.photograph(name) for name in history]
    assert len(untouched) >= 24
    assert len({each.package for each in untouched}) >= 6
    assert sum(each.kind == "repeated" for each in untouched) >= 6
    assert sum(each.kind in ("medical", "microscopy") for each in untouched) >= 6
    lossless = [name for name, known in history.items() if not known.startswith("ships as JPEG")]
    assert len(lossless) >= 24


def test_numbers_after_their_shape_are_read(images, tmp_path):
    file = tmp_path / "image.dat"
    values = np.arange(6.0).reshape(2, 3)
    file.write_bytes(np.array([2, 3], "<u4").tobytes() + values.astype("<f8").tobytes())
    np.testing.assert_array_equal(sys.modules["benchmarks.images.decoding"].decoded(file), values)


def test_all_packages_with_images_are_named(images):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    projects = sys.modules["benchmarks.images"]._PROJECTS
    packages = {projects.get(each.package, each.package) for each in images.PHOTOGRAPHS}
    assert [name for name in sorted(packages) if not re.search(rf"\b{name}\b", text)] == []


def test_the_images_are_those_that_were_measured(images):
    here = [each.name for each in images.PHOTOGRAPHS if images.is_here(each.name)]
    assert len(here) >= 22  # those of scikit-image, which is always here
    for name in here:
        images.load(name)  # refuses another image


def test_a_changed_image_is_refused_with_what_changed(images, monkeypatch):
    changed = np.array(images.load("coins"))
    changed[5, 7] += 1
    module = sys.modules["benchmarks.images"]
    monkeypatch.setattr(module, "decoded", lambda file: changed)
    with pytest.raises(ValueError, match=r"'coins' \(skimage, data/coins.png\) is not what was"):
        images.load.__wrapped__("coins")


def test_a_package_that_is_missing_is_said_to_be(images, monkeypatch):
    module = sys.modules["benchmarks.images"]
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert not images.is_here("china")
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        images.file_of("china")
    with pytest.raises(ModuleNotFoundError, match="pip install pydicom-data"):
        images.file_of("chest_xray")


def test_parts_are_what_benchmarks_have_measured_so_far(images):
    """Planes of 256² from 0 to 1, in colours or grey, where they have always begun."""
    coffee = images.load("coffee")
    colours = images.part("coffee, left", colour=True)
    np.testing.assert_array_equal(colours, np.float32(coffee[140:396, :256] / 255.0))
    grey = images.part("rocket")
    assert grey.shape == (256, 256)
    assert grey.dtype == np.float32
    assert 0 <= grey.min() < grey.max() <= 1
    assert images.part("page").shape == (191, 256)


def test_benchmarks_take_images_from_the_table_alone():
    """None but benchmarks/images reads images of packages; speed is measured on computed ones."""
    sources = [path for path in (ROOT / "benchmarks").rglob("*.py") if path.parent.name != "images"]
    assert len(sources) > 20
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{each.name}" for each in node.names]
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            else:
                continue
            for name in names:
                shipped = ("skimage.data", "skimage.io", "pywt.data", "sklearn.datasets", "pydicom")
                assert not name.startswith(shipped), f"{path.name} imports {name}"
