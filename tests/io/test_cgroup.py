"""The memory that control groups leave, by the folders of made-up ones."""

from __future__ import annotations

import math

import pytest

from napari_diffusion.io.cgroup import memory_left

V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def group(folder, names, limit, used, cached=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 7\n{names[2]} {cached}\nactive_file 900\n")


def left(tmp_path, text):
    (tmp_path / "own").write_text(text)
    return memory_left(tmp_path / "own", tmp_path / "fs")


@pytest.mark.parametrize(
    ("names", "top", "line"),
    [(V2, "", "0::/a/b\n"), (V1, "memory", "5:cpu,memory:/a/b\n"), (V2, "unified", "0::/a/b\n")],
)
def test_the_least_of_a_group_and_those_above_it(tmp_path, names, top, line):
    top = tmp_path / "fs" / top
    group(top / "a/b", names, 1000, 600, cached=500)
    assert left(tmp_path, line) == 900
    group(top / "a", names, 2000, 1500)
    assert left(tmp_path, line) == 500
    group(top, names, 1000, 700, cached=10)
    assert left(tmp_path, line) == 310
    group(top / "a/b", names, 1000, 1200)
    assert left(tmp_path, line) == 0


def test_a_container_that_sees_its_own_group_only(tmp_path):
    group(tmp_path / "fs/memory", V1, 1000, 100)
    assert left(tmp_path, "3:memory:/docker/0123\n2:cpu:/\n0::/\n") == 900
    group(tmp_path / "fs", V2, 500, 100)
    assert left(tmp_path, "0::/../../other\n") == 400


def test_the_limit_at_which_a_group_is_slowed_down_counts(tmp_path):
    group(tmp_path / "fs/job", V2, 1000, 100)
    (tmp_path / "fs/job/memory.high").write_text("700\n")
    assert left(tmp_path, "0::/job\n") == 600


@pytest.mark.parametrize("text", ["0::/job\n", "", "1:name=systemd:/job\n"])
def test_without_a_limit_there_is_none(tmp_path, text):
    group(tmp_path / "fs/job", V2, "max", 100)
    assert left(tmp_path, text) == math.inf
    assert memory_left(tmp_path / "nothing", tmp_path / "fs") == math.inf
