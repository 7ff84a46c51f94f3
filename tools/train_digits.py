"""Learn the weights *digits* of `GaussianMixture` from the digits that scikit-learn ships.

python tools/train_digits.py FOLDER OUTPUT

FOLDER is where scikit-learn is installed; of any version, if it has the same file. OUTPUT is a .npz
file. Other libraries or threads of BLAS may round otherwise, and give other bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

from napari_diffusion.learning import TrainedMixture, train_mixture

FILE = "sklearn/datasets/data/digits.csv.gz"
DIGEST = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

ABOUT = {
    "name": "digits",
    "learned_from": [
        [
            "scikit-learn",
            "1.9.1",
            FILE,
            "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (1998), "
            "UCI Machine Learning Repository, doi 10.24432/C50P49",
            "CC-BY-4.0",
        ]
    ],
    "intensities": "0 is paper, 1 is ink",
}


def digits(folder: Path) -> np.ndarray:
    """Return the 1797 digits of 8 × 8 pixels, from 0 to 1."""
    data = (folder / FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != DIGEST:
        raise ValueError(f"{FILE} is not the file that the weights were learned from.")
    table = np.loadtxt(gzip.decompress(data).decode().splitlines(), delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8) / 16


def trained(folder: Path) -> TrainedMixture:
    """Return the mixture of the digits."""
    # With more Gaussians the file would be larger than what they gain is worth.
    return train_mixture(digits(folder), gaussians=12, about=ABOUT)


if __name__ == "__main__":
    found = trained(Path(sys.argv[1]))
    found.save(sys.argv[2], overwrite=True)
    print(found.summary())
