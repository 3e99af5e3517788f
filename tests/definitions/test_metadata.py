"""Metadata: each kind survives JSON, and an error names the value that cannot be recorded."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph import MaterializeResult, MetadataValue
from assetgraph.definitions.metadata import metadata_json, metadata_value
from assetgraph.errors import MetadataError
from assetgraph.storage.atomic_files import encoded

NOON = datetime(2023, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind", "recorded"),
    [
        (MetadataValue.text("TLC"), "text", "TLC"),
        (MetadataValue.int(5), "int", 5),
        (MetadataValue.float(2), "float", 2.0),
        (MetadataValue.bool(1), "bool", True),
        (MetadataValue.url("https://x.org"), "url", {"type": "url", "value": "https://x.org"}),
        (MetadataValue.path(Path("a/b")), "path", {"type": "path", "value": "a/b"}),
        (MetadataValue.md("# Title"), "md", {"type": "md", "value": "# Title"}),
        (MetadataValue.json({"a": [1]}), "json", {"type": "json", "value": {"a": [1]}}),
        (MetadataValue.table([{"a": 1}]), "table", {"type": "table", "value": [{"a": 1}]}),
        (
            MetadataValue.timestamp(NOON),
            "timestamp",
            {"type": "timestamp", "value": NOON.timestamp()},
        ),
        (MetadataValue.timestamp(0), "timestamp", {"type": "timestamp", "value": 0.0}),
    ],
)
def test_each_kind_is_recorded_and_read_back(
    value: MetadataValue, kind: str, recorded: object
) -> None:
    assert value.kind == kind
    assert value.to_json() == recorded
    assert MetadataValue.from_json(json.loads(json.dumps(recorded))) == value


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        ("TLC", "text"),
        (5, "int"),
        (True, "bool"),
        (2.5, "float"),
        (Path("a"), "path"),
        (NOON, "timestamp"),
        ([1, {"a": None}], "json"),
        ({"a": (1, 2)}, "json"),
        (None, "json"),
    ],
)
def test_a_plain_value_has_the_kind_of_its_type(plain: object, kind: str) -> None:
    value = metadata_value("given", plain)
    assert value.kind == kind
    assert MetadataValue.from_json(value.to_json()) == value


class Scalar:
    """Wraps a number like numpy and pyarrow do."""

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


class Vector:
    """Raises like a numpy array that is not a single number."""

    def item(self) -> object:
        raise ValueError("can only convert an array of size 1 to a Python scalar")


def test_a_scalar_of_an_array_library_is_its_number() -> None:
    import pyarrow as pa

    assert metadata_json({"rows": Scalar(5), "sum": pa.scalar(7)}) == {"rows": 5, "sum": 7}


class Text(str):
    """A subclass of str, like those of numpy and of markup libraries."""


class Number(float):
    """A subclass of float, like numpy's float64."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [(Text("x"), "x"), (Number(1.5), 1.5), (Scalar(5), 5), (Text("\udcff"), "\\udcff")],
)
def test_a_subclass_of_a_plain_type_is_recorded_as_that_type(value: object, plain: object) -> None:
    recorded = json.loads(encoded(metadata_json({"bare": value, "nested": {"a": [value]}})))
    assert recorded == {"bare": plain, "nested": {"type": "json", "value": {"a": [plain]}}}


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {"a": object()},
        Decimal(1),
        date(2023, 1, 1),
        b"bytes",
        Vector(),
        Scalar(Scalar(1)),
    ],
)
def test_what_cannot_be_recorded_is_named_with_its_type(value: object) -> None:
    with pytest.raises(MetadataError, match=rf"is an? [\w.]*{type(value).__name__},") as caught:
        metadata_json({"sizes": value})
    assert "Pass text, a number" in str(caught.value)


def test_the_error_for_an_array_says_how_to_pass_a_small_one() -> None:
    import numpy as np

    with pytest.raises(MetadataError) as caught:
        metadata_json({"confusion": np.eye(2)})
    assert "array.tolist()" in str(caught.value)
    assert metadata_json({"confusion": np.eye(2).tolist()})


def test_a_timestamp_without_a_time_zone_is_refused() -> None:
    with pytest.raises(MetadataError, match="no time zone"):
        MetadataValue.timestamp(datetime(2023, 3, 1))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_know_is_kept(number: float) -> None:
    recorded = metadata_value("mean", number).to_json()
    assert recorded == {"type": "float", "value": str(number)}
    again = MetadataValue.from_json(recorded)
    assert again.kind == "float"
    assert str(again.value) == str(number)
    assert metadata_json({"means": [number]}) == {"means": {"type": "json", "value": [str(number)]}}


def test_a_result_has_a_value_metadata_and_a_data_version() -> None:
    assert MaterializeResult() == MaterializeResult(None, {}, None)
    assert MaterializeResult(5, {"a": 1}, "v").data_version == "v"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_whatever_is_json_shaped_is_recorded_as_json(value: object) -> None:
    recorded = metadata_json({"it": value})
    assert json.loads(json.dumps(recorded)) == recorded


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 2]}), pa.table({"a": [1, 2]})],
    ids=lambda frame: type(frame).__module__,
)
def test_a_table_as_metadata_is_refused_with_how_to_record_some_rows(frame: object) -> None:
    with pytest.raises(
        MetadataError, match=r"For some rows: MetadataValue\.table\((.*)\)\."
    ) as why:
        metadata_json({"rows": frame})
    code = str(why.value.hint).partition("For some rows: ")[2].removesuffix(".")
    names = {"MetadataValue": MetadataValue, "df": frame, "table": frame}
    assert eval(code, names).to_json() == MetadataValue.table([{"a": 1}, {"a": 2}]).to_json()
