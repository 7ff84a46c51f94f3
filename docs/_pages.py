"""Every page that is made from the program itself rather than written by hand."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _blocks
import _components
import _gallery

import napari_diffusion as nd
from napari_diffusion.loop import registry

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent

#: Files of the top folder that are pages of the site too.
TOP_FILES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def pages() -> dict[str, str | bytes]:
    """Return the made pages and images by their place in the site."""
    made = {**_from_top(), "api.md": _api(), **_components.pages(), **_blocks.files()}
    return {**made, _gallery.PLACE: _gallery.page()}


def menus() -> dict[str, list[Any]]:
    """Return the entries of the menu under each title that the registry fills."""
    found: dict[str, list[Any]] = {}
    for slot, components in registry.COMPONENTS.items():
        folder, title = _components.folder(slot)
        found[title] = [f"{folder}/index.md"]
        if _gallery.PLACE.startswith(f"{folder}/"):
            found[title].append({"Gallery": _gallery.PLACE})
        main, blocks = (
            [{cls.display_name: _components.page_of(cls)} for cls in group]
            for group in _components.grouped(components)
        )
        found[title] += main + [{_components.BLOCKS: blocks}] * bool(blocks)
    return found


def menu(written: list[Any]) -> list[Any]:
    """Fill the headings of the registry; those that the written menu lacks come after them."""
    found = menus()
    filled = [
        {title: found.get(title, below) for title, below in entry.items()} for entry in written
    ]
    known = [title for entry in filled for title in entry]
    last = max(known.index(title) for title in known if title in found)
    others = [{title: below} for title, below in found.items() if title not in known]
    return filled[: last + 1] + others + filled[last + 1 :]


def _from_top() -> dict[str, str | bytes]:
    """Return the pages of the top folder, their links turned round to the site."""
    made: dict[str, str | bytes] = {}
    for name, place in TOP_FILES.items():
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        for other, target in TOP_FILES.items():
            text = text.replace(f"]({other})", f"]({target})")
        made[place] = text
    return made


def _api() -> str:
    """Return the reference of all public names: classes and functions, then the namespaces."""
    public = {name: getattr(nd, name) for name in nd.__all__}
    parts = [
        "# API\n",
        "`import napari_diffusion as nd` brings the names on this page. `nd.PRESETS` holds the "
        "[presets](recipes.md#presets).\n",
    ]
    for kind in (inspect.isfunction, inspect.isclass):
        parts += [f"::: napari_diffusion.{name}\n" for name, each in public.items() if kind(each)]
    for name, each in public.items():
        if inspect.ismodule(each):
            parts.append(f"## nd.{name}\n\n{inspect.getdoc(each)}\n")
            parts += [_entry(component) for component in _public(each)]
    return "\n".join(parts)


def _public(module: ModuleType) -> list[Any]:
    """Return the public names of a module: those it lists, else the classes that it defines."""
    if hasattr(module, "__all__"):
        return [getattr(module, name) for name in module.__all__]
    own = (each for name, each in vars(module).items() if not name.startswith("_"))
    return [each for each in own if getattr(each, "__module__", None) == module.__name__]


def _entry(component: Any) -> str:
    """Return a function in full, and of a component the link to its page."""
    listed = {cls for components in registry.COMPONENTS.values() for cls in components}
    if inspect.isclass(component) and component in listed:
        summary = _components.Docstring.of(component).summary
        return f"- [{component.__name__}]({_components.page_of(component)}): {summary}"
    if inspect.isclass(component) or inspect.isfunction(component):
        name = f"{component.__module__}.{component.__name__}"
        return f"\n::: {name}\n    options:\n      heading_level: 3\n"
    return ""
