"""Components of other distributions: found, shown like our own, and never in the way."""

from __future__ import annotations

import functools
import subprocess
import sys

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.loop import registry

CODE = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.filters import Filter
from napari_diffusion.noise import Noise
from napari_diffusion.schedules import Schedule


@dataclass(frozen=True)
class Brighter(Filter):
    """Add a number.

    Parameters
    ----------
    amount : float
        What is added.
    """

    amount: Annotated[float, {"min": 0.0, "unit": "intensity", "tooltip": "Added."}] = 0.25

    def halo(self, grid):
        return (0, 0, 0, 0, 0)

    def apply(self, block):
        return block.values + block.dtype.type(self.amount)


@dataclass(frozen=True)
class Halving(Schedule):
    """Halve at every step."""

    def fraction(self, step, num_steps):
        return 0.5**step


@dataclass(frozen=True)
class Gaussian(Brighter):
    """Has a name that is taken."""


@dataclass(frozen=True)
class Unfinished(Filter):
    """Does nothing yet."""


@dataclass(frozen=True)
class Needy(Brighter):
    """Has a parameter without default."""

    level: float = "high"


function = len
'''

GOOD = ["brighter = elsewhere:Brighter", "halving = elsewhere:Halving"]
BROKEN = {
    "again = elsewhere:Gaussian": "ValueError: there is already a filter Gaussian",
    "unfinished = elsewhere:Unfinished": "TypeError: it must define apply, halo",
    "needy = elsewhere:Needy": "TypeError: Needy: level must be a number",
    "function = elsewhere:function": "TypeError: it must be a subclass of one of Noise, ",
    "missing = elsewhere:Missing": "AttributeError: .*Missing",
    "nowhere = no_such_package:Filter": "ModuleNotFoundError: .*no_such_package",
    "wrong = elsewhere_wrong:Filter": "RuntimeError: wrong version",
}


def installed(folder, lines):
    """Write a distribution as it lies in site-packages."""
    (folder / "elsewhere.py").write_text(CODE, "utf-8")
    (folder / "elsewhere_wrong.py").write_text("raise RuntimeError('wrong version')", "utf-8")
    info = folder / "elsewhere-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.2\n")
    text = "\n".join(["[napari_diffusion.components]", *lines])
    (info / "entry_points.txt").write_text(text)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs entry points for the time of a test."""

    def install(lines):
        installed(tmp_path, lines)
        monkeypatch.syspath_prepend(tmp_path)
        fresh = functools.cache(registry._components.__wrapped__)
        monkeypatch.setattr(registry, "_components", fresh)

    yield install
    for name in ("elsewhere", "elsewhere_wrong"):
        sys.modules.pop(name, None)


def names(slot):
    return [cls.__name__ for cls in registry.COMPONENTS[slot]]


def test_they_come_after_ours(install):
    ours = names("filter")
    install(GOOD)
    assert names("filter") == [*ours, "Brighter"]
    assert names("schedule")[-1] == "Halving"


def test_a_recipe_holds_them_and_runs(install, tmp_path):
    install(GOOD)
    text = (
        '{"diffusion_filter": {"type": "Brighter", "amount": 2}, "schedule": {"type": "Halving"}}'
    )
    recipe = nd.Recipe.from_json(text)
    assert nd.Recipe.from_json(recipe.to_json()) == recipe
    made = nd.run(np.zeros((4, 5)), recipe.replaced(num_steps=3, noise=None, final_filter=None))
    np.testing.assert_array_equal(made.image, np.full((4, 5), 6.0))
    assert recipe.schedule(1.0, 3).tolist() == [1.0, 0.5, 0.25]


def test_the_command_line_sets_them(install, capsys):
    install(GOOD)
    values = registry.with_setting(nd.PRESETS["explore"].to_dict(), "final_filter", "Brighter")
    assert values["final_filter"] == {"type": "Brighter", "amount": 0.25}
    words = ["recipe", "explore", "--set", "diffusion_filter=Brighter"]
    assert main([*words, "--set", "diffusion_filter.amount=3"]) == 0
    chosen = nd.Recipe.from_json(capsys.readouterr().out).diffusion_filter
    assert (type(chosen).__name__, chosen.amount) == ("Brighter", 3)


def test_the_form_offers_them(install, qtbot):
    from napari_diffusion.widgets.forms.component_choice import ComponentChoice

    install(GOOD)
    choice = ComponentChoice("filter")
    qtbot.addWidget(choice.native)
    choice.choice.native.setCurrentText("Brighter")
    assert choice.value == registry.component_class("filter", "Brighter")()


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_one_is_named_once_and_left_out(install, line):
    ours = {slot: names(slot) for slot in registry.OWN}
    install([line, *GOOD])
    said = rf"'{line.split()[0]}' .* of elsewhere 1\.2 is left out: {BROKEN[line]}"
    with pytest.warns(RuntimeWarning, match=said) as caught:
        assert names("filter") == [*ours["filter"], "Brighter"]
    assert len(caught) == 1
    assert names("schedule") == [*ours["schedule"], "Halving"]


def test_a_name_that_is_not_there_lists_those_of_others_too(install):
    install(GOOD)
    with pytest.raises(ValueError, match=r"no filter 'Sharper'.*Brighter"):
        registry.component_class("filter", "Sharper")


def test_ours_are_found_without_looking_for_others(tmp_path):
    installed(tmp_path, GOOD)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import napari_diffusion as nd\n"
        "nd.Recipe.from_json(nd.PRESETS['explore'].to_json())\n"
        "print('elsewhere' in sys.modules)\n"
        "from napari_diffusion.loop.registry import COMPONENTS\n"
        "print('elsewhere' in sys.modules, COMPONENTS['filter'][-1].__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "Brighter"]
