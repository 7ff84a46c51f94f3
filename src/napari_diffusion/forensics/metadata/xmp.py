"""XMP: what editors write about their work, searched as text and never parsed as XML."""

from __future__ import annotations

import itertools
import re

from napari_diffusion.forensics.metadata.file_facts import FileFacts, listed, plain_text

# Packets are a few kilobytes; a parser of XML could be made to fill the memory with less.
_MOST = 1 << 20

_NAMES = (
    "CreatorTool", "CreateDate", "ModifyDate", "MetadataDate", "DigitalSourceType", "Toolkit",
)  # fmt: skip
_AGENT = re.compile(r"softwareAgent(?:=[\"']|>)([^\"'<]{1,500})")
_ACTION = re.compile(r"stEvt:action(?:=[\"']|>)([^\"'<]{1,100})")

# What the standard list of IPTC calls images that a model computed.
_COMPUTED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


def xmp_facts(packet: bytes) -> FileFacts:
    """Return what an XMP packet states."""
    text = packet[:_MOST].decode("utf-8", "replace")
    found = [(name, plain_text(value)) for name in _NAMES if (value := _value(text, name))]
    agents = dict.fromkeys(map(plain_text, _AGENT.findall(text)))
    actions = [plain_text(each) for each in _ACTION.findall(text)]
    if actions:
        # Programs note each time that they save.
        counted = [(name, len(list(same))) for name, same in itertools.groupby(actions)]
        words = [f"{name} ({count} times)" if count > 1 else name for name, count in counted]
        found.append(("history", plain_text(", ".join(words))))
    if agents:
        found.append(("software in the history", plain_text(", ".join(agents))))
    return FileFacts(listed("XMP", found), tuple(_remarks(dict(found), len(actions))))


def _remarks(found: dict[str, str], actions: int) -> list[str]:
    said = []
    source = found.get("DigitalSourceType", "").rsplit("/", 1)[-1]
    if source in _COMPUTED:
        said.append(f"XMP declares that a trained model made it, or a part of it: {source}.")
    if tool := found.get("CreatorTool"):
        said.append(f"XMP names the software that made it: {tool}.")
    if actions:
        said.append(f"XMP lists a history of {actions} entries: {found['history']}.")
    return said


def _value(text: str, name: str) -> str:
    """Return the text of an attribute or an element of any prefix."""
    found = re.search(rf":{name}(?:\s*=\s*[\"']|>)([^\"'<]{{1,1000}})", text)
    return found[1] if found else ""
