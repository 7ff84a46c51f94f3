"""Every text for users speaks the words of docs/glossary.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
TEXTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "src/napari_diffusion/napari.yaml",
]
CODE = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted((ROOT / "docs").glob("_*.py")),
    *sorted((ROOT / "examples").glob("*.py")),
]
QUOTED = re.compile(r"`([^`]+)`")
ROW = re.compile(r"^\| \*\*(.+?)\*\* \|.*\|([^|]*)\|$", re.MULTILINE)
CODE_IN_STRINGS = re.compile(r"``[^`]+``|`[^`\n]+`|^ *>>>.*$|^ *\w+(?:, \w+)* : ", re.MULTILINE)
LITERAL = re.compile(r"^```.*?^```|`[^`\n]*`|^    .*$|\]\([^)]*\)", re.DOTALL | re.MULTILINE)


def pattern(phrase):
    """Return what finds a phrase across line ends, in the plural too; `…` is one to three words."""
    words = [r"(?:[\w'-]+\s+){0,2}[\w'-]+" if w == "…" else re.escape(w) for w in phrase.split()]
    found = r"\s+".join(words)
    return re.compile(rf"(?<![\w-]){found}s?(?![\w-])", re.IGNORECASE)


def glossary():
    """Return the right word of every phrase that the glossary replaces, and the right uses."""
    table, _, right = GLOSSARY.read_text("utf-8").partition("## Right uses")
    replaced = {
        phrase: word for word, cell in ROW.findall(table) for phrase in QUOTED.findall(cell)
    }
    return replaced, QUOTED.findall(right)


REPLACED, RIGHT_USES = glossary()
PATTERNS = {pattern(phrase): (phrase, word) for phrase, word in REPLACED.items()}


def blanked(match):
    return re.sub(r"[^\n]", "\N{BULLET}", match[0])


def faults(text):
    """Return (offset, phrase, right word) of all that the glossary replaces in a text."""
    for phrase in RIGHT_USES:
        text = pattern(phrase).sub(blanked, text)
    return [
        (found.start(), phrase, word)
        for each, (phrase, word) in PATTERNS.items()
        for found in each.finditer(text)
    ]


def prose(path):
    """Return a text, a page without its code and link targets; every line stays in its place."""
    text = path.read_text("utf-8")
    if path.suffix != ".md":
        return text
    if path == GLOSSARY:
        text = ROW.sub(lambda row: row[0].removesuffix(f"{row[2]}|"), text).partition("## Right")[0]
    return LITERAL.sub(blanked, text)


def strings(tree):
    """Yield (line, text) of each string, but of no docstring of a private name."""
    hidden = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith("_"):
            hidden.update(id(each.value) for each in node.body[:1] if isinstance(each, ast.Expr))
    for node in ast.walk(tree):
        if id(node) not in hidden and isinstance(node, ast.Constant):
            yield node.lineno, CODE_IN_STRINGS.sub(blanked, str(node.value))


def is_identifier(text):
    return re.fullmatch(r"[a-z_][a-z0-9_]*", text) is not None


def report(path, line, phrase, word):
    return f"{path.relative_to(ROOT)}:{line}: “{phrase}” → {word}"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_speak_the_words_of_the_glossary(path):
    text = prose(path)
    found = [
        report(path, text.count("\n", 0, at) + 1, phrase, word) for at, phrase, word in faults(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_word_stands_twice(path):
    assert not re.findall(r"\b([a-z][\w-]*)(?: +|\n)\1\b(?!-)", prose(path))


def test_strings_and_docstrings_speak_the_words_of_the_glossary():
    found = [
        report(path, line + text.count("\n", 0, at), phrase, word)
        for path in CODE
        for line, text in strings(ast.parse(path.read_text("utf-8")))
        if not is_identifier(text)
        for at, phrase, word in faults(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("phrase", REPLACED)
def test_each_replaced_phrase_is_caught(phrase):
    filled = phrase.replace("…", "and columns with")
    for text in (f"It has {filled} here.", f"{filled.capitalize()}.", filled.replace(" ", "\n")):
        assert (phrase, REPLACED[phrase]) in [(p, word) for _, p, word in faults(text)], text


def test_strings_are_those_that_users_read():
    code = """
class Public:
    '''A twin.

    >>> twin
    truth : int
        ``u - truth``
    '''
    def _private(self):
        '''A ladder.'''
        return f"{self} no {1} vote", "rung " "here"
"""
    found = [p for _, text in strings(ast.parse(code)) for _, p, _ in faults(text)]
    assert found == ["twin", "rung"]


@pytest.mark.parametrize("phrase", RIGHT_USES)
def test_each_right_use_passes(phrase):
    assert faults(f"Here is {phrase} as it should be.") == []
    assert faults(phrase.capitalize()) == []


@pytest.mark.parametrize("text", ["a sampler", "the film_grain model", "no more than"])
def test_parts_of_other_words_pass(text):
    assert faults(text) == []
