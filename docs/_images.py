"""Put the images that `make demo` and `make screenshots` left into the README and the pages.

python docs/_images.py demo screenshots
"""

from __future__ import annotations

import sys
from pathlib import Path

IMAGES = Path(__file__).parent / "images"

# By the names of the walks in tests/widgets/test_walks.py and their stations.
TAKEN = {
    "contact_sheet.png": "steps.jpg",
    "window-half-way.png": "half-way.jpg",
    "window.png": "window.jpg",
    "a-microscopist-denoises-a-stack-1.png": "stack-question.jpg",
    "a-microscopist-denoises-a-stack-2.png": "stack-denoised.jpg",
    "a-microscopist-denoises-a-stack-3.png": "stack-methods.jpg",
    "a-portrait-goes-through-the-loop-2.png": "portrait-run.jpg",
    "a-portrait-goes-through-the-loop-3.png": "portrait-steps.jpg",
    "a-portrait-goes-through-the-loop-4.png": "portrait-compare.jpg",
    "a-video-is-asked-for-its-first-axis-1.png": "video-denoised.jpg",
}


def take(folder: Path) -> None:
    """Write those images of a folder that the pages show as small JPEG files."""
    from PIL import Image

    IMAGES.mkdir(exist_ok=True)
    for source, target in TAKEN.items():
        if (folder / source).exists():
            image = Image.open(folder / source).convert("RGB")
            image.save(IMAGES / target, quality=90, optimize=True, subsampling=0)
            print(f"{IMAGES / target}: {(IMAGES / target).stat().st_size // 1000} kB")


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        take(folder)
