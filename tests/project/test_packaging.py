"""What a user gets by installing the package, and what the repository promises about it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# What comes with napari, and what the user is asked to install where it is wanted.
BESIDE = {"napari", "npe2", "pint", "yaml", "imageio_ffmpeg"}
TARGETS = ["setup", "demo", "test", "try-wheel", "try-readers", "bench", "docs"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    return ZipFile(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines]


def direct_requirements():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [Requirement(line) for group in groups for line in group]
    return [r for r in found if canonicalize_name(r.name) != "napari-diffusion"]


@pytest.mark.parametrize(
    "name",
    [
        "napari.yaml", "py.typed", "__init__.py", "cli/__init__.py",
        "report/templates/page.html", "report/templates/page.css", "report/templates/page.js",
    ],
)  # fmt: skip
def test_the_wheel_holds(wheel, name):
    assert f"napari_diffusion/{name}" in wheel.namelist()


def test_the_wheel_holds_nothing_but_the_package(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"napari_diffusion", f"napari_diffusion-{PROJECT['version']}.dist-info"}


def test_the_wheel_says_what_napari_looks_for(wheel):
    info = f"napari_diffusion-{PROJECT['version']}.dist-info"
    assert "Classifier: Framework :: napari\n" in wheel.read(f"{info}/METADATA").decode()
    entries = wheel.read(f"{info}/entry_points.txt").decode()
    assert "[napari.manifest]\nnapari-diffusion = napari_diffusion:napari.yaml\n" in entries


def test_the_command_resolves():
    (command,) = metadata.entry_points(group="console_scripts", name="napari-diffusion")
    assert callable(command.load())


def third_parties(folder):
    """Return what the files of a folder import that is neither ours nor Python's own."""
    found = set()
    for path in (ROOT / "src" / "napari_diffusion" / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"napari_diffusion"}


def test_beside_napari_the_widgets_find_all_that_they_import():
    needed = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    names = metadata.packages_distributions()
    assert third_parties("widgets") >= {"qtpy", "psygnal", "pyqtgraph", "numpy"}
    for module in third_parties("widgets") - BESIDE:
        owners = {canonicalize_name(owner) for owner in names[module]}
        assert owners & needed, f"{module} is imported by the widgets and no dependency"


def test_napari_and_qt_are_chosen_by_whoever_installs():
    needed = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert {"magicgui", "psygnal", "pyqtgraph", "qtpy"} <= needed
    assert not needed & {"napari", "pyqt5", "pyqt6", "pyside2", "pyside6"}


def test_one_version_everywhere():
    version = PROJECT["version"]
    assert metadata.version("napari-diffusion") == version
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE).group(1) == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_every_pin_is_one_exact_version(pins):
    for pin in pins:
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), pin
        assert pin.url is None
        assert not pin.extras


def test_pins_meet_what_pyproject_asks_for(pins):
    for wanted in direct_requirements():
        versions = [
            next(iter(pin.specifier)).version
            for pin in pins
            if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        ]
        assert versions, f"{wanted.name} is not pinned: run make pins"
        assert all(wanted.specifier.contains(v) for v in versions), f"{wanted}: {versions}"


def test_no_package_is_pinned_twice_on_one_machine(pins):
    here = [canonicalize_name(p.name) for p in pins if p.marker is None or p.marker.evaluate()]
    assert len(here) == len(set(here))


def test_the_manifest_at_the_top_is_the_one_in_the_package():
    link = ROOT / "napari.yaml"
    if not link.is_symlink():
        pytest.skip("this checkout has no symbolic links")
    assert link.resolve() == ROOT / "src" / "napari_diffusion" / "napari.yaml"
    assert link.exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
@pytest.mark.parametrize("target", TARGETS)
def test_make_knows(target):
    dry = ["make", "--dry-run", "--no-print-directory", target]
    assert "tools/environment.py" in subprocess.check_output(dry, cwd=ROOT, text=True)


@pytest.mark.parametrize("target", ["test", "try-wheel", "try-readers"])
def test_continuous_integration_makes(target):
    assert f"make {target} </dev/null" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_readers_of_others_are_pinned_and_come_from_no_named_place():
    for line in (ROOT / "tools" / "readers.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.+!]+", line), line
