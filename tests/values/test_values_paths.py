"""Returned paths: what is recorded for a file or folder, and when it is read again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path, PosixPath

import pytest

from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.formats import returned_path
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips_file"))


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


@pytest.fixture
def file(folder: Path) -> Path:
    made = folder / "data" / "trips.csv"
    made.parent.mkdir()
    made.write_text("a,b\n1,2\n")
    return made


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths whose content was read, in order."""
    made: list[str] = []
    digest = returned_path.digest_of_path

    def counted(path: str) -> str:
        made.append(path)
        return digest(path)

    monkeypatch.setattr(returned_path, "digest_of_path", counted)
    return made


def test_a_path_is_recorded_relative_to_the_project(
    values: ValueStore, folder: Path, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for returned in (Path("data/trips.csv"), Path("./data/../data/trips.csv"), file):
        stored = values.save(TARGET, "run", returned).stored
        assert (stored.format, stored.path) == ("path", "data/trips.csv")
        assert stored.size == 8
        assert values.load(stored) == values.load(stored, Path) == Path("data/trips.csv")
        assert values.adapt(returned, Path) == Path("data/trips.csv")

    outside = tmp_path_factory.mktemp("outside") / "x.csv"
    outside.write_text("")
    stored = values.save(TARGET, "run", outside).stored
    assert stored.path == str(outside)
    assert values.load(stored) == outside


def test_a_path_through_a_link_to_the_project_is_relative_too(folder: Path, file: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    values = ValueStore("values", folder)
    stored = values.save(TARGET, "run", folder.parent / "link" / "data" / "trips.csv").stored
    assert stored.path == "data/trips.csv"


def test_a_path_is_loaded_absolute_where_the_working_folder_is_another(
    values: ValueStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = values.save(TARGET, "run", Path("data/trips.csv")).stored
    monkeypatch.chdir("/")
    assert values.load(stored) == file
    assert values.check(stored) == "intact"


@pytest.mark.parametrize("name", ["no.csv", "data/trips.csv/no.csv"])
def test_a_path_without_a_file_cannot_be_returned(
    values: ValueStore, file: Path, name: str
) -> None:
    with pytest.raises(
        ValueTypeError, match=r"no\.csv, but there is no such file.*Write the file before"
    ):
        values.save(TARGET, "run", Path(name))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("data/trip.csv", r"Did you mean 'trips\.csv'\? Write the file"),
        ("data/Trips.CSV", r"Did you mean 'trips\.csv'\? Write the file"),
        ("Data/trips.csv", r"Did you mean 'data'\? Write the file"),
        ("data/orders.xlsx", r"folder\. Write the file"),
        ("nothing/like/it.csv", r"folder\. Write the file"),
        ("~/trips.csv", r"folder\. Return path\.expanduser\(\)"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_name_that_may_be_meant(
    values: ValueStore, file: Path, name: str, advice: str
) -> None:
    for path in (Path(name), file.parent.parent / name):
        if not name.startswith("~") or path == Path(name):
            with pytest.raises(ValueTypeError, match=advice):
                values.save(TARGET, "run", path)


def test_the_text_of_a_path_is_no_path_and_the_error_says_how_to_return_one(
    values: ValueStore, file: Path
) -> None:
    text = values.save(TARGET, "run", "data/trips.csv").stored
    with pytest.raises(ValueTypeError, match=r"it is a str: .*Return pathlib\.Path\(…\) instead"):
        values.load(text, Path)
    path = values.save(TARGET, "run", Path("data/trips.csv")).stored
    for wanted in (str, bytes, list):
        with pytest.raises(ValueTypeError, match=r"Ask for pathlib\.Path, or change"):
            values.load(path, wanted)


def test_a_pipe_cannot_be_returned(values: ValueStore, folder: Path) -> None:
    os.mkfifo("pipe")
    with pytest.raises(ValueTypeError, match=r"returned the path pipe, but there is no such file"):
        values.save(TARGET, "run", Path("pipe"))
    (folder / "out").mkdir()
    os.mkfifo("out/pipe")
    with pytest.raises(StoreError, match=r"out/pipe.*neither a file nor a folder"):
        values.save(TARGET, "run", Path("out"))


def test_the_file_stays_where_it_is_and_nothing_is_copied(
    values: ValueStore, folder: Path, file: Path
) -> None:
    values.save(TARGET, "run", file)
    assert not (folder / "values").exists()


def test_a_file_is_read_again_only_when_its_size_or_time_differs(
    values: ValueStore, file: Path, reads: list[str]
) -> None:
    saved = values.save(TARGET, "run", file)
    assert len(reads) == 1
    assert values.check(saved.stored) == "intact"
    assert len(reads) == 1

    os.utime(file, ns=(1, 1))
    for _ in range(3):
        assert values.check(saved.stored) == "intact"
    assert len(reads) == 2

    file.write_text("a,b\n1,3\n")
    assert values.check(saved.stored) == "changed"
    assert values.data_version(saved.stored) not in (None, saved.data_version)
    assert len(reads) == 3

    file.write_text("a,b\n1,2\n")
    assert values.check(saved.stored) == "intact"
    assert values.data_version(saved.stored) == saved.data_version


def test_a_file_that_is_gone_is_told(values: ValueStore, file: Path) -> None:
    stored = values.save(TARGET, "run", file).stored
    file.unlink()
    assert values.check(stored) == "gone"
    assert values.data_version(stored) is None
    with pytest.raises(NoValueError, match=r"trips.csv is gone"):
        values.load(stored)


def test_a_file_that_became_a_pipe_is_gone(values: ValueStore, file: Path) -> None:
    stored = values.save(TARGET, "run", file).stored
    file.unlink()
    os.mkfifo(file)
    assert values.check(stored) == "gone"
    assert values.data_version(stored) is None


def test_a_copy_of_the_project_elsewhere_is_as_fresh(
    values: ValueStore, folder: Path, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = values.save(TARGET, "run", file)
    many = values.save(TARGET, "run", file.parent)
    text = values.save(TARGET, "run", "x" * 5000)
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    shutil.rmtree(folder / "data")

    there = ValueStore("values", copy)
    for saved in (one, many, text):
        assert there.check(saved.stored) == "intact"
    assert there.save(TARGET, "run", copy / "data" / "trips.csv").data_version == one.data_version


def test_a_folder_is_its_names_and_their_contents(values: ValueStore, folder: Path) -> None:
    root = folder / "out"
    (root / "b").mkdir(parents=True)
    (root / "b" / "x").write_text("1")
    (root / "a").write_text("2")
    saved = values.save(TARGET, "run", root)
    assert (saved.stored.path, saved.stored.size) == ("out", 2)

    def version() -> str:
        state = values.check(saved.stored)
        found = values.data_version(saved.stored)
        assert found is not None
        assert (state == "intact") == (found == saved.data_version)
        return found

    versions = [version()]
    os.utime(root / "a", ns=(1, 1))
    assert version() == versions[0]
    (root / "a").write_text("3")
    versions.append(version())
    (root / "a").rename(root / "c")
    versions.append(version())
    (root / "empty").mkdir()
    versions.append(version())
    (root / "b" / "x").write_text("")
    (root / "b" / "y").write_text("1")
    versions.append(version())
    assert len(set(versions)) == len(versions)

    os.rename(root, folder / "elsewhere")
    assert values.check(saved.stored) == "gone"


def test_the_name_of_a_returned_file_counts_as_its_content_does(
    values: ValueStore, folder: Path
) -> None:
    (folder / "a.csv").write_text("x")
    (folder / "b.csv").write_text("x")
    (folder / "c").mkdir()
    versions = {
        values.save(TARGET, "run", Path(name)).data_version for name in ("a.csv", "b.csv", "c")
    }
    assert len(versions) == 3


def test_a_file_in_whose_place_a_link_leads_to_itself_is_gone(
    values: ValueStore, file: Path
) -> None:
    stored = values.save(TARGET, "run", file).stored
    file.unlink()
    file.symlink_to(file)
    assert values.check(stored) == "gone"


class Checked(PosixPath):
    """A path of a class of the project."""


class Named(PosixPath):
    """A path that its text alone cannot make."""

    def __new__(cls, *parts: str, token: str) -> Named:
        return super().__new__(cls, *parts)


def test_a_path_of_another_class_comes_back_as_that_class(values: ValueStore, file: Path) -> None:
    for returned in (Checked("data/trips.csv"), Checked(file)):
        saved = values.save(TARGET, "run", returned)
        for loaded in (values.load(saved.stored), values.adapt(returned, Path)):
            assert type(loaded) is Checked
            assert loaded == Path("data/trips.csv")
    assert values.data_version(saved.stored) == saved.data_version
    assert values.save(TARGET, "run", file).data_version != saved.data_version


def test_a_path_whose_class_is_gone_is_told(
    values: ValueStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = values.save(TARGET, "run", Checked(file)).stored
    monkeypatch.delattr(sys.modules[__name__], "Checked")
    assert values.check(stored) == "intact"
    with pytest.raises(NoValueError, match=r"was returned as .*Checked, which.*bring back"):
        values.load(stored)


def test_a_path_that_its_text_cannot_make_again_is_refused(values: ValueStore, file: Path) -> None:
    class Local(PosixPath):
        pass

    for returned in (Named(str(file), token="x"), Local(file)):
        with pytest.raises(ValueTypeError, match=r"its text cannot make again.*pathlib\.Path"):
            values.save(TARGET, "run", returned)


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"\xff", b"folder\xe9/x.csv"])
def test_a_path_that_is_not_utf_8_is_refused_when_it_is_returned(
    values: ValueStore, folder: Path, name: bytes
) -> None:
    """No record could hold it, and the value would be gone."""
    path = Path(os.fsdecode(name))
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    for returned in (path, folder / path):
        with pytest.raises(ValueTypeError, match=r"\\udc.* is not UTF-8.*Rename") as raised:
            values.save(TARGET, "run", returned)
        str(raised.value).encode()


def test_a_folder_may_hold_names_that_are_not_utf_8(values: ValueStore, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / os.fsdecode(b"caf\xe9.csv")).write_text("x")
    stored = values.save(TARGET, "run", Path("out")).stored
    assert values.check(stored, deep=True) == "intact"


def test_a_path_with_a_zero_byte_is_no_file(values: ValueStore) -> None:
    with pytest.raises(ValueTypeError, match="there is no such file"):
        values.save(TARGET, "run", Path("a\0b"))
