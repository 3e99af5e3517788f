"""Every command with partitions: of days, weeks, names, several dimensions, and dynamic ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.cli.progress.plain_display import _many_line
from assetgraph.cli.progress.run_progress import AssetProgress
from assetgraph.cli.render.run_summary import RunHighlights, summary
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.storage import partition_index

MakeProject = Callable[..., ProjectFolder]
Run = Callable[..., Answer]

PIPELINE = """
import os
import assetgraph as ag
from assetgraph import asset

days = ag.DailyPartitionsDefinition("2026-01-01", end_date=os.environ.get("END", "2026-01-31"))
weeks = ag.WeeklyPartitionsDefinition("2026-01-04", end_date="2026-01-25")
colours = ag.StaticPartitionsDefinition(["red", "blue sky", "한국어", "a:b", "x/y"])
customers = ag.DynamicPartitionsDefinition(name="customers")
cubes = ag.MultiPartitionsDefinition({
    "day": ag.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-03"),
    "colour": ag.StaticPartitionsDefinition(["red", "blue"]),
    "size": ag.StaticPartitionsDefinition(["s", "m"]),
})

@asset
def settings() -> int:
    return 3

@asset(partitions_def=days)
def trips(context, settings: int) -> dict:
    if context.partition_key in os.environ.get("FAILING", "").split(","):
        raise ValueError("a bad day")
    return {"day": context.partition_key, "n": settings}

@asset(partitions_def=weeks)
def weekly(trips: dict[str, dict]) -> int:
    return len(trips)

@asset(partitions_def=colours)
def paints(context) -> str:
    return context.partition_key

@asset(partitions_def=customers)
def invoices(context) -> str:
    return context.partition_key

@asset(partitions_def=cubes)
def cube(context) -> list:
    return sorted(context.partition_key.keys_by_dimension)

@asset
def report(trips: dict[str, dict]) -> int:
    return len(trips)
