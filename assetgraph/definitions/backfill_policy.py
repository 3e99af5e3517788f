"""`BackfillPolicy`: how many partitions one step of a backfill takes."""

from __future__ import annotations

from typing import NamedTuple

from assetgraph.errors import PartitionsError


class BackfillPolicy(NamedTuple):
    """How many partitions of an asset one step takes at most; None for all that are to be made."""

    max_partitions_per_run: int | None = 1

    @classmethod
    def single_run(cls) -> BackfillPolicy:
        """One step for all partitions that are to be made."""
        return cls(None)

    @classmethod
    def multi_run(cls, max_partitions_per_run: int = 1) -> BackfillPolicy:
        """A step for each so many partitions. Raises `PartitionsError` for none, or less."""
        if type(max_partitions_per_run) is not int or max_partitions_per_run < 1:
            raise PartitionsError(
                f"max_partitions_per_run is {max_partitions_per_run!r}.",
                hint="Write a whole number from 1 on, or BackfillPolicy.single_run() for all.",
            )
        return cls(max_partitions_per_run)
