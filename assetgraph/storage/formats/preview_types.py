"""What can be shown of a stored value, as plain data for any view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_COLUMNS = 200


class NoPreview(NamedTuple):
    """Nothing can be shown. `reason` is a sentence."""

    reason: str


class TextPreview(NamedTuple):
    text: str


class TablePreview(NamedTuple):
    """The first rows of a table. `columns` are pairs of a name and a type; a row is a list of
    Python values. `more` says whether the table has further rows, `more_columns` how many further
    columns."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    more: bool
    more_columns: int = 0


class FilePreview(NamedTuple):
    """A file or folder of the project, which the view shows by its kind. `path` is absolute."""

    path: str


Preview = NoPreview | TextPreview | TablePreview | FilePreview
