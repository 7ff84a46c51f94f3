"""Work of a dock in a thread of its own, one piece at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from napari_diffusion.engine.threads import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.qt.threading import GeneratorWorker


Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")


class Background:
    """Runs generators in a thread; errors are shown, not raised.

    Parameters
    ----------
    say : callable
        ``say(sentence, bad)`` shows what is wrong, or that the work was stopped.
    changed : callable
        Called when work begins and when it has ended.
    """

    def __init__(self, say: Callable[[str, bool], None], changed: Callable[[], None]) -> None:
        self._say = say
        self._changed = changed
        self._worker: GeneratorWorker | None = None
        self._token = threading.Event()
        self._dropped = False
        self.is_running = False

    def start(
        self,
        work: Callable[[threading.Event], Generator[Yielded, None, Returned]],
        posted: Callable[[Yielded], None],
        done: Callable[[Returned], None],
    ) -> None:
        """Start unless work is in progress; results arrive in the thread of the window.

        All that `work` yields is given to `posted`, and what it returns to `done`.
        """
        from napari.qt.threading import create_worker

        if self.is_running:
            return
        token = self._token = threading.Event()

        def tried() -> Generator[Yielded, None, tuple[Returned | None, str, bool]]:
            try:
                return (yield from work(token)), "", False
            except Stopped:
                return None, "Stopped.", False
            except MemoryError:
                return None, "Not enough memory.", True
            # A function of the user's own may raise anything.
            except Exception as error:
                return None, str(error) or type(error).__name__, True

        def yielded(each: Yielded) -> None:
            if not (self._dropped or token.is_set()):
                posted(each)

        def returned(found: tuple[Returned | None, str, bool]) -> None:
            result, sentence, bad = found
            self.is_running = False
            if self._dropped:
                return
            if sentence:
                self._say(sentence, bad)
            else:
                done(result)  # type: ignore[arg-type]
            self._changed()

        self.is_running = True
        self._worker = create_worker(tried, _start_thread=False)
        self._worker.yielded.connect(yielded)
        self._worker.returned.connect(returned)
        self._worker.start()
        self._changed()

    def stop(self) -> None:
        """Ask the work to end."""
        self._token.set()

    def drop(self) -> None:
        """Ask the work to end and report nothing more: its dock is closed."""
        self.stop()
        self._dropped = True

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended."""
        if self._worker is not None:
            self._worker.await_workers(int(1000 * seconds))
