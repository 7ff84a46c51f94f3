"""``python -m napari_diffusion`` is the command ``napari-diffusion``."""

from __future__ import annotations

import sys

from napari_diffusion.cli import main

if __name__ == "__main__":
    sys.exit(main())
