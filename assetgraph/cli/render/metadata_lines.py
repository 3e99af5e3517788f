"""Metadata as text, of an asset or of its current value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, clean_lines
from assetgraph.cli.terminal.table import Column, table
from assetgraph.definitions.metadata import MetadataValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_ROWS = 40
_INDENT = 4


def metadata_lines(metadata: Mapping[str, Any], width: int | None) -> list[Line]:
    """A line for each entry of recorded metadata; tables and longer text go below their name."""
    cells = max((Line(name).width for name in metadata), default=0)
    room = None if width is None else width - _INDENT
    lines = []
    for name, recorded in metadata.items():
        first, *rest = _value_lines(MetadataValue.from_json(recorded), room)
        lines.append(Line("  ", Line((name, "muted")).fitted(cells), "  ", first))
        lines += [Line(" " * _INDENT, line) for line in rest]
    return lines


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """All entries on one line."""
    values = {name: MetadataValue.from_json(recorded) for name, recorded in metadata.items()}
    return ", ".join(f"{name} {_value_lines(v, None)[0].plain}" for name, v in values.items())


def _value_lines(value: MetadataValue, width: int | None) -> list[Line]:
    match value.kind:
        case "int":
            return [Line(f"{value.value:,}")]
        case "timestamp":
            return [Line(units.local_time(datetime.fromtimestamp(value.value, UTC)))]
        case "url" | "path":
            return [Line((value.value, "path"))]
        case "table" if value.value:
            return [Line(), *_table(value.value, width)]
        case "json" | "table":
            return [Line(msgspec.json.encode(value.value).decode())]
    first, *rest = map(Line, clean_lines(str(value.value)))
    return [Line(), first, *rest] if rest else [first]


def _table(records: Sequence[Mapping[str, Any]], width: int | None) -> list[Line]:
    names = dict.fromkeys(name for record in records for name in record)
    rows = [
        [Line("" if record.get(name) is None else str(record[name])) for name in names]
        for record in records[:_MOST_ROWS]
    ]
    lines = table([Column(name, least=8) for name in names], rows, width)
    more = len(records) - len(rows)
    return [*lines, Line((f"… and {more:,} more rows", "muted"))] if more > 0 else lines
