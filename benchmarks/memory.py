"""How much memory a filter takes at most beside the image it is given."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine

# The compiled kernels are loaded before, on a small image; what they take is not counted.
_PEAK = """
import json, sys
from pathlib import Path
import numpy as np
import napari_diffusion as nd
from benchmarks.cases import example_image
from benchmarks.memory import resident, start_again
slot, name, size = sys.argv[1:]
component = getattr({"filter": nd.filters, "noise": nd.noise}[slot], name)()
options = {"noise_scale": 0.1} if slot == "noise" else {}
component(example_image((8, 9, 10)), **options)
image = example_image((int(size),) * 3)
start_again()
before = resident("VmRSS")
component(image, **options)
print(json.dumps((resident("VmHWM") - before) / image.nbytes))
"""

# The filters that the memory has been promised of, and the plainest noise.
COMPONENTS = (
    ("filter", "PeronaMalik"),
    ("filter", "Heat"),
    ("filter", "TotalVariationFlow"),
    ("filter", "EdgeEnhancing"),
    ("filter", "CoherenceEnhancing"),
    ("filter", "Hybrid"),
    ("noise", "Gaussian"),
)

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Peak:
    """The largest extra memory of one call.

    Attributes
    ----------
    name : str
    size : int
        Pixels along each axis of the volume.
    times : float
        Extra memory over that of the image, the result included.
    """

    name: str
    size: int
    times: float


def can_measure() -> bool:
    """Say whether the system tells the largest memory since a moment of one's choice."""
    return _STATUS.exists() and _CLEAR.exists()


def start_again() -> None:
    """Let the largest memory count from now on."""
    _CLEAR.write_text("5")


def resident(field: str) -> int:
    """Return the memory now (VmRSS) or the largest one (VmHWM), in bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"The system does not tell {field}.")


def components(size: str) -> tuple[tuple[str, str], ...]:
    """Return (slot, name) of the components to measure that are here."""
    import napari_diffusion as nd

    folders = {"filter": nd.filters, "noise": nd.noise}
    here = tuple((slot, name) for slot, name in COMPONENTS if hasattr(folders[slot], name))
    return here[:1] if size == "tiny" else here


def peak(slot: str, name: str, size: int) -> Peak:
    """Measure one component in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, slot, name, str(size)],
        env=machine.environment(1),
        capture_output=True,
        text=True,
        check=True,
    )
    return Peak(
        f"{slot}s.{name}" if slot == "filter" else f"noise.{name}", size, json.loads(done.stdout)
    )
