"""What is true of a trace whatever the image: what it needs, assumes, and is misled by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.core.component import Component

#: What a trace reads.
Need = Literal["pixels", "file", "second image", "frames"]

#: What a value is compared with.
Null = Literal["a-contrario", "reference", "same image", "none"]


@dataclass(frozen=True)
class TraceFacts(Component):
    """The facts of a trace, which are shown beside all that it reads.

    Attributes
    ----------
    needs : frozenset of str
        Of "pixels", "file", "second image", "frames": without these it cannot be read.
    null : {"a-contrario", "reference", "same image", "none"}
        What values are compared with. "a-contrario": chance, by a number of false alarms; "same
        image": ranks within it, no probabilities.
    assumes : str
        What must hold for it to be read, in a sentence.
    misleads : tuple of str
        Innocent causes of the same appearance, in sentences.
    """

    slot: ClassVar[str] = "trace"
    needs: ClassVar[frozenset[Need]] = frozenset({"pixels"})
    null: ClassVar[Null] = "none"
    assumes: ClassVar[str] = ""
    misleads: ClassVar[tuple[str, ...]] = ()
