"""States that are found by columns are right whatever happens to the index, and meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.definitions.partitions.mappings import distance
from assetgraph.errors import PartitionsError, StoreError
from assetgraph.graph.definitions import Definitions
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.plan_groups import stale_outline
from assetgraph.records import AssetState
from assetgraph.run.launch import launch
from assetgraph.storage import kept_rows, partition_index, partition_rows, row_file
from assetgraph.storage.asset_records import wipe_partitions
from assetgraph.storage.partition_index import PartitionIndex
from assetgraph.storage.partition_rows import Rows
from assetgraph.storage.row_file import RowFile
from assetgraph.storage.store import Store

FIVE = dg.StaticPartitionsDefinition(["a", "b", "c", "d", "e"])
FRESH, STALE = AssetState.FRESH, AssetState.STALE


@pytest.fixture(autouse=True)
def every_index_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_index, "WORTH_KEEPING", 0)


@pytest.fixture
def made(instance: dg.Instance) -> dg.Instance:
    """A store in which every partition is up to date."""
    run(instance.store, "1", *FIVE.get_partition_keys())
    return instance


def facts_of(store: Store, version: str = "1") -> StoreFacts:
    """Facts as of another process."""
    with dg.Registry():

        @dg.asset(partitions_def=FIVE, code_version=version)
        def first() -> str:
            return f"made by code {version}"

        @dg.asset(partitions_def=FIVE, deps=["first"], code_version="1")
        def second() -> int:
            return 1

    other = Store(store.folder, project_root=store.project_root)
    return StoreFacts(Definitions([first, second]).graph.require_valid(), other)


def run(store: Store, version: str, *partitions: str, asset: str = "*") -> None:
    facts, request = facts_of(store, version), RunRequest(selection=(asset,), partitions=partitions)
    assert not launch(request, plan_run(request, facts), facts).errors


def counts(facts: StoreFacts) -> list[object]:
    return [found.counts for found in facts.states(facts.graph.order).values()]


def index(store: Store, name: str = "first") -> Path:
    return Path(store.folder, f"cache/partitions/{name}.rows")


def spoil_a_column(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 255
    path.write_bytes(data)


def be_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "harm",
    [
        spoil_a_column,
        be_a_folder,
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(path.with_name("second.rows").read_bytes()),
        Path.unlink,
    ],
)
def test_an_index_that_is_wrong_costs_time_and_no_answer(
    made: dg.Instance, harm: Callable[[Path], object]
) -> None:
    assert counts(facts_of(made.store)) == [{FRESH: 5}, {FRESH: 5}]
    harm(index(made.store))
    assert counts(facts_of(made.store)) == [{FRESH: 5}, {FRESH: 5}]
    run(made.store, "2", "b")
    assert counts(facts_of(made.store)) == [{STALE: 1, FRESH: 4}, {STALE: 1, FRESH: 4}]


def test_an_index_that_was_kept_is_used(made: dg.Instance) -> None:
    facts = facts_of(made.store)
    assert isinstance(facts.rows(facts.graph.order[0]), RowFile)


@pytest.mark.parametrize("why", ["full disk", "no folder"])
def test_a_run_goes_on_where_no_index_can_be_written(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def full(path: str, data: bytes) -> None:
        raise StoreError(f"cannot write {path}: the disk is full.")

    if why == "full disk":
        monkeypatch.setattr(row_file, "write_whole", full)
    else:
        index(instance.store).parent.parent.mkdir(parents=True)
        index(instance.store).parent.write_text("a file where the folder should be")
    run(instance.store, "1", *FIVE.get_partition_keys())
    facts = facts_of(instance.store)
    assert isinstance(facts.rows(facts.graph.order[0]), Rows)
    assert counts(facts) == [{FRESH: 5}, {FRESH: 5}]


def test_two_that_make_an_index_at_once_leave_a_whole_one(made: dg.Instance) -> None:
    def states(facts: StoreFacts) -> None:
        found.append(counts(facts))

    found: list[object] = []
    for _ in range(5):
        index(made.store).unlink()
        every = [facts_of(made.store) for _ in range(4)]
        threads = [threading.Thread(target=states, args=(facts,)) for facts in every]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [[{FRESH: 5}, {FRESH: 5}]] * 20
    assert isinstance(facts_of(made.store).rows(dg.AssetKey("first")), RowFile)


def test_an_index_of_another_version_is_not_read(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(row_file, "__version__", "another")
        run(instance.store, "1", *FIVE.get_partition_keys())
    path = index(instance.store)
    written = path.read_bytes()
    assert counts(facts_of(instance.store)) == [{FRESH: 5}, {FRESH: 5}]
    assert path.read_bytes() != written


@pytest.mark.parametrize("with_other_code", [False, True])
def test_a_partition_that_is_made_meanwhile_does_not_speak_for_others(
    made: dg.Instance, monkeypatch: pytest.MonkeyPatch, with_other_code: bool
) -> None:
    if not with_other_code:
        run(made.store, "2", *FIVE.get_partition_keys(), asset="first")
    facts = facts_of(made.store, "2")
    before = {key: rows.copy() for key in facts.graph.order if (rows := facts.rows(key))}
    name = "first" if with_other_code else "second"
    run(made.store, "2", "a", asset=name)
    monkeypatch.setattr(facts, "rows", before.__getitem__)
    found = facts.states(facts.graph.order)[dg.AssetKey(name)]
    assert found.counts == {STALE: 4, FRESH: 1}


DAYS = dg.DailyPartitionsDefinition("2023-01-01", end_date="2023-01-04")


def planned(store: Store, request: RunRequest, *assets: Any) -> list[str]:
    facts = StoreFacts(Definitions(assets).graph.require_valid(), store)
    return [step.id for step in plan_run(request, facts).steps]


def test_what_earlier_partitions_read_too_is_planned(instance: dg.Instance) -> None:
    back = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @dg.asset(partitions_def=DAYS)
    def above() -> int:
        return 1

    @dg.asset(partitions_def=DAYS, ins={"before": dg.AssetIn("own", partition_mapping=back)})
    def own(above: int, before: int) -> int:
        return above

    request = RunRequest(selection=("own",), partitions=("2023-01-03",), stale=True)
    found = planned(instance.store, request, above, own)
    days = ["2023-01-01", "2023-01-02", "2023-01-03"]
    assert sorted(found) == [f"{name}@{day}" for name in ("above", "own") for day in days]


def test_what_only_an_excluded_asset_reads_is_not_planned(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=FIVE)
    def first() -> int:
        return 1

    @dg.asset(partitions_def=FIVE)
    def second(first: int) -> int:
        return 1

    request = RunRequest(selection=("second",), exclude=("second",), stale=True)
    assert planned(instance.store, request, first, second) == []


def outline_of(facts: StoreFacts, *selection: str) -> list[tuple[int, int, list[str]]]:
    found = stale_outline(RunRequest(selection=selection or ("*",), stale=True), facts)
    assert found is not None
    return [(group.first, group.steps, list(group.names)) for group in found.groups]


def test_an_outline_has_the_steps_of_the_plan_in_their_order(made: dg.Instance) -> None:
    wipe_partitions(made.store, [Target(dg.AssetKey("first"), key) for key in ("b", "c")])
    facts = facts_of(made.store, "2")
    steps = [step.id for step in plan_run(RunRequest(stale=True), facts).steps]
    found = outline_of(facts, "first")
    assert found == [(1, 1, ["first@a"]), (2, 2, ["first@b..c"]), (4, 2, ["first@d..e"])]
    assert steps[:5] == [f"first@{key}" for key in "abcde"]


def test_an_outline_says_where_there_can_be_no_plan(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2023-01-02", end_date="2023-01-04"))
    def above() -> int:
        return 1

    @dg.asset(partitions_def=DAYS)
    def below(above: int) -> int:
        return 1

    facts = StoreFacts(Definitions([above, below]).graph.require_valid(), instance.store)
    for plan in (plan_run, stale_outline):
        with pytest.raises(PartitionsError, match="2023-01-01"):
            plan(RunRequest(stale=True), facts)


def test_a_damaged_index_of_more_partitions_than_there_are_is_not_read(made: dg.Instance) -> None:
    spoil_a_column(index(made.store))
    data = index(made.store).read_bytes()
    start = len(data.split(b"\n", 1)[0]) + 1 + int(data.split()[1])
    index(made.store).write_bytes(data[:start] + bytes([255]) + data[start + 1 :])
    three = dg.asset(
        name="first", partitions_def=dg.StaticPartitionsDefinition(["a", "b"]), code_version="1"
    )(lambda: 1)
    other = Store(made.store.folder, project_root=made.store.project_root)
    facts = StoreFacts(Definitions([three]).graph.require_valid(), other)
    assert facts.states([dg.AssetKey("first")])[dg.AssetKey("first")].counts == {FRESH: 2}


def test_a_file_that_one_partition_read_makes_only_that_stale(instance: dg.Instance) -> None:
    folder = Path(instance.store.project_root)

    def facts() -> StoreFacts:
        with dg.Registry():

            @dg.asset(partitions_def=FIVE, code_version="1")
            def first(context: dg.AssetExecutionContext) -> str:
                return (folder / context.partition_key).read_text()

        other = Store(instance.store.folder, project_root=folder)
        return StoreFacts(Definitions([first]).graph.require_valid(), other)

    for key in FIVE.get_partition_keys():
        (folder / key).write_text(key)
    known, request = facts(), RunRequest(partitions=("*",))
    assert not launch(request, plan_run(request, known), known).errors
    assert counts(facts()) == [{FRESH: 5}]
    (folder / "b").write_text("other")
    assert counts(facts()) == [{STALE: 1, FRESH: 4}]


def test_windows_of_another_form_are_not_told_by_their_numbers() -> None:
    form = dg.DailyPartitionsDefinition("2023-01-01", end_date="2023-01-04", fmt="%Y-%d-%m")
    mapping = dg.TimeWindowPartitionMapping()
    assert distance(mapping, DAYS.keys(), DAYS.keys()) == 0
    assert distance(mapping, DAYS.keys(), form.keys()) is None


def test_what_is_new_upstream_is_seen_where_circumstances_made_room_for_others(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_rows, "_MOST_CIRCUMSTANCES", 1)
    monkeypatch.setattr(partition_rows, "_BETWEEN_LOOKS", 0)

    def facts(deps: list[str], version: str) -> StoreFacts:
        with dg.Registry():
            assets = [
                dg.asset(name="first", partitions_def=FIVE, code_version="1")(lambda: 1),
                dg.asset(name="third", partitions_def=FIVE, code_version=version)(lambda: version),
                dg.asset(name="second", partitions_def=FIVE, deps=deps, code_version="1")(
                    lambda: 1
                ),
            ]
        other = Store(instance.store.folder, project_root=instance.store.project_root)
        return StoreFacts(Definitions(assets).graph.require_valid(), other)

    def make(name: str, partition: str, deps: list[str], version: str = "1") -> None:
        known = facts(deps, version)
        request = RunRequest(selection=(name,), partitions=(partition,))
        assert not launch(request, plan_run(request, known), known).errors

    make("second", "a", ["first"])
    make("third", "b", ["first"])
    wipe_partitions(instance.store, [Target(dg.AssetKey("second"), "a")])
    make("second", "b", ["first", "third"])
    make("third", "b", ["first", "third"], "2")
    index(instance.store, "second").unlink()
    known = facts(["first", "third"], "2")
    found = known.states(known.graph.order)[dg.AssetKey("second")]
    assert found.counts == {AssetState.MISSING: 4, STALE: 1}


def numbered(store: Store) -> PartitionIndex:
    """The index of the first asset, as of another process."""
    facts = facts_of(store)
    facts.rows(dg.AssetKey("first"))
    return facts.store.history.index(dg.AssetKey("first"))


def test_an_index_that_another_process_puts_in_place_meanwhile_is_not_taken_for_ones_own(
    made: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = index(made.store), kept_rows.write_rows
    wipe_partitions(made.store, [Target(dg.AssetKey("first"), "a")])
    path.unlink()
    older = numbered(made.store)
    before = path.read_bytes()
    run(made.store, "1", "a", asset="first")
    assert older.rows() is not None

    def replaced(*args: Any) -> None:
        write(*args)
        path.with_suffix(".new").write_bytes(before)
        path.with_suffix(".new").replace(path)  # by a process that began earlier

    path.unlink()
    monkeypatch.setattr(kept_rows, "write_rows", replaced)
    rows = numbered(made.store).rows()
    assert rows is not None
    assert all(rows.column("status"))


def test_an_index_that_another_process_replaced_is_loaded_again(
    made: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_index, "WORTH_KEEPING", 1 << 20)
    known = numbered(made.store)
    rows = known.rows()
    assert isinstance(rows, RowFile)
    path = index(made.store)
    path.with_suffix(".new").write_bytes(path.read_bytes())
    path.with_suffix(".new").replace(path)
    read: list[int] = []
    lines_of = kept_rows.lines_of
    monkeypatch.setattr(
        kept_rows, "lines_of", lambda *args: (read.append(args[2] - args[1]), lines_of(*args))[1]
    )
    assert next(known.attempts("c"), None) is not None
    assert isinstance(known.rows(), RowFile)
    assert sum(read) == 0
