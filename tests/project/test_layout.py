"""Where files stand, and how much of the code is left without types."""

from __future__ import annotations

import ast
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
