"""What mkdocs calls while it builds: adds the pages that are made from the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import _blocks
import _pages
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the components under their heading of the menu."""
    config.nav = _pages.menu(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages and their images."""
    for place, content in _pages.pages().items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the made parts into the pages that are written by hand."""
    return _blocks.filled(markdown)
