"""A file that an asset reads with `pd.read_csv` is edited: the plan names it, `--stale` makes the
right value, and nothing else runs again. The same through a helper, a variable and a DuckDB query."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
FILES = {
    "pipeline/__init__.py": "",
    "pipeline/helpers.py": """
        from pathlib import Path

        FOLDER = Path("lookups")


        def rates(name):
            return [float(line) for line in (FOLDER / name).read_text().split()]
        """,
    "pipeline/assets.py": """
        import os

        import assetgraph as dg
        import duckdb
        import pandas as pd

        from pipeline.helpers import rates


        @dg.asset
        def zones() -> list[str]:
            return sorted(pd.read_csv("lookups/zones.csv")["name"])


        @dg.asset
        def prices() -> float:
            return sum(rates("rates.txt"))


        @dg.asset
        def factor() -> float:
            return float(os.environ["FACTOR"])


        @dg.asset
        def total() -> int:
            query = "select sum(amount) from read_csv('lookups/amounts.csv')"
            return int(duckdb.sql(query).fetchall()[0][0])


        @dg.asset
        def report(zones: list[str], prices: float, factor: float, total: int) -> list[object]:
            return [zones, prices * factor, total]


        @dg.asset
        def apart() -> int:
            return 1
        """,
    "lookups/zones.csv": "name\nBronx\nQueens\n",
    "lookups/rates.txt": "1.5 2.5\n",
    "lookups/amounts.csv": "name,amount\na,10\nb,20\n",
}


@pytest.fixture
def root(project: Callable[..., Any], assetgraph: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project in which everything is materialized."""
    made = project(FILES, module="pipeline")
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("FACTOR", "2")
    first = assetgraph("materialize", "--all")
    assert first.code == 0, first.err
    assert assetgraph("plan", "--stale", "--json").json == []
    return Path(made.root)


def value(assetgraph: Command, key: str) -> Any:
    stored = assetgraph("show", key, "--json").json["materialization"]["value"]
    return json.loads(stored["inline"])


def ran(assetgraph: Command) -> list[str]:
    """The assets that `materialize --stale` ran."""
    run = assetgraph("materialize", "--stale", "--json")
    assert run.code == 0
    steps = (run.json or {"steps": []})["steps"]
    return [step["step"] for step in steps if step["state"] == "success"]


EDITS = {
    "zones": (
        lambda root, _: (root / "lookups/zones.csv").write_text("name\nBronx\nHarlem\n"),
        "`lookups/zones.csv`, which it read, changed",
        [["Bronx", "Harlem"], 8.0, 30],
    ),
    "prices": (
        lambda root, _: (root / "lookups/rates.txt").write_text("1.5 3.5\n"),
        "`lookups/rates.txt`, which it read, changed",
        [["Bronx", "Queens"], 10.0, 30],
    ),
    "factor": (
        lambda _, patch: patch.setenv("FACTOR", "3"),
        "the environment variable `FACTOR`, which it read, changed",
        [["Bronx", "Queens"], 12.0, 30],
    ),
    "total": (
        lambda root, _: (root / "lookups/amounts.csv").write_text("name,amount\na,10\nb,30\n"),
        "`lookups/amounts.csv`, which it read, changed",
        [["Bronx", "Queens"], 8.0, 40],
    ),
}


@pytest.mark.parametrize("key", EDITS)
def test_an_edit_of_what_an_asset_reads_runs_it_again_and_nothing_else(
    root: Path, assetgraph: Command, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    edit, sentence, result = EDITS[key]
    edit(root, monkeypatch)

    plan = assetgraph("plan", "--stale")
    assert sentence in " ".join(plan.out.split())
    assert ran(assetgraph) == [key, "report"]
    assert value(assetgraph, "report") == result
    assert assetgraph("status", "--exit-code").code == 0
    assert ran(assetgraph) == []


def test_the_page_about_observed_reads_shows_what_happens(
    project: Callable[..., Any], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/observed-reads.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.S)[0]
    plan, shown = re.findall(r"```text\n(.*?)```", page, re.S)[:2]
    made = project({"pipeline.py": code, "lookups/zones.csv": "name\nBronx\n"})
    monkeypatch.chdir(made.root)
    assetgraph("materialize", "--all")

    assert shown in assetgraph("show", "zones").out
    (made.root / "lookups/zones.csv").write_text("name\nQueens\n")
    assert assetgraph("plan").out == plan


@pytest.mark.parametrize("options", [("--executor", "threads"), ("-j", "2")], ids=" ".join)
def test_what_is_read_elsewhere_than_in_the_run_s_thread_is_followed_too(
    root: Path, assetgraph: Command, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    assert assetgraph("materialize", "--all", *options).code == 0
    (root / "lookups/rates.txt").write_text("5 5\n")
    monkeypatch.setenv("FACTOR", "3")

    said = assetgraph("plan", "--json").json
    assert [step["key"] for step in said] == ["factor", "prices", "report"]
    assert assetgraph("materialize", "--stale", *options).code == 0
    assert value(assetgraph, "report") == [["Bronx", "Queens"], 30.0, 30]
    assert ran(assetgraph) == []


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are UTF-8 there")
def test_a_file_whose_name_is_no_text_is_followed_and_shown(
    project: Callable[..., Any], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
        import os
        import assetgraph as dg

        def load():
            with open(b"caf\\xe9.csv") as file:
                return file.read()

        @dg.asset
        def zones() -> str:
            return load()

        @dg.asset
        def child() -> int:
            if os.fork() == 0:
                load()
                os._exit(0)
            return os.wait()[1]
        """
    made = project({"pipeline.py": code})
    monkeypatch.chdir(made.root)
    named = Path(os.fsdecode(b"caf\xe9.csv"))
    named.write_text("1")
    assert assetgraph("materialize", "--all").code == 0
    assert assetgraph("plan", "--stale", "--json").json == []

    named.write_text("2")
    plan = assetgraph("plan", "--json").json
    assert [(step["key"], step["reasons"][0]["kind"]) for step in plan] == [
        ("child", "read_changed"),
        ("zones", "read_changed"),
    ]
    assert "caf" in assetgraph("show", "zones", "--json").out
