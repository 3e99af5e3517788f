"""The fields of the body of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from assetgraph.errors import AssetGraphError
from assetgraph.text import did_you_mean, listed


def check_fields(body: Mapping[str, Any], *known: str) -> None:
    """Raises `AssetGraphError` for a field that is none of `known`."""
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        names = f"The fields are {listed(known)}." if known else "It takes no fields."
        hint = did_you_mean(unknown, known) or names
        raise AssetGraphError(f"this request has an unknown field {unknown!r}.", hint=hint)


def typed(body: Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    """A field as `kind`, or `default`. Raises `AssetGraphError`."""
    try:
        return msgspec.convert(body.get(name, default), kind)
    except msgspec.ValidationError as error:
        raise AssetGraphError(f"{name}: {error}.") from None
