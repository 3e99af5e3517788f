"""Damage that keeps the size of a value is seen by everyone who looks at it, and a value that was
only copied is read once."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.fs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_assets import graph_of

import assetgraph as dg
from assetgraph.errors import AssetGraphError, DamagedStoreError, NoValueError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.records import Materialization, StoredValue
from assetgraph.storage.doctor import examine
from assetgraph.storage.formats.format_registry import FORMATS
from assetgraph.storage.formats.value_format import ValueFiles
from assetgraph.storage.store import Store
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips"))


class Model:
    """A class of the project, as far as a pickle is concerned."""

    def __init__(self) -> None:
        self.weights = np.arange(50_000.0)


# A value of each format, by a name that tells what is special about it.
VALUES: dict[str, Callable[[], Any]] = {
    "inline_text": lambda: "Harlem",
    "inline_bytes": lambda: b"\x00\xff\x01",
    "inline_json": lambda: {"zone": "Harlem", "fare": 12.5},
    "text": lambda: "Harlem → SoHo\n" * 500,
    "bytes": lambda: bytes(range(256)) * 20,
    "large_bytes": lambda: os.urandom(1 << 20),
    "json": lambda: [{"zone": n, "fare": n * 1.5} for n in range(500)],
    "pickled_plain_values": lambda: (1, date(2023, 3, 1), {2, 3}),
    "pickled_large_bytes": lambda: (os.urandom(1 << 20), bytearray(1 << 20)),
    "pickled_object": lambda: Model(),
    "array": lambda: np.arange(3),
    "table": lambda: pa.table({"zone": ["Harlem", "SoHo", None] * 100, "fare": range(300)}),
    "large_table": lambda: pa.table({"noise": np.random.default_rng(0).normal(size=200_000)}),
    "arrow_file": lambda: pa.table({"at": pa.array([1, 2, None], pa.timestamp("s"))}),
    "frame": lambda: pd.DataFrame({"zone": ["Harlem", "SoHo"], "fare": [1.0, 2.0]}),
}
NOT_IN_THE_STORE = {"none", "custom", "path", "source"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Any]:
    """A store with a value of each format, and the graph of their assets."""
    folder = tmp_path_factory.mktemp("everything")
    instance = dg.Instance(folder / ".assetgraph")
    with dg.Registry():
        assets = [dg.asset(make, name=name) for name, make in VALUES.items()]
    dg.materialize(assets, instance=instance)
    return instance.store, graph_of(*assets)


def stored_of(store: Store, key: str) -> StoredValue:
    made, _ = Store(store.folder).history.current(Target(AssetKey(key)))
    assert made is not None
    return made.value


def file_of(store: Store, key: str) -> tuple[Path, int, int]:
    """Where the bytes of a value are: a file, and the first and last offset."""
    value = stored_of(store, key)
    if value.path is not None:
        file = Path(store.storage, value.path)
        return file, 0, file.stat().st_size - 1
    file = Path(store.folder, "assets", f"{key}.jsonl")
    inline = msgspec.json.encode(value.inline)[1:-1]
    start = file.read_bytes().index(inline)
    return file, start, start + len(inline) - 1


def flip(file: Path, offset: int, mask: int = 1) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)[0]
        opened.seek(offset)
        opened.write(bytes([byte ^ mask]))


def seen_by_status(store: Store, graph: Any, key: str) -> bool:
    facts = StoreFacts(graph, Store(store.folder)).of(Target(AssetKey(key)))
    return (facts.value == "damaged" or facts.damage is not None) and not facts.has_value


def seen_by_the_reader(store: Store, key: str) -> bool:
    values = Store(store.folder).values
    try:
        stored = stored_of(store, key)
        values.require_intact(stored)
        values.load(stored)
    except (DamagedStoreError, NoValueError):
        return True
    return False


def seen_by_doctor(store: Store, key: str) -> bool:
    return any(
        finding.serious and (f" {key} " in finding.text or f"/{key}.jsonl" in finding.text)
        for finding in examine(Store(store.folder))
    )


def test_there_is_an_example_of_every_format(everything: tuple[Store, Any]) -> None:
    store, _ = everything
    formats = {stored_of(store, key).format for key in VALUES}
    assert formats == {name for entry in FORMATS for name in entry.names} - NOT_IN_THE_STORE
    assert all(stored_of(store, key).checksum for key in VALUES)


@given(key=st.sampled_from(sorted(VALUES)), where=st.floats(0, 1), mask=st.integers(1, 255))
def test_any_other_byte_in_any_stored_value_is_seen_by_status_doctor_and_reader(
    everything: tuple[Store, Any], key: str, where: float, mask: int
) -> None:
    store, graph = everything
    file, first, last = file_of(store, key)
    offset = first + round(where * (last - first))
    flip(file, offset, mask)
    try:
        assert seen_by_status(store, graph, key)
        assert seen_by_the_reader(store, key)
        assert seen_by_doctor(store, key)
    finally:
        flip(file, offset, mask)
    assert not seen_by_status(store, graph, key)
    assert not seen_by_the_reader(store, key)
    assert not seen_by_doctor(store, key)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The paths of the values whose content was read for its checksum."""
    read: list[str | None] = []
    checksum = ValueFiles._checksum

    def noted(self: ValueFiles, stored: StoredValue) -> str:
        read.append(stored.path)
        return checksum(self, stored)

    monkeypatch.setattr(ValueFiles, "_checksum", noted)
    return read


