"""A killed run loses no finished work and does not block later runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[1] / "support" / "kills.py"


@pytest.mark.parametrize("when", ["40", "each"])
def test_a_run_that_is_killed_loses_nothing(when: str) -> None:
    """Killed at 40 random moments, and once before each call that changes the disk."""
    done = subprocess.run(
        [sys.executable, str(KILLS), when],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # 10 s on a quiet machine
        env={**os.environ, "PYTHONPATH": str(KILLS.parents[2])},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was lost" in done.stdout
    assert "INTERRUPTED" in done.stdout
    assert "finished steps of interrupted runs" in done.stdout
