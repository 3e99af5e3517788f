"""The beginning of a stored value: rows of a table, lines of a text, names in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.cli.terminal.styled_text import Line, clean_lines, plural
from assetgraph.cli.terminal.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEAST_CELLS = 12
_WIDEST = 40
_MOST_DECIMALS = 4


def value_lines(shown: Mapping[str, Any], most: int, width: int | None) -> list[Line]:
    """The value that a preview describes, at most `most` lines of it."""
    match shown["kind"]:
        case "table":
            return _table(shown["columns"], shown["rows"], width)
        case "text":
            return [Line(text).cut(width) for text in clean_lines(shown["text"])[:most]]
        case "folder":
            return [Line(name) for name in shown["names"][:most]]
    return []


def value_notes(shown: Mapping[str, Any], most: int, width: int | None) -> list[Line]:
    """What of the value is not shown, and why."""
    notes = [shown["note"]] if shown.get("note") else []
    if shown["kind"] == "image":
        notes = ["The value is an image. To see it: assetgraph dev --open"]
    elif shown["kind"] == "folder":
        notes = [f"The folder has {plural(shown['count'], 'entry', 'entries')}."]
    elif shown["kind"] == "text" and not notes and len(clean_lines(shown["text"])) > most:
        notes = [f"The first {plural(most, 'line')}."]
    elif shown["kind"] == "table":
        hidden = _hidden(shown["columns"], shown["rows"], width)
        if hidden:
            names = ", ".join(hidden[:5]) + (", …" if len(hidden) > 5 else "")
            notes.append(f"Not shown for lack of room: {names}.")
    return [part for note in notes for part in Line((note, "muted")).broken(width)]


def _table(
    columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]], width: int | None
) -> list[Line]:
    fitting = len(columns) - len(_hidden(columns, rows, width))
    cells = [_cells([row[place] for row in rows], width) for place in range(fitting)]
    heads = [
        Column(str(one["name"]) or '""', right=_is_numeric(rows, place), least=_LEAST_CELLS)
        for place, one in enumerate(columns[:fitting])
    ]
    body = [[column[number] for column in cells] for number in range(len(rows))]
    if not body:
        return [Line((", ".join(head.title for head in heads), "muted")).cut(width)]
    return table(heads, body, width)


def _hidden(
    columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]], width: int | None
) -> list[str]:
    """The names of the last columns, which do not fit beside the first even if they shrink."""
    if width is None:
        return []
    room = width
    for place, one in enumerate(columns):
        cells = _cells([row[place] for row in rows], width)
        wide = max([Line(str(one["name"])).width, *(cell.width for cell in cells)])
        room -= (wide if _is_numeric(rows, place) else min(wide, _LEAST_CELLS)) + 2 * (place > 0)
        if room < 0 and place:
            return [str(column["name"]) for column in columns[place:]]
    return []


def _is_numeric(rows: Sequence[Sequence[Any]], place: int) -> bool:
    values = [row[place] for row in rows if row[place] is not None]
    return bool(values) and all(type(value) in (int, float) for value in values)


def _cells(values: Sequence[Any], width: int | None) -> list[Line]:
    """A column's values as text. Its numbers have the same count of decimals."""
    numbers = [value for value in values if type(value) is float]
    decimals = max((_decimals(number) for number in numbers), default=0)
    cells = []
    for value in values:
        if value is None:
            cells.append(Line(("–", "muted")))
        elif type(value) is float and 1e-4 <= abs(value or 1) < 1e12:
            cells.append(Line(f"{value:.{decimals}f}"))
        else:
            line = Line(" ".join(str(value).split()))
            cells.append(line if width is None else line.cut(_WIDEST))
    return cells


def _decimals(number: float) -> int:
    _, _, after = f"{number:.{_MOST_DECIMALS}f}".partition(".")
    return len(after.rstrip("0"))
