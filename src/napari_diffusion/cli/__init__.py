"""The command ``napari-diffusion``: run, batch, filter, noise, best and others."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import TYPE_CHECKING

from napari_diffusion.cli.arguments import parser
from napari_diffusion.cli.errors import UsageError, as_typed, one_line
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.engine.threads import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main", "parser"]

FAILURE, USAGE, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Returns
    -------
    int
        0 success, 1 failure (bad data, cannot write), 2 invalid command line, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a file name that the terminal cannot show
    # What it logs of broken files is said in one sentence by whoever reads them.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    arguments = parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _warner()
        try:
            code = int(arguments.command(arguments))
            sys.stdout.flush()
            return code
        except UsageError as error:
            return _failed(error, USAGE)
        except (KeyboardInterrupt, Stopped) as error:
            return _failed(error, INTERRUPTED, "Interrupted.")
        except BrokenPipeError:
            # Whoever read the output has gone, and Python would try once more at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILURE
        except MemoryError as error:
            return _failed(error, FAILURE, str(error) or "Out of memory.")
        except (OSError, ValueError, TypeError) as error:
            return _failed(error, FAILURE)


def _failed(error: BaseException, code: int, text: str | None = None) -> int:
    words = [text or one_line(error), *getattr(error, "__notes__", ())]
    # What a file says must not move the cursor of a terminal.
    print(readable_text(f"napari-diffusion: {' '.join(words)}"), file=sys.stderr)
    return code


def _warner() -> Callable[..., None]:
    """Return what prints every warning once, in one line."""
    said = set()

    def say(message: Warning | str, category: type[Warning], *_: str | int | None) -> None:
        text = as_typed(" ".join(str(message).split()))
        # A library that will change is its developers' concern.
        if text not in said and not issubclass(category, DeprecationWarning):
            print(readable_text(f"napari-diffusion: warning: {text}"), file=sys.stderr)
        said.add(text)

    return say