"""


@pytest.fixture
def pipeline(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    folder = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(folder.root)
    monkeypatch.delenv("FAILING", raising=False)
    monkeypatch.delenv("END", raising=False)
    return folder


def row(answer: Answer, name: str) -> str:
    return next(line for line in answer.out.splitlines() if line.split()[0] == name)


def test_the_list_says_how_many_partitions_are_up_to_date(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "2026-01-05")
    assert assetgraph("materialize", "trips", "--partitions", "2026-01-01..2026-01-10").code == 1
    listed = assetgraph("list")
    assert "9/30" in row(listed, "trips")
    assert "✕ failed" in row(listed, "trips")
    assert "0/5" in row(listed, "paints")
    assert "no partitions yet" in row(listed, "invoices")
    found = {one["key"]: one for one in assetgraph("list", "--json").json}
    assert found["trips"]["partitions"] == {"failed": 1, "missing": 20, "fresh": 9}
    assert found["trips"]["state"] == "failed"
    assert found["invoices"]["partitions"] == {}
    assert found["settings"]["partitions"] is None


def test_the_status_has_the_error_of_the_first_partition_that_failed(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "2026-01-02,2026-01-03")
    assetgraph("materialize", "trips", "--partitions", "2026-01-01..2026-01-04")
    assert "2026-01-02: ValueError: a bad day" in row(assetgraph("status"), "trips")


def test_show_tells_of_an_asset_and_of_one_partition(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assetgraph("materialize", "trips", "--partitions", "2026-01-01..2026-01-04")
    assetgraph("materialize", "trips@2026-01-02")
    page = assetgraph("show", "trips").out
    assert "30, 2026-01-01 to 2026-01-30: 26 missing, 4 fresh" in page
    assert "DailyPartitionsDefinition(" in page
    assert "Last materialization, of 2026-01-02" in page

    page = assetgraph("show", "trips@2026-01-02").out
    assert page.startswith("trips@2026-01-02  ✓ materialized")
    assert len(page.partition("History\n")[2].splitlines()) == 3  # the head, and two attempts
    found = assetgraph("show", "trips@2026-01-02", "--json").json
    assert found["partition"] == "2026-01-02"
    assert [one["partition"] for one in found["history"]] == ["2026-01-02"] * 2
    assert found["partitions_def"]["count"] == 30
    assert assetgraph("show", "trips@2026-01-09").out.startswith("trips@2026-01-09  – never")


def test_show_knows_the_upstream_partitions_of_one(
    pipeline: ProjectFolder, assetgraph: Run
) -> None:
    found = assetgraph("show", "weekly@2026-01-11", "--json").json
    assert found["deps"] == [f"trips@2026-01-{day}" for day in range(11, 18)]
    found = assetgraph("show", "trips@2026-01-11", "--json").json
    assert sorted(found["downstream"]) == ["report", "weekly@2026-01-11"]


def test_the_head_of_a_value_needs_a_partition(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "paints", "--partition", "한국어")
    assert "한국어" in assetgraph("show", "paints@한국어", "--head", "2").out
    refused = assetgraph("show", "paints", "--head", "2")
    assert refused.code == 2
    assert "'paints' has partitions: say which." in refused.err
    assert "assetgraph show paints@x/y --head 2" in refused.err
    never = assetgraph("show", "paints@red", "--head", "2")
    assert "paints@red" in never.err
    assert never.code != 0


def test_a_key_of_several_dimensions_is_recorded_and_read(
    pipeline: ProjectFolder, assetgraph: Run
) -> None:
    made = assetgraph("materialize", "cube", "--all-partitions")
    assert made.code == 0, made.err
    assert "cube: 8 partitions between red|2026-01-01|s and blue|2026-01-02|m" in made.err
    page = assetgraph("show", "cube@red|2026-01-02|s", "--json").json
    assert page["state"] == "fresh"


@pytest.mark.parametrize("key", ["blue sky", "한국어", "a:b", "x/y"])
def test_a_key_of_any_characters_works_everywhere(
    pipeline: ProjectFolder, assetgraph: Run, key: str
) -> None:
    assert assetgraph("materialize", "paints", "--partition", key).code == 0
    quoted = f'"paints@{key}"' if " " in key else f"paints@{key}"
    assert assetgraph("status", quoted, "--exit-code").code == 0
    assert assetgraph("show", f"paints@{key}").out.startswith(f"paints@{key}  ✓")
    assert assetgraph("reproduce", f"paints@{key}").code == 0
    assert len(assetgraph("runs", "list", "--asset", f"paints@{key}", "--json").json) == 1
    assert assetgraph("wipe", quoted, "--yes").code == 0
    assert assetgraph("status", quoted, "--exit-code").code == 1


def test_one_partition_is_reproduced(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "trips@2026-01-02")
    found = assetgraph("reproduce", "trips@2026-01-02", "--json")
    assert found.code == 0
    assert found.json["key"] == "trips@2026-01-02"
    refused = assetgraph("reproduce", "trips")
    assert refused.code == 2
    assert "assetgraph reproduce trips@2026-01-30" in refused.err


def test_some_partitions_are_wiped(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "trips", "--all-partitions", "-y")
    wiped = assetgraph("wipe", "trips@2026-01-02..2026-01-04", "paints", "--yes", "--json")
    assert wiped.json[0]["partitions"] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert "Removed the records of 3 partitions" in wiped.err
    (found,) = assetgraph("list", "trips", "--json").json
    assert found["partitions"] == {"missing": 3, "fresh": 27}
    assetgraph("wipe", "trips", "--yes")
    (found,) = assetgraph("list", "trips", "--json").json
    assert found["partitions"] == {"missing": 30}


def test_partitions_that_no_longer_exist_are_told_kept_and_removed(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assetgraph("materialize", "trips", "--all-partitions", "-y")
    monkeypatch.setenv("END", "2026-01-28")
    told = assetgraph("status").err
    assert "trips: 3 partitions on record do not exist any more" in told
    assert "assetgraph prune --orphaned" in told
    assert "3 on record that no longer exist" in assetgraph("show", "trips").out
    planned = assetgraph("plan", "trips", "--all-partitions", "--json").json
    assert "2026-01-29" not in [one["partition"] for one in planned]
    tried = assetgraph("prune", "--orphaned", "--dry-run", "--json").json
    assert tried[0]["partitions"] == ["2026-01-28", "2026-01-29", "2026-01-30"]
    monkeypatch.setenv("END", "2026-01-29")
    (found,) = assetgraph("list", "trips", "--json").json
    assert found["partitions"] == {"fresh": 28}  # it was kept
    assert assetgraph("prune", "--orphaned", "--yes").code == 0
    monkeypatch.setenv("END", "2026-01-31")
    (found,) = assetgraph("list", "trips", "--json").json
    assert found["partitions"] == {"missing": 2, "fresh": 28}
    assert "on record" not in assetgraph("status").err


def test_an_orphaned_partition_is_wiped_by_its_name(
    pipeline: ProjectFolder, assetgraph: Run
) -> None:
    assetgraph("partitions", "add", "customers", "a|b", "acme")
    assetgraph("materialize", "invoices", "--all-partitions")
    assetgraph("partitions", "remove", "customers", "a|b")
    assert "invoices: 1 partition on record does not exist any more: a|b." in (
        assetgraph("status").err
    )
    assert assetgraph("wipe", "invoices@a|b", "--yes", "--json").json[0]["partitions"] == ["a|b"]
    assert "on record" not in assetgraph("status").err


def test_a_long_run_is_told_by_asset(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", ",".join(f"2026-01-{day:02}" for day in range(11, 22)))
    told = assetgraph("materialize", "trips", "--all-partitions", "-y").err
    lines = told.splitlines()
    assert len([line for line in lines if line.startswith("✕ trips@") and "ValueError" in line]) < 9
    assert "30 of 30 partitions, 11 failed" in told
    assert "trips: 19 partitions between 2026-01-01 and 2026-01-30" in told
    assert "✕ trips@2026-01-11 failed: ValueError: a bad day" in told
    assert "The same failure: trips: 10 partitions between 2026-01-12 and 2026-01-21" in told
    assert len(lines) < 60
    page = assetgraph("runs", "show", "latest").out
    shown = page.partition("Partitions\n")[2].splitlines()[1]
    assert " ".join(shown.split()) == (
        "trips 30 partitions between 2026-01-01 and 2026-01-30 ✓ 19 success ✕ 11 failure"
    )
    assert (
        "✕ trips: 11 partitions between 2026-01-11 and 2026-01-21" in assetgraph("runs", "list").out
    )


def test_runs_of_one_partition_are_listed(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "trips", "--partitions", "2026-01-01..2026-01-03")
    assetgraph("materialize", "trips@2026-01-02")
    runs = lambda of: len(assetgraph("runs", "list", "--asset", of, "--json").json)  # noqa: E731
    assert (runs("trips"), runs("trips@2026-01-02"), runs("trips@2026-01-03")) == (2, 2, 1)
    assert runs("trips@2026-01-30") == 0
    assert "there is no asset 'nope'" in assetgraph("runs", "list", "--asset", "nope@x").err


def test_a_rerun_says_which_partition_is_gone(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("partitions", "add", "customers", "acme", "globex")
    assetgraph("materialize", "invoices", "--all-partitions")
    assetgraph("partitions", "remove", "customers", "acme")
    refused = assetgraph("runs", "rerun", "latest")
    assert refused.code == 2
    assert "invoices@acme" in refused.err
    assert assetgraph("runs", "rerun", "latest", "--step", "invoices@globex").code == 0


def test_reads_of_an_asset_are_those_of_its_newest_partition(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(
        {
            "pipeline.py": """
