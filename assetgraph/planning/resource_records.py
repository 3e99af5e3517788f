"""What counts of the resources that a step takes: the record that is kept of them, and how it
differs from the one of before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.env_var import holds_env_var
from assetgraph.definitions.resource_marks import is_configurable, secret_fields
from assetgraph.graph.bound_resources import needed_resources
from assetgraph.planning.reason_kinds import Reason, ReasonKind

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.storage.store import Store

Records = Mapping[str, Mapping[str, Any]]
_LONG = 200  # bytes of JSON, beyond which a digest of a value is recorded
_DIGEST_BYTES = 10


def resource_records(
    computation: Computation, resources: Mapping[str, Any], store: Store
) -> dict[str, dict[str, Any]]:
    """The record of each resource that a computation takes.

    It has the `type`, the `code` of its class unless that counts in the code of the computation,
    and the `fields` with their literal values. What comes from an environment variable, is secret,
    or is named `unversioned` by the class does not count.
    """
    annotations = {parameter.name: parameter.annotation for parameter in computation.parameters}
    found = {}
    for name in needed_resources(computation):
        if name in resources:
            resource = resources[name]
            kind = type(resource)
            record: dict[str, Any] = {"type": kind.__qualname__}
            counts = computation.code_version is None and annotations.get(name) is not kind
            code = store.code.class_version(kind) if counts and not store.ephemeral else None
            if code is not None:
                record["code"] = code
            fields = dict(_versioned_fields(resource))
            found[name] = {**record, "fields": fields} if fields else record
    return found


def resource_reasons(old: Records, new: Records) -> Iterator[Reason]:
    """How the resources differ from those that a value was made with. One that was added or removed
    is a change of the code that takes it."""
    for name in [name for name in new if name in old]:
        before, now = old[name], new[name]
        if "code" in before and "code" in now:
            if before["code"] != now["code"]:
                yield _reason(name, "code", before["type"], now["type"])
        elif before["type"] != now["type"]:
            yield _reason(name, "type", before["type"], now["type"])
        fields, present = before.get("fields", {}), now.get("fields", {})
        for field in [field for field in present if field in fields]:
            if fields[field] != present[field]:
                yield _reason(name, f"field {field}", fields[field], present[field])


def _reason(name: str, what: str, old: Any, new: Any) -> Reason:
    facts = {"resource": name, "what": what, "old": old, "new": new}
    return Reason(ReasonKind.RESOURCE_CHANGED, facts)


def _versioned_fields(resource: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not is_configurable(resource):
        return
    left_out = secret_fields(type(resource)) | {*type(resource).unversioned}
    for field in type(resource).model_fields:
        value = vars(resource).get(field)
        if field in left_out or holds_env_var(value):
            continue
        if is_configurable(value):
            yield from _versioned_fields(value, f"{prefix}{field}.")
        else:
            yield f"{prefix}{field}", _recorded(value)


def _recorded(value: Any) -> Any:
    """A value as JSON without secrets, or a digest of it; for what JSON cannot express, its
    type."""
    from pydantic_core import to_jsonable_python

    from assetgraph.definitions.secret_parts import without_secrets

    value = without_secrets(value)
    made = to_jsonable_python(value, fallback=lambda one: f"<{type(one).__qualname__}>")
    text = msgspec.json.encode(made, order="sorted")
    if len(text) <= _LONG:
        return msgspec.json.decode(text)
    return f"<{len(text)} bytes: {blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()}>"
