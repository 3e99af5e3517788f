"""A file that changes again so soon that its stamp stays as it is, as on a file system that keeps
whole seconds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ways_to_read import ReadingProject

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts
from assetgraph.process.reads import recorder
from assetgraph.run import observed_reads
from assetgraph.storage import present_reads

JUST_NOW = 10_000_000_000_000_000_000  # later than any clock of today says
READ = "Path('data/a.csv').read_text()"
EDIT = f"""
import subprocess
subprocess.run([{sys.executable!r}, '-c', "with open('data/a.csv', 'w') as f: f.write('2')"], check=True)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    monkeypatch.chdir(tmp_path)
    return ReadingProject(tmp_path)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives every version of a file the same times, and calls all of them recent."""

    def stamp_of(info: os.stat_result) -> tuple[int, int, int, int]:
        return info.st_size, JUST_NOW, JUST_NOW, info.st_ino

    monkeypatch.setattr(recorder, "stamp_of", stamp_of)
    monkeypatch.setattr(present_reads, "stamp_of", stamp_of)
    monkeypatch.setattr(recorder, "_UNSETTLED_NS", JUST_NOW)


def state(project: ReadingProject, asset: dg.Asset) -> str:
    return StoreFacts(dg.Definitions(assets=[asset]).graph, project.store).state(asset.key)


@pytest.mark.usefixtures("coarse")
def test_an_edit_while_the_step_runs_is_noticed_though_the_stamp_is_the_same(
    project: ReadingProject,
) -> None:
    asset = project.asset(f"{READ}\n{EDIT}")
    project.run(asset)
    assert state(project, asset) == "stale"


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("read", [READ, "os.listdir('data')"])
def test_an_edit_after_the_step_is_noticed_though_the_stamp_is_the_same(
    project: ReadingProject, read: str
) -> None:
    asset = project.asset(read)
    project.run(asset)
    assert state(project, asset) == "fresh"
    if read == READ:
        (project.root / "data" / "a.csv").write_text("2")
    else:
        (project.root / "data" / "b.csv").touch()
    assert state(project, asset) == "stale"


@pytest.mark.usefixtures("coarse")
def test_a_step_sees_the_edit_after_another_step_though_the_stamp_is_the_same(
    project: ReadingProject,
) -> None:
    (before,) = project.reads(READ).values()
    (project.root / "data" / "a.csv").write_text("2")
    (after,) = project.reads(READ).values()
    assert after.digest != before.digest
    assert after.note == ""


def test_an_edit_while_a_second_step_runs_is_noticed_and_said(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observed_reads, "_FINE_NS", -JUST_NOW)  # its stamp can be trusted at once
    project.run(project.asset(READ))
    asset = project.asset(f"{READ}\n{EDIT}")
    project.run(asset)
    assert observed_reads.CHANGED in [read.note for read in project.recorded()]
    assert state(project, asset) == "stale"


@pytest.mark.parametrize(("changed_ns", "age_ns", "settled"), [
    (1_600_000_000_000_000_000, 1_900_000_000, False),
    (1_600_000_000_000_000_000, 2_100_000_000, True),
    (1_600_000_000_123_456_789, 90_000_000, False),
    (1_600_000_000_123_456_789, 110_000_000, True),
])  # fmt: skip
def test_a_stamp_is_trusted_when_the_times_of_a_later_change_differ(
    changed_ns: int, age_ns: int, settled: bool
) -> None:
    for mtime, ctime in ((changed_ns, 1), (1, changed_ns)):
        stamp = (1, mtime, ctime, 1)
        assert observed_reads._is_settled(stamp, changed_ns + age_ns) is settled