from pathlib import Path
import assetgraph as ag
@ag.asset(partitions_def=ag.StaticPartitionsDefinition(["a", "b"]))
def read(context) -> str:
    return Path(context.partition_key + ".txt").read_text()
""",
            "a.txt": "1",
            "b.txt": "2",
        }
    )
    monkeypatch.chdir(folder.root)
    assetgraph("materialize", "read", "--all-partitions")
    assert "b.txt" in assetgraph("reads").out
    one = assetgraph("reads", "read@a").out
    assert "a.txt" in one
    assert "b.txt" not in one
    assert "a.txt" in assetgraph("show", "read@a").out


def test_the_tab_key_completes_partitions(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "settings")
    completed = lambda text: _complete("materialize", text)  # noqa: E731
    assert completed("trips@2026-01-1") == [f"trips@2026-01-1{n}" for n in range(10)]
    assert completed("+trips@2026-01-01..2026-01-3") == ["+trips@2026-01-01..2026-01-30"]
    assert completed("paints@한") == ["paints@한국어"]
    assert completed("settings@") == []
    assert completed("nope@") == []


def _complete(*words: str) -> list[str]:
    from click.shell_completion import ShellComplete

    from assetgraph.cli.app import assetgraph as command_line

    *before, incomplete = words
    completion = ShellComplete(command_line, {}, "assetgraph", "_ASSETGRAPH_COMPLETE")
    return [item.value for item in completion.get_completions(before, incomplete)]


def test_partitions_are_listed_by_state(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "2026-01-03")
    assetgraph("materialize", "trips", "--partitions", "2026-01-02..2026-01-04")
    of = lambda *states: [  # noqa: E731
        one["partition"]
        for one in assetgraph(
            "partitions", "list", "trips", "--json", *(w for s in states for w in ("--state", s))
        ).json
    ]
    assert of("failed") == ["2026-01-03"]
    assert of("fresh", "failed") == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert len(of()) == 30


# -- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["materialize", "trips@2027-01-01"], ["no partition '2027-01-01'", "2026-01-30"]),
        (["materialize", "trips", "--partition", "nope"], ["nope", "asset 'trips'"]),
        (["materialize", "paints@rad"], ["no partition 'rad'", "Did you mean 'red'?"]),
        (
            ["materialize", "trips", "--partitions", "2026-01-09..2026-01-02"],
            ["goes backwards", "2026-01-02..2026-01-09"],
        ),
        (
            ["materialize", "trips@2025-12-30..2026-01-02"],
            ["no partition '2025-12-30'", "2026-01-01..2026-01-30"],
        ),
        (["materialize", "settings", "--partition", "2026-01-01"], ["settings has no partitions"]),
        (["materialize", "settings@2026-01-01"], ["settings has no partitions"]),
        (["materialize", "trips"], ["30 partitions", "say which", "--partition 2026-01-30"]),
        (["materialize", "trips", "paints", "--partition", "red"], ["no partition 'red'", "trips"]),
        (["materialize", "cube", "--partition", "red|2026-01-01"], ["<colour>|<day>|<size>"]),
        (["materialize", "cube", "--partition", "rad|2026-01-01|s"], ["'colour'", "'rad'"]),
        (["materialize", "invoices", "--all-partitions", "--partition", "x"], ["--all-partitions"]),
        (
            ["materialize", "invoices", "--partition", "acme"],
            ["There are no partitions yet.", "To add it: assetgraph partitions add customers acme"],
        ),
        (["partitions", "add", "customers", "two\nlines"], ["'two\\nlines'"]),
        (["partitions", "add", "customers", "a..b"], ["'a..b'", "'..'"]),
        (["partitions", "add", "customers", "x" * 300], ["longer than 200 bytes"]),
        (["partitions", "add", "customer", "x"], ["Did you mean 'customers'?"]),
        (["partitions", "list", "settings"], ["settings has no partitions"]),
        (["show", "trips@2026-01-01..2026-01-03"], ["names 3 partitions", "one is needed"]),
        (["wipe", "trips@2027-01-01", "--yes"], ["no partition '2027-01-01'"]),
        (["accept", "trips@2026-01-01"], ["never materialized"]),
        (["status", "paints@blue sky"], ["two words"]),
    ],
)
def test_bad_input_is_said_with_what_to_type(
    pipeline: ProjectFolder, assetgraph: Run, arguments: list[str], said: list[str]
) -> None:
    refused = assetgraph(*arguments)
    assert refused.code == 2
    for text in said:
        assert text in refused.err
    assert refused.out == ""
    assert not (pipeline.root / ".assetgraph" / "runs").exists()


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("ag.DailyPartitionsDefinition('2026-13-01')", "2026-13-01"),
        ("ag.DailyPartitionsDefinition('2026-01-01', timezone='Mars/Base')", "Mars/Base"),
        ("ag.TimeWindowPartitionsDefinition(start='2026', fmt='%Y', cron_schedule='x')", "x"),
        ("ag.StaticPartitionsDefinition(['a', 'a'])", "'a'"),
        ("ag.StaticPartitionsDefinition(['a..b'])", "'a..b'"),
    ],
)
def test_a_bad_definition_says_where_it_is(
    project: MakeProject,
    assetgraph: Run,
    monkeypatch: pytest.MonkeyPatch,
    definition: str,
    said: str,
) -> None:
    folder = project({"pipeline.py": f"import assetgraph as ag\n\ndays = {definition}\n"})
    monkeypatch.chdir(folder.root)
    refused = assetgraph("list")
    assert refused.code == 2
    assert "pipeline.py:3: " in refused.err
    assert said in refused.err


def test_a_definition_that_starts_in_the_future_has_no_partitions_yet(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(
        {
            "pipeline.py": """
