"""References hang on what was used, and their BibTeX can be read."""

from __future__ import annotations

import inspect
import re
import unicodedata
from pathlib import Path

import methods_cases
import pytest
from methods_cases import SHORT, kept

import napari_diffusion as nd
from napari_diffusion.loop.registry import COMPONENTS
from napari_diffusion.records.bibtex import escaped
from napari_diffusion.records.references import REQUIRED, bibtex, references, software, works

PACKAGE = Path(nd.__file__).parent

_SECTION = re.compile(r'References\n *-{5,}\n(.*?)(?="""|\n\n *[A-Z]\w+\n *---)', re.S)


def plain(text):
    letters = unicodedata.normalize("NFD", text.lower().replace("ß", "ss").replace("æ", "ae"))
    return "".join(c for c in letters if c.isalpha())


def cited(text):
    """Yield the family names and the year of every work in the References of a text."""
    for section in _SECTION.findall(text):
        for names, year in re.findall(
            r"([A-ZÄÖÜ][^()]*?) \((\d{4})\)", re.sub(r"\s+", " ", section)
        ):
            # What went before ended with a full stop or a semicolon.
            last = re.split(r"[.;] ", names)[-1]
            yield re.split(r", (?:and )?| and ", last), int(year)


def keys_of(names, year):
    """Return the keys of the works by these people in a year."""
    found = []
    for key, work in works().items():
        families = [plain(each.partition(", ")[0]) for each in work.authors or work.editors]
        wanted = [plain(name) for name in names if name != "others"]
        some = "others" in names
        if work.year == year and (
            families[: len(wanted)] == wanted and (some or len(families) == len(wanted))
        ):
            found.append(key)
    return found


def test_every_work_in_a_docstring_is_in_the_table():
    seen = set()
    for path in PACKAGE.rglob("*.py"):
        for names, year in cited(path.read_text("utf-8")):
            keys = keys_of(names, year)
            assert keys, f"{path.name}: {names} ({year})"
            seen |= set(keys)
    assert seen == set(works()), "a work in the table is named nowhere"


@pytest.mark.parametrize(
    "cls",
    [c for slot in ("filter", "noise", "schedule", "domain") for c in COMPONENTS[slot]],
    ids=lambda cls: f"{cls.slot} {cls.__name__}",
)
def test_a_component_cites_what_its_docstring_names(cls):
    section = inspect.getdoc(cls) or ""
    named = [keys_of(*each) for each in cited(f'{section}\n"""')]
    own = {each.key for each in cls.cites}
    measured = {key for each in cls.estimates.values() for key in each.cites}
    assert own | measured <= set(works())
    for keys in named:
        assert set(keys) & (own | measured), keys
    for key in own:
        assert any(key in keys for keys in named), key


def test_every_work_has_the_fields_of_its_type():
    for key, work in works().items():
        assert key.isascii(), key
        assert re.fullmatch(r"[a-z]+\d{4}[a-z]*", key), key
        assert str(work.year) in key
        for name in REQUIRED[work.type]:
            assert getattr(work, name), (key, name)
        assert work.text().count("(") == work.text().count(")")
        assert re.fullmatch(r"(10\.\d{4,}/\S+)?", work.doi), key


def entries(text):
    """Read BibTeX: each entry's type, key and fields; braces must balance."""
    for entry in re.findall(r"@.*?\n}\n", text, re.S):
        kind, key, body = re.fullmatch(r"@(\w+){(\w+),\n(.*)\n}\n", entry, re.S).groups()
        fields = dict(
            re.fullmatch(r"  (\w+) = {(.*)},?", line).groups() for line in body.split("\n")
        )
        for value in fields.values():
            depth = 0
            for sign in re.findall(r"(?<!\\)[{}]", value):
                depth += 1 if sign == "{" else -1
                assert depth >= 0, value
            assert depth == 0, value
        yield kind, key, fields


def test_bibtex_can_be_read():
    names = {"authors": "author"}
    for name, record in methods_cases.records():
        text = bibtex(record)
        assert text.isascii()
        found = list(entries(text))
        keys = [key for _, key, _ in found]
        assert len(keys) == len(set(keys)) == text.count("@"), name
        for kind, key, fields in found:
            for wanted in REQUIRED[kind]:
                assert names.get(wanted, wanted) in fields, (key, wanted)


def test_bibtex_of_all_works_is_ascii():
    from napari_diffusion.records.bibtex import entry

    for key, work in works().items():
        text = entry(work.type, key, {"author": " and ".join(work.authors), "title": work.title})
        assert text.isascii()
        assert list(entries(text))


def test_references_as_text():
    text = {key: work.text() for key, work in works().items()}
    assert text["perona1990"] == (
        "Perona P and Malik J (1990). Scale-space and edge detection using anisotropic diffusion. "
        "IEEE Transactions on Pattern Analysis and Machine Intelligence, 12(7), 629–639. "
        "doi:10.1109/34.56205."
    )
    assert "Proceedings of SPIE 2825." in text["yaroslavsky1996"]
    assert "arXiv:2301.10972." in text["chen2023"]
    assert software(kept(SHORT)).text() == (
        "The napari-diffusion developers. napari-diffusion. Version " + nd.__version__ + "."
    )


def test_accents():
    assert escaped("Mrázek, Grünwald, Reißel, Immerkær") == (
        r"Mr{\'a}zek, Gr{\"u}nwald, Rei{\ss}el, Immerk{\ae}r"
    )
    assert escaped("629–639 & Łoś č".replace("Ł", "ł")) == r"629--639 \& {\l}o{\'s} {\v c}"


def keys(record):
    return {each.key for each in references(record)}


@pytest.mark.parametrize(
    ("changes", "cites", "spares"),
    [
        ({"conductance": "rational"}, {"perona1990"}, {"black1998", "weickert1998", "catte1992"}),
        ({"conductance": "tukey"}, {"black1998"}, {"charbonnier1997"}),
        ({"conductance": "charbonnier"}, {"charbonnier1997"}, {"black1998"}),
        ({"conductance": "weickert"}, {"weickert1998"}, {"weickert1998aos"}),
        ({"smoothing": 1.0}, {"catte1992"}, {"hafner2016"}),
        ({"solver": "aos"}, {"weickert1998aos"}, {"hafner2016"}),
        ({"solver": "fsi"}, {"hafner2016"}, {"weickert1998aos"}),
        ({"contrast": "auto"}, {"black1998"}, {"charbonnier1997"}),
    ],
)
def test_references_hang_on_the_options(changes, cites, spares):
    chosen = nd.filters.PeronaMalik(**{"contrast": 2.0, **changes})
    found = keys(kept(SHORT.replaced(diffusion_filter=chosen)))
    assert cites <= found
    assert not spares & found


def test_colour_papers_are_cited_for_colours_alone():
    assert "dabov2007colour" in keys(kept(nd.PRESETS["denoise"], "colours"))
    assert not {"dabov2007colour", "ohta1980"} & keys(kept(nd.PRESETS["denoise"], "volume"))


def test_an_estimator_is_cited_where_it_was_used():
    assert "ponomarenko2007" in keys(kept(SHORT.replaced(starting_noise_scale="auto")))
    assert "ponomarenko2007" not in keys(kept(SHORT))
    assert "lindeberg1990" not in keys(
        kept(
            SHORT.replaced(diffusion_filter=nd.filters.Median(), final_filter=nd.filters.Heat()),
            index=0,
        )
    )
