"""The daily options: a value in the terminal, lists of runs, --exclude, --quiet, rerun --config."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.cli.render.value_head import value_lines, value_notes
from assetgraph.errors import AssetGraphError
from assetgraph.queries.since import moment

MakeProject = Callable[..., ProjectFolder]
Run = Callable[..., Answer]

PIPELINE = """
from pathlib import Path
import pyarrow as pa
from assetgraph import Config, asset
class C(Config):
    n: int = 1
    m: int = 1
@asset
def a(config: C): return config.n
@asset
def b(a):
    print("b says")
    return a + 1
@asset
def c(b): return b + 1
@asset
def fails(): raise RuntimeError("no")
@asset
def table():
    zones = ["Harlem", "Upper East Side North", None]
    return pa.table({"zone": zones, "fare": [12.5, 8.25, 100.0], "n": [1, 20, 300]})
@asset
def text(): return "one\\ntwo\\nthree\\x1b[31m"
@asset
def file():
    Path("x.csv").write_text("k,v\\n1,x\\n2,y\\n")
    return Path("x.csv")
@asset
def folder():
    Path("d").mkdir(exist_ok=True)
    Path("d/inside").touch()
    return Path("d")
@asset
def pickled(): return {1, 2}
"""


@pytest.fixture
def made(project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    folder = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(folder.root)
    return folder


@pytest.mark.usefixtures("made")
def test_show_head_prints_the_beginning_of_every_kind_of_value(assetgraph: Run) -> None:
    shown = ["table", "text", "file", "folder", "pickled"]
    assert assetgraph("materialize", "-q", *shown, "c").code == 0
    assert assetgraph("show", "table", "--head", "2").out == (
        "zone                    fare   n\n"
        "Harlem                 12.50   1\n"
        "Upper East Side North   8.25  20\n"
    )
    assert assetgraph("show", "table", "--head", "2").err == "The first 2 rows.\n"
    assert assetgraph("show", "table", "--head", "3").err == ""
    assert assetgraph("show", "text", "--head", "2").out == "one\ntwo\n"
    assert "\x1b" not in assetgraph("show", "text", "--head", "9").out
    assert assetgraph("show", "file", "--head", "1").out == "k  v\n1  x\n"
    assert assetgraph("show", "folder", "--head", "5").out == "inside\n"
    assert assetgraph("show", "c", "--head", "5").out == "3\n"
    pickled = assetgraph("show", "pickled", "--head", "5")
    assert (pickled.out, pickled.code) == ("", 0)
    assert "Showing it would run its code" in pickled.err
    assert assetgraph("show", "table", "--head", "1", "--json").json["rows"] == [
        ["Harlem", 12.5, 1]
    ]


@pytest.mark.usefixtures("made")
def test_show_head_of_an_asset_without_a_value_says_what_to_type(assetgraph: Run) -> None:
    answer = assetgraph("show", "table", "--head", "5")
    assert (answer.code, answer.out) == (2, "")
    assert "assetgraph materialize table" in answer.err
    assert assetgraph("show", "table", "--head", "0").code == 2


@pytest.mark.parametrize("width", [20, 40, 80, 160, None])
def test_a_table_fits_the_terminal_and_names_what_does_not(width: int | None) -> None:
    columns = [{"name": f"column_{n}", "type": "int"} for n in range(12)]
    rows = [[10**n if n % 2 else f"text {n} " * 9 for n in range(12)], [None] * 12]
    shown = {"kind": "table", "columns": columns, "rows": rows}
    lines = [line.plain for line in value_lines(shown, 5, width)]
    notes = " ".join(line.plain for line in value_notes(shown, 5, width))
    for column in columns:
        assert column["name"][:8] in lines[0] or column["name"] in notes or "…" in notes
    if width is not None:
        assert max(map(len, lines)) <= width
    if width == 160:
        assert lines[0].count("column_") > 8
    if width is None:
        assert notes == ""


def listed(answer: Answer) -> list[str]:
    return [run["assets"][-1] for run in answer.json]


@pytest.mark.usefixtures("made")
def test_runs_are_listed_by_asset_tag_and_time(assetgraph: Run) -> None:
    assetgraph("materialize", "a", "--tag", "why=test", "--tag", "who=me")
    assetgraph("materialize", "b", "--tag", "why=other")
    assetgraph("materialize", "table")

    def keys(*options: str) -> list[str]:
        return listed(assetgraph("runs", "list", "--json", *options))

    assert keys() == ["table", "b", "a"]
    assert keys("--asset", "a") == ["a"]
    assert keys("--asset", "a", "--asset", "table") == ["table", "a"]
    assert keys("--asset", "c") == []
    assert keys("--tag", "why=nothing") == []
    assert keys("--tag", "why") == ["b", "a"]
    assert keys("--tag", "why=test") == ["a"]
    assert keys("--tag", "why", "--tag", "who=me") == ["a"]
    assert keys("--since", "1h") == ["table", "b", "a"]
    assert keys("--since", "2099-01-01") == []
    assert keys("--since", "today", "--asset", "b", "--status", "success") == ["b"]
    empty = assetgraph("runs", "list", "--asset", "c")
    assert "No run matches" in empty.err
    wrong = assetgraph("runs", "list", "--since", "soon")
    assert (wrong.code, wrong.out) == (2, "")
    assert "Write 2h, 3d, today" in wrong.err


NAMES = """
from assetgraph import asset
@asset(group_name="raw", kinds={"python"}, owners=["team:data"], tags={"tier": "gold"})
def trips(): return 1
@asset
def zones(trips): return trips
"""


@pytest.mark.parametrize(
    "typed",
    [
        "runs list --asset trip",
        "runs list --asset zones --asset trip",
        "runs list --tag reasn",
        "runs list --tag reasn=backfill",
        "runs list --status failur",
        "runs logs latest trip",
        "runs rerun latest --step trip",
        *(f"{command} trip" for command in ("list", "status", "show", "lineage", "plan")),
        *(f"{command} trip" for command in ("materialize", "accept", "wipe --yes", "observe")),
        "mv trip riders",
        "report trip",
        "plan --exclude trip",
        "materialize zones --config trip.n=3",
        *(f"list {text}" for text in ("group:rew", "kind:pyton", "owner:team:dta", "tag:teir")),
        *(f"list {text}" for text in ("tag:tier=god", "status:stal")),
    ],
)
def test_a_name_that_exists_nowhere_is_an_error_wherever_one_is_given(
    typed: str, project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": NAMES}).root)
    assetgraph("materialize", "--all", "--tag", "reason=backfill")
    answer = assetgraph(*typed.split())
    assert (answer.code, answer.out) == (2, "")
    assert "Did you mean" in answer.err


def test_an_asset_that_is_no_longer_defined_is_found_by_its_runs(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project({"pipeline.py": NAMES})
    monkeypatch.chdir(folder.root)
    assetgraph("materialize", "--all")
    folder.write("pipeline.py", "from assetgraph import asset\n@asset\ndef other(): return 1\n")
    for then in ((), ("wipe", "zones", "--yes")):
        assetgraph(*then)
        assert len(assetgraph("runs", "list", "--asset", "zones", "--json").json) == 1
    folder.write("pipeline.py", "1 / 0")
    unknown = assetgraph("runs", "list", "--asset", "zone", "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no asset 'zone', and no run of one.\nDid you mean 'zones'?" in unknown.err


def test_a_tag_of_no_run_is_an_answer_where_there_are_no_runs_yet(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": NAMES}).root)
    assert assetgraph("runs", "list", "--tag", "nightly", "--json").json == []


def test_every_way_to_write_a_time_is_understood(utc: None) -> None:
    now = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    for text, expected in {
        "2h": now - timedelta(hours=2),
        "90 min": now - timedelta(minutes=90),
        "3 days ago": now - timedelta(days=3),
        "1w": now - timedelta(weeks=1),
        "today": datetime(2026, 11, 30, tzinfo=UTC),
        "yesterday": datetime(2026, 11, 29, tzinfo=UTC),
        "9:30": datetime(2026, 11, 30, 9, 30, tzinfo=UTC),
        "2026-11-01": datetime(2026, 11, 1, tzinfo=UTC),
        "2026-11-01 10:00": datetime(2026, 11, 1, 10, tzinfo=UTC),
        "2026-11-01T10:00+02:00": datetime(2026, 11, 1, 8, tzinfo=UTC),
    }.items():
        assert moment(text, now) == expected, text
    for text in ("", "soon", "25:00", "2026-13-01", "999999w", "-2h", "2 fortnights"):
        with pytest.raises(AssetGraphError, match="cannot read --since"):
            moment(text, now)


@pytest.mark.usefixtures("made")
def test_rerun_takes_config_over_that_of_the_run(assetgraph: Run) -> None:
    assetgraph("materialize", "a", "--config", "a.n=5", "--config", "a.m=6")
    again = assetgraph("runs", "rerun", "latest", "--config", "a.n=7", "--json").json
    assert again["config"] == {"a": {"n": 7, "m": 6}}
    assert again["parent_run_id"]
    wrong = assetgraph("runs", "rerun", "latest", "--config", "b.n=7")
    assert (wrong.code, "takes no config" in wrong.err) == (2, True)
    assert assetgraph("runs", "rerun", "latest", "--config", "a.n=x").code == 2
    assert len(assetgraph("runs", "list", "--json").json) == 2


@pytest.mark.usefixtures("made")
def test_quiet_prints_only_what_failed(assetgraph: Run) -> None:
    well = assetgraph("materialize", "c", "--quiet")
    assert (well.code, well.out, well.err) == (0, "", "")
    nothing = assetgraph("materialize", "--stale", "c", "-q")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "")
    failed = assetgraph("materialize", "fails", "a", "-q")
    assert failed.code == 1
    assert "fails failed: RuntimeError: no" in failed.err
    assert "▶" not in failed.err
    answer = assetgraph("runs", "rerun", "latest", "-q", "--json")
    assert answer.json["failed_steps"] == ["fails"]


@pytest.mark.usefixtures("made")
def test_what_is_excluded_does_not_run_and_its_value_is_used(assetgraph: Run) -> None:
    without = ["--exclude", "fails", "--exclude", "table+", "--exclude", "text"]
    needed = assetgraph("materialize", "+c", "--exclude", "a")
    assert (needed.code, needed.out) == (2, "")
    assert "'a' is excluded, but 'b' needs it and it has no value" in needed.err
    assert assetgraph("runs", "list", "--json").json == []
    assert assetgraph("materialize", "--all", *without).code == 0
    run = assetgraph("materialize", "+c", "--exclude", "b", "--json").json
    assert run["assets"] == ["a", "c"]
    assert run["selection"] == ["+c", "--exclude b"]
    plan = assetgraph("plan", "--stale", *without, "--exclude", "c", "--json").json
    assert plan == []
    wrong = assetgraph("plan", "--exclude", "nothing")
    assert (wrong.code, "no asset is named 'nothing'" in wrong.err) == (2, True)


def test_a_stale_run_leaves_excluded_upstreams_as_they_are(
    made: ProjectFolder, assetgraph: Run
) -> None:
    assetgraph("materialize", "c")
    made.write("pipeline.py", PIPELINE.replace("return a + 1", "return a + 100"))
    assert [s["key"] for s in assetgraph("plan", "--stale", "c", "--json").json] == ["b", "c"]
    run = assetgraph("materialize", "--stale", "c", "--exclude", "b", "--json").json
    assert run["assets"] == ["c"]
    assert run["step_counts"] == {"unchanged": 1}