import assetgraph as ag
@ag.asset(partitions_def=ag.DailyPartitionsDefinition("2926-01-01"))
def later() -> int:
    return 1
"""
        }
    )
    monkeypatch.chdir(folder.root)
    assert "no partitions yet" in assetgraph("status").out
    assert assetgraph("status", "--exit-code").code == 0
    assert "There are no partitions yet." in assetgraph("partitions", "list", "later").err
    assert "no partitions yet" in assetgraph("materialize", "later").err
    assert "Nothing to do" in assetgraph("materialize", "later", "--all-partitions").err


MANY = """
import assetgraph as ag
minutes = ag.TimeWindowPartitionsDefinition(start="2000-01-01-00:00", fmt="%Y-%m-%d-%H:%M",
    cron_schedule="* * * * *", end="2025-01-01-00:00")
@ag.asset(partitions_def=minutes)
def readings(context) -> str:
    return context.partition_key
@ag.asset(partitions_def=ag.DailyPartitionsDefinition("2024-12-25", end_date="2025-01-01"))
def daily(readings: dict[str, str]) -> int:
    return len(readings)
@ag.asset(deps=["readings"])
def all_of_them() -> int:
    return 1
"""


def test_ten_million_partitions_are_counted_and_not_listed(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project({"pipeline.py": MANY})
    monkeypatch.chdir(folder.root)
    assert assetgraph("materialize", "readings@2024-12-31-23:58").code == 0
    status = row(assetgraph("status"), "readings")
    assert "13,150,080 partitions" in status
    assert "at most 500,000 are looked at together: 1 of them has a value" in status
    (found,) = assetgraph("list", "readings", "--json").json
    assert found["state"] == "missing"
    assert found["partitions"]["stale"] == 1
    assert assetgraph("status", "readings@2024-12-31-23:57..2024-12-31-23:59", "--json").code == 0
    page = assetgraph("show", "readings").out
    assert "2000-01-01-00:00 to 2024-12-31-23:59" in page
    assert assetgraph("show", "readings@2024-12-31-23:58").code == 0
    assert len(assetgraph("plan", "daily@2024-12-31", "--json").json) == 24 * 60
    for command in (
        ["materialize", "readings", "--all-partitions"],
        ["materialize", "readings", "--stale"],
        ["materialize", "all_of_them"],
        ["partitions", "list", "readings"],
        ["status", "readings", "--partitions"],
    ):
        refused = assetgraph(*command)
        assert refused.code == 2
        assert "at most 500,000 are looked at together" in refused.err


def test_a_partition_that_is_removed_while_a_run_makes_it_is_made_and_then_orphaned(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(
        {
            "pipeline.py": """
