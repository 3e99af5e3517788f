"""`SameFailures`: the failures of a run, without what repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from assetgraph.cli.render.by_asset import asset_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Error = TypeVar("Error")


class SameFailures(Generic[Error]):
    """The first `most` failures that differ, each with the steps that failed in the same way, and
    the names of other steps that failed.

    Steps of one asset fail in the same way if they raise the same type of error at the same lines.
    """

    def __init__(self, most: int) -> None:
        self.errors: list[Error] = []
        self.steps: list[list[str]] = []  # of each error
        self.others: list[str] = []
        self._most = most
        self._places: dict[object, list[str]] = {}

    def add(self, step: str, error: Error, type_: str, places: Iterable[tuple[str, int]]) -> None:
        """Add the failure of a step. `places` are the files and lines of its frames."""
        way = (asset_of(step), type_, tuple(places))
        if way in self._places:
            self._places[way].append(step)
        elif len(self.errors) < self._most:
            self.errors.append(error)
            self.steps.append([step])
            self._places[way] = self.steps[-1]
        else:
            self.others.append(step)
