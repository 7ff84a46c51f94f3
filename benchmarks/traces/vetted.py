"""Which images may stand as untouched ones, and what is known of the history of each."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import images

# Side of the crops at most, and the period of the grid that a crop keeps.
SIDE, BLOCK = 288, 8

# That of the parts in which something is copied, one of each photograph.
LARGE = 512

# Photographs with the role *report* that are no untouched images, and why; never measured as such.
EXCLUDED = {
    "grass": "Cloned regions (114 matches at the shift (3, 162)), and a JPEG history.",
    "gravel": "Cloned regions: tiles made seamless by copying.",
    "page": "Printed letters of one type look like copies of one another.",
    "text": "Printed letters of one type look like copies of one another.",
    "colorwheel": "A drawing: parts without any noise.",
    "jacksboro_fault_dem": "Heights, interpolated to a grid, no intensities.",
    "microaneurysms": "102², an enlarged part of an image: too small.",
    "example4d": "128 × 96: too small.",
    "t1_coronal_slice": "123 levels in floating-point numbers: processed before.",
    "rocks": "Rectified: warped after it was a JPEG, so that the origin of its blocks drifts.",
    "surface_defects": "Its noise is smaller than the steps of 8 bits.",
    "step_edge": "Its noise is smaller than the steps of 8 bits.",
}

# What is known of the others. An image that ships as JPEG keeps its history at the origin (0, 0).
HISTORY = {
    "chelsea": "",
    "coffee": "",
    "rocket": "ships as JPEG",
    "hubble_deep_field": "ships as JPEG; frames were combined when it was made",
    "aero": "",
    "flower": "ships as JPEG",
    "ascent": "8 bits, scanned",
    "china": "ships as JPEG",
    "head_ct": "reconstructed; 16 bits brought to 8",
    "abdomen_mr": "reconstructed; 16 bits brought to 8",
    "heart_ultrasound": "ships as JPEG in DICOM",
    "head_mr": "reconstructed; 16 bits brought to 8",
    "nuclear": "",
    "histo": "ships as JPEG",
    "nuclei": "16 bits brought to 8",
    "tulips": "no JPEG blocks seen; smaller than a camera's image",
    "garden": "no JPEG blocks seen; smaller than a camera's image",
    "street": "no JPEG blocks seen; smaller than a camera's image",
    "road": "no JPEG blocks seen; smaller than a camera's image",
    "lab_scene": "no JPEG blocks seen",
    "macaws": "film, scanned",
    "reptile_skin": "",
    "particles": "rows differ in turn, as from interlaced video",
    "particle_flow": "",
    "neocortex": "16 bits brought to 8",
    "neuron": "16 bits brought to 8",
    "scratch_assay": "16 bits brought to 8",
    "chest_xray": "derived by the device; 15 bits brought to 8",
    "leg_xray": "10 bits brought to 8",
    "shoulder_mr": "reconstructed; 12 bits brought to 8",
}

# Photographs in which something is known to be there: what a trace should show.
POSITIVES = {
    "grass": "cloned regions; a JPEG history with its origin at (0, 0)",
    "gravel": "cloned regions",
    "moon": "enlarged by 2 with the nearest neighbour",
    "immunohistochemistry": "a JPEG history with its origin at (3, 5)",
    "coins": "a JPEG history with its origin at (0, 0)",
    "rocks": "a JPEG history, then warped: its origin moves from (3, 7), left, to (1, 7), right",
}

# Where crops begin, (y, x), of photographs that have room for more than one.
_STARTS = {
    "coffee": ((56, 0), (56, 304)),
    "rocket": ((64, 40), (64, 336)),
    "hubble_deep_field": ((8, 8), (8, 504), (504, 8), (504, 504)),
    "flower": ((64, 16), (64, 336)),
    "china": ((64, 16), (64, 336)),
    "nuclear": ((64, 64), (64, 704), (704, 400)),
    "aero": ((112, 112),),
    "ascent": ((112, 112),),
    "head_ct": ((112, 112),),
    "nuclei": ((112, 112),),
    "chelsea": ((8, 96),),
    "abdomen_mr": ((8, 96),),
    "histo": ((8, 104),),
    "tulips": ((64, 16), (64, 336)),
    "garden": ((64, 16), (64, 336)),
    "street": ((272, 160), (272, 640), (560, 640)),
    "road": ((552, 160), (552, 640)),
    "lab_scene": ((352, 432), (352, 968), (800, 968)),
    "macaws": ((112, 96), (112, 432)),
    "particles": ((40, 112),),
    "particle_flow": ((1000, 400), (1000, 1000), (1400, 1000)),
    "neocortex": ((240, 56), (640, 56)),
    "neuron": ((312, 104),),
    "scratch_assay": ((0, 0), (0, 288)),
    "chest_xray": ((600, 256), (600, 1280), (1200, 304)),
    "leg_xray": ((640, 744), (1080, 744), (1368, 744)),
    "shoulder_mr": ((128, 384), (464, 384)),
}


@dataclass(frozen=True)
class Crop:
    """A part of a photograph.

    Attributes
    ----------
    photograph : str
    start : tuple of two int
        Where it begins, y and x: whole blocks of 8, so that a JPEG history keeps its grid.
    """

    photograph: str
    start: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """What its results are called by."""
        return f"{self.photograph} {self.start[0]},{self.start[1]}"


def vetted() -> tuple[str, ...]:
    """Return the photographs that stand as untouched ones and are installed."""
    return tuple(name for name in HISTORY if images.is_here(name))


def crops(most: int = 4) -> tuple[Crop, ...]:
    """Return the crops of all those, at most so many of one photograph."""
    return tuple(
        Crop(name, start) for name in vetted() for start in _STARTS.get(name, ((0, 0),))[:most]
    )


def large_crops() -> tuple[Crop, ...]:
    """Return the middle of each photograph, to be cut at `LARGE`."""
    found = []
    for name in vetted():
        h, w = images.load(name)[images.photograph(name).plane].shape[:2]
        y, x = (max(n - LARGE, 0) // 2 // BLOCK * BLOCK for n in (h, w))
        found.append(Crop(name, (y, x)))
    return tuple(found)


def positives() -> tuple[str, ...]:
    """Return the photographs in which something is known to be there."""
    return tuple(name for name in POSITIVES if images.is_here(name))
