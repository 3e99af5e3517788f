"""What comes back from a worker: plain data and records, and nothing that a pickle could call."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assetgraph.errors import WorkerError
from assetgraph.keys import AssetKey, Target
from assetgraph.run.executors.messages import dumps, read_message


def names(module: str, name: str) -> bytes:
    """A pickle that only names something, as the first step of calling it."""
    return (
        b"\x80\x05"
        + b"".join(b"\x8c" + bytes([len(x)]) + x.encode() for x in (module, name))
        + (b"\x93.")
    )


def test_records_keys_times_and_plain_data_come_back_equal() -> None:
    message = {
        "when": datetime.now(UTC),
        "of": Target(AssetKey("a")),
        "data": [1, {2.5, None}, b"x"],
    }
    assert read_message(dumps(message)) == message


def test_an_object_of_a_class_that_derives_from_a_plain_one_comes_back_plain() -> None:
    (back,) = read_message(dumps([OrderedDict(a=1)]))
    assert (type(back), back) == (dict, {"a": 1})


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("posix", "system"),
        ("os", "_exit"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("pathlib", "PosixPath"),
        ("assetgraph.api", "load"),
        ("assetgraph.keys", "sys"),
        ("assetgraph.records", "msgspec"),
        ("assetgraph.records", "Event.__init__"),
        ("assetgraph.records", "Event.__class__"),
        ("assetgraph.records", "msgspec.json.decode"),
        ("datetime", "sys"),
        ("datetime", "datetime.fromisoformat"),
    ],
)
def test_a_message_that_names_anything_else_is_refused(module: str, name: str) -> None:
    with pytest.raises(WorkerError, match="cannot be read: it holds"):
        read_message(names(module, name))


def test_no_function_of_records_can_be_named() -> None:
    import assetgraph.records as records

    functions = [name for name, one in vars(records).items() if not isinstance(one, type)]
    for name in functions:
        with pytest.raises(WorkerError):
            read_message(names("assetgraph.records", name))


class _Calls:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_code_is_refused_before_it_runs(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(WorkerError, match="Return plain data"):
        read_message(pickle.dumps({"deep": [_Calls(made)]}))
    assert not made.exists()


@pytest.mark.parametrize("data", [b"", b"\x80", b"no pickle", dumps([1])[:-1]])
def test_a_message_that_is_cut_is_an_error_of_the_worker(data: bytes) -> None:
    with pytest.raises(WorkerError, match="cannot be read"):
        read_message(data)
