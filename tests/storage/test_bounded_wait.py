"""A file system that never answers is waited for only so long."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from assetgraph.records import ReadKind
from assetgraph.storage import bounded_wait
from assetgraph.storage.bounded_wait import BoundedWait, network_mounts
from assetgraph.storage.store import Store


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as a network mount."""
    mount = tmp_path / "mnt" / "a b"
    mount.mkdir(parents=True)
    lines = (
        f"proc /proc proc rw 0 0\nserver:/x {str(mount).replace(' ', chr(92) + '040')} nfs4 rw\n"
    )
    (tmp_path / "mounts").write_text(lines)
    monkeypatch.setattr(bounded_wait, "_MOUNTS", str(tmp_path / "mounts"))
    monkeypatch.setattr(bounded_wait, "ANSWER_S", 0.05)
    return mount


def test_the_mounts_of_other_machines_are_known(mounted: Path) -> None:
    assert network_mounts(bounded_wait._MOUNTS) == [str(mounted)]


def test_without_such_a_mount_no_thread_is_used() -> None:
    assert BoundedWait().call("/", threading.get_ident, 1) == threading.get_ident()


def test_what_a_look_raises_comes_through(mounted: Path) -> None:
    wait = BoundedWait()
    with pytest.raises(FileNotFoundError):
        wait.call(str(mounted), lambda: os.stat(mounted / "none"), 5)
    assert wait.call(str(mounted), lambda: 3, 5) == 3


def test_a_mount_that_hangs_is_said_and_asked_only_once(
    mounted: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "here.csv").write_text("a")
    answered, asked, plain_stat = threading.Event(), [], os.stat

    def stat(path: str, **options: bool) -> os.stat_result:
        if str(path).startswith(str(mounted)):
            asked.append(path)
            answered.wait()
        return plain_stat(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    present = Store(folder / ".assetgraph").present_reads()
    try:
        first = present.look(ReadKind.FILE, f"{mounted}/x.csv")
        second = present.look(ReadKind.FILE, f"{mounted}/y.csv")
        with pytest.raises(TimeoutError):
            present.stamp(f"{mounted}/x.csv")
        here = present.look(ReadKind.FILE, "here.csv")
    finally:
        answered.set()

    assert first.note == f"{mounted} did not answer within 0.05 s"
    assert second.note == f"{mounted} does not answer"
    assert len(asked) == 1
    assert here.digest


def test_a_path_belongs_to_the_innermost_mount(tmp_path: Path) -> None:
    lines = ["a:/ /net nfs rw", "b:/ /net/deep/er nfs rw", "c:/ /net/deep nfs rw", "d / ext4 rw"]
    (tmp_path / "mounts").write_text("\n".join(lines))

    assert network_mounts(str(tmp_path / "mounts")) == ["/net/deep/er", "/net/deep", "/net"]


def test_a_folder_that_leads_to_a_mount_that_hangs_leaves_the_others_readable(
    mounted: Path, folder: Path
) -> None:
    wait, answered = BoundedWait(), threading.Event()
    try:
        for _ in range(2):
            with pytest.raises(TimeoutError, match=r"/link d"):
                wait.call(f"{folder}/link/a.csv", answered.wait, 0.05)
        assert wait.call(f"{folder}/here.csv", lambda: 3, 5) == 3
    finally:
        answered.set()
