"""Backfill policies."""

from __future__ import annotations

import pytest

from assetgraph.definitions.backfill_policy import BackfillPolicy
from assetgraph.errors import PartitionsError


def test_a_single_run_takes_all_partitions_and_several_take_so_many() -> None:
    assert BackfillPolicy.single_run().max_partitions_per_run is None
    assert BackfillPolicy.multi_run().max_partitions_per_run == 1
    assert BackfillPolicy.multi_run(max_partitions_per_run=7).max_partitions_per_run == 7
    assert BackfillPolicy.multi_run() == BackfillPolicy.multi_run(1)
    assert BackfillPolicy.single_run() != BackfillPolicy.multi_run()


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "1", None])
def test_a_number_that_is_none_is_refused(number: int) -> None:
    with pytest.raises(PartitionsError, match="max_partitions_per_run is"):
        BackfillPolicy.multi_run(number)
