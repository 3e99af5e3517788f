"""A file that changes while a step runs, which read it through DuckDB or another program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ways_to_read import ReadingProject

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts

OLD = 1_600_000_000
SORT = f"""
import subprocess
text = "import sys; lines = sorted(open(sys.argv[1])); open(sys.argv[1], 'w').writelines(lines)"
subprocess.run([{sys.executable!r}, '-c', text, 'data/a.csv'], check=True)
"""
WRITES = {
    "a program": SORT,
    "sqlite3": "import sqlite3\nc = sqlite3.connect('data/a.db')\n"
    "c.execute('insert into t values (1)')\nc.commit()\nc.close()",
    "DuckDB": "import duckdb\nwith duckdb.connect('data/a.duckdb') as c:\n"
    "    c.execute('insert into t values (1)')",
    "DuckDB that attaches": "import duckdb\nwith duckdb.connect() as c:\n"
    "    c.execute(\"ATTACH IF NOT EXISTS 'data/a.duckdb' AS d\")\n"
    "    c.execute('insert into d.t values (1)')",
}
READS = {
    "from": "duckdb.sql(\"select * from 'data/a.csv'\").fetchall()",
    "a function": "duckdb.execute(\"select * from read_csv('data/a.csv')\").fetchall()",
    "a parameter": "duckdb.execute('select * from read_csv(?)', ['data/a.csv']).fetchall()",
    "copy": "duckdb.connect().execute(\"create table t(a int); copy t from 'data/a.csv'\")",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    duckdb = pytest.importorskip("duckdb")
    import sqlite3

    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("2\n1\n")
    for connect, name in ((sqlite3.connect, "a.db"), (duckdb.connect, "a.duckdb")):
        connection = connect(str(data / name))
        connection.execute("create table t (a int)")
        connection.close()
    for path in data.iterdir():
        os.utime(path, (OLD, OLD))
    monkeypatch.chdir(tmp_path)
    return ReadingProject(tmp_path)


def state(project: ReadingProject, asset: dg.Asset) -> str:
    return StoreFacts(dg.Definitions(assets=[asset]).graph, project.store).state(asset.key)


@pytest.mark.parametrize("what", WRITES)
def test_a_file_that_a_step_has_something_else_write_never_makes_it_stale(
    project: ReadingProject, what: str
) -> None:
    asset = project.asset(WRITES[what])
    project.run(asset)
    assert "written" in {read.kind.value for read in project.recorded()}
    assert state(project, asset) == "fresh"


@pytest.mark.parametrize("how", READS)
def test_an_edit_of_a_file_that_a_query_of_duckdb_reads_makes_the_running_step_stale(
    project: ReadingProject, how: str
) -> None:
    edit = (
        "import subprocess\n"
        f"subprocess.run([{sys.executable!r}, '-c', \"open('data/a.csv', 'w').write('3')\"])"
    )
    asset = project.asset(f"import duckdb\n{READS[how]}\n{edit}")
    project.run(asset)
    assert [read.name for read in project.recorded() if read.kind == "file"] == ["data/a.csv"]
    assert state(project, asset) == "stale"
