"""What napari reads first: the manifest."""

from __future__ import annotations

import importlib.resources
import inspect
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("napari")

from magicgui.type_map._magicgui import MagicFactory
from magicgui.widgets import Container
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name

import napari_diffusion
from napari_diffusion import widgets

MANIFEST = Path(str(importlib.resources.files(napari_diffusion) / "napari.yaml"))
COMMANDS = [
    command["id"] for command in yaml.safe_load(MANIFEST.read_text())["contributions"]["commands"]
]

DOCKS = {
    "napari-diffusion.denoise": "Denoise",
    "napari-diffusion.loop": "Diffusion loop",
    "napari-diffusion.steps": "Steps",
    "napari-diffusion.filter": "Filter",
    "napari-diffusion.noise": "Add noise",
    "napari-diffusion.batch": "Batch",
    "napari-diffusion.inspect": "Inspect image",
    "napari-diffusion.train": "Train",
}

SUBMENUS = ["Denoising", "Diffusion", "Noise"]
MENUS = {
    "napari-diffusion/denoising": ["Denoise selected layer", "Denoise", "Filter", "Train"],
    "napari-diffusion/diffusion": [
        "Diffusion loop",
        "Steps",
        "Anisotropic diffusion (Perona–Malik)…",
        "Total variation…",
        "Verify selected layer",
    ],
    "napari-diffusion/noise": ["Add noise", "Estimate noise"],
    "napari/layers/measure": ["Estimate noise", "Inspect image"],
    "napari/layers/visualize": ["Difference to source", "Steps"],
    "napari/file/io_utilities": ["Open run…", "Verify selected layer"],
}


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(MANIFEST)


def test_it_is_the_one_that_the_installed_package_offers(manifest):
    found = PluginManifest.from_distribution("napari-diffusion")
    assert found == manifest
    assert found.name == found.display_name == "napari-diffusion"
    assert found.schema_version == "0.3.0"


def test_the_link_at_the_top_leads_to_it():
    link = Path(__file__).parents[2] / "napari.yaml"
    assert link.read_text() == MANIFEST.read_text()


def test_it_holds_nothing_that_napari_does_not_know():
    # npe2 passes over keys that it does not know, so that a slip of the pen would go unseen.
    written = yaml.safe_load(MANIFEST.read_text())
    known = PluginManifest.from_file(MANIFEST).model_dump(mode="json", by_alias=True)
    assert set(written) <= set(known)
    assert set(written["contributions"]) <= set(known["contributions"])
    for kind in ("commands", "widgets", "sample_data"):
        for one, its_known in zip(
            written["contributions"][kind], known["contributions"][kind], strict=True
        ):
            assert set(one) <= set(its_known), kind


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_resolves(manifest, command):
    (named,) = [each for each in manifest.contributions.commands if each.id == command]
    assert callable(import_python_name(named.python_name))


def test_the_docks_have_names(manifest):
    assert {each.command: each.display_name for each in manifest.contributions.widgets} == DOCKS


@pytest.mark.parametrize("name", DOCKS.values())
def test_a_dock_is_a_class_that_gets_the_viewer(manifest, name):
    # napari hands the viewer to classes alone, and to a parameter of this name.
    (widget,) = [each for each in manifest.contributions.widgets if each.display_name == name]
    (named,) = [each for each in manifest.contributions.commands if each.id == widget.command]
    dock = import_python_name(named.python_name)
    assert inspect.isclass(dock)
    assert "napari_viewer" in inspect.signature(dock.__init__).parameters


@pytest.mark.parametrize("name", DOCKS.values())
def test_a_dock_is_a_widget_of_magicgui(manifest, name):
    (widget,) = [each for each in manifest.contributions.widgets if each.display_name == name]
    (named,) = [each for each in manifest.contributions.commands if each.id == widget.command]
    dock = import_python_name(named.python_name)
    assert isinstance(dock, MagicFactory) or issubclass(dock, Container)


def test_scripts_have_the_docks_too(manifest):
    commands = {each.id: each.python_name for each in manifest.contributions.commands}
    docks = [import_python_name(commands[each.command]) for each in manifest.contributions.widgets]
    assert sorted(dock.__name__ for dock in docks) == sorted(widgets.__all__)
    for dock in docks:
        assert getattr(widgets, dock.__name__) is dock


