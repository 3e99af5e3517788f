"""`DuckDBResource`: one process at a time has a database file, and the others wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.duckdb import DuckDBResource
from assetgraph.errors import AssetGraphError, ResourceError

REPOSITORY = Path(__file__).parents[2]


def rows(path: Path, sql: str) -> Any:
    with DuckDBResource(database=str(path)).get_connection() as connection:
        return connection.execute(sql).fetchall()


def writer(path: Path, code: str) -> subprocess.Popen[str]:
    """A process with a connection to the database, which runs `code`."""
    text = (
        "import os, sys\nfrom assetgraph.duckdb import DuckDBResource\n"
        f"with DuckDBResource(database={str(path)!r}).get_connection() as connection:\n    {code}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_connection_works_in_a_run_and_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE", str(tmp_path / "a.duckdb"))
    database = DuckDBResource(database=dg.EnvVar("DATABASE"))

    @dg.asset
    def numbers(database: DuckDBResource) -> None:
        with database.get_connection() as connection:
            connection.execute("create table numbers as select * from range(?)", [5])

    @dg.asset(deps=[numbers])
    def total(database: DuckDBResource) -> int:
        with database.get_connection() as outer, database.get_connection() as inner:
            assert outer.execute("select 1").fetchone() == (1,)
            found: int = inner.execute("select sum(range) from numbers").fetchall()[0][0]
            return int(found)

    result = dg.materialize([numbers, total], resources={"database": database})
    assert result.value("total") == 10
    with database.get_connection() as connection:
        assert connection.execute("select count(*) from numbers").fetchone() == (5,)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_concurrent_steps_write_one_file(tmp_path: Path, executor: str) -> None:
    path = tmp_path / "a.duckdb"

    def table(name: str) -> Any:
        @dg.asset(name=name)
        def made(database: DuckDBResource) -> None:
            with database.get_connection() as connection:
                connection.execute(f"create table {name} as select * from range(100_000)")

        return made

    assets = [table(f"t{number}") for number in range(4)]
    resources = {"database": DuckDBResource(database=str(path))}
    dg.materialize(assets, resources=resources, executor=executor, jobs=2)
    assert len(rows(path, "show tables")) == 4


def test_a_process_waits_for_another_and_goes_on_when_that_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assetgraph.duckdb._SAID_AFTER_S", 0.0)
    path = tmp_path / "a.duckdb"
    rows(path, "create table numbers as select 1 as n")
    holder = writer(
        path,
        "connection.execute('begin'); connection.execute('insert into numbers values (2)'); "
        "print('holds', flush=True); sys.stdin.read()",
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "holds\n"
    told = threading.Event()

    caplog.set_level("INFO", "assetgraph.duckdb")
    caplog.handler.addFilter(lambda record: told.set() or True)  # type: ignore[func-returns-value]
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.extend(rows(path, "insert into numbers values (3) returning n"))
    )
    thread.start()
    assert told.wait(60)
    assert found == []
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    thread.join(60)
    assert found == [(3,)]
    assert "waiting until another process closes a.duckdb" in caplog.text
    assert rows(path, "select n from numbers order by n") == [(1,), (3,)]


def test_a_folder_that_is_missing_and_a_package_that_is_missing_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ResourceError, match=r"the folder .*gone of the database does not exist"):
        rows(tmp_path / "gone" / "a.duckdb", "select 1")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(AssetGraphError, match=r"pip install 'assetgraph\[duckdb\]'"):
        rows(tmp_path / "a.duckdb", "select 1")


def test_the_database_is_no_reason_to_be_stale(tmp_path: Path, instance: dg.Instance) -> None:
    @dg.asset
    def one(database: DuckDBResource) -> int:
        return 1

    result = dg.materialize(
        [one],
        resources={"database": DuckDBResource(database=str(tmp_path / "a.duckdb"))},
        instance=instance,
    )
    assert result.materialization("one").resources == {"database": {"type": "DuckDBResource"}}
    with DuckDBResource(database=":memory:").get_connection() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
