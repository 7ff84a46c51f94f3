"""What napari's preferences say of this plugin; nothing else reads them."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.engine.kernel_folder import keep_kernels_in
from napari_diffusion.engine.threads import use_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.settings._plugin_settings import PluginSettings

PLUGIN = "napari-diffusion"

# What has been said once, which is enough.
_SAID: set[str] = set()


@dataclass(frozen=True)
class Preferences:
    """How runs use the machine; the manifest has their titles, ranges and explanations.

    Attributes
    ----------
    threads : int
        How many a run uses; 0: as many as there are processors.
    memory_limit : float
        Gigabytes that a run may take; 0: all that are free.
    most_layers : int
        Up to so many steps are layers; more are a stack.
    cache_folder : str
        Where compiled kernels are kept; an empty text: where numba keeps them.
    """

    threads: int = 0
    memory_limit: float = 0.0
    most_layers: int = 30
    cache_folder: str = ""


DEFAULTS = Preferences()


def preferences() -> Preferences:
    """Return what the preferences say now."""
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PLUGIN)
    except KeyError:
        # A script that uses the widgets where napari does not know the plugin.
        return DEFAULTS
    for sentence in _rejected(settings):
        _say_once(sentence)
    return Preferences(**settings.runs.model_dump())


def apply_preferences() -> None:
    """Let what begins from now on use the threads and the cache folder of the preferences."""
    wanted = preferences()
    use_threads(wanted.threads or None)
    folder = os.path.expanduser(wanted.cache_folder.strip())
    if folder and not _can_be_written(folder):
        _say_once(f"The cache folder {folder!r} cannot be written: compiled kernels go elsewhere.")
        folder = ""
    keep_kernels_in(folder)


def _rejected(settings: PluginSettings) -> Iterator[str]:
    """Yield a sentence for each value of the file that napari has put its default for."""
    path, kept = settings.config_path, settings.runs
    if not isinstance(path, Path) or not path.exists():
        return
    import yaml

    try:
        written = (yaml.safe_load(path.read_text("utf-8")) or {}).get("runs", {})
        wrong = {name: value for name, value in written.items() if getattr(kept, name) != value}
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        yield f"The preferences in {path} cannot be read: the defaults are used."
        return
    for name, value in wrong.items():
        title = str(type(kept).model_fields[name].title).partition(" (")[0]
        yield (
            f"The preference {title!r} cannot be {value!r}: its default, "
            f"{getattr(DEFAULTS, name)!r}, is used."
        )


def _can_be_written(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _say_once(sentence: str) -> None:
    from napari.utils.notifications import show_warning

    if sentence not in _SAID:
        _SAID.add(sentence)
        show_warning(sentence)
