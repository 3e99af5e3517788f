"""Definitions whose keys are listed: in the code, or in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from assetgraph.definitions.partitions.definition import (
    DynamicPartitionsStore,
    PartitionsDefinition,
)
from assetgraph.definitions.partitions.keys import ListedKeys, checked_partitions, partition_problem
from assetgraph.errors import PartitionsError
from assetgraph.hints import command


class StaticPartitionsDefinition(PartitionsDefinition):
    """Partitions that the code lists, in that order. Raises `PartitionsError` for a wrong key."""

    def __init__(self, partition_keys: Sequence[str], *, default: str | None = None) -> None:
        self._keys = ListedKeys(self, _listed(partition_keys, "StaticPartitionsDefinition"))
        self.default = self._checked_default(default)

    def keys(
        self, now: datetime | None = None, dynamic: DynamicPartitionsStore | None = None
    ) -> ListedKeys:
        return self._keys

    def content(self) -> Mapping[str, Any]:
        return {"partition_keys": list(self._keys)}

    def resolve(self, text: str) -> str:
        return self._keys.key(self._keys.find(text))


class DynamicPartitionsDefinition(PartitionsDefinition):
    """Partitions that are added to the store under a name, in the order of their addition.

    Raises `PartitionsError` for a wrong name.
    """

    def __init__(self, *, name: str, default: str | None = None) -> None:
        problem = partition_problem(name)
        if problem:
            raise PartitionsError(f"{problem.replace('partition key', 'name of a definition')}.")
        self.name = name
        self.default = self._checked_default(default)

    def keys(
        self, now: datetime | None = None, dynamic: DynamicPartitionsStore | None = None
    ) -> ListedKeys:
        if dynamic is None:
            raise PartitionsError(
                f"the partitions {self.name!r} are in a store, and no store is given.",
                hint="Pass dynamic_partitions_store=Instance(…).",
            )
        return _AddedKeys(self, dynamic.get_dynamic_partitions(self.name))

    def content(self) -> Mapping[str, Any]:
        return {"name": self.name}

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """What a sensor returns to add partitions. Raises `PartitionsError` for a wrong key."""
        return AddDynamicPartitionsRequest(self.name, _listed(partition_keys, "build_add_request"))

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """What a sensor returns to delete partitions. Raises `PartitionsError` for a wrong key."""
        return DeleteDynamicPartitionsRequest(
            self.name, _listed(partition_keys, "build_delete_request")
        )


class _AddedKeys(ListedKeys):
    """The keys that were added to the store."""

    definition: DynamicPartitionsDefinition

    def _hint(self, key: str) -> str:
        if partition_problem(key):
            return super()._hint(key)
        add = command("partitions", "add", self.definition.name, key)
        return f"{super()._hint(key)} To add it: {add}"


class AddDynamicPartitionsRequest(NamedTuple):
    """Keys to add to the dynamic partitions of a name."""

    partitions_def_name: str
    partition_keys: Sequence[str]


class DeleteDynamicPartitionsRequest(NamedTuple):
    """Keys to delete from the dynamic partitions of a name."""

    partitions_def_name: str
    partition_keys: Sequence[str]


def _listed(keys: Iterable[str], where: str) -> list[str]:
    if isinstance(keys, str):
        raise PartitionsError(
            f"{where} was given the text {keys!r}.", hint=f"Give it a list: [{keys!r}]."
        )
    if not isinstance(keys, Iterable):
        raise PartitionsError(f"{where} was given {keys!r}.", hint='Give it a list: ["a", "b"].')
    return list(checked_partitions(keys))
