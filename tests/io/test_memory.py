"""How much memory is free, and what limits it."""

from __future__ import annotations

import math
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest

from napari_diffusion.io import cgroup, memory
from napari_diffusion.io.memory import bytes_of, fits, free_memory, limited_memory


@pytest.fixture(autouse=True)
def no_groups(monkeypatch):
    """Take the control groups of the machine away."""
    monkeypatch.setattr(cgroup, "memory_left", lambda: math.inf)


def test_a_group_can_leave_less_than_the_machine(monkeypatch):
    assert 1 << 20 < free_memory() <= psutil.virtual_memory().total
    monkeypatch.setattr(cgroup, "memory_left", lambda: 12345.0)
    assert free_memory() == 12345


def test_a_limit_holds_in_all_threads_until_its_end():
    before = free_memory()
    found = []
    with limited_memory(70 << 20):
        thread = threading.Thread(target=lambda: found.append(free_memory()))
        thread.start()
        thread.join()
        assert found == [70 << 20]
        with limited_memory(80 << 20):
            assert free_memory() == 70 << 20
        with limited_memory(60 << 20):
            assert free_memory() == 60 << 20
        assert fits((1000, 1000), np.uint8)
        assert not fits((2000, 2000), np.uint8)
        with pytest.raises(KeyError), limited_memory(1):
            raise KeyError
        assert free_memory() == 70 << 20
    assert free_memory() > before // 2


SCRIPT = """
import resource
from napari_diffusion.io.memory import free_memory
import numpy as np, psutil
limit = psutil.Process().memory_info().{field} + (300 << 20)
resource.setrlimit(resource.{kind}, (limit, resource.RLIM_INFINITY))
print(free_memory() >> 20)
kept = np.ones(100 << 20, np.uint8)
print(free_memory() >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep these limits")
@pytest.mark.parametrize(("kind", "field"), [("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data")])
def test_limits_of_the_process_count(kind, field):
    script = SCRIPT.format(kind=kind, field=field)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300
    )
    before, after = map(int, done.stdout.split())
    assert 200 < before <= 300
    assert 90 < before - after < 130


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2 << 30),
        ("500 MiB", 500 << 20),
        ("1.5GB", 1_500_000_000),
        ("1.5gb", 1_500_000_000),
        (" 3TiB ", 3 << 40),
        ("2 tb", 2 * 10**12),
        ("100000kB", 10**8),
        ("100000 KiB", 102_400_000),
        ("70000000 B", 70_000_000),
        ("70000000", 70_000_000),
    ],
)
def test_amounts_of_memory(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "2", "63MiB", "0.9 kB", "4096"])
def test_too_little_is_refused(text):
    with pytest.raises(ValueError, match=r"no amount of memory" if not text else "64 MiB or more"):
        bytes_of(text)
    assert text == "" or bytes_of(text, least=0) >= 0


@pytest.mark.parametrize(
    "text", ["much", "-2GiB", "2Gi", "2 PB", "1e9", "nan", "٣GiB", "2GiB 3", "99999999 iB"]
)
def test_what_is_no_amount_is_refused_with_what_is_accepted(text):
    with pytest.raises(ValueError, match="write a number and B, kB, MB, GB or TB"):
        bytes_of(text)


def test_an_endless_number_is_a_number():
    assert bytes_of("9" * 400 + "TB") == 2**62
    assert memory.bytes_of("65 MiB") == 65 << 20
