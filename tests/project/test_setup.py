"""`make setup` on machines that are not this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="make setup is for Linux"
)


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import environment
    import system

    monkeypatch.setattr(system, "ensure", lambda: None)
    yield environment, system
    for name in ("environment", "system"):
        sys.modules.pop(name)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A PATH of our own; `machine(name, script)` puts a command on it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name, script="exit 0"):
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)

    add("env", 'shift; exec "$@"')
    return add


def real_ensure():
    """Run the check in a process of its own, on the machine of the test."""
    code = "import system; system.LIBRARIES = {'libnone.so.0': 'libnone0'}; system.COMMANDS = {}\n"
    code += "import os; os.geteuid = lambda: 1000\n"
    code += "system.ensure()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tools", capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_without_root_the_line_to_type_is_printed(machine):
    machine("apt-get")
    code, said = real_ensure()
    assert code == 1
    line = "apt-get update && apt-get install --yes --no-install-recommends libnone0"
    assert f"    su -c '{line}'\n" in said


def test_a_sudo_that_asks_for_a_password_is_left_alone(machine):
    machine("apt-get")
    machine("sudo", '[ "$1" = -n ] && exit 1; echo asked; exit 1')
    code, said = real_ensure()
    assert code == 1
    assert "    sudo apt-get update && sudo apt-get install " in said
    assert "asked" not in said


def test_a_sudo_without_password_installs(machine, tmp_path):
    machine("apt-get", f'echo "$@" >> {tmp_path}/log')
    machine("sudo", 'shift; [ "$1" = true ] && exit 0; exec "$@"')
    code, said = real_ensure()
    assert (tmp_path / "log").read_text().splitlines() == [
        "--quiet=2 update",
        "--quiet=2 install --yes --no-install-recommends libnone0",
    ]
    assert code == 1, "the library is missing all the same, and that must be said"
    assert "libnone.so.0" in said


def test_another_linux_is_told_the_names(machine):
    code, said = real_ensure()
    assert code == 1
    assert "libnone.so.0" in said
    assert "package manager" in said


def test_a_mac_brings_its_own_libraries(tools, monkeypatch):
    _, system = tools
    monkeypatch.setattr(system.sys, "platform", "darwin")
    monkeypatch.setattr(system, "LIBRARIES", {"libnone.so.0": "libnone0"})
    assert system.missing() == {}


def test_a_folder_that_is_no_environment_is_never_emptied(tools, tmp_path):
    environment, _ = tools
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SystemExit, match="no virtual environment"):
        environment.main(str(tmp_path))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_broken_environment_is_made_anew(tools, tmp_path):
    environment, _ = tools
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("home = /gone\n")
    (venv / "bin" / "python").symlink_to("/gone/python3")
    assert not environment._usable(venv)
    environment._create(venv)
    assert environment._usable(venv)


@pytest.fixture
def installs(tools, monkeypatch):
    """The installs that were asked for, none of which is carried out."""
    environment, _ = tools
    done = []
    monkeypatch.setattr(environment, "_install", lambda python, extras: done.append(extras))
    monkeypatch.setattr(environment, "_usable", lambda venv: venv.exists())
    monkeypatch.setattr(environment, "_create", lambda venv: venv.mkdir())
    return environment, done


def test_the_second_time_installs_nothing(installs, tmp_path):
    environment, done = installs
    for _ in range(2):
        environment.main(str(tmp_path / "venv"))
    assert done == [["dev"]]


def test_an_extra_comes_on_top_and_stays(installs, tmp_path):
    environment, done = installs
    for extras in ([], ["docs"], [], ["docs"]):
        environment.main(str(tmp_path / "venv"), *extras)
    assert done == [["dev"], ["dev", "docs"]]


def test_new_pins_install_again_what_is_asked_for(installs, tmp_path, monkeypatch):
    environment, done = installs
    environment.main(str(tmp_path / "venv"), "docs")
    monkeypatch.setattr(environment, "_key", lambda: "another")
    environment.main(str(tmp_path / "venv"))
    environment.main(str(tmp_path / "venv"), "docs")
    assert done == [["dev", "docs"], ["dev"], ["dev", "docs"]]


def test_an_install_that_broke_off_is_tried_again(installs, tmp_path, monkeypatch):
    environment, done = installs
    environment.main(str(tmp_path / "venv"))
    stamp = tmp_path / "venv" / ".prepared.json"
    stamp.write_text(json.dumps({"key": "old", "extras": ["dev"]}))

    def broken(python, extras):
        raise SystemExit("no network")

    with monkeypatch.context() as patch:
        patch.setattr(environment, "_install", broken)
        with pytest.raises(SystemExit):
            environment.main(str(tmp_path / "venv"))
    assert not stamp.exists()
    environment.main(str(tmp_path / "venv"))
    assert done == [["dev"], ["dev"]]


def test_the_package_alone_is_built_without_isolation(tools, tmp_path, monkeypatch):
    """A library that comes as source needs a backend that is nowhere named here."""
    environment, _ = tools
    calls = []
    monkeypatch.setattr(environment.subprocess, "call", lambda words, **_: calls.append(words) or 0)
    environment._install(tmp_path / "python", ["dev", "bench"])
    alone = [words for words in calls if "--no-build-isolation" in words]
    assert [words[-3:] for words in alone] == [["--no-deps", "--editable", "."]]
    assert not [word for words in calls for word in words if word.startswith("napari-diffusion")]
    names = {Requirement(word).name for word in environment.requirements(["dev", "bench"])}
    assert {"numba", "napari", "PyQt6", "pytest", "mypy", "medpy"} <= names


def test_a_python_too_old_looks_for_another(tools, machine, tmp_path, monkeypatch):
    environment, _ = tools
    machine("python3.13", "exit 127")
    machine("python3.12")
    machine("python3.11")
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 2))
    called = []

    def exchange(path, words):
        called.append(path)
        raise SystemExit

    monkeypatch.setattr(environment.os, "execv", exchange)
    with pytest.raises(SystemExit):
        environment.main(str(tmp_path / "venv"))
    assert called == [str(tmp_path / "python3.12")]
