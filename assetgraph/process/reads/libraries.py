"""Tells the recorder what libraries open in C++ or Rust, of which Python reports nothing: by what
their functions are given.

A function written in Python tells itself (`swapped_code`). One that is built in is replaced where
it is found, while steps run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial, wraps
from inspect import unwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.process.reads.current import current_recorder
from assetgraph.process.reads.originals import stands_for

_POLARS_READ = "csv parquet ipc ipc_stream json ndjson avro lines parquet_schema ipc_schema"
_POLARS_READ += " parquet_metadata csv_batched delta"
_POLARS_WRITE = "parquet csv ipc ipc_stream ndjson json avro"
# By module: the functions that read what they are given, and those that write it.
_READS: Mapping[str, Sequence[str]] = {
    "polars": [
        *(f"read_{name}" for name in _POLARS_READ.split()),
        *(f"scan_{name}" for name in ["csv", "parquet", "ipc", "ndjson", "lines", "delta"]),
    ],
    "pandas": ["read_hdf", "read_spss", "read_orc", "read_parquet"],
    "pyarrow": ["memory_map", "input_stream"],
    "pyarrow.csv": ["read_csv", "open_csv"],
    "pyarrow.json": ["read_json", "open_json"],
    "pyarrow.parquet": [
        *("read_table", "read_pandas", "read_schema", "read_metadata"),
        *("ParquetFile.__init__", "ParquetDataset.__init__"),
    ],
    "pyarrow.dataset": ["dataset", "parquet_dataset"],
    "pyarrow.feather": ["read_table", "read_feather"],
    "pyarrow.orc": ["read_table", "ORCFile.__init__"],
    "pyarrow.ipc": ["open_file", "open_stream"],
}
_WRITES: Mapping[str, Sequence[str]] = {
    "polars": [
        *(f"DataFrame.write_{name}" for name in _POLARS_WRITE.split()),
        *(f"LazyFrame.sink_{name}" for name in ["parquet", "csv", "ipc", "ndjson"]),
    ],
    "pandas": ["DataFrame.to_parquet", "DataFrame.to_orc", "DataFrame.to_hdf"],
    "pyarrow": ["output_stream"],
    "pyarrow.csv": ["write_csv"],
    "pyarrow.parquet": ["write_table", "write_to_dataset", "ParquetWriter.__init__"],
    "pyarrow.dataset": ["write_dataset"],
    "pyarrow.feather": ["write_feather"],
    "pyarrow.orc": ["write_table", "ORCWriter.__init__"],
    "pyarrow.ipc": ["new_file", "new_stream"],
}
# By module: the functions that look up the variables of a settings class.
_LOOK_UPS: Mapping[str, Sequence[str]] = {
    "pydantic_settings": ["EnvSettingsSource.get_field_value"],
}
WATCHED = {*_READS, *_WRITES, *_LOOK_UPS, "duckdb"}

Given = Mapping[str, Any]
_undo: list[Callable[[], None]] = []
_done: set[int] = set()  # functions, by id: some modules share them


def stop_libraries() -> None:
    """Leave the libraries as they were."""
    while _undo:
        _undo.pop()()
    _done.clear()


def watch_module(name: str, module: ModuleType) -> None:
    """Watch the functions of a module until `stop_libraries`."""
    told = ((_READS, _told_read), (_WRITES, _told_written), (_LOOK_UPS, _told_look_up))
    for table, tell in told:
        for path in table.get(name, ()):
            with suppress(LookupError, AttributeError, TypeError, ValueError):
                _watch_function(module, path, tell)
    if name == "duckdb":
        from assetgraph.process.reads.duckdb_calls import watch_duckdb

        _undo.extend(watch_duckdb(module))


def _watch_function(module: ModuleType, path: str, tell: Callable[[Given], None]) -> None:
    from assetgraph.process.reads.given_sources import places
    from assetgraph.process.reads.swapped_code import tell_before

    owner: Any = module
    *outer, last = path.split(".")
    for name in outer:
        owner = getattr(owner, name)
    function = vars(owner)[last]
    if isinstance(function, FunctionType):
        function = unwrap(function)  # that has the names of the arguments
    if id(function) in _done:
        return
    if isinstance(function, FunctionType):
        _done.add(id(function))
        before = tell_before(function, tell)
        _undo.append(lambda: _give_back(function, before))
    elif owner is module and callable(function) and not isinstance(function, type):
        telling = stands_for(_telling(function, tell), function)
        for place, called in places(owner, last, function):
            setattr(place, called, telling)
            _undo.append(partial(setattr, place, called, function))


def _give_back(function: FunctionType, code: CodeType) -> None:
    function.__code__ = code


def _telling(function: Any, tell: Callable[[Given], None]) -> Any:
    """A function for a built-in one, with its name and place."""

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        tell({"source": args[0] if args else None, **named})
        return function(*args, **named)

    return call


def _told_read(given: Given) -> None:
    from assetgraph.process.reads.given_sources import reads_all

    recorder = current_recorder()
    if recorder is not None:
        with suppress(Exception):  # it would reach the step, in place of what it does
            reads_all(recorder, given)


def _told_written(given: Given) -> None:
    from assetgraph.process.reads.given_sources import writes_all

    recorder = current_recorder()
    if recorder is not None:
        with suppress(Exception):
            writes_all(recorder, given)


def _told_look_up(given: Given) -> None:
    recorder = current_recorder()
    if recorder is not None:
        from assetgraph.process.reads.settings_calls import looks_up

        with suppress(Exception):
            looks_up(recorder, given)
