"""Runs that are broken at chosen moments: see `faults.py`, and `benchmarks/faults.py` for more."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import KINDS, Scenario, play


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_leaves_a_clean_store_and_resumes(
    kind: str, seed: int, tmp_path: Path
) -> None:
    play(Scenario.random(seed, [kind]), tmp_path)
