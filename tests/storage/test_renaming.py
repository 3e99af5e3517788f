"""Renaming an asset moves nothing but its name, and wiping one leaves nothing of it."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_assets import graph_of

import assetgraph as dg
from assetgraph.errors import AssetGraphError, DamagedStoreError, LockedError, StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.store_watcher import StoreWatcher
from assetgraph.records import RunRecord, RunStatus, now
from assetgraph.run.launch import launch
from assetgraph.storage import asset_records
from assetgraph.storage.asset_records import orphaned, rename, wipe
from assetgraph.storage.doctor import examine
from assetgraph.storage.retention import find_prunable, prune
from assetgraph.storage.run_folders import new_run_id
from assetgraph.storage.store import Store

LONG = [0.5] * 3000  # stored as a file, not in its record


def key(text: str) -> AssetKey:
    return AssetKey.unchecked(text)


def assets(upstream: str, value: Any = LONG) -> list[dg.Asset]:
    """An asset that is called `upstream`, and one that reads it under a name of its own."""
    with dg.Registry():
        first = dg.asset(name=upstream)(lambda: value)

        @dg.asset(ins={"given": dg.AssetIn(upstream)})
        def reader(given: list[float]) -> float:
            return sum(given)

    return [first, reader]


def states(store: Store, made: list[dg.Asset]) -> dict[str, str]:
    graph = graph_of(*made)
    found = StoreFacts(graph, store).states(graph.order)
    return {one.text: state.value for one, (state, *_) in found.items()}


@pytest.fixture
def renamed(instance: dg.Instance) -> Store:
    """A store in which `old` was materialized, with its reader, and then renamed to `new`."""
    dg.materialize(assets("old"), instance=instance)
    rename(instance.store, key("old"), key("new"))
    return instance.store


def test_the_renamed_asset_has_the_history_and_its_readers_stay_fresh(
    renamed: Store, instance: dg.Instance
) -> None:
    assert states(renamed, assets("new")) == {"new": "fresh", "reader": "fresh"}
    assert states(renamed, assets("old")) == {"old": "missing", "reader": "stale"}
    result = dg.materialize(assets("new"), instance=instance, selection="reader")
    assert result.value("reader") == sum(LONG)
    assert result.value("new") == LONG
    made = result.materialization("reader")
    assert list(made.inputs) == ["new"]
    assert list(examine(renamed)) == []
    assert list(find_prunable(renamed)) == []


def test_nothing_moves(instance: dg.Instance) -> None:
    dg.materialize(assets("old"), instance=instance)
    folder = Path(instance.store.folder)

    def files() -> dict[str, bytes]:
        found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        return {name: path.read_bytes() for name, path in found.items() if "locks/" not in name}

    before = files()
    rename(instance.store, key("old"), key("new"))
    after = files()
    assert after.pop("names.jsonl")
    assert after == before


def test_new_values_of_a_renamed_asset_replace_its_old_ones(
    renamed: Store, instance: dg.Instance
) -> None:
    for number in range(3):
        dg.materialize(assets("new", [number] * 3000), instance=instance)
    history = list(renamed.history.newest_first(key("new")))
    assert len(history) == 4
    assert {run.key for run in renamed.values.runs()} == {"new"}
    assert len(list(renamed.values.runs())) == 2
    assert list(examine(renamed)) == []


def test_the_old_name_is_free_for_another_asset(renamed: Store, instance: dg.Instance) -> None:
    with dg.Registry():
        other = dg.asset(name="old")(lambda: ["another"] * 3000)

        @dg.asset(ins={"given": dg.AssetIn("old")})
        def reads_old(given: list[str]) -> str:
            return given[0]

    everything = [*assets("new"), other, reads_old]
    dg.materialize(everything, instance=instance, selection=["old", "reads_old"])
    assert set(states(renamed, everything).values()) == {"fresh"}
    again = Store(renamed.folder)
    assert set(states(again, everything).values()) == {"fresh"}
    assert sorted(again.history.keys()) == ["new", "old", "reader", "reads_old"]
    assert list(examine(again)) == []
    # The other asset may be renamed as well, and the first one again.
    rename(again, key("old"), key("other"))
    rename(again, key("new"), key("old"))
    assert sorted(again.history.keys()) == ["old", "other", "reader", "reads_old"]
    assert states(again, assets("old")) == {"old": "fresh", "reader": "fresh"}


def test_a_chain_of_renamings_and_the_way_back_keep_the_identity(
    renamed: Store, instance: dg.Instance
) -> None:
    rename(renamed, key("new"), key("newest"))
    assert states(renamed, assets("newest")) == {"newest": "fresh", "reader": "fresh"}
    assert renamed.names.present_name(key("old")) == key("newest")
    rename(renamed, key("newest"), key("old"))
    assert states(renamed, assets("old")) == {"old": "fresh", "reader": "fresh"}
    dg.materialize(assets("new"), instance=instance)
    assert sorted(renamed.history.keys()) == ["new", "old", "reader"]


NAMES = ("a", "b", "c")
STEPS = st.one_of(
    st.tuples(st.just("materialize"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("wipe"), st.sampled_from(NAMES), st.none()),
)


@settings(max_examples=25)  # each materialization waits for the disk
@given(steps=st.lists(STEPS, max_size=12))
def test_after_any_renamings_each_name_has_the_value_that_was_made_under_it_or_moved_to_it(
    steps: list[tuple[str, str, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        instance = dg.Instance(Path(folder) / "store")
        expected: dict[str, list[int]] = {}
        for what, name, other in steps:
            store = Store(instance.store.folder)  # as another command would open it
            if what == "materialize":
                with dg.Registry():
                    made = dg.asset(name=name)(lambda value=other: [value] * 3000)
                dg.materialize([made], instance=instance)
                expected[name] = [other] * 3000
            elif what == "wipe":
                wipe(store, [key(name)])
                expected.pop(name, None)
            elif name in expected and other not in expected:
                rename(store, key(name), key(other))
                expected[other] = expected.pop(name)
            else:
                with pytest.raises(AssetGraphError):
                    rename(store, key(name), key(other))
        store = Store(instance.store.folder)
        assert set(store.history.keys()) == set(expected)
        for name, value in expected.items():
            current, _ = store.history.current(Target(key(name)))
            assert current is not None
            assert store.values.load(current.value) == value
        assert {run.key for run in store.values.runs()} == set(expected)
        assert list(examine(store)) == []


def test_what_cannot_be_renamed_is_refused_with_what_to_do(
    instance: dg.Instance, renamed: Store
) -> None:
    dg.materialize([dg.asset(name="other")(lambda: 1)], instance=instance)
    before = Path(renamed.names.path).read_bytes()
    for old, new, text in (
        ("new", "new", "has that name already"),
        ("old", "x", "'old' was renamed to 'new'"),
        ("othre", "x", r"'othre' has no history in this store\. Did you mean 'other'\?"),
        ("new", "other", r"'other' has a history of its own.*assetgraph wipe other"),
        ("reader", "x", r"'reader' is still defined\. Rename it in the code first, to 'x'"),
    ):
        with pytest.raises(AssetGraphError, match=text):
            rename(renamed, key(old), key(new), defined={key("reader")})
    assert Path(renamed.names.path).read_bytes() == before


@pytest.mark.parametrize("name", ["old", "new"])
def test_an_asset_that_a_run_is_to_materialize_keeps_its_name(
    instance: dg.Instance, name: str
) -> None:
    dg.materialize(assets("old"), instance=instance)
    record = RunRecord(new_run_id(), RunStatus.STARTED, now(), assets=("reader", name))
    log = instance.store.runs.start(record)
    with pytest.raises(LockedError, match=rf"the run {record.run_id} is to materialize '{name}'"):
        rename(instance.store, key("old"), key("new"))
    log.close()
    rename(instance.store, key("old"), key("new"))


@pytest.mark.parametrize("name", ["old", "new"])
def test_an_asset_that_is_being_materialized_keeps_its_name(
    instance: dg.Instance, name: str
) -> None:
    dg.materialize(assets("old"), instance=instance)
    lock = Store(instance.store.folder).lock(Target(key(name)))
    assert lock.acquire()
    with pytest.raises(LockedError, match=f"'{name}' is being materialized"):
        rename(instance.store, key("old"), key("new"))
    lock.release()
    rename(instance.store, key("old"), key("new"))


def test_a_run_that_was_planned_before_a_renaming_does_not_begin(instance: dg.Instance) -> None:
    dg.materialize(assets("old"), instance=instance)
    request = RunRequest()
    facts = StoreFacts(graph_of(*assets("new")), instance.store)
    plan = plan_run(request, facts)
    rename(Store(instance.store.folder), key("old"), key("new"))
    with pytest.raises(StoreError, match="an asset was renamed while the run was planned"):
        launch(request, plan, facts)
    assert len(list(instance.store.runs.ids())) == 1
    assert states(instance.store, assets("new")) == {"new": "fresh", "reader": "fresh"}


def test_of_two_renamings_at_once_one_is_recorded(instance: dg.Instance) -> None:
    dg.materialize(assets("old"), instance=instance)
    both, refused = threading.Barrier(2, timeout=10), []

    def rename_to(name: str) -> None:
        store = Store(instance.store.folder)
        both.wait()
        try:
            rename(store, key("old"), key(name))
        except AssetGraphError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=rename_to, args=[name]) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert "was renamed to" in refused[0]
    (name,) = {"x", "y"} & set(Store(instance.store.folder).history.keys())
    assert states(instance.store, assets(name)) == {name: "fresh", "reader": "fresh"}


def test_a_renaming_that_was_cut_was_not_made(renamed: Store) -> None:
    file = Path(renamed.names.path)
    whole = file.read_bytes()
    for size in range(0, len(whole), 5):
        file.write_bytes(whole[:size])
        store = Store(renamed.folder)
        assert states(store, assets("old")) == {"old": "fresh", "reader": "fresh"}
    rename(store, key("old"), key("newest"))
    assert states(Store(renamed.folder), assets("newest")) == {"newest": "fresh", "reader": "fresh"}


def test_a_damaged_line_of_the_names_is_named_and_nothing_is_guessed(renamed: Store) -> None:
    file = Path(renamed.names.path)
    file.write_bytes(b"garbage\n" + file.read_bytes())
    with pytest.raises(DamagedStoreError, match=r"line 1 of .*names\.jsonl is damaged"):
        states(Store(renamed.folder), assets("new"))
    assert any(
        "names.jsonl is damaged" in finding.text for finding in examine(Store(renamed.folder))
    )


def test_a_worker_on_another_machine_has_the_names_of_its_run(
    renamed: Store, tmp_path: Path
) -> None:
    packed = pickle.dumps(renamed)
    Path(renamed.names.path).rename(tmp_path / "away")
    there = pickle.loads(packed)
    stored = there.values.save(Target(key("new")), "a-run", LONG).stored
    assert stored.path == "old/_/a-run/value.json"


def test_a_page_that_is_open_notices_a_renaming(instance: dg.Instance) -> None:
    dg.materialize(assets("old"), instance=instance)
    watcher = StoreWatcher(Store(instance.store.folder))
    watcher.start()
    rename(instance.store, key("old"), key("new"))
    watcher._histories_read_at = -1e9
    assert watcher.look().assets == {key("old"), key("new")}


def test_a_run_of_the_old_name_can_be_executed_again(
    renamed: Store, project: Callable[..., Any], assetgraph: Callable[..., Any]
) -> None:
    made = project({"pipeline.py": TWO.format(name="old")})
    os.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    made.write("pipeline.py", TWO.format(name="new"))
    assert assetgraph("mv", "old", "new").code == 0
    again = assetgraph("runs", "rerun", "latest", "--json")
    assert again.json["assets"] == ["new", "reader"]
    shown = assetgraph("runs", "list", "--json").json
    assert [run["assets"] for run in shown] == [["new", "reader"], ["old", "reader"]]


TWO = """
import assetgraph as dg

