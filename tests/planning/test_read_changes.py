"""What a step read without declaring it makes its value stale when that changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from observing import list_folder, list_pattern, observe, read_file, read_variable
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.errors import NoValueError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.accept import accept
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.reasons import past_failure
from assetgraph.records import EventType, ObservedRead, ReadKind
from assetgraph.run.runner import run_plan
from assetgraph.storage import retention
from assetgraph.storage.doctor import examine
from assetgraph.storage.read_changes import ReadChanges
from assetgraph.storage.retention import find_prunable, prune
from assetgraph.storage.store import Store

READS: dict[str, Callable[[], str]] = {
    "file": lambda: read_file("zones.csv"),
    "folder": lambda: list_folder("inbox"),
    "pattern": lambda: list_pattern("inbox/*.csv"),
    "variable": lambda: read_variable("FACTOR"),
}


@dg.asset
def trips() -> str:
    return " ".join(READS[kind]() for kind in os.environ["KINDS"].split())


@dg.asset
def report(trips: str) -> str:
    return trips.upper()


GRAPH = AssetGraph([trips, report])
SOME, OTHER, NONE = "some", "other", ""


@pytest.fixture(autouse=True)
def observing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observe(monkeypatch)
    monkeypatch.setenv("KINDS", "file folder pattern variable")


def put(kind: str, what: str, patch: pytest.MonkeyPatch) -> None:
    """Have what is read of a kind be as `what` says."""
    if kind == "variable":
        patch.setenv("FACTOR", what) if what else patch.delenv("FACTOR", raising=False)
    elif kind == "file":
        Path("zones.csv").write_text(what) if what else Path("zones.csv").unlink(missing_ok=True)
    else:
        shutil.rmtree("inbox", ignore_errors=True)
        if what:
            Path("inbox").mkdir()
            Path("inbox", f"{what}.csv").touch()


def facts(folder: Path | str = ".") -> StoreFacts:
    return StoreFacts(GRAPH, Store(Path(folder, ".assetgraph"), project_root=folder))


def run_stale(graph: AssetGraph = GRAPH) -> list[str]:
    """Run what is stale of what has a value, and return what ran."""
    now = StoreFacts(graph, Store(".assetgraph"))
    made = [key for key in graph.order if now.of(Target(key)).current]
    outcome = run_plan(plan_of(now, made, stale_only=True), now)
    events = now.store.runs.events(outcome.record.run_id)
    return [e.step or "" for e in events if e.type is EventType.STEP_SUCCESS]


def why(key: str = "trips", folder: Path | str = ".") -> list[str]:
    reasons = facts(folder).states([AssetKey(key)])[AssetKey(key)].reasons
    return [reason.text for reason in reasons]


@pytest.mark.parametrize(("kind", "before", "after", "sentence"), [
    ("file", SOME, OTHER, "`zones.csv`, which it read, changed"),
    ("file", SOME, NONE, "`zones.csv`, which it read, is gone"),
    ("file", NONE, SOME, "`zones.csv`, which it looked for, is there now"),
    ("folder", SOME, OTHER, "`inbox`, which it listed, has other files"),
    ("folder", SOME, NONE, "`inbox`, which it listed, is gone"),
    ("folder", NONE, SOME, "`inbox`, which it looked for, is there now"),
    ("pattern", SOME, OTHER, "`inbox/*.csv`, which it listed, has other files"),
    ("pattern", SOME, NONE, "`inbox/*.csv`, which it listed, has no files now"),
    ("pattern", NONE, SOME, "`inbox/*.csv`, which it looked for, has files now"),
    ("variable", SOME, OTHER, "the environment variable `FACTOR`, which it read, changed"),
    ("variable", SOME, NONE, "the environment variable `FACTOR`, which it read, is no longer set"),
    ("variable", NONE, SOME, "the environment variable `FACTOR`, which it read, is set now"),
])  # fmt: skip
def test_a_change_of_what_a_step_read_is_a_reason_that_names_it(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch,
    kind: str, before: str, after: str, sentence: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("KINDS", kind)
    put(kind, before, monkeypatch)
    dg.materialize([trips, report], instance=instance)
    assert why() == why("report") == []
    put(kind, after, monkeypatch)
    assert why() == [sentence]
    assert why("report") == ["upstream trips is stale"]
    put(kind, before, monkeypatch)
    assert why() == []
    put(kind, after, monkeypatch)
    assert run_stale() == ["trips", "report"]
    assert why() == why("report") == []


def test_a_file_that_is_only_touched_or_replaced_by_an_equal_one_is_no_reason(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("file", SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    os.utime("zones.csv", (1, 1))
    assert why() == []
    Path("copy.csv").write_text(SOME)
    os.replace("copy.csv", "zones.csv")
    assert why() == []


def test_a_project_that_is_moved_stays_fresh_and_follows_its_files_there(
    instance: dg.Instance, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in READS:
        put(kind, SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    there = folder / "there"
    shutil.copytree(".", there, ignore=shutil.ignore_patterns("there"))
    assert why(folder=there) == []
    (there / "zones.csv").write_text(OTHER)

    assert why(folder=there) == ["`zones.csv`, which it read, changed"]
    assert why() == []


def test_an_output_of_an_asset_in_a_listed_folder_is_no_reason(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def export() -> Path:
        Path("inbox/export.csv").write_text("made")
        return Path("inbox/export.csv")

    put("folder", SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    dg.materialize([export], instance=instance)

    assert why() == []


def test_a_set_that_was_lost_makes_its_value_stale_until_it_is_materialized(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    dg.materialize([trips], instance=instance)
    table = Path(".assetgraph/reads.jsonl")
    lines = table.read_bytes().split(b"\n")
    lines[1] = lines[1][:-9] + b"\x00\xff" + lines[1][-7:]
    table.write_bytes(b"\n".join(lines))

    lost = "what it read is not known any more: the store lost it"
    assert why() == [lost]
    with pytest.raises(NoValueError, match="what 'trips' read is not known any more"):
        accept(facts(), [Target(trips.key)])
    damaged, named = examine(Store(".assetgraph"))
    assert damaged.text == (
        f"1 line of {table.absolute()}, which says what steps read, cannot be read"
    )
    assert named.text == (
        "what trips read is not known any more, so that it counts as not up to date. "
        "To record it again: assetgraph materialize trips"
    )
    assert damaged.repair is not None
    damaged.repair()
    assert [finding.text for finding in examine(Store(".assetgraph"))] == [named.text]
    assert why() == [lost]
    assert run_stale() == ["trips"]
    assert why() == []
    assert list(examine(Store(".assetgraph"))) == []


def test_accepting_takes_what_was_read_as_it_is_now_and_follows_it_on(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in READS:
        put(kind, SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    for kind in READS:
        put(kind, OTHER, monkeypatch)
    assert len(why()) == 4

    assert accept(facts(), [Target(trips.key)]) == (Target(trips.key),)
    assert accept(facts(), [Target(trips.key)]) == ()
    assert why() == []
    put("variable", SOME, monkeypatch)
    put("file", NONE, monkeypatch)
    assert len(why()) == 2


@dg.asset
def fragile() -> str:
    found = READS[os.environ["KINDS"]]()
    if not found:
        raise ValueError("nothing there")
    return found


@pytest.mark.parametrize(("kind", "since"), [
    ("file", "before `zones.csv` was there"),
    ("folder", "before `inbox` was there"),
    ("pattern", "before `inbox/*.csv` was there"),
    ("variable", "before the environment variable `FACTOR` was set"),
])  # fmt: skip
def test_a_failed_step_is_retried_when_what_it_read_changed(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch, kind: str, since: str
) -> None:
    monkeypatch.setenv("KINDS", kind)
    put(kind, NONE, monkeypatch)
    dg.materialize([fragile], instance=instance, raise_on_error=False)
    graph, target = AssetGraph([fragile]), Target(fragile.key)

    def state() -> tuple[str, str]:
        now = StoreFacts(graph, Store(".assetgraph"))
        past = past_failure(now.targets, now, target)
        return now.state(fragile.key), past.text if past else ""

    assert state() == ("failed", "")
    put(kind, SOME, monkeypatch)
    name, text = state()
    assert name == "missing"
    assert text.startswith(f"its last attempt failed {since} (run ")


def test_a_failed_step_is_retried_when_the_store_lost_what_it_read(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINDS", "file")
    dg.materialize([fragile], instance=instance, raise_on_error=False)
    Path(".assetgraph/reads.jsonl").unlink()
    now = StoreFacts(AssetGraph([fragile]), Store(".assetgraph"))
    past = past_failure(now.targets, now, Target(fragile.key))

    assert now.state(fragile.key) == "missing"
    assert past is not None
    assert "after it read what is not known any more" in past.text


def test_a_failure_stays_while_what_it_read_cannot_be_read(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def broken() -> None:
        read_file("zones.csv")
        raise ValueError("it is broken")

    put("file", SOME, monkeypatch)
    dg.materialize([broken], instance=instance, raise_on_error=False)
    Path("zones.csv").unlink()
    os.mkfifo("zones.csv")

    assert StoreFacts(AssetGraph([broken]), Store(".assetgraph")).state(broken.key) == "failed"


def test_a_file_whose_absence_made_the_step_fail_is_named_once(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def broken() -> None:
        read_file("zones.csv")
        raise FileNotFoundError(2, "No such file or directory", "zones.csv")

    dg.materialize([broken], instance=instance, raise_on_error=False)
    now = StoreFacts(AssetGraph([broken]), Store(".assetgraph"))
    assert past_failure(now.targets, now, Target(broken.key)) is None
    put("file", SOME, monkeypatch)
    now = StoreFacts(AssetGraph([broken]), Store(".assetgraph"))
    past = past_failure(now.targets, now, Target(broken.key))

    assert past is not None
    assert past.text.count("zones.csv") == 1
    assert "while `zones.csv` was not there" in past.text


def test_what_a_failed_step_read_is_looked_at_again_in_a_run(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINDS", "file")
    dg.materialize([fragile], instance=instance, raise_on_error=False)
    now, target = StoreFacts(AssetGraph([fragile]), Store(".assetgraph")), Target(fragile.key)
    assert now.of(target).failed_reads == ()
    put("file", SOME, monkeypatch)
    now.look_again([target])

    assert [change.name for change in now.of(target).failed_reads or ()] == ["zones.csv"]


def test_a_variable_is_compared_with_the_salt_that_it_was_recorded_with(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("variable", SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    table = Path(".assetgraph/reads.jsonl")
    first, _, rest = table.read_text().partition("\n")
    table.write_text(f'{{"format":1,"salt":5}}\n{rest}')

    assert "salt" in first
    assert why() == []
    put("variable", OTHER, monkeypatch)
    assert why() == ["the environment variable `FACTOR`, which it read, changed"]


@pytest.mark.parametrize(("now", "how"), [(NONE, "gone"), (SOME, "changed")])
def test_what_could_not_be_read_and_is_gone_or_can_be_read_now_is_a_change(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch, now: str, how: str
) -> None:
    Path("zones.csv").mkdir()
    store = Store(".assetgraph")
    digest = store.reads.record([ObservedRead(ReadKind.FILE, "zones.csv", note="no permission")])
    Path("zones.csv").rmdir()
    put("file", now, monkeypatch)
    (change,) = ReadChanges(store, lambda _: "").of(digest) or ()

    assert change.how == how


def test_a_file_that_an_earlier_step_of_the_run_made_in_a_listed_folder_is_no_reason(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(code_version="1")
    def first() -> Any:
        path = Path("inbox", Path("wanted").read_text())
        path.write_text("made")
        return dg.MaterializeResult(path, data_version="1")

    @dg.asset
    def second(first: Path) -> str:
        return list_folder("inbox")

    put("folder", SOME, monkeypatch)
    Path("wanted").write_text("a.csv")
    dg.materialize([first, second], instance=instance)
    Path("inbox/a.csv").unlink()
    Path("wanted").write_text("b.csv")
    changed = dg.asset(name="first", code_version="2")(first.function)

    assert run_stale(AssetGraph([changed, second])) == ["first"]


def test_a_file_that_an_earlier_step_of_the_run_wrote_counts_at_the_early_cut_off(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(code_version="1")
    def first() -> int:
        Path("zones.csv").write_text(Path("wanted").read_text())
        return 1

    @dg.asset
    def second(first: int) -> str:
        return read_file("zones.csv")

    Path("wanted").write_text("a")
    dg.materialize([first, second], instance=instance)
    assert run_stale(AssetGraph([first, second])) == []
    Path("wanted").write_text("b")
    changed = dg.asset(name="first", code_version="2")(first.function)

    assert run_stale(AssetGraph([changed, second])) == ["first", "second"]
    made = instance.store.history.known(Target(second.key))
    assert made is not None
    assert made.value.inline == "b"


def test_what_cannot_be_read_any_more_is_a_reason(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("file", SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    Path("zones.csv").unlink()
    os.mkfifo("zones.csv")

    assert why() == [
        "`zones.csv`, which it read, cannot be read now: it is neither a file nor a folder"
    ]


def test_pruning_keeps_what_the_current_values_were_made_from(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for what in (SOME, OTHER, "third"):
        put("file", what, monkeypatch)
        dg.materialize([trips], instance=instance)
    store = instance.store
    (item,) = find_prunable(store)
    before = os.stat(store.reads.table.path).st_size

    assert prune(store, item)
    after = os.stat(store.reads.table.path).st_size
    assert before - after == pytest.approx(item.size, abs=20)  # the first line grew
    assert list(find_prunable(store)) == []
    assert why() == []
    put("file", OTHER, monkeypatch)
    assert why() == ["`zones.csv`, which it read, changed"]


def test_pruning_waits_for_a_run_whose_steps_have_not_recorded_yet(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned = []

    @dg.asset
    def meanwhile() -> None:
        pruned.extend([prune(instance.store, item) for item in find_prunable(instance.store)])

    instance.store.reads.record([ObservedRead(ReadKind.FILE, "zones.csv")])
    dg.materialize([meanwhile], instance=instance)

    assert pruned == [False]


def test_a_large_table_loses_the_sets_of_replaced_values_at_the_end_of_a_run(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    monkeypatch.setattr(retention, "_LARGE_TABLE", 100)
    for number in range(10):
        put("file", f"content {number}", monkeypatch)
        dg.materialize([trips], instance=instance)
        sizes.append(os.stat(instance.store.reads.table.path).st_size)
        assert why() == []

    assert max(sizes) < 4 * min(sizes)


def test_what_is_no_longer_observed_or_is_ignored_now_is_no_reason(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("file", SOME, monkeypatch)
    dg.materialize([trips], instance=instance)
    put("file", OTHER, monkeypatch)
    off = dg.asset(name="trips", observe_reads=False)(trips.function)

    def reasons(graph: AssetGraph, **options: Any) -> list[str]:
        now = StoreFacts(graph, Store(".assetgraph", **options))
        return [reason.text for reason in now.states([trips.key])[trips.key][1]]

    assert reasons(GRAPH) == ["`zones.csv`, which it read, changed"]
    assert reasons(GRAPH, observe_reads=False) == []
    assert reasons(GRAPH, ignore_reads=["*.csv"]) == []
    assert reasons(AssetGraph([off])) == []


def test_a_table_that_cannot_be_read_makes_values_stale_and_is_named_by_doctor(
    instance: dg.Instance,
) -> None:
    dg.materialize([trips], instance=instance)
    table = Path(".assetgraph/reads.jsonl")
    table.unlink()
    table.mkdir()

    assert why() == ["what it read is not known any more: the store lost it"]
    assert any("reads.jsonl" in finding.text for finding in examine(Store(".assetgraph")))
