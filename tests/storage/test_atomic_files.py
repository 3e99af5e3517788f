"""The store's files: appended line by line or replaced, and readable after any death."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.errors import DamagedStoreError, StoreError
from assetgraph.records import Event, EventType, decoder, now
from assetgraph.storage.atomic_files import (
    AppendFile,
    append_line,
    encoded,
    encoded_lines,
    make_folder,
    names_in,
    read_last,
    read_lines,
    read_record,
    write_whole,
)

EVENTS = [
    Event(EventType.RUN_START, now()),
    Event(EventType.LOG, now(), "택시_운행", "INFO", "줄\nbreak", {"n": 1}),
    Event(EventType.STEP_FAILURE, now(), "a/b", "ERROR", "x" * 300),
    Event(EventType.RUN_FAILURE, now()),
]
LINES = [encoded(event) + b"\n" for event in EVENTS]


def test_a_log_cut_at_every_byte_reads_as_its_whole_lines(tmp_path: Path) -> None:
    path, whole = tmp_path / "events.jsonl", b"".join(LINES)
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        complete = whole[:size].count(b"\n")
        assert list(read_lines(str(path), Event)) == EVENTS[:complete]
        assert list(read_last(str(path), Event, size=64)) == EVENTS[:complete][::-1]


def test_what_follows_a_cut_line_is_appended_after_the_last_whole_one(tmp_path: Path) -> None:
    path, whole = tmp_path / "events.jsonl", b"".join(LINES)
    for size in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:size])
        complete = whole[:size].count(b"\n")
        append_line(str(path), LINES[1])
        assert list(read_lines(str(path), Event)) == [*EVENTS[:complete], EVENTS[1]]


def test_a_cut_line_longer_than_a_block_is_removed_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(LINES[0] + b'{"message": "' + b"x" * 200_000)
    append_line(str(path), LINES[3])
    assert list(read_lines(str(path), Event)) == [EVENTS[0], EVENTS[3]]


@given(
    st.lists(st.text(max_size=40), max_size=12),
    st.integers(min_value=1, max_value=60),
    st.text(st.characters(exclude_characters="\n"), max_size=30),
)
def test_reading_from_the_end_is_reading_backwards(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int, cut: str
) -> None:
    path = tmp_path_factory.mktemp("lines") / "lines.jsonl"
    path.write_bytes(
        b"".join(encoded(t) + b"\n" for t in texts) + cut.encode("utf-8", "surrogatepass")
    )
    assert list(read_last(str(path), str, size=size)) == texts[::-1]


@pytest.mark.parametrize("damage", [b"{not json}\n", b"\xff\xfe\n", b'{"type": "LOG"}\n', b"\n"])
@pytest.mark.parametrize("place", range(1, 5))
def test_a_damaged_line_is_named_by_file_and_number_from_either_end(
    tmp_path: Path, damage: bytes, place: int
) -> None:
    path = tmp_path / "events.jsonl"
    lines = [*LINES[: place - 1], damage, *LINES[place - 1 :]]
    path.write_bytes(b"".join(lines))
    for read in (
        lambda: list(read_lines(str(path), Event)),
        lambda: list(read_last(str(path), Event, size=64)),
        lambda: list(read_last(str(path), Event)),
    ):
        with pytest.raises(DamagedStoreError, match=f"line {place} of .*is damaged") as caught:
            read()
        assert (caught.value.path, caught.value.line) == (str(path), place)
        assert "Nothing was changed" in str(caught.value)
    assert path.read_bytes() == b"".join(lines)


def test_reading_the_end_of_a_long_file_reads_only_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(LINES) * 20_000)
    read = []
    pread = os.pread
    monkeypatch.setattr(
        os, "pread", lambda fd, size, at: (read.append(size), pread(fd, size, at))[1]
    )
    assert next(read_last(str(path), Event)) == EVENTS[-1]
    assert sum(read) < 10_000


def test_a_file_that_is_not_there_has_no_last_lines(tmp_path: Path) -> None:
    assert list(read_last(str(tmp_path / "none"), Event)) == []


def test_a_replaced_file_is_never_seen_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "run.json")
    write_whole(path, b"old")
    seen = []
    real = os.write

    def watched(fd: int, data: bytes) -> int:
        written = real(fd, data[:2])  # the kernel may take less than it is given
        seen.append(Path(path).read_bytes())
        return written

    monkeypatch.setattr(os, "write", watched)
    write_whole(path, b"a new and longer text")
    assert set(seen) == {b"old"}
    assert Path(path).read_bytes() == b"a new and longer text"
    assert os.listdir(tmp_path) == ["run.json"]


def failing(code: int) -> Callable[..., Any]:
    def fail(*args: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_the_hint_for_an_unreadable_file_is_to_make_it_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listdir", failing(errno.EACCES))
    with pytest.raises(StoreError, match=r"cannot read .*: permission denied\. Make it readable"):
        names_in(str(tmp_path))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EROFS, "the file system is read-only. Choose another folder with --store"),
        (errno.EACCES, "permission denied. Make it writable"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EIO, "the disk reports an error"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_an_error_of_the_disk_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, why: str
) -> None:
    path = str(tmp_path / "file")
    monkeypatch.setattr(os, "open", failing(code))
    monkeypatch.setattr(os, "makedirs", failing(code))
    for refused in (
        lambda: write_whole(path, b"x"),
        lambda: AppendFile(path),
        lambda: make_folder(path),
    ):
        with pytest.raises(StoreError, match=f"cannot .*{path}: {why}"):
            refused()


def test_two_threads_may_write_one_file_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first two runs of a program do with the file that says what format the store has."""
    path, rename = str(tmp_path / "file"), os.rename

    def rename_second(*paths: str) -> None:
        monkeypatch.setattr(os, "rename", rename)
        with ThreadPoolExecutor(1) as other:
            other.submit(write_whole, path, b"theirs").result()
        rename(*paths)

    monkeypatch.setattr(os, "rename", rename_second)
    write_whole(path, b"ours")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"ours"]


