"""A table whose columns differ from those of the materialization before says so."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pytest

import assetgraph as dg
from assetgraph.records import EventType


def made_by(instance: dg.Instance, table: pa.Table) -> dg.RunResult:
    with dg.Registry():

        @dg.asset
        def fares() -> pa.Table:
            return table

    return dg.materialize([fares], instance=instance)


def warnings(result: dg.RunResult) -> list[str | None]:
    return [e.message for e in result.events if e.type is EventType.LOG and e.level == "WARNING"]


def test_a_column_that_is_new_gone_or_of_another_type_is_recorded_and_shown(
    instance: dg.Instance,
) -> None:
    made_by(instance, pa.table({"zone": [1], "fare": [2]}))
    result = made_by(instance, pa.table({"zone": ["a"], "tip": [0.5]}))
    recorded = result.materialization("fares").metadata["schema_changes"]["value"]
    assert recorded == [
        {"column": "fare", "change": "removed", "from": "int64"},
        {"column": "tip", "change": "added", "to": "double"},
        {"column": "zone", "change": "retyped", "from": "int64", "to": "string"},
    ]
    assert warnings(result) == [
        "The columns changed: fare (int64) is gone; tip (double) is new; "
        "zone was int64 and is string."
    ]


def test_the_same_columns_again_say_nothing(instance: dg.Instance) -> None:
    made_by(instance, pa.table({"zone": [1]}))
    result = made_by(instance, pa.table({"zone": [2]}))
    assert "schema_changes" not in result.materialization("fares").metadata
    assert warnings(result) == []


TEXTS = [
    pa.array(["x", "y"], kind)
    for kind in (pa.string(), pa.large_string(), pa.string_view())
]  # fmt: skip
LAYOUTS = {
    "text": TEXTS,
    "bytes": [pa.array([b"x"], kind) for kind in (pa.binary(), pa.large_binary())],
    "lists": [
        pa.array([["x"]], kind)
        for kind in (pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.large_string()))
    ],
    "categories": [
        pa.DictionaryArray.from_arrays(pa.array([0, 1], codes), values)
        for codes in (pa.int8(), pa.int32())
        for values in TEXTS[:2]
    ],
}


@pytest.mark.parametrize("what", LAYOUTS)
def test_another_layout_of_the_same_type_is_no_change(instance: dg.Instance, what: str) -> None:
    for column in LAYOUTS[what]:
        assert warnings(made_by(instance, pa.table({"a": column}))) == []
    [changed] = warnings(made_by(instance, pa.table({"a": [1]})))
    assert not re.search("large|indices", str(changed))


def test_a_frame_that_is_pickled_no_more_has_the_same_columns(instance: dg.Instance) -> None:
    for odd in ({1}, "text", {2}):

        @dg.asset
        def rows(odd: object = odd) -> pd.DataFrame:
            status = pd.Categorical(["a", "b"])
            return pd.DataFrame({"note": ["n", odd], "name": ["x", "y"], "status": status})

        result = dg.materialize([rows], instance=instance)
        assert not any("name" in str(one) or "status" in str(one) for one in warnings(result))


def test_a_materialization_is_one_line_of_the_history(instance: dg.Instance) -> None:
    result = made_by(instance, pa.table({"zone": [1]}))
    history = instance.store.history.newest_first(dg.AssetKey("fares"))
    assert [attempt.run_id for attempt in history] == [result.run_id]


def test_a_persons_own_table_named_columns_is_theirs(instance: dg.Instance) -> None:
    @dg.asset
    def fares() -> dg.MaterializeResult:
        return dg.MaterializeResult(
            value=1, metadata={"columns": dg.MetadataValue.table([{"zone": "SoHo"}])}
        )

    for _ in range(2):
        result = dg.materialize([fares], instance=instance)
        assert "schema_changes" not in result.materialization("fares").metadata