def states(folder: Path, graph: Any) -> set[str]:
    facts = StoreFacts(graph, Store(folder, project_root=folder.parent))
    return {facts.of(target).value for target in graph.targets.values()}


def test_a_copied_store_is_read_once_and_not_at_every_status(
    everything: tuple[Store, Any], tmp_path: Path, readings: list[str | None]
) -> None:
    store, graph = everything
    files = sum(stored_of(store, key).path is not None for key in VALUES)
    assert states(Path(store.folder), graph) == {"intact"}
    readings.clear()
    shutil.copytree(store.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("cache"))
    for expected in (files, 0, 0):
        assert states(tmp_path / "copy", graph) == {"intact"}
        assert len(readings) == expected
        readings.clear()
    shutil.rmtree(tmp_path / "copy" / "cache")
    assert states(tmp_path / "copy", graph) == {"intact"}
    assert len(readings) == files


def test_a_store_whose_cache_cannot_be_written_is_read_by_each_process_once(
    everything: tuple[Store, Any], tmp_path: Path, readings: list[str | None]
) -> None:
    store, graph = everything
    shutil.copytree(store.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("cache"))
    (tmp_path / "copy" / "cache").touch()
    opened = Store(tmp_path / "copy")
    for _ in range(2):
        facts = StoreFacts(graph, opened)
        assert {facts.of(target).value for target in graph.targets.values()} == {"intact"}
    assert len(readings) == len(set(readings))


def test_damage_in_the_cache_damages_no_value(
    everything: tuple[Store, Any], tmp_path: Path
) -> None:
    store, graph = everything
    shutil.copytree(store.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("cache"))
    assert states(tmp_path / "copy", graph) == {"intact"}
    for file in (tmp_path / "copy" / "cache" / "verified").iterdir():
        for offset in range(file.stat().st_size):
            flip(file, offset, 3)
    assert states(tmp_path / "copy", graph) == {"intact"}


