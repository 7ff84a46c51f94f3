"""Measures the parts of a page that are asked for, and writes the page with all ever measured."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari_diffusion as nd

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class PartPage:
    """A page of a benchmark.

    Attributes
    ----------
    package : str
        Where the parts are: a module each, with `measured(seeds)` and `lines(values)`.
    parts : sequence of str
        Names of the modules, in the order of the page.
    head : str
        The text above them.
    output : Path
        The page; the values are kept beside it.
    seeds : int
        How often each case is measured.
    """

    package: str
    parts: Sequence[str]
    head: str
    output: Path
    seeds: int

    def main(self, about: str | None) -> Path:
        """Measure the parts named on the command line, all without any; return the page."""
        parser = argparse.ArgumentParser(prog=self.package, description=about)
        parser.add_argument("parts", nargs="*", help=f"of {', '.join(self.parts)}; all without any")
        parser.add_argument("--seeds", type=int, default=self.seeds, help="noises of every case")
        parser.add_argument("--output", type=Path, default=self.output)
        options = parser.parse_args()
        if unknown := set(options.parts) - set(self.parts):
            parser.error(
                f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(self.parts)}"
            )
        kept = options.output.with_suffix(".json")
        found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        for name in options.parts or self.parts:
            began = time.perf_counter()
            values = self._part(name).measured(options.seeds)
            found[name] = {
                "values": values,
                "seeds": options.seeds,
                "version": nd.__version__,
                "python": platform.python_version(),
                "minutes": (time.perf_counter() - began) / 60,
            }
            kept.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
            options.output.write_text(self.page(found), "utf-8")
        print(options.output.read_text("utf-8"))
        output: Path = options.output
        return output

    def page(self, found: dict[str, Any]) -> str:
        """Return the page with every part that was measured."""
        sections = [self.head]
        for name in self.parts:
            if name in found:
                part = found[name]
                sections.append("\n".join(self._part(name).lines(part["values"])))
                sections.append(
                    f"*Measured with version {part['version']} in {part['minutes']:.0f} minutes.*\n"
                )
        return "\n".join(sections)

    def _part(self, name: str) -> Any:
        return importlib.import_module(f"{self.package}.{name}")
