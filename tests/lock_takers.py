"""Processes that try to take the lock of one output at the same time."""

from __future__ import annotations

from pathlib import Path

from killed_runs import context

from napari_diffusion.io.output_lock import OutputInUse, OutputLock

TAKERS = 5


def take(lock, rounds, together, taken):
    """In each round try once; who has the lock keeps it until all have tried."""
    for number in range(rounds):
        mine = OutputLock(Path(lock), Path("a"))
        together.wait()
        try:
            mine.acquire()
        except OutputInUse as error:
            taken.put((number, str(error)))
            together.wait()
        else:
            taken.put((number, ""))
            together.wait()
            mine.release()
        together.wait()


def won(lock, rounds, prepare):
    """Return of each round what the takers were told; `prepare` is called before it."""
    processes = context()
    together, taken = processes.Barrier(TAKERS + 1), processes.Queue()
    takers = [
        processes.Process(target=take, args=(str(lock), rounds, together, taken))
        for _ in range(TAKERS)
    ]
    for taker in takers:
        taker.start()
    for _ in range(rounds):
        prepare()
        for _ in range(3):
            together.wait()
    found = [[] for _ in range(rounds)]
    for _ in range(rounds * TAKERS):
        number, words = taken.get()
        found[number].append(words)
    for taker in takers:
        taker.join()
    return found
