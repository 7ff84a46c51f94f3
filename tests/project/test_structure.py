"""Where files stand, which of them import each other, and how much is left without types."""

from __future__ import annotations

import ast
import graphlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "napari_diffusion"
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})

# In a folder with more files than this nobody finds anything.
MOST_FILES = 25

# Of 1 000 lines outside the compiled kernels, whose types numba infers.
MOST_UNTYPED = 10


def relative(path):
    return path.relative_to(PACKAGE).as_posix()


def test_the_package_holds_folders_and_no_loose_modules():
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "napari.yaml", "py.typed"}


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_folder_can_be_looked_through(folder):
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MOST_FILES


def test_the_tests_mirror_the_folders():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert tested == folders | {"project"}


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree):
    """Yield the full names that a file imports; within functions and for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def graph():
    """Return the files of the package that each of them imports, the root's own left out."""
    files = {module_of(path): path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE}
    found = {}
    for module, path in files.items():
        found[module] = set()
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            while name and name not in files:
                name = name.rpartition(".")[0]
            found[module] |= {name} - {"", module}
    return found


def test_no_circle_of_files(graph):
    assert len(graph) > 300
    graphlib.TopologicalSorter(graph).prepare()


def is_kernel(path):
    """Say whether a file compiles functions of its own: numba infers their types."""
    return re.search(r"^@(\w*kernel|intrinsic)\b", path.read_text("utf-8"), re.MULTILINE)


def untyped(text):
    """Count `Any` but in arrays, `object` in its place, and errors that are not looked at."""
    tree = ast.parse(text)
    arrays = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "NDArray"
    ]
    allowed = {id(inner) for array in arrays for inner in ast.walk(array)}
    aliases = {"Any"} | {
        node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and getattr(node.value, "id", "") == "Any"
    }
    hints = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg)]
    hints += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    stand_ins = [
        inner for hint in hints if hint for inner in ast.walk(hint)
        if getattr(inner, "id", "") == "object"
    ]  # fmt: skip
    names = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id in aliases
        and id(node) not in allowed
    ]
    return len(names) + len(stand_ins) + len(re.findall(r"#\s*type: ignore", text))


def test_what_counts_as_untyped():
    assert untyped("x: NDArray[Any] = f()") == 0
    assert untyped("x: Any = f()  # type: ignore[misc]") == 2
    assert untyped("Some = Any\ndef f(x: object) -> Some: ...") == 3
    assert untyped("def f(x: list[object]) -> dict[str, Any]: ...") == 2


def test_little_is_left_untyped():
    texts = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if not is_kernel(path)]
    lines = sum(text.count("\n") for text in texts)
    assert 1000 * sum(map(untyped, texts)) / lines <= MOST_UNTYPED


def test_no_setting_is_for_a_module_that_is_gone():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    own = [
        name
        for override in settings["tool"]["mypy"]["overrides"]
        for name in override["module"]
        if name.startswith("napari_diffusion.") and not name.endswith("*")
    ]
    for name in own:
        assert (ROOT / "src" / (name.replace(".", "/") + ".py")).exists(), name
