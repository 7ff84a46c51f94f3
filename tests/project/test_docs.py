"""The pages: made from the registry, complete, and true to the program."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from napari_diffusion import Recipe
from napari_diffusion.cli import main
from napari_diffusion.loop import registry
from napari_diffusion.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = sorted(DOCS.rglob("*.md"))
COMPONENTS = [cls for components in registry.COMPONENTS.values() for cls in components]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Let the generator's modules be imported as mkdocs does."""
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def pages():
    """Return the made pages, their images of a small part of the example."""
    import _components
    import _example_images
    import _pages

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_example_images, "PART", (slice(60, 116), slice(200, 264)))
        yield _pages.pages()
    for cached in (_example_images.clean, _example_images.noisy, _components.steps_of):
        cached.cache_clear()


def code_of(path, language):
    return [code for name, code in FENCE.findall(path.read_text("utf-8")) if name == language]


@pytest.mark.parametrize("cls", COMPONENTS, ids=lambda cls: f"{cls.slot}-{cls.__name__}")
def test_every_component_has_a_page_that_tells_all(pages, cls):
    import _components

    page = pages[_components.page_of(cls)]
    assert cls.summary() in page
    assert "## When to use it" in page, "its docstring needs Notes that say when, and when not"
    assert "``` { .text .formula }" in page
    for parameter in cls.parameters():
        assert f"### `{parameter.name}`" in page
        assert parameter.tooltip.replace("|", "&#124;") in page
        assert f"| {parameter.unit or '–'} |" in page
    for claim, (_, meaning) in _components.claims(cls).items():
        assert f"`{claim}`" in page or claim.replace("_", " ") in page
        assert meaning in page


@pytest.mark.parametrize("cls", COMPONENTS, ids=lambda cls: f"{cls.slot}-{cls.__name__}")
def test_what_a_page_shows_to_type_gives_the_component(pages, cls):
    import _components

    page = pages[_components.page_of(cls)]
    slot = _components.RECIPE_SLOTS.get(cls.slot)
    found = dict(FENCE.findall(page))
    namespace = {}
    exec(found["python"], namespace)
    if slot is None:
        assert (
            namespace["chosen"] == cls() == registry.from_dict(cls.slot, json.loads(found["json"]))
        )
        return
    assert getattr(namespace["recipe"], slot) == cls()
    assert getattr(Recipe.from_json(found["json"]), slot) == cls()


def test_filters_are_shown_step_by_step_and_parameter_by_parameter(pages):
    import _components
    import _example_images

    for cls in registry.COMPONENTS["filter"]:
        files = [name for name in pages if name.startswith(f"filters/{cls.__name__}/")]
        assert {Path(name).stem for name in files} >= {"source", "step_1", "step_8"}
        assert len({pages[name] for name in files if "step_" in name}) == 4, "the steps differ"
        page = pages[f"filters/{cls.__name__}.md"]
        for p in cls.parameters():
            shown = [name for name in files if Path(name).name.startswith(f"{p.name}_")]
            about = page.partition(f"### `{p.name}`")[2].partition("###")[0]
            # A component that chooses among others resolves to the one it has chosen.
            usual = getattr(_components._on_example(cls()), p.name, getattr(cls(), p.name))
            if shown:
                assert len({pages[name] for name in shown}) >= 2
            elif len(_example_images.variations(p, usual)) >= 2:
                assert _components.SAME in about
    assert _example_images.noisy().std() > 0


def test_a_new_component_gets_its_page_without_another_line(monkeypatch):
    import _components
    import _pages

    name = "napari_diffusion.filters.opening"
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    (code, *_) = code_of(ROOT / "CONTRIBUTING.md", "python")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    monkeypatch.setattr(registry, "COMPONENTS", {"filter": (module.Opening,)})
    files = _components.pages()
    assert "Bright structures narrower than" in files["filters/Opening.md"]
    assert "[Opening](Opening.md)" in files["filters/index.md"]
    assert files["filters/Opening/step_1.png"].startswith(b"\x89PNG")
    _, *below = _pages.menus()["Filters"]
    assert below == [{"Gallery": "filters/gallery.md"}, {"Opening": "filters/Opening.md"}]