def test_two_that_verify_a_value_at_once_both_find_it_intact(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "store").mkdir()
    stored = ValueStore("values", folder).save(TARGET, "run", "x" * 5000).stored
    os.utime(folder / "values" / str(stored.path))
    both, found = threading.Barrier(2, timeout=10), []
    checksum = ValueFiles._checksum

    def together(self: ValueFiles, stored: StoredValue) -> str:
        both.wait()
        return checksum(self, stored)

    monkeypatch.setattr(ValueFiles, "_checksum", together)

    def verify() -> None:
        found.append(ValueStore("values", folder, str(folder / "store" / "cache")).check(stored))

    threads = [threading.Thread(target=verify) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["intact", "intact"]
    monkeypatch.setattr(ValueFiles, "_checksum", None)
    verify()
    assert found[-1] == "intact"


def test_another_content_of_the_same_size_with_the_old_time_is_seen(folder: Path) -> None:
    values = ValueStore("values", folder)
    stored = values.save(TARGET, "run", "x" * 5000).stored
    file = folder / "values" / str(stored.path)
    before = file.stat()
    other = folder / "other"
    other.write_text("y" * 5000)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert values.check(stored) == "damaged"
    with pytest.raises(NoValueError, match="its content is not what was written"):
        values.load(stored)


def test_a_file_that_was_only_touched_loads(folder: Path) -> None:
    values = ValueStore("values", folder)
    for number, value in enumerate(("x" * 5000, (1, 2), [0.5] * 2000)):
        stored = values.save(TARGET, f"run {number}", value).stored
        os.utime(folder / "values" / str(stored.path), (0, 0))
        assert values.check(stored) == "intact"
        assert values.load(stored) == value


def test_what_is_remembered_of_a_value_is_forgotten_with_it(folder: Path) -> None:
    (folder / "store").mkdir()
    values = ValueStore("values", folder, str(folder / "store" / "cache"))
    stored = values.save(TARGET, "run", "x" * 5000).stored
    os.utime(folder / "values" / str(stored.path))
    assert values.check(stored) == "intact"
    assert len(list((folder / "store" / "cache" / "verified").iterdir())) == 1
    (run,) = values.runs()
    values.delete(run.folder)
    assert list((folder / "store" / "cache" / "verified").iterdir()) == []


def test_a_worker_without_the_store_creates_no_part_of_it(folder: Path) -> None:
    values = ValueStore("values", folder, str(folder / "elsewhere" / "cache"))
    stored = values.save(TARGET, "run", "x" * 5000).stored
    os.utime(folder / "values" / str(stored.path))
    assert values.check(stored) == "intact"
    assert not (folder / "elsewhere").exists()


def test_what_a_disk_lost_by_itself_is_found_with_deep_only(
    instance: dg.Instance, assetgraph: Callable[..., Any]
) -> None:
    @dg.asset
    def trips() -> str:
        return "x" * 5000

    for _ in range(2):
        dg.materialize([trips], instance=instance)
    store = instance.store
    history = Path(store.history.path(TARGET.key))
    lines = []
    for line in history.read_bytes().splitlines():
        made = msgspec.json.decode(line, type=Materialization)
        flip(Path(store.storage, str(made.value.path)), 7)
        seen = store.values._files.place.look(str(made.value.path))
        assert seen is not None
        value = msgspec.structs.replace(made.value, stamp=seen.stamp)
        lines.append(msgspec.json.encode(msgspec.structs.replace(made, value=value)) + b"\n")
    history.write_bytes(b"".join(lines))
    assert list(examine(store)) == []
    current, earlier = examine(store, deep=True)
    assert current.text.startswith("the value of trips is damaged: trips/_/")
    assert earlier.text.startswith("an earlier value is damaged: trips/_/")
    said = assetgraph("doctor", "--deep", "--store", store.folder, "--json")
    assert (said.code, len(said.json)) == (1, 2)


def test_of_a_value_without_a_checksum_the_size_is_checked_and_doctor_says_so(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def trips() -> str:
        return "x" * 5000

    dg.materialize([trips], instance=instance)
    history = Path(instance.store.history.path(TARGET.key))
    made = msgspec.json.decode(history.read_bytes(), type=Materialization)
    value = msgspec.structs.replace(made.value, checksum=None, stamp=None)
    history.write_bytes(msgspec.json.encode(msgspec.structs.replace(made, value=value)) + b"\n")
    file = Path(instance.store.storage, str(made.value.path))
    (finding,) = examine(instance.store)
    assert finding.text == (
        "1 value was recorded without a checksum by an earlier version: of such a value only the "
        "size is checked. Its next materialization records one"
    )
    assert not finding.serious
    flip(file, 0)
    assert instance.store.values.check(value) == "intact"
    file.write_text("x")
    assert instance.store.values.check(value) == "damaged"


def test_a_value_that_is_damaged_during_a_run_fails_the_step_that_reads_it(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def trips() -> list[float]:
        return [0.5] * 2000

    @dg.asset(deps=[trips])
    def breaks() -> None:
        (file,) = Path(instance.store.storage).glob("trips/_/*/value.json")
        flip(file, 100)

    @dg.asset(deps=[breaks])
    def reads(trips: list[float]) -> float:
        return sum(trips)

    result = dg.materialize([trips, breaks, reads], instance=instance, raise_on_error=False)
    assert "is damaged: its content is not what was written" in result.failures["reads"].message
    found = StoreFacts(graph_of(trips, breaks, reads), instance.store)
    assert found.of(TARGET).value == "damaged"


def test_a_damaged_value_is_materialized_again_for_the_step_that_needs_it(
    instance: dg.Instance,
) -> None:
    calls = []

    @dg.asset
    def trips() -> list[float]:
        calls.append("trips")
        return [0.5] * 2000

    @dg.asset
    def reads(trips: list[float]) -> float:
        return sum(trips)

    dg.materialize([trips, reads], instance=instance)
    (file,) = Path(instance.store.storage).glob("trips/_/*/value.json")
    flip(file, 100)
    assert dg.materialize([trips, reads], instance=instance, selection="reads").value(reads) == 1000
    assert calls == ["trips", "trips"]


def test_a_returned_path_that_was_only_copied_is_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetgraph.storage.formats import returned_path

    (folder / "store").mkdir()
    cache = str(folder / "store" / "cache")
    for path in (folder / "file.csv", folder / "files" / "a.csv"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("1,2\n")
    saved = {
        name: ValueStore("values", folder).save(TARGET, "run", folder / name).stored
        for name in ("file.csv", "files")
    }
    for path in (folder / "file.csv", folder / "files" / "a.csv"):
        os.utime(path, (5, 5))
    for stored in saved.values():
        assert ValueStore("values", folder, cache).check(stored) == "intact"
    with monkeypatch.context() as patch:
        patch.setattr(returned_path, "digest_of_path", lambda path: f"{path} was read")
        for stored in saved.values():
            assert ValueStore("values", folder, cache).check(stored) == "intact"
    flip(folder / "files" / "a.csv", 0)
    assert ValueStore("values", folder, cache).check(saved["files"]) == "changed"
    assert ValueStore("values", folder, cache).check(saved["file.csv"], deep=True) == "intact"


@pytest.mark.parametrize("key", ["text", "json", "pickled_object", "table", "arrow_file"])
def test_an_object_is_read_where_its_etag_is_another(
    key: str, object_store: str, folder: Path, readings: list[str | None]
) -> None:
    (folder / "store").mkdir()
    root, cache = f"{object_store}/{folder.name}", str(folder / "store" / "cache")
    values = ValueStore(root, folder, cache)
    stored = values.save(TARGET, "run", VALUES[key]()).stored
    values.load(stored)
    assert (values.check(stored), readings) == ("intact", [])
    assert values.check(stored, deep=True) == "intact"
    place = values._files.place
    content = place.read(str(stored.path))
    readings.clear()

    place.write(str(stored.path), bytes([content[0] ^ 1]) + content[1:])
    assert values.check(stored) == "damaged"
    with pytest.raises(NoValueError, match="its content is not what was written"):
        values.load(stored)
    readings.clear()

    place.write(str(stored.path), content)
    copied = msgspec.structs.replace(stored, stamp=1)  # another bucket's ETag
    for _ in range(2):
        assert ValueStore(root, folder, cache).check(copied) == "intact"
    assert len(readings) == 1
    place.delete_folder(str(stored.path).rpartition("/")[0])
    assert values.check(stored) == "gone"


class InFiles(dg.IOManager):
    """Stores text in a file, and says what became of it."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        Path(context.asset_key.name).write_text(obj)
        context.add_output_metadata({"size": len(obj)})

    def load_input(self, context: dg.InputContext) -> Any:
        return Path(context.asset_key.name).read_text()

    def check(self, context: dg.CheckContext) -> Any:
        try:
            size = Path(context.asset_key.name).stat().st_size
        except FileNotFoundError:
            return "gone"
        return "intact" if size == context.metadata["size"] else "changed"


def of_manager(manager: dg.IOManager) -> list[dg.Asset]:
    with dg.Registry():

        @dg.asset(io_manager=manager)
        def text() -> str:
            return "abc"

        @dg.asset
        def length(text: str) -> int:
            return len(text)

    return [text, length]


def reasons(instance: dg.Instance, assets: list[dg.Asset]) -> dict[str, list[str]]:
    graph = graph_of(*assets)
    found = StoreFacts(graph, instance.store).states(graph.order)
    return {key.text: [reason.text for reason in why] for key, (_, why, _) in found.items()}


def test_an_io_manager_says_what_became_of_its_value(instance: dg.Instance) -> None:
    assets = of_manager(InFiles())
    dg.materialize(assets, instance=instance)
    assert reasons(instance, assets) == {"text": [], "length": []}

    Path("text").write_text("abcd")
    assert reasons(instance, assets)["text"] == ["its value was changed from outside"]
    assert "upstream text has new data" in reasons(instance, assets)["length"][0]
    used = dg.materialize(assets, instance=instance, selection="length")
    assert used.value("length") == 4

    Path("text").unlink()
    assert reasons(instance, assets)["text"] == ["its value is gone"]
    made = dg.materialize(assets, instance=instance, selection="length")
    assert made.value("length") == 3
    assert reasons(instance, assets) == {"text": [], "length": []}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda: None, r"InFiles.*check returned None\. Return "),
        (lambda: 1 / 0, r"InFiles.*check raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_check_that_does_not_say_is_named(
    instance: dg.Instance, answer: Callable[[], Any], text: str
) -> None:
    class Wrong(InFiles):
        def check(self, context: dg.CheckContext) -> Any:
            return answer()

    assets = of_manager(Wrong())
    dg.materialize(assets, instance=instance)
    with pytest.raises(
        AssetGraphError,
        match=r"the value of 'text' cannot be checked: .*" + text.replace("InFiles", "Wrong"),
    ):
        reasons(instance, assets)
