"""The table of what steps read, and the look at what is there now."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from assetgraph.records import ObservedRead, ReadKind, now
from assetgraph.storage.asset_names import Renaming
from assetgraph.storage.present_reads import NO_FILE, PresentReads, salt_in, variable_digest
from assetgraph.storage.store import Store

ZONES = ObservedRead(ReadKind.FILE, "zones.csv", "d1", (1, 2, 3, 4))
FACTOR = ObservedRead(ReadKind.VARIABLE, "FACTOR", "d2")
TRIPS = ObservedRead(ReadKind.ASSET, "trips", "d3")


@pytest.fixture
def present(folder: Path) -> PresentReads:
    values = Store(folder / ".assetgraph").values
    return PresentReads(folder, values.verified, lambda path: path.endswith(".parquet"))


def test_a_set_is_recorded_once_whatever_its_order_and_stamps(store: Store) -> None:
    digest = store.reads.record([ZONES, FACTOR])
    touched = ObservedRead(ReadKind.FILE, "zones.csv", "d1", (1, 5, 5, 4))

    assert Store(store.folder).reads.record([FACTOR, touched]) == digest
    assert Store(store.folder).reads.of(digest) == (ZONES, FACTOR)
    assert Path(store.reads.table.path).read_text().count("\n") == 2


@pytest.mark.parametrize("other", [
    ObservedRead(ReadKind.FOLDER, "zones.csv", "d1"),
    ObservedRead(ReadKind.FILE, "zone.csv", "d1"),
    ObservedRead(ReadKind.FILE, "zones.csv", ""),
    ObservedRead(ReadKind.FILE, "zones.csv", "d1", None, "changed while it was read"),
])  # fmt: skip
def test_a_set_that_differs_in_anything_else_is_another(store: Store, other: ObservedRead) -> None:
    assert store.reads.record([ZONES]) != store.reads.record([other])


def test_a_set_whose_line_was_lost_is_not_known(store: Store) -> None:
    digest = store.reads.record([ZONES])
    path = Path(store.reads.table.path)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert Store(store.folder).reads.of(digest) is None
    path.unlink()
    assert Store(store.folder).reads.of(digest) is None


def test_a_name_that_is_no_text_is_found_again(store: Store, folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \xff1.csv")
    (folder / name).write_text("x")
    read = store.present_reads().look(ReadKind.FILE, name)
    digest = store.reads.record([read, ZONES])
    again = Store(store.folder)

    assert set(again.reads.of(digest) or ()) == {read, ZONES}
    assert read.digest


def test_the_salt_is_that_of_the_store_in_every_process(store: Store) -> None:
    worker = pickle.loads(pickle.dumps(store))
    store.reads.record([ZONES])
    worker.reads.record([FACTOR])

    assert store.reads.salt == worker.reads.salt == Store(store.folder).reads.salt


def test_another_store_has_another_salt(tmp_path: Path) -> None:
    salts = {Store(tmp_path / name).reads.salt for name in "abc"}

    assert len(salts) == 3


def test_an_asset_that_was_renamed_is_called_as_it_is_now(store: Store) -> None:
    digest = store.reads.record([TRIPS])
    names = [Renaming("trips", "rides", now())]
    renamed = Store(store.folder, renamings=names).reads

    assert renamed.of(digest) == (ObservedRead(ReadKind.ASSET, "rides", "d3"),)
    assert renamed.record([ObservedRead(ReadKind.ASSET, "rides", "d3")]) == digest
    assert renamed.record([TRIPS]) != digest  # another asset that took the name


def test_a_variable_is_compared_by_a_salted_digest(
    present: PresentReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTOR", "hunter2")
    seen = present.look(ReadKind.VARIABLE, "FACTOR", 17)

    assert "hunter2" not in repr(seen)
    assert present.look(ReadKind.VARIABLE, "FACTOR", salt_in(seen.digest)) == seen
    assert present.look(ReadKind.VARIABLE, "FACTOR", 18) != seen
    assert seen.digest == variable_digest("FACTOR", "hunter2", 17)
    monkeypatch.delenv("FACTOR")
    assert present.look(ReadKind.VARIABLE, "FACTOR", 17).digest == ""
    monkeypatch.setenv("FACTOR", "")
    assert present.look(ReadKind.VARIABLE, "FACTOR", 17).digest != ""


def test_a_file_is_compared_by_its_content(present: PresentReads, folder: Path) -> None:
    file = folder / "zones.csv"
    assert present.look(ReadKind.FILE, "zones.csv").digest == ""
    file.write_text("a")
    first = present.look(ReadKind.FILE, "zones.csv")
    file.write_text("b")
    second = present.look(ReadKind.FILE, str(file))
    file.write_text("a")
    third = present.look(ReadKind.FILE, "zones.csv")

    assert first.digest == third.digest != second.digest
    assert first.stamp != third.stamp == present.stamp("zones.csv")


def test_a_folder_is_compared_by_the_names_that_count(present: PresentReads, folder: Path) -> None:
    inbox = folder / "inbox"
    assert present.look(ReadKind.FOLDER, "inbox").digest == ""
    inbox.mkdir()
    empty = present.look(ReadKind.FOLDER, "inbox").digest
    for name in (".hidden", "__pycache__", "made_by_an_asset.parquet"):
        (inbox / name).touch()
    assert present.look(ReadKind.FOLDER, "inbox").digest == empty != ""
    (inbox / "a.csv").touch()
    with_a_file = present.look(ReadKind.FOLDER, "inbox").digest
    assert with_a_file != empty
    (inbox / "a.csv").unlink()
    (inbox / "a.csv").mkdir()
    assert present.look(ReadKind.FOLDER, "inbox").digest not in (with_a_file, empty)


def test_a_pattern_is_compared_by_its_matches(present: PresentReads, folder: Path) -> None:
    for pattern in ("in/*.csv", str(folder / "in/*.csv")):
        assert present.look(ReadKind.PATTERN, pattern).digest == ""
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in/a.csv").touch()
        one = present.look(ReadKind.PATTERN, pattern).digest
        (folder / "in/b.txt").touch()
        assert present.look(ReadKind.PATTERN, pattern).digest == one != ""
        (folder / "in/b.csv").touch()
        assert present.look(ReadKind.PATTERN, pattern).digest != one
        for file in (folder / "in").iterdir():
            file.unlink()


def test_an_output_that_a_pattern_matches_does_not_count(
    present: PresentReads, folder: Path
) -> None:
    (folder / "in").mkdir()
    for pattern in ("in/*", str(folder / "in/*")):
        (folder / "in/a.csv").touch()
        before = present.look(ReadKind.PATTERN, pattern).digest
        (folder / "in/made_by_an_asset.parquet").touch()
        assert present.look(ReadKind.PATTERN, pattern).digest == before
        (folder / "in/made_by_an_asset.parquet").unlink()


def test_a_pattern_is_found_in_a_project_whose_folder_looks_like_one(folder: Path) -> None:
    root = folder / "sales [2024]*"
    root.mkdir()
    (root / "a.csv").touch()
    present = Store(root / ".assetgraph", project_root=root).present_reads()

    assert present.look(ReadKind.PATTERN, "*.csv").digest
    assert present.look(ReadKind.PATTERN, "*.txt").digest == ""


def test_the_status_of_a_file_is_its_size_and_its_time(present: PresentReads, folder: Path) -> None:
    found = set()
    for text, seconds in (("a", 1), ("ab", 1), ("a", 2)):
        (folder / "zones.csv").write_text(text)
        os.utime(folder / "zones.csv", (seconds, seconds))
        found.add(present.look(ReadKind.STATUS, "zones.csv").digest)

    assert len(found) == 3
    assert present.look(ReadKind.EXISTENCE, "zones.csv").digest not in found


@pytest.mark.parametrize("name", ["fifo", "nul\0name", "locked/file", "circle"])
def test_what_cannot_be_read_is_said_and_never_raised(
    present: PresentReads, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "fifo")
    os.symlink("circle", folder / "circle")
    plain_stat = os.stat

    def stat(path: str, **options: bool) -> os.stat_result:
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied")
        return plain_stat(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    seen = present.look(ReadKind.FILE, name)

    assert seen.digest == ""
    assert seen.note
    assert seen.note in (NO_FILE, "embedded null byte", "Permission denied") or "Too many" in (
        seen.note
    )


def test_a_file_where_a_folder_was_and_a_folder_where_a_file_was_differ(
    present: PresentReads, folder: Path
) -> None:
    (folder / "a").mkdir()
    (folder / "b").touch()

    assert present.look(ReadKind.FILE, "a").digest != present.look(ReadKind.FILE, "b").digest
    assert present.look(ReadKind.FOLDER, "a").digest != present.look(ReadKind.FOLDER, "b").digest


def test_two_processes_record_at_once_and_lose_nothing(folder: Path) -> None:
    code = (
        "import sys\n"
        "from assetgraph.records import ObservedRead, ReadKind\n"
        "from assetgraph.storage.store import Store\n"
        "store = Store('.assetgraph')\n"
        "for at in range(100):\n"
        "    name = f'{sys.argv[1]} {at}' if at % 2 else f'shared {at}'\n"
        "    store.reads.record([ObservedRead(ReadKind.FILE, name)])\n"
    )
    repository = str(Path(__file__).parents[2])
    processes = [
        subprocess.Popen([sys.executable, "-c", code, name], env={"PYTHONPATH": repository})
        for name in "ab"
    ]
    assert [process.wait() for process in processes] == [0, 0]
    table = Store(folder / ".assetgraph").reads.table

    assert len(table.load()) == 150
    assert table.damaged == 0
