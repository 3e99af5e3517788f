"""What scripts read of a record has every name, also those that the store leaves out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assetgraph.code import Definition
from assetgraph.queries.record_json import record_json
from assetgraph.records import (
    ErrorInfo,
    FailedAttempt,
    Frame,
    Materialization,
    StoredValue,
    now,
)

VALUE = StoredValue("json", inline="1", classes=("pipeline:Trip",), class_digest="12")
RECORDS = [
    Materialization("run", now(), StoredValue("json"), "v"),
    Materialization("run", now(), VALUE, "v", inputs={"trips": "1"}, duration_s=0.0),
    FailedAttempt("run", now(), "ValueError"),
    FailedAttempt("run", now(), "ValueError", config={"month": None}, partition=""),
    Definition("function", "trips"),
    Definition("function", "trips", "pipeline.py", 3, ("it calls eval",)),
    ErrorInfo("ValueError", "no trips"),
    ErrorInfo("ValueError", "", (Frame("pipeline.py", 3, "trips"),), "Traceback", "Try again."),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_name_of_a_record_is_there_and_what_was_recorded_is_as_it_was(
    record: msgspec.Struct,
) -> None:
    shown, recorded = record_json(record), msgspec.to_builtins(record)
    names = {field.encode_name for field in msgspec.structs.fields(record)}
    assert shown.keys() == names | ({"type"} if record.__struct_config__.tag else set())
    contains(shown, recorded)
    msgspec.json.encode(shown)


def contains(shown: Any, recorded: Any) -> None:
    if isinstance(recorded, dict):
        for name, value in recorded.items():
            contains(shown[name], value)
    elif isinstance(recorded, (list, tuple)):
        assert len(shown) == len(recorded)
        for one, other in zip(shown, recorded, strict=True):
            contains(one, other)
    else:
        assert shown == recorded


def test_what_is_unknown_is_null_and_what_is_empty_is_empty() -> None:
    shown = record_json(RECORDS[0])
    assert shown["code_version"] is shown["duration_s"] is shown["value"]["size"] is None
    assert shown["value"]["type"] is None
    assert shown["inputs"] == shown["config"] == {}
    assert shown["value"]["classes"] == []
    assert record_json(RECORDS[4]) == {
        "kind": "function",
        "name": "trips",
        "file": None,
        "line": None,
        "notes": [],
        "volatile": [],
    }
    assert record_json(RECORDS[1])["duration_s"] == 0.0
    assert record_json(RECORDS[3])["partition"] == ""