def test_a_disk_that_fills_up_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, record = str(tmp_path / "log"), str(tmp_path / "record")
    write_whole(record, b"old")
    file = AppendFile(log)
    file.append(LINES[0])
    real = os.write

    def half(fd: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StoreError, match="the disk is full"):
        file.append(LINES[1])
    with pytest.raises(StoreError, match="the disk is full"):
        write_whole(record, b"new" * 20)
    monkeypatch.undo()
    assert Path(log).read_bytes() == LINES[0]
    assert Path(record).read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["log", "record"]
    file.append(LINES[2])
    file.close()
    assert list(read_lines(log, Event)) == [EVENTS[0], EVENTS[2]]


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="it is a file"):
        make_folder(str(tmp_path / "store"))
    with pytest.raises(StoreError, match="a file is where a folder should be"):
        make_folder(str(tmp_path / "store" / "runs"))


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for damage in (b"", b"{", b"[]", b"\xff", b'{"run_id": 5}'):
        path.write_bytes(damage)
        with pytest.raises(DamagedStoreError, match=f"{path} is damaged") as caught:
            read_record(str(path), Event)
        assert caught.value.line is None
        assert path.read_bytes() == damage


def test_text_that_utf8_cannot_encode_is_recorded_with_backslashes() -> None:
    event = Event(EventType.LOG, EVENTS[0].timestamp, message="\udcff", data={"\udc80": ["\ud800"]})
    assert b'"message":"\\\\udcff"' in encoded(event)
    assert b'{"\\\\udc80":["\\\\ud800"]}' in encoded(event)


def test_many_records_at_once_are_lines_even_with_text_that_utf8_cannot_encode() -> None:
    events = [Event(EventType.LOG, now(), "a", message=text) for text in ("one", "half \ud800")]
    assert encoded_lines(events) == b"".join(encoded(event) + b"\n" for event in events)
    assert b"half \\\\ud800" in encoded_lines(events)


def test_a_class_is_prepared_by_one_thread_while_others_wait() -> None:
    class Slow(msgspec.Struct):
        field: int

    begun, another = threading.Event(), threading.Event()
    prepared = []

    def prepare() -> type:
        prepared.append(threading.current_thread())
        begun.set()
        another.wait(10)
        return int

    # msgspec evaluates an annotation that is text when it prepares the class.
    Slow.__annotations__["field"] = "prepare_slow()"
    globals()["prepare_slow"] = prepare
    found = []

    def decode() -> None:
        found.append(decoder(Slow).decode(b'{"field": 1}'))

    def decode_too() -> None:
        another.set()
        decode()

    threads = [threading.Thread(target=decode), threading.Thread(target=decode_too)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert found == [Slow(1), Slow(1)]
    assert len(prepared) == 1
