"""Nobody sees that functions of libraries tell what they are given while steps run."""

from __future__ import annotations

import inspect
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from ways_to_read import ReadingProject

from assetgraph.process.reads import watch
from assetgraph.process.reads.libraries import _READS, _WRITES
from assetgraph.records import ErrorInfo
from assetgraph.storage.store import Store

for _name in ("duckdb", "pandas", "polars", "pyarrow"):
    pytest.importorskip(_name)

FUNCTIONS = [
    (module, path)
    for table in (_READS, _WRITES)
    for module, paths in table.items()
    for path in paths
]
BUILT_IN = [
    *(("duckdb", name) for name in ("sql", "query", "execute", "read_csv", "connect")),
    *(("duckdb", f"DuckDBPyConnection.{name}") for name in ("sql", "execute", "read_parquet")),
    *(("duckdb", f"DuckDBPyRelation.{name}") for name in ("write_csv", "to_parquet")),
    *(("pyarrow.csv", name) for name in ("read_csv", "open_csv", "write_csv")),
    ("pyarrow", "memory_map"),
    ("os", "stat"),
]


@contextmanager
def watched() -> Iterator[None]:
    watch.watch()
    try:
        yield
    finally:
        watch.stop_watching()


def found(module: str, path: str) -> Any:
    value: Any = import_module(module)
    for name in path.split("."):
        value = inspect.getattr_static(value, name)
    return value


def seen(function: Any) -> list[Any]:
    """What a person or a library may ask of a function."""
    facts: list[Any] = []
    for ask in (inspect.signature, inspect.getsource, inspect.getsourcelines, pickle.dumps):
        with suppress(TypeError, ValueError, OSError, AttributeError, pickle.PicklingError):
            facts.append(ask(function))
    names = ("__module__", "__name__", "__qualname__", "__doc__", "__defaults__", "__kwdefaults__")
    return [*facts, *(getattr(function, name, None) for name in names)]


@pytest.mark.parametrize(("module", "path"), FUNCTIONS, ids=str)
def test_a_watched_function_looks_as_before(module: str, path: str) -> None:
    try:
        before = found(module, path)
    except (ImportError, AttributeError):
        pytest.skip("this version lacks it")
    if not isinstance(before, FunctionType):
        pytest.skip("it is built in")
    code, facts = before.__code__, seen(before)
    with watched():
        assert found(module, path) is before
        assert seen(before) == facts
    assert before.__code__ is code


@pytest.mark.parametrize(("module", "path"), BUILT_IN, ids=str)
def test_what_stands_for_another_function_looks_like_it(module: str, path: str) -> None:
    before = found(module, path)
    facts, is_pickled = [ask(before) for ask in (signature, inspect.getdoc)], False
    with suppress(TypeError, pickle.PicklingError):
        is_pickled = bool(pickle.dumps(before))
    with watched():
        during = found(module, path)
        assert during is not before
        assert [ask(during) for ask in (signature, inspect.getdoc)] == facts
        assert during.__name__ == before.__name__
        assert during.__qualname__ == before.__qualname__
        if is_pickled:
            assert pickle.loads(pickle.dumps(during)) is during
    assert found(module, path) is before


@pytest.mark.filterwarnings("error")
def test_watching_warns_of_nothing_and_leaves_the_filters_of_warnings_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The filters belong to the process: another thread would meet what one of them ignores."""

    def refuse(*given: Any, **named: Any) -> None:
        raise AssertionError("the filters of the process are touched")

    filters = list(warnings.filters)
    for name in ("catch_warnings", "simplefilter", "filterwarnings"):
        monkeypatch.setattr(warnings, name, refuse)
    with watched():
        assert warnings.filters == filters


def signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None


ALIASES = """
    from functools import partial
    import duckdb, pandas as pd, polars as pl, pyarrow.csv as pc
    READERS = {"a": pl.read_csv, "b": pd.read_parquet, "c": pc.read_csv, "d": duckdb.sql, "e": duckdb.connect}
    stat, query = os.stat, partial(duckdb.query, alias="trips")
    def helper(read=pd.read_orc): return read, READERS, stat, query
"""


def test_a_code_version_is_the_same_while_steps_run(project: ReadingProject) -> None:
    asset = project.asset("return helper() and None", ALIASES)

    def version() -> str | None:
        store = Store(project.root / "other", project_root=project.root)
        return store.code.version(asset)

    before = version()
    with watched():
        assert version() == before
    assert version() == before


@pytest.mark.parametrize(
    "body",
    [
        "import pandas as pd\npd.read_parquet('data/none.parquet')",
        "import polars as pl\npl.read_csv('data/none.csv')",
        "import pyarrow.csv as pc\npc.read_csv('data/none.csv')",
        "import duckdb\nduckdb.sql(\"select * from 'data/none.csv'\")",
        "os.stat('data/none.csv')",
        "os.environ['NONE']",
    ],
    ids=["pandas", "polars", "pyarrow", "duckdb", "os.stat", "os.environ"],
)
def test_an_error_of_a_library_shows_nothing_of_what_watches(
    project: ReadingProject, body: str
) -> None:
    result = project.run(project.asset(body), raise_on_error=False)
    (error,) = result.outcome.errors.values()
    assert isinstance(error, ErrorInfo)
    assert "assetgraph" not in "".join(frame.file for frame in error.frames)
    assert f"process{os.sep}reads" not in error.trace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return ReadingProject(tmp_path)
