"""The secret fields of what a value holds: of models and dataclasses, also in lists and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.definitions.config_fields import fields_of, has_fields, is_secret
from assetgraph.definitions.env_var import holds_env_var
from assetgraph.process.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator


def secret_parts(value: Any) -> Iterator[Any]:
    """The values of all secret fields in `value`."""
    kind: Any = type(value)
    if isinstance(value, dict):
        for part in value.values():
            yield from secret_parts(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from secret_parts(part)
    elif has_fields(kind):
        for name, field in fields_of(kind).items():
            part = getattr(value, name, None)
            if not is_secret(field):
                yield from secret_parts(part)
            elif part is not None and not holds_env_var(part):
                yield part


def without_secrets(value: Any) -> Any:
    """`value` with `***` in the place of secrets. What holds some is a dict of its fields then."""
    if next(secret_parts(value), None) is None:
        return value
    if isinstance(value, dict):
        return {name: without_secrets(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(part) for part in value]
    kind: Any = type(value)
    return {
        name: HIDDEN if is_secret(field) else without_secrets(getattr(value, name, None))
        for name, field in fields_of(kind).items()
    }