import assetgraph as ag
@ag.asset(partitions_def=ag.DynamicPartitionsDefinition(name="customers"))
def invoices(context) -> str:
    ag.Instance(".assetgraph").delete_dynamic_partition("customers", context.partition_key)
    return context.partition_key
@ag.asset(partitions_def=ag.DynamicPartitionsDefinition(name="customers"))
def sums(invoices: str) -> int:
    return len(invoices)
"""
        }
    )
    monkeypatch.chdir(folder.root)
    assetgraph("partitions", "add", "customers", "acme")
    ended = assetgraph("materialize", "invoices", "sums", "--all-partitions")
    assert ended.code == 0, ended.err
    assert "do not exist any more" in assetgraph("status").err or (
        "does not exist any more" in assetgraph("status").err
    )
    assert assetgraph("prune", "--orphaned", "--yes").code == 0


def test_a_mapping_that_returns_nonsense_is_said_with_the_partition(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(
        {
            "pipeline.py": """
import assetgraph as ag
letters = ag.StaticPartitionsDefinition(["a", "b"])
class Odd(ag.PartitionMapping):
    def upstream_keys(self, key, downstream, upstream):
        return ["zzz"] if key == "a" else 7
@ag.asset(partitions_def=letters)
def above(context) -> str:
    return context.partition_key
