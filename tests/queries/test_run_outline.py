"""A run of very many steps: some of them, and the counts of all."""

from __future__ import annotations

from conftest import Instance

import assetgraph as dg
from assetgraph.queries.run_outline import run_outline, step_outline
from assetgraph.queries.run_views import run_details

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-13")


def test_an_outline_has_what_failed_and_the_first_steps_and_counts_all(instance: Instance) -> None:
    @dg.asset(partitions_def=DAYS)
    def trips(context: dg.AssetExecutionContext) -> int:
        if context.partition_key == "2026-01-09":
            raise ValueError("a bad day")
        return 1

    @dg.asset(partitions_def=DAYS)
    def clean(trips: int) -> int:
        return trips

    dg.materialize([trips, clean], partitions="*", instance=instance, raise_on_error=False)
    whole = run_details(instance.store, "latest")
    assert run_outline(instance.store, "latest", 24) == whole

    some = run_outline(instance.store, "latest", 3)
    assert [step.step_id for step in some.steps] == [
        "trips@2026-01-01", "trips@2026-01-02", "trips@2026-01-09",
    ]  # fmt: skip
    assert set(some.steps) < set(whole.steps)
    assert (some.record, some.event_count) == (whole.record, len(whole.events))

    for step in whole.steps:
        assert step_outline(instance.store, "latest", step.step_id) == step
    assert step_outline(instance.store, "latest", "trips@2027-01-01") is None
