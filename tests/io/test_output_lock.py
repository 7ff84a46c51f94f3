"""One output has one owner: of all that want it exactly one gets it, and nothing is harmed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import psutil
import pytest
from lock_takers import TAKERS, won

from napari_diffusion.io.output_lock import OutputInUse, OutputLock


@pytest.fixture
def lock(tmp_path):
    return tmp_path / ".a.partial.zarr.lock"


def made(lock, **options):
    return OutputLock(lock, lock.with_name("a.zarr"), **options)


def owner_of(lock):
    return json.loads(lock.read_text())


def left_by_another(lock, **changes):
    """Leave the lock of a process that has ended, with some entries changed."""
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    made(lock).acquire()
    owner = owner_of(lock) | {"pid": int(ended.stdout), "token": "other"} | changes
    lock.write_text(json.dumps(owner))
    return owner


def test_the_owner_is_named_and_leaves_nothing(lock):
    mine = made(lock)
    mine.acquire()
    owner = owner_of(lock)
    assert owner["pid"] == os.getpid()
    assert set(owner) >= {"host", "started", "command", "since"}
    mine.release()
    assert list(lock.parent.iterdir()) == []


def test_a_second_one_is_refused_also_in_the_same_process(lock):
    mine, other = made(lock), made(lock, take_over=True)
    mine.acquire()
    said = lock.read_text()
    host = owner_of(lock)["host"]
    words = rf"a\.zarr' is written by process {os.getpid()} on {host} since .*: wait for it, or"
    for refused in (other.check, other.acquire, other.acquire):
        with pytest.raises(OutputInUse, match=words):
            refused()
    other.release()
    assert lock.read_text() == said


def test_the_lock_of_a_process_that_has_ended_is_taken_over(lock):
    left_by_another(lock)
    made(lock).check()
    mine = made(lock)
    mine.acquire()
    assert owner_of(lock)["pid"] == os.getpid()
    assert list(lock.parent.iterdir()) == [lock]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no ended processes")
def test_a_killed_process_that_nobody_has_waited_for_has_ended(lock):
    words = "import time; print('here', flush=True); time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        started = psutil.Process(process.pid).create_time()
        left_by_another(lock, pid=process.pid, started=started)
        with pytest.raises(OutputInUse, match=f"process {process.pid} on"):
            made(lock).acquire()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        made(lock).acquire()


def test_a_later_process_of_the_same_number_is_no_owner(lock):
    left_by_another(lock, pid=os.getpid(), started=12.5, booted=3.0)
    made(lock).acquire()
    assert owner_of(lock)["started"] > 12.5


@pytest.mark.parametrize("moved", [3600.0, -3600.0])
def test_a_clock_that_is_set_ends_no_process(lock, moved):
    made(lock).acquire()
    owner = owner_of(lock)
    lock.write_text(
        json.dumps(owner | {"started": owner["started"] + moved, "booted": owner["booted"] + moved})
    )
    with pytest.raises(OutputInUse, match="is written by"):
        made(lock).acquire()


@pytest.mark.parametrize("elsewhere", [{"host": "else"}, {"namespace": "pid:[1]"}])
def test_only_on_request_one_of_another_host_is_taken_over(lock, elsewhere):
    owner = left_by_another(lock, **elsewhere)
    words = rf"process {owner['pid']} on {owner['host']} since .*--take-over goes on"
    for refused in (made(lock).check, made(lock).acquire):
        with pytest.raises(OutputInUse, match=words):
            refused()
    assert owner_of(lock) == owner
    mine = made(lock, take_over=True)
    mine.check()
    mine.acquire()
    assert owner_of(lock)["pid"] == os.getpid()


def test_who_was_taken_over_does_not_remove_the_lock(lock):
    first = made(lock)
    first.acquire()
    lock.write_text(json.dumps(owner_of(lock) | {"host": "else"}))
    first._content = lock.read_bytes()
    second = made(lock, take_over=True)
    second.acquire()
    first.release()
    assert owner_of(lock)["host"] != "else"
    second.release()
    assert not lock.exists()


BROKEN = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[1]",
    "deep": b"[" * 60_000,
    "huge": b" " * 5_000_000,
    "digits": b'{"pid": ' + b"9" * 10_000 + b"}",
    "no text": b"\xff\xfe\0",
    "other kinds": b'{"host": 3, "pid": "x", "started": [], "namespace": {}}',
    "no process": b'{"host": "a", "pid": -1, "started": 1, "namespace": ""}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_lock_that_names_nobody_is_taken_over_on_request(lock, name):
    lock.write_bytes(BROKEN[name])
    with pytest.raises(OutputInUse, match=r"does not say who writes .*--take-over goes on"):
        made(lock).acquire()
    assert lock.read_bytes() == BROKEN[name]
    made(lock, take_over=True).acquire()
    assert owner_of(lock)["pid"] == os.getpid()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_is_no_lock(lock, kind):
    if os.name == "nt" and kind != "folder":
        pytest.skip("needs links and pipes")
    target = lock.with_name("mine.txt")
    target.write_text("mine")
    if kind == "folder":
        lock.mkdir()
    elif kind == "link":
        lock.symlink_to(target)
    else:
        os.mkfifo(lock)
    for options in ({}, {"take_over": True}):
        with pytest.raises(OutputInUse, match="is no file, and so no lock: remove it"):
            made(lock, **options).acquire()
    assert target.read_text() == "mine"


def test_control_characters_are_not_shown(lock):
    left_by_another(lock, host="\x1b[2J", since="\x1b]0;a")
    with pytest.raises(OutputInUse) as caught:
        made(lock).acquire()
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("number", [30, 13, 28])
def test_where_no_lock_can_be_made_it_is_said_why(lock, monkeypatch, number):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", fails)
    words = f"No lock can be made in .*: {os.strerror(number)}. Choose a folder"
    with pytest.raises(OSError, match=words) as caught:
        made(lock).acquire()
    monkeypatch.undo()
    assert caught.value.errno == number
    assert list(lock.parent.iterdir()) == []


def test_a_file_system_without_links_has_locks_too(lock, monkeypatch):
    def fails(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", fails)
    left_by_another(lock)
    made(lock).acquire()
    assert owner_of(lock)["pid"] == os.getpid()
    with pytest.raises(OutputInUse, match="is written by"):
        made(lock).acquire()
    assert list(lock.parent.iterdir()) == [lock]


def test_what_a_killed_run_has_left_is_removed_at_the_end(lock):
    owner = left_by_another(lock)
    for name, entries in {"0123abcd": {}, "89abcdef": {"host": "else"}}.items():
        lock.with_name(f"{lock.name}.{name}").write_text(json.dumps(owner | entries))
    mine = made(lock)
    mine.acquire()
    mine.release()
    assert [path.name for path in lock.parent.iterdir()] == [f"{lock.name}.89abcdef"]


# Several at once


def test_who_has_seen_a_lock_that_is_gone_does_not_take_the_next(lock, monkeypatch):
    left_by_another(lock)
    first, second = made(lock), made(lock)
    check = first._check_free

    def overtaken(held):
        check(held)
        monkeypatch.undo()
        second.acquire()

    monkeypatch.setattr(first, "_check_free", overtaken)
    with pytest.raises(OutputInUse, match="is written by"):
        first.acquire()
    assert lock.read_bytes() == second._content
    assert list(lock.parent.iterdir()) == [lock]


def check_one_wins(lock, rounds, prepare):
    for told in won(lock, rounds, prepare):
        refused = [words for words in told if "is written by process" in words]
        assert len(refused) == len(told) - 1 == TAKERS - 1, told
        assert "" in told


def race(lock, rounds):
    check_one_wins(lock, rounds, lambda: None)
    owner = left_by_another(lock)
    check_one_wins(lock, rounds, lambda: lock.write_text(json.dumps(owner)))
    assert list(lock.parent.iterdir()) == []


def test_of_several_processes_one_gets_the_lock(lock):
    race(lock, 30)


@pytest.mark.long
def test_of_several_processes_one_gets_the_lock_every_time(lock):
    race(lock, 2000)


def test_a_run_that_was_killed_while_it_took_over_is_no_obstacle(lock):
    owner = left_by_another(lock)
    claim = lock.with_name(f"{lock.name}.{zlib.crc32(lock.read_bytes()):08x}")
    claim.write_text(json.dumps(owner | {"token": "third"}))
    made(lock).acquire()
    assert owner_of(lock)["pid"] == os.getpid()
    assert list(lock.parent.iterdir()) == [lock]