@ag.asset(partitions_def=letters, ins={"above": ag.AssetIn(partition_mapping=Odd())})
def below(above: dict[str, str]) -> int:
    return len(above)
"""
        }
    )
    monkeypatch.chdir(folder.root)
    for key, said in (("a", "zzz"), ("b", "is not iterable")):
        refused = assetgraph("materialize", f"below@{key}")
        assert refused.code == 2
        assert f"below@{key} reads above" in refused.err
        assert said in refused.err
    assert assetgraph("status").code == 0


def test_upstream_partitions_that_run_too_are_counted_each_and_named_in_ranges(
    pipeline: ProjectFolder, assetgraph: Run
) -> None:
    pipeline.write(
        "ranges.py",
        """
        import assetgraph as ag

        days = ag.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-31")

        @ag.asset
        def prices() -> int:
            return 3

        @ag.asset(partitions_def=days, backfill_policy=ag.BackfillPolicy.multi_run(4))
        def sales(prices: int) -> None: ...

        @ag.asset(deps=[sales])
        def books() -> None: ...
        """,
    )
    told = assetgraph("materialize", "books", "-m", "ranges").err
    assert "30 upstream partitions and 1 upstream asset have no value yet and will also" in told
    assert "also run: prices, sales@2026-01-01..2026-01-30\n" in told


def test_the_log_of_one_partition_is_printed(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (pipeline.root / "pipeline.py").read_text()
    source = source.replace(
        'return {"day": context', 'print("made", context.partition_key)\n    return {"day": context'
    )
    (pipeline.root / "pipeline.py").write_text(source)
    assetgraph("materialize", "trips", "--partitions", "2026-01-01..2026-01-03")
    printed = assetgraph("runs", "logs", "latest", "trips@2026-01-02").out
    assert "made 2026-01-02" in printed
    assert "2026-01-01" not in printed
    assert "made 2026-01-03" in assetgraph("runs", "logs", "latest").out


def test_a_renamed_asset_keeps_its_partitions(pipeline: ProjectFolder, assetgraph: Run) -> None:
    assetgraph("materialize", "paints", "--partitions", "red..한국어")
    source = (pipeline.root / "pipeline.py").read_text()
    (pipeline.root / "pipeline.py").write_text(source.replace("def paints(", "def colours_of("))
    assert assetgraph("mv", "paints", "colours_of").code == 0
    assetgraph("accept", "colours_of")
    (found,) = assetgraph("list", "colours_of", "--json").json
    assert found["partitions"] == {"missing": 2, "fresh": 3}
    assert assetgraph("show", "colours_of@red").out.startswith("colours_of@red  ✓")
    assert assetgraph("doctor").code == 0


def test_the_summary_names_partitions_in_their_order_in_whatever_order_they_end() -> None:
    steps = tuple(f"trips@{key}" for key in ("red", "green", "blue"))
    run = RunRecord("run", RunStatus.SUCCESS, now(), assets=("trips",), steps=steps)
    ends = [
        Event(EventType.STEP_OUTPUT, now(), steps[n], data={"format": "json"}) for n in (1, 2, 0)
    ]
    shown = "".join(map(str, summary(run, RunHighlights(ends), 80)))
    assert "trips: 3 partitions, red, green and blue" in shown


def test_a_partition_that_was_yielded_is_stale_when_what_was_read_for_it_changes(
    pipeline: ProjectFolder, assetgraph: Run
) -> None:
    pipeline.write(
        "ranges.py",
        """
        import assetgraph as ag

        names = ag.StaticPartitionsDefinition(["a", "b", "c"])

        @ag.asset(partitions_def=names, backfill_policy=ag.BackfillPolicy.single_run())
        def sales(context):
            for name in context.partition_keys:
                with open(f"{name}.txt") as file:
                    yield name, file.read()
        """,
    )
    for name in "abc":
        pipeline.write(f"{name}.txt", "1")
    assetgraph("materialize", "sales", "--all-partitions", "-m", "ranges")
    pipeline.write("b.txt", "2")
    told = row(assetgraph("status", "-m", "ranges"), "sales")
    # What was read before a partition was yielded may have gone into it.
    assert "2 of 3 partitions stale, b..c: `b.txt`, which it read, changed" in told
    assetgraph("materialize", "--stale", "-m", "ranges")
    assert "materialized" in row(assetgraph("status", "-m", "ranges"), "sales")


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_call_that_ran_out_of_time_says_which_partitions_are_there(
    pipeline: ProjectFolder, assetgraph: Run, executor: str
) -> None:
    pipeline.write(
        "ranges.py",
        """
        import threading
        import assetgraph as ag

        names = ag.StaticPartitionsDefinition(["a", "b", "c"])

        @ag.asset(
            partitions_def=names, backfill_policy=ag.BackfillPolicy.single_run(), timeout=1
        )
        def sales(context):
            yield "a", 1
            threading.Event().wait(3)
            yield "b", 1
            yield "c", 1
        """,
    )
    told = assetgraph(
        "materialize", "sales", "--all-partitions", "-m", "ranges", "--executor", executor
    )
    assert told.code == 1
    assert "1 of 3 partitions were materialized before it failed: a" in told.err


def test_the_summary_of_several_returned_files_names_no_path() -> None:
    steps = ("trips@red", "trips@blue")
    run = RunRecord("run", RunStatus.SUCCESS, now(), assets=("trips",), steps=steps)
    data = {"format": "path", "size": 10}
    ends = [
        Event(EventType.STEP_OUTPUT, now(), step, data={**data, "path": f"{step}.csv"})
        for step in steps
    ]
    lines = [one.plain for one in summary(run, RunHighlights(ends), 80)]
    (line,) = [one for one in lines if "trips:" in one]
    assert line.split() == ["trips:", "2", "partitions,", "red", "and", "blue", "files", "20", "B"]


FAILING = """
import assetgraph as dg

