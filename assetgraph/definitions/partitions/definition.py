"""`PartitionsDefinition`: which partitions an asset has. It is pure: the clock and the keys that a
store holds are given to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from assetgraph.definitions.partitions.keys import (
    PartitionKeyRange,
    PartitionKeys,
    partition_problem,
)
from assetgraph.errors import PartitionsError
from assetgraph.text import shorten

_CACHED = ("_identity", "_first")


class DynamicPartitionsStore(Protocol):
    """Where dynamic partitions are kept: an `Instance`."""

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]: ...


class PartitionsDefinition(ABC):
    """Which partitions an asset has. Two definitions with the same content are equal.

    `default` is the key of the partition that a command means when none is given.
    """

    default: str | None = None

    @abstractmethod
    def keys(
        self, now: datetime | None = None, dynamic: DynamicPartitionsStore | None = None
    ) -> PartitionKeys:
        """The keys that there are at `now`, in order. `dynamic` holds the dynamic ones.

        Raises `PartitionsError` if dynamic keys are needed and `dynamic` is None.
        """

    @abstractmethod
    def content(self) -> Mapping[str, Any]:
        """What makes this definition another than others, as JSON."""

    @property
    def kind(self) -> str:
        """What sort of definition this is: others with other content are of the same sort."""
        return type(self).__name__

    def resolve(self, text: str) -> str:
        """The key that a text means, as far as the clock and the store need not be asked.

        Raises `PartitionsError`.
        """
        problem = partition_problem(text)
        if problem:
            raise PartitionsError(f"{problem}.")
        return text

    def get_partition_keys(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> list[str]:
        return list(self.keys(current_time, dynamic_partitions_store))

    def get_num_partitions(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> int:
        return len(self.keys(current_time, dynamic_partitions_store))

    def get_first_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        keys = self.keys(current_time, dynamic_partitions_store)
        return keys[0] if keys else None

    def get_last_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        keys = self.keys(current_time, dynamic_partitions_store)
        return keys[-1] if keys else None

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> bool:
        return partition_key in self.keys(current_time, dynamic_partitions_store)

    def get_partition_keys_in_range(
        self,
        partition_key_range: PartitionKeyRange,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[str]:
        """The keys from the start of a range to its end, both included; none if it goes backwards.

        Raises `PartitionsError` for a key that does not exist.
        """
        keys = self.keys(None, dynamic_partitions_store)
        low, high = map(keys.require, partition_key_range)
        return keys[low : high + 1]

    def _checked_default(self, default: str | None) -> str | None:
        """The key that `default` means. Raises `PartitionsError`."""
        if default is None:
            return None
        try:
            return self.resolve(default)
        except PartitionsError as error:
            raise PartitionsError(f"default is wrong: {error.message}", hint=error.hint) from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionsDefinition):
            return NotImplemented
        return self is other or self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def _identity(self) -> str:
        return f"{self.kind} {self.content()}"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _CACHED}

    def __repr__(self) -> str:
        options = ", ".join(
            f"{name}={shorten(repr(value), 60)}" for name, value in self.content().items()
        )
        return f"{type(self).__name__}({options})"
