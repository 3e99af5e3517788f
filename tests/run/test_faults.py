"""Runs that are broken at chosen moments: see `faults.py`, and `benchmarks/faults.py` for more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from check_faults import CheckScenario, play_checks
from faults import KINDS, Fault, Scenario, check, play, play_together, ran, resume, run_broken
from multi_faults import MultiScenario
from partition_faults import PartitionedScenario

from assetgraph.storage.store import Store


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_leaves_a_clean_store_and_resumes(
    kind: str, seed: int, tmp_path: Path
) -> None:
    play(Scenario.random(seed, [kind]), tmp_path)


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_share_assets_materialize_each_once(processes: int, tmp_path: Path) -> None:
    scenario = replace(Scenario.random(processes), executor="threads", fault=None)
    play_together(scenario, processes, tmp_path)


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_share_assets_survive_the_death_of_some(
    processes: int, tmp_path: Path
) -> None:
    scenario = replace(Scenario.random(processes), executor="serial", fault=Fault("torn", 40))
    play_together(scenario, processes, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_of_partitions_leaves_a_clean_store_and_resumes(
    kind: str, tmp_path: Path
) -> None:
    play(PartitionedScenario.random(5, [kind]), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_never_loses_what_a_blocking_check_holds(kind: str, tmp_path: Path) -> None:
    play_checks(CheckScenario.random(6, [kind]), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_of_functions_of_several_assets_leaves_a_clean_store_and_resumes(
    kind: str, tmp_path: Path
) -> None:
    play(MultiScenario.random(4, [kind]), tmp_path)


def test_processes_that_share_functions_of_several_assets_survive_the_death_of_some(
    tmp_path: Path,
) -> None:
    fault = Fault("torn", 60)
    scenario = replace(MultiScenario.random(2), executor="serial", fault=fault)
    play_together(scenario, 3, tmp_path)


def test_processes_with_overlapping_ranges_materialize_each_partition_once(tmp_path: Path) -> None:
    scenario = replace(PartitionedScenario.random(1), executor="serial", fault=None)
    play_together(scenario, 3, tmp_path)


def test_processes_with_overlapping_ranges_survive_the_death_of_some(tmp_path: Path) -> None:
    fault = Fault("torn", 60)
    scenario = replace(PartitionedScenario.random(2), executor="serial", fault=fault)
    play_together(scenario, 4, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can mount a small disk")
def test_a_full_disk_loses_no_record_and_the_run_resumes_once_there_is_room(
    small_disk: Path,
) -> None:
    scenario = replace(Scenario.random(7), big=frozenset(range(9)), executor="serial", fault=None)
    [code] = run_broken([scenario], small_disk)
    assert code != 0
    done = check(scenario, Store(small_disk / "store"))
    before = ran(small_disk)
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    resume(scenario, small_disk)
    after = ran(small_disk)
    assert {key: after[key] for key in done} == {key: before[key] for key in done}
    assert check(scenario, Store(small_disk / "store")) == {f"a{i}" for i in range(len(after))}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