def test_npe2_finds_nothing_wrong_with_it():
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(MANIFEST)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_menu_is_one_that_napari_shows(manifest):
    from napari._app_model.constants import MenuId

    own = {submenu.id for submenu in manifest.contributions.submenus}
    shown = set()
    for menu, items in manifest.contributions.menus.items():
        assert menu in own or menu in MenuId.contributables(), menu
        shown |= {item.submenu for item in items if hasattr(item, "submenu")}
    assert shown == own


def test_every_command_that_opens_no_sample_and_no_file_stands_in_a_menu(manifest):
    files = {"napari-diffusion.read", "napari-diffusion.write"}
    listed = {
        item.command
        for items in manifest.contributions.menus.values()
        for item in items
        if hasattr(item, "command")
    }
    assert listed == {command for command in COMMANDS if ".sample." not in command} - files


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("denoise", {"denoise_selected"}),
        ("estimate noise", {"estimate_noise"}),
        ("noise map", {"noise_map"}),
        ("add noise", {"noise"}),
        ("perona malik", {"perona_malik"}),
        ("anisotropic diffusion", {"perona_malik"}),
        ("total variation", {"total_variation"}),
        ("difference source", {"difference_to_source"}),
        ("open run", {"open_run"}),
        ("verify", {"verify_selected"}),
    ],
)
def test_the_palette_finds_what_people_type(make_napari_viewer, typed, found):
    from napari._app_model import get_app_model
    from napari._qt.widgets.qt_command_palette import _match_score

    make_napari_viewer()
    ours = {
        command: action
        for command, action in get_app_model().registered_actions.items()
        if command.startswith("napari-diffusion.")
    }
    matching = {name for name, action in ours.items() if _match_score(action, typed)}
    assert {f"napari-diffusion.{each}" for each in found} <= matching


@pytest.mark.parametrize("key", ["face", "microscopy", "phantom", "video", "damaged"])
def test_every_sample_opens_in_the_viewer(make_napari_viewer, key):
    viewer = make_napari_viewer()
    viewer.open_sample("napari-diffusion", key)
    assert viewer.layers
    assert viewer.layers.selection.active.visible


def test_the_menus_show_it(make_napari_viewer):
    from napari._app_model import get_app_model

    make_napari_viewer()

    def titles(menu):
        items = itertools.chain(*get_app_model().menus.iter_menu_groups(menu))
        found = [getattr(item, "command", item).title for item in items]
        return [title for title in found if title != "Empty"]  # napari's own, hidden where not

    for dock in DOCKS.values():
        assert any(dock in title for title in titles("napari/plugins/napari-diffusion"))
    assert titles("napari/layers/filter") == SUBMENUS
    for menu, wanted in MENUS.items():
        ours = [title.removesuffix(" (napari-diffusion)") for title in titles(menu)]
        assert [title for title in ours if title in wanted] == wanted
    assert len(titles("napari/file/samples/napari-diffusion")) == 5


ROOT = Path(__file__).parents[2]
PATH = re.compile(r"\*((?:File|Layers|Plugins)(?:\s▸\s[^*▸]+)+)\*")
# napari-plugin-manager and napari's own dialog, which are no part of the tests.
ELSEWHERE = {"Install/Uninstall Plugins…", "Preferences"}


def named_paths():
    """Return the ways through menus that the pages name, each as a tuple of titles."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
    found = [path for page in pages for path in PATH.findall(page.read_text("utf-8"))]
    ways = {tuple(" ".join(each.split()) for each in path.split("▸")) for path in found}
    return sorted(way for way in ways if way[1] not in ELSEWHERE)


def walked(actions, before=()):
    """Yield the titles on the way to each entry of menus and their submenus."""
    for action in actions:
        title = action.text().replace("&", "").removesuffix(" (napari-diffusion)")
        way = (*before, title)
        yield way
        if action.menu() is not None:
            action.menu().aboutToShow.emit()
            yield from walked(action.menu().actions(), way)


def test_the_pages_name_menus_that_are_there(make_napari_viewer):
    viewer = make_napari_viewer()
    there = set(walked(viewer.window._qt_window.menuBar().actions()))
    ways = named_paths()
    assert len(ways) > 8
    for way in ways:
        assert way in there, " ▸ ".join(way)
