"""The pages of components: loops over the registry, nothing by name."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
from typing import TYPE_CHECKING, Any

import _example_images
import numpy as np
from _docstring import Docstring

import napari_diffusion as nd
from napari_diffusion.core import Component, Grid, Image
from napari_diffusion.forensics import Trace, limit_sentences
from napari_diffusion.loop import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_diffusion.core import Parameter

#: Page or image by its place in the site.
Files = dict[str, "str | bytes"]

#: Folder and title for each kind of component; a new kind gets a folder of its own name.
FOLDERS = {
    "filter": ("filters", "Filters"),
    "noise": ("noise", "Noise"),
    "schedule": ("schedules", "Schedules"),
    "domain": ("domains", "Domains"),
    "metric": ("metrics", "Metrics"),
    "measurement": ("measurements", "Measurements"),
    "trace": ("traces", "Traces"),
}

#: The field of a recipe that holds a kind of component; kinds without one are not listed.
RECIPE_SLOTS = {
    "filter": "diffusion_filter",
    "noise": "noise",
    "schedule": "schedule",
    "domain": "domain",
}

#: Steps after which a filter is shown, and their number for each value of a parameter.
SHOWN_STEPS = (1, 2, 4, 8)
COMPARED_STEPS = 4

#: States that the example does not show a parameter.
SAME = "On the example image these values give the same result:"

#: Heads the filters that mainly serve other filters.
BLOCKS = "Building blocks"


def folder(slot: str) -> tuple[str, str]:
    """Return the folder of the pages of a kind of component, and their title."""
    return FOLDERS.get(slot, (slot, slot.capitalize()))


def page_of(cls: type[Component]) -> str:
    """Return where the page of a component is."""
    return f"{folder(cls.slot)[0]}/{cls.__name__}.md"


def grouped(components: Iterable[type[Component]]) -> tuple[list[type[Component]], ...]:
    """Return the components for users, and those that mainly serve other components."""
    listed = list(components)
    return tuple([cls for cls in listed if cls.building_block is kind] for kind in (False, True))


def pages() -> Files:
    """Return the pages of all components, and of every kind, with their images."""
    files: Files = {}
    for slot, components in registry.COMPONENTS.items():
        files.update(_overview(slot, components))
        for cls in components:
            images = Images(cls)
            files[page_of(cls)] = _page(cls, images)
            files.update(images.files)
    return files


class Images:
    """The images of one component: text for its page, and the files that the text shows."""

    def __init__(self, cls: type[Component]) -> None:
        self.cls = cls
        self.files: Files = {}
        self.has_defaults = all(p.default is not dataclasses.MISSING for p in cls.parameters())
        drawn: dict[str, tuple[Callable[[], str], Callable[[Parameter], str]]] = {
            "filter": (self._filter, self._filter_values),
            "noise": (self._noise, self._noise_values),
            "schedule": (self._schedule, self._schedule_values),
            "metric": (self._metric, lambda parameter: ""),
        }
        nothing = (lambda: ""), (lambda parameter: "")
        self.example, self.values = drawn.get(cls.slot, nothing) if self.has_defaults else nothing

    def strip(self, named: list[tuple[str, str, Any]]) -> str:
        """Show images side by side: (file name, caption, image) each."""
        shown = []
        for name, caption, image in named:
            path = f"{folder(self.cls.slot)[0]}/{self.cls.__name__}/{name}.png"
            self.files[path] = _example_images.png(image)
            shown.append((f"{self.cls.__name__}/{name}.png", caption))
        return _example_images.strip(shown)

    def _filter(self) -> str:
        images = steps_of(self.cls)
        time = getattr(self.cls(), "time", None)
        strip = [("truth", "ground truth", _example_images.clean())]
        strip += [("source", f"source, σ = {_example_images.NOISE}", _example_images.noisy())]
        for count in SHOWN_STEPS:
            caption = f"{count} step{'s' * (count > 1)}"
            caption += f", time {count * time:g}" if isinstance(time, float) else ""
            strip.append((f"step_{count}", caption, images[count - 1]))
        return (
            "## Step by step\n\n"
            + self.strip(strip)
            + (
                "\nThe filter with its default parameters, applied repeatedly, without added "
                "noise. Intensities are from 0 to 1, the pixel size is 1.\n"
            )
        )

    def _filter_values(self, parameter: Parameter) -> str:
        values: list[Any] = []
        for base, told in self._bases(parameter):
            # What is resolved may be one of the filters within.
            usual = getattr(_on_example(base), parameter.name, getattr(base, parameter.name))
            values = _example_images.variations(parameter, usual)
            changed = _allowed(base, parameter, values)
            values = [getattr(each, parameter.name) for each in changed]
            images = [_repeated(each, COMPARED_STEPS)[-1] for each in changed]
            if any(not np.array_equal(image, images[0]) for image in images):
                found = [parameter.default == "auto" and value == usual for value in values]
                captions = [
                    f"{parameter.label} {_example_images.number(value)}{' (auto)' * is_found}"
                    for value, is_found in zip(values, found, strict=True)
                ]
                names = [f"{parameter.name}_{value}" for value in values]
                return told + self.strip(list(zip(names, captions, images, strict=True)))
        if len(values) < 2:
            return ""
        listed = ", ".join(f"*{_example_images.number(value)}*" for value in values)
        return f"{SAME} {listed}.\n"

    def _bases(self, parameter: Parameter) -> Iterator[tuple[Any, str]]:
        """Offer components to show a parameter on: some count with one choice of another alone."""
        yield self.cls(), ""
        for other in self.cls.parameters():
            for choice in other.choices if other is not parameter else ():
                told = f"With {other.label} *{choice}*:\n\n"
                yield self.cls(**{other.name: choice}), told

    def _noise(self) -> str:
        strip = [("source", "source", _example_images.clean())]
        for scale in (0.05, 0.15):
            image = self.cls()(_example_images.clean(), noise_scale=scale, seed=1)
            strip.append((f"scale_{scale}", f"noise scale {scale}", image))
        return (
            "## At two noise scales\n\n"
            + self.strip(strip)
            + ("\nIntensities are from 0 to 1; values beyond are shown black or white.\n")
        )

    def _noise_values(self, parameter: Parameter) -> str:
        usual = getattr(self.cls(), parameter.name)
        strip = []
        for changed in _allowed(
            self.cls(), parameter, _example_images.variations(parameter, usual)
        ):
            value = getattr(changed, parameter.name)
            try:
                image = changed(_example_images.clean(), noise_scale=0.1, seed=1)
            except ValueError:
                continue  # not on this image
            caption = f"{parameter.label} {_example_images.number(value)}"
            strip.append((f"{parameter.name}_{value}", caption, image))
        return self.strip(strip) if strip else ""

    def _schedule(self) -> str:
        if not self.cls.tabulated:
            return ""
        line = (call(self.cls()), self.cls()(1.0, 10))
        return (
            "## Over the steps\n\n"
            + _example_images.curves([line], "noise scale over the steps")
            + ("\n\nThe noise scale over 10 steps, starting at 1.\n")
        )

    def _schedule_values(self, parameter: Parameter) -> str:
        if not self.cls.tabulated or parameter.kind == "function":
            return ""
        usual = getattr(self.cls(), parameter.name)
        values = _example_images.variations(parameter, usual)
        made = _allowed(self.cls(), parameter, [value for value in values if _below_one(value)])
        if not made:
            return ""
        lines = [(call(each, also=parameter.name), each(1.0, 10)) for each in made]
        return _example_images.curves(lines, f"noise scale for several {parameter.label}") + "\n"

    def _metric(self) -> str:
        told = (
            "\n\nOn the example image, before the first step and after each step of the preset "
            "*explore*, with noise and without."
        )
        lines = [(name, values[self.cls]) for name, values in _measured().items()]
        drawn = _example_images.curves(lines, "the metric over the steps", "source", 1)
        return f"## Over the steps\n\n{drawn}{told}\n"


def _allowed(base: Any, parameter: Parameter, values: list[Any]) -> list[Any]:
    """Return copies of a component with each value that goes together with its other ones."""
    copies = []
    for value in values:
        with contextlib.suppress(ValueError):
            copies.append(base.replaced(**{parameter.name: value}))
    return copies


def _below_one(value: Any) -> bool:
    return not isinstance(value, float | int) or value <= 1


def _on_example(chosen: Any) -> Any:
    image = _example_images.noisy()
    return chosen.resolved(Image.of(image))


@functools.cache
def steps_of(cls: type[Component]) -> list[Any]:
    """Return what a filter at its defaults makes of the example, step by step."""
    return _repeated(cls(), max(SHOWN_STEPS))


@functools.cache
def _measured() -> dict[str, dict[type, tuple[float, ...]]]:
    """Return what every metric says of the steps of two runs on the example."""
    from napari_diffusion.analysis import curves

    image, truth = _example_images.noisy(), _example_images.clean()
    second = nd.noise.Gaussian()(truth, noise_scale=_example_images.NOISE, seed=2025)
    recipe = nd.PRESETS["explore"].replaced(starting_noise_scale="auto").resolved(image)
    metrics = [cls() for cls in registry.COMPONENTS["metric"]]
    runs = {"with noise": recipe, "noise-free": recipe.replaced(noise=None)}
    beside = {"reference": truth, "second": second}
    found = {name: curves(image, run, metrics, **beside) for name, run in runs.items()}
    return {name: {type(c.metric): c.values for c in each} for name, each in found.items()}


def _repeated(chosen: Any, count: int) -> list[Any]:
    recipe = nd.Recipe(
        num_steps=count,
        starting_noise_scale=0.0,
        noise=None,
        schedule=nd.schedules.Constant(),
        diffusion_filter=chosen,
    )
    return [step.image for step in nd.steps(_example_images.noisy(), recipe)][:-1]


def call(component: Component, *, also: str = "") -> str:
    """Return the constructor call with what is not a default, and with the parameter `also`."""
    given = [(p.name, getattr(component, p.name), p.default) for p in component.parameters()]
    shown = [f"{n}={v!r}" for n, v, default in given if v != default or n == also]
    return f"{type(component).__name__}({', '.join(shown)})"


def _page(cls: type[Component], images: Images) -> str:
    text = Docstring.of(cls)
    parts = [f"# {cls.display_name}\n", f"{text.summary}\n", f"`{_path(cls)}`\n"]
    if text.formula:
        parts.append(f"``` {{ .text .formula }}\n{text.formula}\n```\n")
    # The formula stands above already.
    body = re.sub(r"^``[^`]+``(?:\n\n|,\s+(?=with |where ))", "", text.text)
    parts.append(body[:1].upper() + body[1:] + "\n")
    parts.append(images.example())
    if "Notes" in text.sections:
        parts.append(f"## When to use it\n\n{text.sections['Notes']}\n")
    parts += [_parameters(cls, text, images), _claims(cls), _use(cls)]
    if references := text.references():
        parts.append("## References\n\n" + "".join(f"- {each}\n" for each in references))
    return "\n".join(part for part in parts if part)


def _parameters(cls: type[Component], text: Docstring, images: Images) -> str:
    parameters = cls.parameters()
    if not parameters:
        return "## Parameters\n\nNone.\n"
    rows = ["| parameter | default | allowed | unit | in short |", "|---|---|---|---|---|"]
    long: list[str] = []
    described = text.entries("Parameters")
    for p in parameters:
        rows.append(
            f"| [`{p.name}`](#{p.name}) | {_default(p)} | {allowed(p)} | {p.unit or '–'} "
            f"| {p.tooltip.replace('|', '&#124;') or '–'} |"
        )
        long.append(f"### `{p.name}` {{ #{p.name} }}\n\n{described.get(p.name, p.tooltip)}\n")
        long.append(images.values(p))
    told = ""
    if cls.slot == "filter" and images.has_defaults:
        told = f"The images show the example image after {COMPARED_STEPS} steps.\n\n"
    return "## Parameters\n\n" + "\n".join(rows) + f"\n\n{told}" + "\n".join(long)


def _default(parameter: Parameter) -> str:
    missing = parameter.default is dataclasses.MISSING
    return "required" if missing else f"`{_shown(parameter.default)}`"


def _shown(value: Any) -> str:
    """Return a default for a cell of a table, components with what is not their own default."""
    if isinstance(value, tuple) and any(isinstance(each, Component) for each in value):
        return "(" + "".join(f"{call(each)}, " for each in value).rstrip() + ")"
    return call(value) if isinstance(value, Component) else repr(value)


def allowed(parameter: Parameter) -> str:
    """Say what values a parameter takes, for a cell of a table."""
    words = {
        "choice": ", ".join(f"`{choice!r}`" for choice in parameter.choices),
        "bool": "`True`, `False`",
        "text": "text",
    }
    if parameter.kind in words:
        return words[parameter.kind]
    said = parameter.range_text()
    for number, short in (("a finite number ", ""), ("a whole number ", "whole, ")):
        if said.startswith(number):
            said = short + said.removeprefix(number).removeprefix("of ")
    return said + (", or one per channel" if parameter.many else "")


def claims(cls: type[Component]) -> dict[str, tuple[bool, str]]:
    """Return what a component promises: for each class variable its value and its meaning."""
    base = next(each for each in cls.__mro__ if "slot" in vars(each) and each.slot == cls.slot)
    meanings = Docstring.of(base).entries("Attributes")
    values = {name: getattr(cls, name, None) for name in meanings}
    return {n: (v, meanings[n]) for n, v in values.items() if isinstance(v, bool)}


def _claims(cls: type[Component]) -> str:
    if issubclass(cls, Trace):
        said = [f"Needs: {', '.join(sorted(cls.needs))}.", *limit_sentences(cls)]
        return "## What else looks the same\n\n" + "".join(f"- {each}\n" for each in said)
    if cls.slot not in ("filter", "noise"):
        return _properties(cls)
    found = claims(cls)
    if not found:
        return ""
    rows = ["| claim | holds | meaning |", "|---|---|---|"]
    rows += [f"| `{n}` | {'yes' if v else 'no'} | {text} |" for n, (v, text) in found.items()]
    return (
        "## Claims\n\nTests verify every *yes*; a *no* guarantees nothing.\n\n"
        + "\n".join(rows)
        + "\n\n"
        + _reach(cls)
    )


def _properties(cls: type[Component]) -> str:
    """Return what else the class says of itself, claims or not."""
    base = next(each for each in cls.__mro__ if each.__dict__.get("slot") == cls.slot)
    meanings = Docstring.of(base).entries("Attributes")
    values = {name: getattr(cls, name, None) for name in meanings}
    rows = [
        f"| {name.replace('_', ' ')} | {_worded(value)} | {meanings[name]} |"
        for name, value in values.items()
        if isinstance(value, bool | str)
    ]
    if not rows:
        return ""
    return "## Properties\n\n" + "\n".join(["| | | |", "|---|---|---|", *rows]) + "\n"


def _worded(value: bool | str) -> str:
    return {True: "yes", False: "no", "": "–"}.get(value, str(value))


def _reach(cls: type[Component]) -> str:
    if not hasattr(cls, "halo") or any(p.default is dataclasses.MISSING for p in cls.parameters()):
        return ""
    halo = _on_example(cls()).halo(Grid.of((256, 256)))
    if halo is None:
        return (
            "With the default parameters a result depends on the whole image: chunks of a dask "
            "array are merged along the axes that diffuse.\n"
        )
    return (
        f"With the default parameters, in 2D at spacing 1, a result depends on the pixels within "
        f"{max(halo)} of it. Chunks and regions give the same bits as the whole image.\n"
    )


def _use(cls: type[Component]) -> str:
    slot = RECIPE_SLOTS.get(cls.slot)
    given = [p for p in cls.parameters() if p.default is not dataclasses.MISSING]
    call = "".join(f"\n    {p.name}={_code(p.default)}," for p in given)
    call = f"{_path(cls)}({call}\n)" if given else f"{_path(cls)}()"
    code = ["import napari_diffusion as nd\n", f"chosen = {call}"]
    code += [f"recipe = nd.Recipe({slot}=chosen)"] * (slot is not None)
    parts = [
        "## In a script, in JSON, on the command line\n" if slot else "## In a script, in JSON\n"
    ]
    parts.append("```python\n" + "\n".join(code) + "\n```\n")
    if len(given) == len(cls.parameters()):
        plain = registry.to_dict(cls())
        part = {"schema": 1, slot: plain} if slot else plain
        parts.append(f"```json\n{json.dumps(part, ensure_ascii=False, indent=2)}\n```\n")
    if slot:
        settings = [f"--set {slot}={cls.__name__}"]
        settings += [f"--set {slot}.{p.name}={p.default}" for p in given[:1] if _typed(p.default)]
        parts.append(f"```text\nnapari-diffusion run INPUT OUTPUT {' '.join(settings)}\n```\n")
    return "\n".join(parts)


def _typed(value: Any) -> bool:
    """Say whether a value can be typed on the command line as it is printed."""
    return isinstance(value, str | int | float) and value != ""


def _path(cls: type[Component]) -> str:
    """Return what one types for a class after ``import napari_diffusion as nd``."""
    first, second, *_ = cls.__module__.split(".")
    own = first == nd.__name__
    return f"nd.{second}.{cls.__name__}" if own else f"{cls.__module__}.{cls.__name__}"


def _code(value: Any) -> str:
    """Return what one types for a value; components within it are called by their whole path."""
    if isinstance(value, tuple):
        return "(" + "".join(f"{_code(each)}, " for each in value).rstrip() + ")"
    if not isinstance(value, Component):
        return repr(value)
    given = [(p.name, getattr(value, p.name), p.default) for p in value.parameters()]
    words = ", ".join(f"{name}={_code(v)}" for name, v, default in given if v != default)
    return f"{_path(type(value))}({words})"


def _overview(slot: str, components: tuple[type[Component], ...]) -> Files:
    """Return the page of a kind of component, with all of them side by side."""
    base = next(each for each in components[0].__mro__ if each.__dict__.get("slot") == slot)
    text = Docstring.of(base)
    main, blocks = grouped(components)
    tables = [_table(main)] if main else []
    if blocks:
        tables += [f"## {BLOCKS}", "These mainly serve other components.", _table(blocks)]
    shown, files = _side_by_side(
        slot, [cls for cls in [*main, *blocks] if Images(cls).has_defaults]
    )
    place, title = folder(slot)
    parts = [f"# {title}", text.summary, text.text, *tables, shown]
    files[f"{place}/index.md"] = "\n\n".join(parts) + "\n"
    return files


def _table(components: list[type[Component]]) -> str:
    rows = [f"| [{cls.display_name}]({cls.__name__}.md) | {cls.summary()} |" for cls in components]
    return "\n".join(["| name | effect |", "|---|---|", *rows])


def _side_by_side(slot: str, components: list[type[Component]]) -> tuple[str, Files]:
    """Show what each component does at its defaults to the same example."""
    if slot == "schedule":
        lines = [(cls.display_name, cls()(1.0, 10)) for cls in components if cls.tabulated]
        drawn = _example_images.curves(lines, "noise scale over the steps of every schedule")
        return f"## Side by side\n\n{drawn}", {}
    if slot not in ("filter", "noise"):
        return "", {}
    if slot == "filter":
        images = [steps_of(cls)[COMPARED_STEPS - 1] for cls in components]
        source, told = _example_images.noisy(), f"{COMPARED_STEPS} steps at the defaults."
    else:
        images = [cls()(_example_images.clean(), noise_scale=0.1, seed=1) for cls in components]
        source, told = _example_images.clean(), "Noise scale 0.1, intensities from 0 to 1."
    place, _ = folder(slot)
    shown = {"source": "source"} | {cls.__name__: cls.display_name for cls in components}
    files: Files = {
        f"{place}/{name}.png": _example_images.png(image)
        for name, image in zip(shown, [source, *images], strict=True)
    }
    strip = _example_images.strip((f"{name}.png", caption) for name, caption in shown.items())
    return f"## Side by side\n\n{strip}\n{told}", files
