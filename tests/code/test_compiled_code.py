"""The cache of compiled code, where Python's own bytecode cannot be used or trusted. Whatever is in
it, a module runs what its source says."""

from __future__ import annotations

import errno
import importlib
import marshal
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest
from code_projects import remove_importer

from assetgraph.code import compiled_code, importer
from assetgraph.code.compiled_code import bytecode_of
from assetgraph.storage import atomic_files
from assetgraph.storage.keyed_files import FolderCache


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules our loader imports, beside which Python writes no bytecode. The
    folder `cache` keeps it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(importer, "_readings", {})
    monkeypatch.syspath_prepend(str(tmp_path))
    importer.install(tmp_path).cache = FolderCache(str(tmp_path / "cache"))
    yield tmp_path
    importer.forget(tmp_path)
    remove_importer(tmp_path)
    compiled_code._compiler.cache_clear()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were compiled."""
    files: list[str] = []

    def noted(source: bytes, filename: str, *rest: object, **options: object) -> object:
        files.append(os.path.basename(filename))
        return compile(source, filename, "exec", dont_inherit=True)

    monkeypatch.setattr(compiled_code, "compile", noted, raising=False)
    return files


def run(project: Path, text: str, name: str = "part") -> object:
    """`value` of a module with this text, imported as another process would."""
    importer.forget(project)
    (project / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    return importlib.import_module(name).value


def entries(project: Path) -> list[Path]:
    return sorted((project / "cache").iterdir())


def test_an_unchanged_source_is_compiled_once_and_an_edited_one_replaces_it(
    project: Path, compiled: list[str]
) -> None:
    assert [run(project, "value = 1\n") for _ in range(3)] == [1, 1, 1]
    assert compiled == ["part.py"]
    assert [run(project, f"value = {number}\n") for number in (2, 1, 1)] == [2, 1, 1]
    assert compiled == ["part.py"] * 3
    assert len(entries(project)) == 1
    assert not (project / "__pycache__").exists()


def test_what_python_keeps_by_the_hash_of_the_source_is_used_first(
    project: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, finder = FolderCache(str(project / "cache")), importer.install(project)
    finder.cache = None
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    run(project, "value = 1\n")
    finder.cache = cache
    assert run(project, "value = 1\n") == 1
    assert compiled == []
    assert len(cache) == 0


DAMAGE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "empty": lambda kept, other: b"",
    "cut in the checksum": lambda kept, other: kept[:9],
    "cut in the code": lambda kept, other: kept[:-1],
    "longer": lambda kept, other: kept + b"\0",
    "a flipped bit": lambda kept, other: kept[:40] + bytes([kept[40] ^ 1]) + kept[41:],
    "garbage": lambda kept, other: bytes(range(256)),
    "of another module": lambda kept, other: other,
    "code of another, checksum of this": lambda kept, other: kept[:16] + other[16:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_costs_a_compilation(
    project: Path, compiled: list[str], damage: Callable[[bytes, bytes], bytes]
) -> None:
    run(project, "value = 'other'\n", "other")
    (other,) = entries(project)
    run(project, "value = 'right'\n")
    (kept,) = {*entries(project)} - {other}
    kept.write_bytes(damage(kept.read_bytes(), other.read_bytes()))
    compiled.clear()

    assert [run(project, "value = 'right'\n") for _ in range(2)] == ["right", "right"]
    assert compiled == ["part.py"]


def test_code_of_another_python_or_other_options_is_not_used(
    project: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for magic in (MAGIC_NUMBER, b"\1\2\r\n"):
        monkeypatch.setattr("assetgraph.code.compiled_code.MAGIC_NUMBER", magic)
        compiled_code._compiler.cache_clear()
        run(project, "value = 1\n")
    monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    compiled_code._compiler.cache_clear()
    run(project, "value = 1\n")
    assert compiled == ["part.py"] * 3


def test_a_traceback_names_the_file_that_ran_after_a_project_is_moved(
    project: Path, compiled: list[str]
) -> None:
    text = "def value(): raise LookupError\n"
    for folder in ("before", "after"):
        (project / folder).mkdir()
        (project / folder / "moved.py").write_text(text)
        with pytest.raises(LookupError) as raised:
            importlib.import_module(f"{folder}.moved").value()
        last = traceback.extract_tb(raised.value.__traceback__)[-1]
        assert last.filename == str(project / folder / "moved.py")
    assert compiled == ["moved.py"] * 2


def test_an_error_of_syntax_is_the_one_that_python_reports(
    project: Path, compiled: list[str]
) -> None:
    with pytest.raises(SyntaxError) as raised:
        run(project, "value = (\n")
    shown = "".join(traceback.format_exception(raised.value))
    assert importer.__file__ not in shown
    assert compiled_code.__file__ not in shown
    assert not (project / "cache").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_does_without(
    project: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_write(fd: int, data: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic_files, "_write_all", no_write)
    assert [run(project, "value = 1\n") for _ in range(2)] == [1, 1]
    assert compiled == ["part.py"] * 2
    assert entries(project) == []


def test_those_who_write_one_entry_at_once_each_run_their_own_code(tmp_path: Path) -> None:
    def value_of(number: int) -> bool:
        source = f"value = {number}\n".encode()
        cache = FolderCache(str(tmp_path / "cache"))
        for _ in range(20):
            made = bytecode_of(source, str(number), "part.py", cache)
            names: dict[str, object] = {}
            assert made is not None
            exec(marshal.loads(made), names)
            if names["value"] != number:
                return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(value_of, range(4)))
    assert len(entries(tmp_path)) == 1
