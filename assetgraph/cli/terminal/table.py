"""Tables with aligned columns, fitted to the width of the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assetgraph.cli.terminal.styled_text import Line
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 2


class Column(NamedTuple):
    """A column, as wide as its widest cell. If the table is too wide, columns shrink to `least`
    cells, the last one first. If it is still too wide, those with the highest `drop` are left out
    (0: never)."""

    title: str
    right: bool = False
    least: int | None = None
    drop: int = 0


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Line]], width: int | None
) -> list[Line]:
    """A heading and the rows, one line each; no line without rows. Empty columns are left out."""
    if not rows:
        return []
    shown = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    widths = [
        max([cell_width(column.title), *(row[i].width for row in rows)])
        for i, column in enumerate(columns)
    ]
    if width is not None:
        shown = _fit(columns, widths, shown, width)
    heading = [Line((column.title, "muted")) for column in columns]
    return [_row(columns, widths, shown, cells).cut(width) for cells in (heading, *rows)]


def room_beside(
    columns: Sequence[Column], heads: Sequence[Sequence[Line]], width: int | None
) -> int | None:
    """The cells that `width` leaves for the last column, beside the other cells, `heads`."""
    if width is None:
        return None
    taken = (
        max([cell_width(column.title), *(head[i].width for head in heads)])
        for i, column in enumerate(columns[:-1])
    )
    return width - sum(cells + GAP for cells in taken)


def _fit(columns: Sequence[Column], widths: list[int], shown: list[int], width: int) -> list[int]:
    """The columns that are shown. Shrinks `widths` to fit."""
    while True:
        least = sum(_least(columns[i], widths[i]) for i in shown) + GAP * (len(shown) - 1)
        drop = max(shown, key=lambda i: columns[i].drop, default=None)
        if least <= width or drop is None or columns[drop].drop == 0:
            break
        shown = [i for i in shown if i != drop]
    excess = sum(widths[i] for i in shown) + GAP * (len(shown) - 1) - width
    for i in reversed(shown):
        if excess > 0:
            narrower = max(_least(columns[i], widths[i]), widths[i] - excess)
            excess -= widths[i] - narrower
            widths[i] = narrower
    return shown


def _least(column: Column, width: int) -> int:
    return width if column.least is None else min(column.least, width)


def _row(
    columns: Sequence[Column], widths: Sequence[int], shown: Sequence[int], cells: Sequence[Line]
) -> Line:
    pieces: list[Line | str] = []
    for i in shown:
        last = i == shown[-1] and not columns[i].right
        cell = (
            cells[i].cut(widths[i]) if last else cells[i].fitted(widths[i], right=columns[i].right)
        )
        pieces += [" " * GAP, cell] if pieces else [cell]
    return Line(*pieces)
