"""The table of definitions on disk, and the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assetgraph.code import Node
from assetgraph.errors import StoreFormatError
from assetgraph.storage.keyed_files import FolderCache
from assetgraph.storage.project_code import CodeTable


def node(name: str, *refs: str, origin: str = "") -> Node:
    return Node("function", name, "own", "x.py", 3, refs, origin)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "code")


def test_what_is_added_is_read_by_another(folder: str) -> None:
    table = {"a": node("f", "b", origin="c"), "b": node("g")}
    CodeTable(folder).add(table)

    assert dict(CodeTable(folder).load()) == table


def test_a_definition_is_recorded_once(folder: str) -> None:
    first, second = CodeTable(folder), CodeTable(folder)

    assert first.add({"a": node("f")}) == 1
    assert second.add({"a": node("f"), "b": node("g")}) == 1
    assert first.add({"b": node("g")}) == 0
    assert len(file_of(folder).read_text().splitlines()) == 3


def test_a_store_without_a_table_has_an_empty_one(folder: str) -> None:
    assert dict(CodeTable(folder).load()) == {}


def test_the_table_reads_cut_at_every_byte_and_goes_on(folder: str) -> None:
    CodeTable(folder).add({"a": node("f"), "b": node("g")})
    whole = file_of(folder).read_bytes()
    for cut in range(len(whole)):
        file_of(folder).write_bytes(whole[:cut])
        before = dict(CodeTable(folder).load())
        CodeTable(folder).add({"c": node("h")})
        after = dict(CodeTable(folder).load())

        assert before.items() <= after.items()
        assert after["c"] == node("h")


def test_a_damaged_line_is_left_out(folder: str) -> None:
    CodeTable(folder).add({"a": node("f"), "b": node("g"), "c": node("h")})
    lines = file_of(folder).read_bytes().split(b"\n")
    lines[2] = lines[2][:20] + b"\x00\xff" + lines[2][22:]
    file_of(folder).write_bytes(b"\n".join(lines))

    assert set(CodeTable(folder).load()) == {"a", "c"}


def test_a_first_line_that_two_processes_have_both_written_is_no_damage(folder: str) -> None:
    CodeTable(folder).add({"a": node("f")})
    lines = file_of(folder).read_bytes().split(b"\n")
    file_of(folder).write_bytes(b"\n".join([lines[0], lines[0], lines[1], b""]))
    table = CodeTable(folder)

    assert set(table.load()) == {"a"}
    assert table.damaged == 0


def test_an_empty_line_is_no_damage(folder: str) -> None:
    CodeTable(folder).add({"a": node("f")})
    with file_of(folder).open("a") as file:
        file.write("\n")
    table = CodeTable(folder)
    table.add({"b": node("g")})

    assert sorted(CodeTable(folder).load()) == ["a", "b"]
    assert table.damaged == 0


def test_a_table_from_the_future_is_left_alone(folder: str) -> None:
    file = file_of(folder)
    file.parent.mkdir()
    file.write_text('{"format": 2}\n')

    with pytest.raises(StoreFormatError, match="written by a later assetgraph"):
        CodeTable(folder).add({"a": node("f")})
    assert file.read_text() == '{"format": 2}\n'


def test_the_cache_keeps_bytes_by_name(tmp_path: Path) -> None:
    cache = FolderCache(str(tmp_path / "cache"))
    assert "a" not in cache
    cache["a"] = b"one"
    cache["a"] = b"two"

    assert FolderCache(str(tmp_path / "cache"))["a"] == b"two"
    assert list(cache) == ["a"]
    del cache["a"]
    assert len(cache) == 0


def test_a_full_cache_drops_its_older_half(tmp_path: Path) -> None:
    cache = FolderCache(str(tmp_path), limit=4)
    for number, name in enumerate("abcde"):
        cache[name] = name.encode()
        os.utime(tmp_path / name, (number, number))

    assert sorted(cache) == ["c", "d", "e"]
    assert cache["e"] == b"e"


def test_a_cache_of_many_bytes_drops_what_was_not_used_for_longest(tmp_path: Path) -> None:
    cache = FolderCache(str(tmp_path), most_bytes=100)
    for number, name in enumerate("abc"):
        cache[name] = bytes(30)
        os.utime(tmp_path / name, (number, number))
    assert cache["a"] == bytes(30)
    cache["d"] = bytes(30)

    assert sorted(cache) == ["a", "c", "d"]


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    cache = FolderCache(str(tmp_path / "cache"))
    cache["a"] = b"one"

    assert cache.get("a") is None


def file_of(folder: str) -> Path:
    return Path(folder) / "definitions.jsonl"