@dg.asset
def {name}() -> list[float]:
    return [0.5] * 3000

@dg.asset(ins={{"given": dg.AssetIn("{name}")}})
def reader(given: list[float]) -> float:
    return sum(given)
"""


@pytest.fixture
def renamed_in_code(project: Callable[..., Any], assetgraph: Callable[..., Any]) -> Any:
    """A project in which `old` was materialized, and then called `new` in the code."""
    made = project({"pipeline.py": TWO.format(name="old")})
    os.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    made.write("pipeline.py", TWO.format(name="new"))
    return made


@pytest.mark.usefixtures("renamed_in_code")
def test_status_and_doctor_mention_an_orphan_with_what_to_type(
    assetgraph: Callable[..., Any],
) -> None:
    said = assetgraph("status")
    assert "1 asset has a history, but no definition: old." in said.err
    assert "If renamed: assetgraph mv old NEW\n" in said.err
    assert "If removed: assetgraph prune --orphaned\n" in said.err
    (finding,) = assetgraph("doctor", "--json").json
    assert finding["text"] == (
        "1 asset has a history, but no definition: old. If renamed: assetgraph mv old NEW. "
        "If removed: assetgraph prune --orphaned"
    )
    assert "history" not in assetgraph("status", "reader").err

    said = assetgraph("mv", "old", "new", "--json")
    assert said.json == {"old": "old", "new": "new"}
    said = assetgraph("status", "--exit-code")
    assert (said.code, "no definition" in said.err) == (0, False)
    assert assetgraph("doctor", "--json").json == []


@pytest.mark.usefixtures("renamed_in_code")
def test_whoever_asks_for_the_old_name_is_told_the_new_one(assetgraph: Callable[..., Any]) -> None:
    assert assetgraph("mv", "old", "new").code == 0
    for command in (("show", "old"), ("materialize", "old"), ("status", "+old"), ("plan", "old")):
        said = assetgraph(*command)
        assert said.code == 2
        assert "It was renamed to 'new'." in said.err
    assert dg.load("new") == LONG
    with pytest.raises(AssetGraphError, match=r"'old' was renamed\. .*'new'"):
        dg.load("old")
    with pytest.raises(AssetGraphError, match="'old' was renamed to 'new'"):
        dg.Instance.get().rename_asset("old", "newer")


@pytest.mark.usefixtures("renamed_in_code")
def test_a_name_that_nothing_defines_is_taken_with_a_warning(
    assetgraph: Callable[..., Any],
) -> None:
    said = assetgraph("mv", "old", "nwe")
    assert said.code == 0
    assert "no definition is called 'nwe' yet" in said.err
    assert "assetgraph mv nwe old" in said.err
    assert assetgraph("mv", "nwe", "a b").code == 2
    assert assetgraph("mv", "nwe", "new").code == 0
    assert assetgraph("status", "--exit-code").code == 0


@pytest.mark.usefixtures("renamed_in_code")
def test_orphans_are_removed_after_asking(
    assetgraph: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = assetgraph("prune", "--orphaned", "--dry-run", "--json")
    assert [(item["kind"], item["name"]) for item in listed.json] == [("asset", "old")]
    said = assetgraph("prune", "--orphaned")
    assert (said.code, "Add --yes" in said.err) == (2, True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_, **__: None)
    said = assetgraph("prune", "--orphaned")
    assert said.code == 0
    assert "Removed the records of 1 asset" in said.err
    assert Store(".assetgraph").history.keys() == ["reader"]
    assert list(Path(".assetgraph/values").glob("old")) == []
    assert "Nothing to remove." in assetgraph("prune", "--orphaned", "--yes").err


def test_orphans_are_not_looked_for_without_definitions(
    renamed_in_code: Any, assetgraph: Callable[..., Any]
) -> None:
    renamed_in_code.write("pipeline.py", "")
    said = assetgraph("prune", "--orphaned", "--yes")
    assert said.code == 2
    assert "the project defines no assets" in said.err
    renamed_in_code.write("pipeline.py", "garbage")
    assert assetgraph("prune", "--orphaned", "--yes").code == 2
    assert assetgraph("doctor").code == 0
    assert sorted(Store(".assetgraph").history.keys()) == ["old", "reader"]


@pytest.mark.usefixtures("renamed_in_code")
def test_a_wiped_asset_was_never_materialized(assetgraph: Callable[..., Any]) -> None:
    said = assetgraph("wipe", "reader", "old", "--yes", "--json")
    assert sorted(item["name"] for item in said.json) == ["old", "reader"]
    assert Store(".assetgraph").history.keys() == []
    assert list(Store(".assetgraph").values.runs()) == []
    states = {asset["key"]: asset["state"] for asset in assetgraph("status", "--json").json}
    assert states == {"new": "missing", "reader": "missing"}
    assert "Nothing to remove." in assetgraph("wipe", "reader", "--yes").err
    assert assetgraph("wipe", "no_such_asset", "--yes").code == 2
    assert len(assetgraph("runs", "list", "--json").json) == 1
    assert assetgraph("doctor").code == 0


def test_an_asset_at_work_or_being_read_is_not_wiped_nor_is_any_other(
    instance: dg.Instance,
) -> None:
    dg.materialize(assets("old"), instance=instance)
    store, other = instance.store, Store(instance.store.folder)
    for lock in (other.lock(Target(key("old"))), other.reading(Target(key("old")), shared=True)):
        assert lock.acquire()
        with pytest.raises(LockedError, match="'old'"):
            wipe(store, [key("reader"), key("old")])
        lock.release()
        assert sorted(store.history.keys()) == ["old", "reader"]
    instance.wipe_assets(["reader", "old"])
    assert store.history.keys() == []


def test_partitions_are_renamed_and_wiped_with_their_asset(instance: dg.Instance) -> None:
    store = instance.store
    store.prepare()
    march = Target(key("old"), "2023-03")
    current = dg.materialize([dg.asset(name="old")(lambda: 1)], instance=instance)
    made = current.materialization("old")
    for target in (march, Target(key("old"), "2023-04")):
        saved = store.values.save(target, "a-run", LONG)
        lock = store.lock(target)
        assert lock.acquire()
        partition = {"partition": target.partition, "inputs": {"old@2023-03": "v"}}
        lock.append(_with(made, value=saved.stored, **partition))
        lock.release()
    rename(store, key("old"), key("new"))
    found, _ = store.history.current(Target(key("new"), "2023-04"))
    assert found is not None
    assert found.inputs == {"new@2023-03": "v"}
    assert store.values.load(found.value) == LONG
    reading = Store(store.folder).reading(Target(key("new"), "2023-03"), shared=True)
    assert reading.acquire()
    with pytest.raises(LockedError):
        wipe(store, [key("new")])
    reading.release()
    wipe(store, [key("new")])
    assert list(store.values.runs()) == []


def _with(made: Any, **fields: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(made, **fields)


@pytest.mark.parametrize("what", ["rename", "wipe"])
def test_a_kill_at_any_change_of_the_disk_leaves_the_old_state_or_the_new(
    folder: Path, what: str
) -> None:
    for call in range(100):
        store = Store(folder / f"store{call}", project_root=folder)
        instance = dg.Instance(store.folder)
        dg.materialize(assets("old"), instance=instance)
        if not killed_at(call, store, what):
            break
        after = Store(store.folder, project_root=folder)
        if what == "rename":
            (name,) = {"old", "new"} & set(after.history.keys())
            assert states(after, assets(name)) == {name: "fresh", "reader": "fresh"}
            assert list(examine(after)) == []
            continue
        for finding in examine(after):
            assert not finding.serious
        for item in find_prunable(after):
            assert prune(after, item)
        assert states(after, assets("old"))["old"] in ("fresh", "missing")
        assert list(examine(after)) == []
    assert 2 < call < 99


def killed_at(call: int, store: Store, what: str) -> bool:
    """Rename or wipe `old` in a child, and kill the child before its n-th change of the disk.
    Returns whether it came to that."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    left = [call]

    def before(name: str) -> None:
        change = getattr(os, name)

        def counted(*given: Any, **named: Any) -> Any:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return change(*given, **named)

        setattr(os, name, counted)

    try:
        for name in ("write", "unlink", "rmdir", "rename", "mkdir", "open"):
            before(name)
        if what == "rename":
            rename(store, key("old"), key("new"))
        else:
            wipe(store, [key("old")])
    finally:
        os._exit(0)


def test_orphans_are_the_assets_with_a_history_that_nothing_defines(
    renamed: Store, instance: dg.Instance
) -> None:
    Path(renamed.history.path(key("begun"))).touch()  # a step died before it committed
    assert list(orphaned(renamed, {key("reader")})) == [key("new")]
    assert list(orphaned(renamed, {key("reader"), key("new")})) == []
    records = asset_records.records_of(renamed, [key("new"), key("old"), key("reader")])
    assert [(one.key.text, one.attempts, one.values) for one in records] == [
        ("new", 1, 1),
        ("reader", 1, 0),
    ]


def test_a_damaged_history_can_be_wiped(renamed: Store) -> None:
    Path(renamed.history.path(key("new"))).write_bytes(b"garbage\n")
    (records,) = asset_records.records_of(renamed, [key("new")])
    assert (records.attempts, records.values) == (0, 1)
    wipe(renamed, [key("new")])
    assert renamed.history.keys() == ["reader"]
    assert list(renamed.values.runs()) == []
