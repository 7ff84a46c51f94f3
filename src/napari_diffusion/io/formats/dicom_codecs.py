"""Decodes compressed DICOM frames with imagecodecs, as a plugin of pydicom.

See https://pydicom.github.io/pydicom/stable/guides/decoding/decoder_plugins.html.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import uid

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

_LABEL = "imagecodecs"

# The decoders of imagecodecs by the transfer syntax; Pillow decodes the others.
_DECODERS = {
    uid.JPEGExtended12Bit: "jpeg8_decode",
    uid.JPEGLossless: "ljpeg_decode",
    uid.JPEGLosslessSV1: "ljpeg_decode",
    uid.JPEGLSLossless: "jpegls_decode",
    uid.JPEGLSNearLossless: "jpegls_decode",
}

#: What pydicom asks of a plugin: the packages that a transfer syntax needs.
DECODER_DEPENDENCIES = dict.fromkeys(_DECODERS, (_LABEL,))


def register() -> None:
    """Offer imagecodecs to pydicom for what Pillow does not decode."""
    from pydicom.pixels.decoders.base import get_decoder

    for syntax in _DECODERS:
        # It refuses a plugin that is already there.
        with contextlib.suppress(ValueError):
            get_decoder(syntax).add_plugin(_LABEL, (__name__, "decode_frame"))


def is_available(syntax: str) -> bool:
    """Say whether imagecodecs decodes a transfer syntax."""
    import imagecodecs

    codec = _DECODERS.get(uid.UID(syntax), "").removesuffix("_decode").upper()
    return bool(getattr(getattr(imagecodecs, codec, None), "available", False))


def decode_frame(frame: bytes, runner: DecodeRunner) -> bytearray:
    """Return the values of a frame; an error makes pydicom try the next plugin."""
    import imagecodecs

    decode = getattr(imagecodecs, _DECODERS[runner.transfer_syntax])
    values: Any = np.ascontiguousarray(decode(frame))
    runner.set_option("bits_allocated", 8 * values.itemsize)
    if values.ndim == 3:
        runner.set_option("planar_configuration", 0)
    return bytearray(values.tobytes())
