"""C2PA: signed records of how an image was made, read offline by c2pa-python."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.json_text import json_object
from napari_diffusion.forensics.metadata.file_facts import Fact, FileFacts, listed, plain_text

if TYPE_CHECKING:
    from pathlib import Path

# Nothing is fetched: neither records kept elsewhere nor the state of certificates.
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}

_KINDS = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".tif": "image/tiff", ".tiff": "image/tiff",
}  # fmt: skip

_INSTALL = (
    "C2PA records are not read, for c2pa-python is not installed: "
    'pip install "napari-diffusion[c2pa]".'
)

# The state never stands alone.
_STATES = {
    "Trusted": "its signature agrees with the file, and the certificate of the signer is on the "
    "list of the installed library. This says who signed, and not that what is signed is so.",
    "Valid": "its signature agrees with the file, and the certificate of the signer is on no list "
    "of the installed library, which may have none: anyone can make such a certificate.",
    "Invalid": "it does not agree with the file, or its signature does not hold; this also happens "
    "when a program changes metadata and copies the record.",
}

# How the error of a record begins that is not in the file.
_ELSEWHERE = "Remote"

_MOST = 20


def c2pa_facts(path: Path) -> FileFacts:
    """Return what the C2PA record in a file states; nothing where there is none."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        return FileFacts()
    if find_spec("c2pa") is None:
        return FileFacts(hints=(_INSTALL,))
    try:
        found = _manifests(path, kind)
    except Exception as error:  # whatever a damaged file makes of the library
        said = plain_text(error)
        why = (
            "is kept elsewhere, and is not fetched"
            if said.startswith(_ELSEWHERE)
            else "cannot be read"
        )
        return FileFacts(remarks=(f"Its C2PA record {why}: {said}.",))
    return FileFacts() if found is None else _facts(*found)


def _manifests(path: Path, kind: str) -> tuple[str, dict[str, Any]] | None:
    """Return the state of the record and what it holds; None where there is none."""
    from c2pa import Context, Reader, Settings

    with open(path, "rb") as stream:
        context = Context(Settings.from_dict(_OFFLINE))
        reader = Reader.try_create(kind, stream, context=context)
        if reader is None:
            return None
        with reader:
            return str(reader.get_validation_state()), json_object(reader.json(), "C2PA record")


def _facts(state: str, held: dict[str, Any]) -> FileFacts:
    manifest = _part(_part(held, "manifests"), str(held.get("active_manifest")))
    signature = _part(manifest, "signature_info")
    found: list[Fact] = [
        ("state", _state(state, held)),
        ("signed by", plain_text(signature.get("issuer", ""))),
        ("signed at", plain_text(signature.get("time", ""))),
        ("made with", _generators(manifest)),
        ("made from", _ingredients(manifest)),
        *_actions(manifest),
    ]
    words = _STATES.get(state, "its state is unknown to this program.")
    by = plain_text(signature.get("issuer", "")) or "an unnamed signer"
    return FileFacts(listed("C2PA", found), (f"It has a C2PA record signed by {by}: {words}",))


def _state(state: str, held: dict[str, Any]) -> str:
    """Return the state with what the library says against it."""
    failed = held.get("validation_status")
    failed = failed if isinstance(failed, list) else []
    said = [str(f.get("explanation") or f.get("code", "")) for f in failed if isinstance(f, dict)]
    return plain_text(f"{state}: {'; '.join(said[:_MOST])}" if said else state)


def _ingredients(manifest: dict[str, Any]) -> str:
    """Return how many other files went into this one; their names are not shown."""
    found = manifest.get("ingredients")
    count = len(found) if isinstance(found, list) else 0
    return f"{count} other file{'s' * (count > 1)}" if count else ""


def _generators(manifest: dict[str, Any]) -> str:
    named = manifest.get("claim_generator_info")
    named = named if isinstance(named, list) else []
    words = [f"{g.get('name', '')} {g.get('version', '')}" for g in named if isinstance(g, dict)]
    return plain_text(", ".join(words[:_MOST]) or manifest.get("claim_generator", ""))


def _actions(manifest: dict[str, Any]) -> list[Fact]:
    """Return the actions that the record lists, with the kind of their source."""
    assertions = manifest.get("assertions")
    found = []
    for assertion in assertions[:_MOST] if isinstance(assertions, list) else ():
        actions = _part(assertion, "data").get("actions")
        for action in actions[:_MOST] if isinstance(actions, list) else ():
            if isinstance(action, dict):
                source = plain_text(action.get("digitalSourceType", "")).rsplit("/", 1)[-1]
                name = plain_text(action.get("action", ""))
                found.append(("action", f"{name} ({source})" if source else name))
    return found


def _part(values: Any, name: str) -> dict[str, Any]:
    found = values.get(name) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}
