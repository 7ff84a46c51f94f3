"""Put the images that `make demo` left into the README and the pages.

python docs/_images.py demo
"""

from __future__ import annotations

import sys
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
TAKEN = {
    "contact_sheet.png": "steps.jpg",
    "window-half-way.png": "half-way.jpg",
    "window.png": "window.jpg",
}


def take(demo: Path) -> None:
    """Write the images of a demo's folder as small JPEG files."""
    from PIL import Image

    IMAGES.mkdir(exist_ok=True)
    for source, target in TAKEN.items():
        image = Image.open(demo / source).convert("RGB")
        image.save(IMAGES / target, quality=90, optimize=True, subsampling=0)
        print(f"{IMAGES / target}: {(IMAGES / target).stat().st_size // 1000} kB")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