def test_the_gallery_has_a_row_for_every_filter(pages):
    import _components

    gallery = pages["filters/gallery.md"]
    rows = gallery.split("\n## ")[1:]
    assert len(rows) == len(registry.COMPONENTS["filter"])
    listed = sorted(registry.COMPONENTS["filter"], key=lambda cls: cls.building_block)
    for cls, row in zip(listed, rows, strict=True):
        assert row.startswith(f"[{cls.display_name}]({cls.__name__}.md)\n\n{cls.summary()}\n")
        shown = re.findall(r"!\[.*?\]\((.*?)\)", row)
        names = ["source", *(f"step_{count}" for count in _components.SHOWN_STEPS)]
        assert shown == [f"{cls.__name__}/{name}.png" for name in names]
        assert row.count("<figcaption>") == row.count("</figcaption>") == 5
        assert len(re.findall(r"\*\*\d\d\.\d\*\*</figcaption>", row)) == 1


def test_every_link_and_image_is_there(pages):
    import _blocks

    texts = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in WRITTEN}
    texts |= {name: text for name, text in pages.items() if isinstance(text, str)}
    known = {*texts, *pages, *(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.*"))}
    made = set(_blocks.PARTS)
    for name, text in texts.items():
        assert set(_blocks.MARK.findall(text)) <= made
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
            if not re.match(r"https?:|#", target):
                place = posixpath.join(posixpath.dirname(name), target.split("#")[0])
                assert posixpath.normpath(place) in known, f"{name} links to {target}"


def places(entries):
    """Return the pages of a menu, those of its groups too."""
    found = []
    for entry in entries:
        below = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += places(below) if isinstance(below, list) else [below]
    return found


def test_building_blocks_stand_in_a_group_at_the_end(pages):
    import _pages

    *_, last = _pages.menus()["Filters"]
    names = [next(iter(entry)) for entry in last["Building blocks"]]
    assert "Opponent colours" in names
    assert "Perona–Malik" not in names
    first, _, blocks = pages["filters/index.md"].partition("## Building blocks")
    assert "[Perona–Malik](PeronaMalik.md)" in first
    assert "[Opponent colours](Opponent.md)" in blocks
    assert "# Perona–Malik\n" in pages["filters/PeronaMalik.md"]


def test_the_menu_has_every_page(pages):
    import _pages

    menu = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M)
    for entries in _pages.menus().values():
        menu += places(entries)
    there = {path.relative_to(DOCS).as_posix() for path in WRITTEN}
    there |= {name for name in pages if name.endswith(".md")}
    assert set(menu) == there


def test_a_new_kind_of_component_comes_into_the_menu_by_itself():
    import _pages

    titles = [
        next(iter(entry)) for entry in _pages.menu([{"Home": "a"}, {"Noise": "b"}, {"Z": "c"}])
    ]
    found = list(_pages.menus())
    found.remove("Noise")
    assert titles == ["Home", "Noise", *found, "Z"]


def test_nothing_is_fetched_from_elsewhere(pages):
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "font: false" in settings
    assert "repo_url" not in settings, "the theme would ask the forge for stars"
    assert "https:" not in settings
    for text in [*(path.read_text("utf-8") for path in WRITTEN), *map(str, pages.values())]:
        assert not re.search(r"!\[[^]]*\]\(https?:|<script|mermaid", text)


SITE = """
site_name: small
docs_dir: pages
use_directory_urls: false
theme: {name: material, font: false}
extra: {polyfills: [iframe-worker.js]}
plugins: [search, offline]
"""


@pytest.mark.slow
def test_the_site_is_searched_from_the_disk(tmp_path, monkeypatch):
    """A browser finds a word on a page that it reads from a file, without a server."""
    pytest.importorskip("material")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser is installed")
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    for line in ("  polyfills: [iframe-worker.js]", "  - search", "  - offline"):
        assert f"\n{line}\n" in settings
    pages = tmp_path / "pages"
    (pages / "filters").mkdir(parents=True)
    (pages / "index.md").write_text("# Home\n\nNothing here.\n")
    (pages / "filters" / "index.md").write_text("# Filters\n\nThe wanted word: stigmergy.\n")
    shutil.copy(DOCS / "iframe-worker.js", pages)
    (tmp_path / "mkdocs.yml").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    subprocess.run(build, check=True, env=environment)
    for page in ("index.html", "filters/index.html"):
        address = f"{(tmp_path / 'site' / page).as_uri()}?q=stigmergy"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        line = [browser, *options, profile, "--dump-dom", address]
        shown = subprocess.run(line, check=True, capture_output=True, text=True, timeout=120).stdout
        assert "1 matching document" in shown
        assert re.search(
            r'href="[^"]*filters/index.html[^"]*" class="md-search-result__link"', shown
        )


@pytest.mark.parametrize(
    "path", [path for path in WRITTEN if code_of(path, "python")], ids=lambda path: path.stem
)
def test_python_in_the_pages_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for code in code_of(path, "python"):
        exec(compile(code, str(path), "exec"), namespace)


def test_commands_in_the_pages_run(tmp_path, monkeypatch, capsys):
    import tifffile
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(SAMPLES["face"]().image[::4, ::4]).save("night.png")
    small = np.random.default_rng(0).normal(100, 5, (9, 20, 30)).astype("float32")
    tifffile.imwrite("stack.tif", small)
    tifffile.imwrite("cells.tif", small[0])
    (block, *_) = code_of(DOCS / "command-line.md", "text")
    for line in block.splitlines():
        program, *words = shlex.split(line.partition(" > ")[0])
        assert program == "napari-diffusion"
        assert main([*words, "--quiet"] if "run" in words else words) == 0
    said = capsys.readouterr().out
    assert json.loads(said[said.rindex('{\n  "schema"') :])["schema"] == 1
    for made in ("steps", "result.ome.zarr", "cells_steps.tif"):
        assert (tmp_path / made).exists()


def test_the_noise_costs_what_the_pages_say(monkeypatch):
    """The pages and the README say that the noise-free run is closer to the ground truth."""
    import _measure

    monkeypatch.setattr(_measure, "SEEDS", (0,))
    monkeypatch.setattr(_measure, "SIZE", 128)
    truth = _measure.example_images()["camera"]
    for chosen in registry.COMPONENTS["filter"]:
        result = _measure._result("camera", truth, chosen)
        assert 19.5 < result.before < 20.5, "σ = 0.1 is 20 dB"
        assert result.at_best < -0.3


def test_the_theorem_of_linear_filters_holds():
    import _measure

    linear = [cls for cls in registry.COMPONENTS["filter"] if cls.linear]
    assert linear
    for cls in linear:
        theory, measured = _measure.spread_of_linear(cls())
        # 512² pixels, of which a Gaussian of σ = 4.5 leaves some 2000 independent ones.
        assert measured == pytest.approx(theory, rel=0.06)


def test_a_docstring_comes_apart():
    import _docstring

    def documented():
        """Do it.

        ``a = b`` and more,
        and ``c``.

        Parameters
        ----------
        x, y : int
            Where.
            Indeed.
        **options
            Others.

        References
        ----------
        One (1990), A title
        in two lines.
        Two (1991), Another.
        """

    text = _docstring.Docstring.of(documented)
    assert (text.summary, text.formula) == ("Do it.", "a = b")
    assert text.body.endswith("and ``c``.")
    entries = {"x": "Where. Indeed.", "y": "Where. Indeed.", "**options": "Others."}
    assert text.entries("Parameters") == entries
    assert text.references() == ["One (1990), A title in two lines.", "Two (1991), Another."]
