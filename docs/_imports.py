"""The drawing of who imports whom, made from the code.

python docs/_imports.py
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"

#: The packages whose folders stand in rows.
CONTAINERS = ("napari_diffusion", "napari_diffusion.widgets")

BEGIN = "<!-- imports: made by docs/_imports.py -->\n"
END = "<!-- imports: end -->"


def rows(container: str) -> list[list[str]]:
    """Return the folders of a package from top to bottom, as import-linter has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        each
        for each in settings["tool"]["importlinter"]["contracts"]
        if each.get("containers") == [container]
    )
    return [layer.split(" | ") for layer in contract["layers"]]


def arrows(container: str) -> set[tuple[str, str]]:
    """Return which folder imports from which, wherever in a file the import stands."""
    sources = ROOT / "src" / container.replace(".", "/")
    folders = {folder for row in rows(container) for folder in row}
    return {
        (folder, other)
        for folder in folders
        for path in (sources / folder).rglob("*.py")
        for other in _folders(ast.parse(path.read_text("utf-8")), container) & folders - {folder}
    }


def _folders(tree: ast.Module, container: str) -> set[str]:
    inside = f"{container}."
    names = (name for name in _imported(tree) if name.startswith(inside))
    return {name.removeprefix(inside).split(".")[0] for name in names}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def wrong(container: str) -> list[str]:
    """Return the arrows that go up or sideways."""
    place = {folder: k for k, row in enumerate(rows(container)) for folder in row}
    return [f"{a} → {b}" for a, b in sorted(arrows(container)) if place[a] >= place[b]]


def drawing(container: str) -> str:
    """Return the folders from top to bottom, each with its arrows to the columns."""
    found = arrows(container)
    columns = [folder for row in rows(container) for folder in row]
    width = max(map(len, columns))
    heads = [
        " ".join([" " * width, *(name[k : k + 1].ljust(1) for name in columns)]).rstrip()
        for k in range(width)
    ]
    lines = ["```text", *heads]
    for row in rows(container):
        lines.append("")
        for folder in row:
            marks = ["■" if o == folder else "↓" if (folder, o) in found else "·" for o in columns]
            lines.append(" ".join([folder.ljust(width), *marks]))
    return "\n".join([*lines, "```\n"])


def filled(text: str) -> str:
    """Return the page with the drawing of today's code between its markers."""
    found = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    shown = "\n".join(f"`{container}`:\n\n{drawing(container)}" for container in CONTAINERS)
    return found.sub(lambda _: f"{BEGIN}{shown}{END}", text)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
    for container in CONTAINERS:
        print(drawing(container), *wrong(container), sep="\n")
