"""What `doctor` finds in a damaged store, and what it repairs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

import assetgraph as dg
from assetgraph.keys import AssetKey, Target, recorded_target
from assetgraph.records import (
    Event,
    EventType,
    Materialization,
    RunRecord,
    RunStatus,
    StoredValue,
    now,
)
from assetgraph.storage.doctor import Finding, examine
from assetgraph.storage.run_folders import new_run_id
from assetgraph.storage.store import Store


@pytest.fixture
def made(instance: dg.Instance) -> Path:
    """The folder of a store with one run, which stored a value in a file."""

    @dg.asset
    def trips() -> list[int]:
        return list(range(5000))

    dg.materialize([trips], instance=instance)
    assert list(examine(instance.store)) == []
    return Path(instance.store.folder)


def found(folder: Path) -> list[Finding]:
    return list(examine(Store(folder)))


def interrupted(store: Store) -> bool:
    return any("was interrupted" in finding.text for finding in examine(store))


def run_folder(folder: Path) -> Path:
    return Path(Store(folder).runs.path(next(Store(folder).runs.ids())))


def value_file(folder: Path) -> Path:
    (file,) = folder.glob("values/trips/_/*/value.json")
    return file


def replaced_by_a_file(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.touch()


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def spoiled(path: Path, line: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = b"garbage\n"
    path.write_bytes(b"".join(lines))


def without_its_end(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize(
    ("harm", "text"),
    [
        (lambda folder: value_file(folder).unlink(), "the value of trips is gone"),
        (lambda folder: value_file(folder).write_bytes(b"["), "the value of trips is damaged"),
        (
            lambda folder: spoiled(folder / "assets/trips.jsonl", 0),
            "line 1 of .*trips.jsonl is dam",
        ),
        (lambda folder: replaced_by_a_folder(folder / "assets/trips.jsonl"), "it is a folder"),
        (lambda folder: shutil.rmtree(folder / "assets"), "assets is missing, and with it"),
        (lambda folder: spoiled(run_folder(folder) / "run.json", 0), "run.json is damaged"),
        (
            lambda folder: spoiled(run_folder(folder) / "events.jsonl", 1),
            "line 2 of .*events.jsonl",
        ),
        (lambda folder: (run_folder(folder) / "events.jsonl").unlink(), "lost events.*missing"),
        (lambda folder: (run_folder(folder) / "events.jsonl").write_bytes(b""), "lost events"),
        (lambda folder: without_its_end(run_folder(folder) / "events.jsonl"), "lost events"),
        (
            lambda folder: replaced_by_a_folder(run_folder(folder) / "events.jsonl"),
            "it is a folder",
        ),
        (
            lambda folder: replaced_by_a_file(run_folder(folder)),
            "a file is where a folder should be",
        ),
        *(
            (lambda folder, name=name: replaced_by_a_file(folder / name), f"{name} is a file where")
            for name in ("runs", "assets", "values", "code")
        ),
    ],
)
def test_what_only_a_person_can_repair_is_named_once(
    made: Path, harm: Callable[[Path], None], text: str
) -> None:
    harm(made)
    (finding,) = found(made)
    assert finding.serious
    assert finding.repair is None
    assert re.search(text, finding.text)


@pytest.mark.parametrize("name", ["locks", "cache"])
def test_a_file_in_place_of_a_folder_that_is_created_again_is_moved_away(
    made: Path, name: str, instance: dg.Instance
) -> None:
    replaced_by_a_file(made / name)
    (finding,) = found(made)
    assert f"{name} is a file where a folder should be" in finding.text
    assert finding.repair
    finding.repair()
    assert found(made) == []
    assert (made / f"{name}.file").exists()

    @dg.asset
    def trips() -> int:
        return 1

    assert dg.materialize([trips], instance=instance).success


def test_damaged_lines_of_the_table_of_definitions_are_counted_and_removed(
    made: Path,
) -> None:
    table = made / "code/definitions.jsonl"
    before = table.read_bytes()
    with table.open("ab") as file:
        file.write(b"garbage\n\xff\xfe\n")
    (finding,) = found(made)
    assert re.match(r"2 lines of .*definitions\.jsonl cannot be read", finding.text)
    assert finding.repair
    finding.repair()
    assert found(made) == []
    assert table.read_bytes() == before


def test_a_value_that_nobody_recorded_is_named_and_removed(made: Path) -> None:
    store = Store(made)
    Path(store.history.path(AssetKey("fares"))).touch()  # as a step does before it stores a value
    saved = store.values.save(Target(AssetKey("fares")), "20261122-160837-482-4f2a", b"x" * 10_000)
    (finding,) = found(made)
    assert "a value of fares was stored but never recorded" in finding.text
    assert finding.repair
    finding.repair()
    assert store.values.check(saved.stored) == "gone"
    assert found(made) == []


def test_the_last_value_of_every_partition_is_examined(store: Store) -> None:
    store.prepare()
    targets = [Target(AssetKey("trips"), name) for name in ("2023-03", "2023-04", None)]
    for target in targets:
        value = store.values.save(target, new_run_id(now()), b"x" * 10_000).stored
        made = Materialization("a run", now(), value, "v", partition=target.partition)
        store.history.append(target, made)
    assert list(examine(store)) == []
    march, _ = store.history.current(targets[0])
    assert march is not None
    (Path(store.folder) / "values" / str(march.value.path)).unlink()
    (finding,) = examine(store)
    assert finding.text.startswith("the value of trips@2023-03 is gone: ")


def test_a_cut_line_is_left_alone_while_its_file_is_in_use(made: Path) -> None:
    history, lock = made / "assets/trips.jsonl", Store(made).lock(Target(AssetKey("trips")))
    before = history.read_bytes()
    with history.open("ab") as file:
        file.write(b'{"cut')
    assert lock.acquire()
    assert found(made) == []
    lock.release()
    (finding,) = found(made)
    assert "the last line of" in finding.text
    assert finding.repair
    assert lock.acquire()  # a step began since
    assert finding.repair() is False
    assert history.read_bytes() != before
    lock.release()
    finding.repair()
    assert history.read_bytes() == before


def test_a_run_whose_process_died_is_named_and_a_living_one_is_not(store: Store) -> None:
    store.prepare()
    at = now()
    log = store.runs.start(RunRecord(new_run_id(at), RunStatus.STARTED, at, assets=("a",)))
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b'{"cut')
    assert list(examine(store)) == []
    log.close()
    interrupted, cut = examine(store)
    assert (
        interrupted.text == f"the run {os.path.basename(log.folder)} was interrupted after 0 events"
    )
    assert "events.jsonl is incomplete" in cut.text


def test_a_run_from_the_future_is_named_with_the_command_that_deletes_it(
    store: Store,
) -> None:
    store.prepare()
    at = now() + timedelta(days=1)
    store.runs.start(RunRecord(new_run_id(at), RunStatus.STARTED, at)).close()
    (finding,) = examine(store)
    run_id = next(store.runs.ids())
    assert f"the run {run_id} has a start time in the future" in finding.text
    assert finding.text.endswith(f"assetgraph runs delete {run_id}")


@pytest.mark.parametrize("how", ["re-execution", "another run"])
def test_an_interrupted_run_is_not_a_finding_once_its_steps_are_done(
    store: Store, how: str
) -> None:
    instance = dg.Instance(store.folder)

    @dg.asset
    def first() -> int:
        return 1

    @dg.asset
    def last(first: int) -> int:
        return first + 1

    made = dg.materialize([first, last], instance=instance)
    died = RunRecord(new_run_id(now()), RunStatus.STARTED, now(), assets=("first", "last"))
    store.runs.start(died).close()
    assert "was interrupted" in found(Path(store.folder))[0].text
    if how == "another run":
        dg.materialize([first, last], instance=instance)
    else:
        again = msgspec.structs.replace(
            died, run_id=new_run_id(now()), parent_run_id=died.run_id, root_run_id=made.run_id
        )
        log = store.runs.start(again)
        log.append([Event(EventType.STEP_UNCHANGED, now(), key) for key in died.assets])
        log.finish(msgspec.structs.replace(again, status=RunStatus.SUCCESS))
        log.close()
    assert found(Path(store.folder)) == []


def test_a_re_execution_that_was_deleted_is_forgotten(store: Store) -> None:
    @dg.asset
    def broken() -> None:
        raise ValueError

    run_id = dg.materialize(
        [broken], instance=dg.Instance(store.folder), raise_on_error=False
    ).run_id
    Path(store.runs.path(run_id), "reruns").write_text("20200101-000000-000-abcd\ngarbage\n")
    assert store.runs.reruns(run_id) == []


@pytest.mark.parametrize("step_id", ["split", "trips@2023-03-01", "trips"])
def test_an_interrupted_run_is_no_problem_once_the_targets_of_its_steps_are_materialized(
    store: Store, step_id: str
) -> None:
    texts = ("evens", "odds") if step_id == "split" else (step_id,)
    targets = [recorded_target(text) for text in texts]
    at = now()
    record = RunRecord(
        new_run_id(at),
        RunStatus.STARTED,
        at,
        assets=tuple(target.key.text for target in targets),
        steps=(step_id,),
        outputs={step_id: texts} if len(texts) > 1 else {},
    )
    store.prepare()
    store.runs.start(record).close()
    assert interrupted(store)

    for target in targets:
        assert interrupted(store)
        value = StoredValue("json", inline="1")
        made = Materialization("later", now(), value, "1", partition=target.partition)
        store.history.append(target, made)
    assert not interrupted(store)


def test_a_history_that_is_gone_since_it_was_listed_stops_no_examination(
    made: Path,
) -> None:
    (made / "assets" / "gone.jsonl").symlink_to("nowhere")
    assert found(made) == []