letters = dg.StaticPartitionsDefinition(list("abcdef"))

@dg.asset(partitions_def=letters)
def trips(context) -> None:
    if context.partition_key in "ace":
        raise ValueError(context.partition_key)
    if context.partition_key == "b":
        raise KeyError(context.partition_key)

@dg.asset(partitions_def=letters)
def fares(context) -> None:
    raise ValueError(context.partition_key)
"""


def test_failures_of_one_kind_are_shown_once(
    project: MakeProject, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": FAILING}).root)
    run = assetgraph("materialize", "--all", "--all-partitions", "-y").err
    for shown in (run, assetgraph("runs", "show", "latest").out):
        heads = [line for line in shown.splitlines() if " failed: " in line]
        assert heads == [
            "✕ fares@a failed: ValueError: a",
            "✕ trips@a failed: ValueError: a",
            "✕ trips@b failed: KeyError: 'b'",
        ]
        assert "The same failure: trips: 2 partitions, c and e" in shown
        assert "The same failure: fares: 5 partitions between b and f" in shown


def test_the_mark_of_many_partitions_is_that_of_all_of_them() -> None:
    many = AssetProgress("trips", total=3)
    many.counts.update({StepState.SKIPPED: 2, StepState.WAITING: 1})
    assert _many_line(many, now()).plain.startswith("– trips  2 of 3 partitions, 2 skipped")
    many.counts.update({StepState.SUCCESS: 1, StepState.WAITING: -1})
    assert _many_line(many, now()).plain.startswith("✓ trips  3 of 3 partitions, 2 skipped")


def test_an_index_that_cannot_be_written_is_said_once_and_the_run_goes_on(
    pipeline: ProjectFolder, assetgraph: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_index, "WORTH_KEEPING", 0)
    pipeline.write(".assetgraph/cache/partitions", "in the way of the folder")
    ran = assetgraph("materialize", "trips", "paints", "--all-partitions", "-y")
    assert ran.code == 0
    assert ran.err.count("Commands read the whole history of partitions again each time: ") == 1
    (pipeline.root / ".assetgraph/cache/partitions").unlink()
    assert "whole history" not in assetgraph("materialize", "trips@2026-01-01").err
