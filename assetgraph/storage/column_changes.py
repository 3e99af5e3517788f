"""How the columns of a table are recorded, and how they differ between two runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assetgraph.definitions.metadata import MetadataValue

# How Arrow lays out a column of one type: with long or short offsets, with views, with wider or
# narrower codes for categories. It depends on the format and on the values.
_LAYOUT = re.compile(
    r"\blarge_(?=string|binary|list)|(?<=string|binary)_view\b|(?<=list)_view\b"
    r"|, indices=u?int\d+|, ordered=0\b"
)


def table_metadata(rows: int, columns: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The metadata recorded for a table: its number of rows, and each column's name and type."""
    records = [{"name": _encodable(name), "type": kind} for name, kind in columns]
    return {"rows": rows, "columns": MetadataValue.table(records).to_json()}


def _encodable(name: str) -> str:
    """The name as a record can hold it: a lone surrogate is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def schema_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """How the columns in one materialization's metadata differ from those in an earlier one's.
    The layout of a type in memory does not count.

    Each item is `{"column": …, "change": "added"|"removed"|"retyped", "from": type, "to": type}`.
    There are none if either value was not a table.
    """
    old, new = columns_of(before), columns_of(after)
    if old is None or new is None:
        return []
    removed = [{"column": c, "change": "removed", "from": old[c]} for c in old if c not in new]
    added = [{"column": c, "change": "added", "to": new[c]} for c in new if c not in old]
    retyped = [
        {"column": c, "change": "retyped", "from": old[c], "to": new[c]}
        for c in old
        if c in new and old[c] != new[c]
    ]
    return [*removed, *added, *retyped]


def schema_change_text(change: Mapping[str, str]) -> str:
    """One item of `schema_changes` in words."""
    match change["change"]:
        case "added":
            return f"{change['column']} ({change['to']}) is new"
        case "removed":
            return f"{change['column']} ({change['from']}) is gone"
        case _:
            return f"{change['column']} was {change['from']} and is {change['to']}"


def columns_of(metadata: Mapping[str, Any]) -> dict[str, str] | None:
    """The types of a table's columns by their names; None of a value that is no table."""
    recorded = metadata.get("columns")
    if not isinstance(recorded, Mapping) or recorded.get("type") != "table":
        return None
    try:
        return {one["name"]: _LAYOUT.sub("", one["type"]) for one in recorded["value"]}
    except (KeyError, TypeError):  # metadata that the asset itself added under this name
        return None
