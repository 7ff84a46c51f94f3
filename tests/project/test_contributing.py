"""The filter that CONTRIBUTING.md shows is a working one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import types
from importlib.util import find_spec
from pathlib import Path

import laws
import numpy as np
import pytest
from cases import CASES, THIN_CASES
from test_laws import CLAIMED, EVERYWHERE

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CODE, LISTED = re.findall(r"```(?:python|text)\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def opening(monkeypatch):
    module = types.ModuleType("napari_diffusion.filters.opening")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(CODE, "CONTRIBUTING.md", "exec"), module.__dict__)
    return module.Opening


def specks():
    image = np.zeros((40, 50), np.float32)
    image[10, 10] = 1  # a speck
    image[20:30, 20:40] = 2  # a box that stays
    return image


def test_it_does_what_its_docstring_says(opening):
    expected = specks()
    expected[10, 10] = 0
    np.testing.assert_array_equal(opening(radius=1.0)(specks()), expected)


def test_its_radius_is_in_world_units(opening):
    assert opening(radius=1.0)(specks(), spacing=2.0)[10, 10] == 1
    assert opening(radius=2.0)(specks(), spacing=2.0)[10, 10] == 0


def test_its_halo_is_enough_for_chunks(opening):
    from dask import array

    image = np.random.default_rng(0).random((61, 47)).astype(np.float32)
    whole = opening(radius=2.0)(image)
    chunked = opening(radius=2.0)(array.from_array(image, chunks=(16, 11)))
    np.testing.assert_array_equal(chunked.compute(), whole)


def test_pixels_outside_the_mask_have_no_effect(opening):
    mask = np.ones((40, 50), bool)
    mask[22:28, 20:40] = False
    expected = specks()
    expected[10, 10] = 0
    for outside in (-1e9, 1e9):
        image = np.where(mask, specks(), outside).astype(np.float32)
        opened = opening(radius=1.0)(image, mask=mask)
        np.testing.assert_array_equal(opened[mask], expected[mask])
        np.testing.assert_array_equal(opened[~mask], np.float32(outside))


@pytest.mark.parametrize("radius", [1.0, 2.5])
def test_it_obeys_the_laws(opening, radius):
    component = opening(radius=radius)
    claimed = [law for claim, law in CLAIMED.items() if claim in component.claims]
    assert laws.keeps_range in claimed
    for case in (*CASES, *THIN_CASES):
        for law in (*EVERYWHERE, *claimed):
            law(component, case)
    for case in CASES:
        laws.stays_inside(component, case)
        laws.takes_holes_as_a_mask(component, case)


def test_its_form_has_range_unit_and_tooltip(opening):
    (radius,) = opening.parameters()
    assert (radius.default, radius.minimum, radius.unit) == (1.0, 0.0, "world")
    assert radius.tooltip
    with pytest.raises(ValueError, match=r"radius must be .*at least 0 \(got -1\.0\)"):
        opening(radius=-1.0)


def test_it_is_added_as_the_page_says(tmp_path):
    """To a copy of the package: the file, and three places in one file, each after its last."""
    shutil.copytree(ROOT / "src", tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "napari_diffusion/filters"
    (folder / "opening.py").write_text(CODE, "utf-8")
    line, *_ = LISTED.splitlines()
    listing = (
        (folder / "__init__.py").read_text("utf-8").replace("\n\nFILTERS", f"\n{line}\n\nFILTERS")
    )
    for last, added in ((r"\n\)", "    Opening,"), (r"\n\]", '    "Opening",')):
        listing, count = re.subn(last, f"\n{added}\\g<0>", listing)
        assert count == 1
    (folder / "__init__.py").write_text(listing, "utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np, napari_diffusion as nd\n"
        "from napari_diffusion.cli import main\n"
        "image = np.eye(9); image[4, 4] = 2\n"
        "print(nd.filters.Opening(radius=1)(image).max(), nd.filters.Opening.display_name)\n"
        "main('recipe smooth --set diffusion_filter=Opening'.split())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, _, recipe = done.stdout.partition("\n")
    assert first == "0.0 Opening"
    assert json.loads(recipe)["diffusion_filter"] == {"type": "Opening", "radius": 1.0}


def test_it_may_live_in_another_package(tmp_path):
    """With the entry point as the page shows it, installed as pip would."""
    (toml,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    ((group, entries),) = tomllib.loads(toml)["project"]["entry-points"].items()
    (tmp_path / "your_package").mkdir()
    (tmp_path / "your_package/opening.py").write_text(CODE, "utf-8")
    info = tmp_path / "your_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: your_package\nVersion: 1.0\n")
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import napari_diffusion as nd\n"
        'text = \'{"final_filter": {"type": "Opening", "radius": 3}}\'\n'
        "chosen = nd.Recipe.from_json(text).final_filter\n"
        "print(chosen, type(chosen).__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Opening(radius=3.0) your_package.opening"


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff comes with the extra lint")
def test_it_is_in_the_usual_form():
    ruff = [sys.executable, "-m", "ruff"]
    name = ["--stdin-filename", str(ROOT / "src/napari_diffusion/filters/opening.py"), "-"]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *words, *name], input=CODE, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
