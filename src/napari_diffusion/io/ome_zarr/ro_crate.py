"""The RO-Crate of a Zarr output: who made what of what, for programs that know neither of us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from napari_diffusion.io.step_record import VERSION

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from rocrate.model.entity import Entity
    from rocrate.rocrate import ROCrate

    from napari_diffusion.io.step_record import StepRecord

    Properties: TypeAlias = dict[str, str | Entity | list[Entity]]

#: The file at the root of a store.
NAME = "ro-crate-metadata.json"

#: What the crate conforms to; it stands on version 1.1 of RO-Crate.
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_BASE = "1.1"

_OME_ZARR = "https://ngff.openmicroscopy.org/0.5/"

# Not schema.org's sha256, which is of the bytes of a file.
_HASH = "Merkle SHA-256 of the values"

# What the versions of a record name beside libraries.
_MACHINE = ("python", "processor")


def write_crate(
    store: Path,
    record: StepRecord,
    started: datetime | None = None,
    ended: datetime | None = None,
    name: str | None = None,
) -> None:
    """Write ``ro-crate-metadata.json`` into a store: a Process Run Crate, and nothing else.

    Parameters
    ----------
    store : path
        Of a complete OME-Zarr.
    record : dict
        Of the whole output, with hashes, and its steps if there are several.
    started, ended : datetime, optional
        When the run began and when it was done.
    name : str, optional
        Of the output, where it is to be renamed.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=_BASE)
    crate.name = name or store.name
    crate.description = record.get("processed", f"An image written by {VERSION}.")
    _conform(crate)
    results = _results(crate, store, record)
    action: Properties = {
        "@type": "CreateAction",
        "name": f"{VERSION} on {record.get('source', 'an image')}",
        "description": record.get("processed", ""),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "object": [_source(crate, record), *_settings(crate, record)],
        "result": results,
        "instrument": _software(crate, record),
    }
    for name, moment in (("startTime", started), ("endTime", ended)):
        if moment is not None:
            action[name] = moment.isoformat(timespec="seconds")
    crate.root_dataset["mentions"] = [_added(crate, "#run", action)]
    # `crate.write` would copy the data and make a page beside.
    crate.metadata.write(store)


def _conform(crate: ROCrate) -> None:
    profile: Properties = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    crate.root_dataset["conformsTo"] = [_added(crate, PROFILE, profile)]


def _results(crate: ROCrate, store: Path, record: StepRecord) -> list[Entity]:
    """Return the datasets that the run made: one for each step, or the whole store."""
    steps = record.get("steps", [])
    if not (store / "steps").is_dir():
        hashes = [each.get("sha256") for each in steps] or [record.get("hashes", {}).get("output")]
        names = [f" of step {each['step']}" for each in steps] if len(steps) > 1 else [""]
        crate.root_dataset["encodingFormat"] = _OME_ZARR
        _describe(crate, crate.root_dataset, dict(zip(names, hashes, strict=False)))
        return [crate.root_dataset]
    made = []
    for each in steps:
        step = crate.add_dataset(dest_path=f"steps/{each['step']:04}/")
        step["name"] = f"step {each['step']}"
        step["encodingFormat"] = _OME_ZARR
        _describe(crate, step, {"": each.get("sha256")})
        made.append(step)
    return made


def _describe(crate: ROCrate, entity: Entity, hashes: dict[str, str | None]) -> None:
    """Add the hashes of an entity's values, by what follows their name."""
    said = [
        _value(crate, f"#sha256-{sha256}", _HASH + of, sha256)
        for of, sha256 in hashes.items()
        if sha256
    ]
    if said:
        entity["additionalProperty"] = said


def _source(crate: ROCrate, record: StepRecord) -> Entity:
    # A file that is not in the crate cannot be a "File" of it.
    name = record.get("source", "the source")
    source = _added(crate, "#input", {"@type": "CreativeWork", "name": name})
    _describe(crate, source, {"": record.get("hashes", {}).get("input")})
    return source


def _settings(crate: ROCrate, record: StepRecord) -> list[Entity]:
    """Return the resolved recipe, or the noise, and the grid as JSON."""
    kept = {name: record.get(name) for name in ("recipe", "noise", "grid")}
    return [
        _value(crate, f"#{name}", name, json.dumps(each, ensure_ascii=False))
        for name, each in kept.items()
        if each
    ]


def _software(crate: ROCrate, record: StepRecord) -> Entity:
    """Return this program in the version of the record, with the libraries below it."""
    from importlib.metadata import PackageNotFoundError, metadata

    versions = record.get("versions", {})
    libraries = [
        _program(crate, name, version, {})
        for name, version in versions.items()
        if name not in (VERSION, *_MACHINE)
    ]
    found: Properties = {"softwareRequirements": libraries} if libraries else {}
    try:
        urls = metadata(VERSION).get_all("Project-URL") or []
    except PackageNotFoundError:
        urls = []
    if urls:
        found["url"] = str(urls[0]).rpartition(", ")[2]
    return _program(crate, VERSION, versions.get(VERSION, "unknown"), found)


def _program(crate: ROCrate, name: str, version: str, more: Properties) -> Entity:
    said: Properties = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
    return _added(crate, f"#{name}", {**said, **more})


def _value(crate: ROCrate, identifier: str, name: str, value: str) -> Entity:
    said: Properties = {"@type": "PropertyValue", "name": name, "value": value}
    return _added(crate, identifier, said)


def _added(crate: ROCrate, identifier: str, properties: Properties) -> Entity:
    """Add an entity; entities among its properties become references."""
    from rocrate.model.contextentity import ContextEntity

    kind, rest = {"@type": properties["@type"]}, dict(properties)
    rest.pop("@type")
    entity = crate.add(ContextEntity(crate, identifier, properties=kind))
    for name, value in rest.items():
        entity[name] = value
    return entity
