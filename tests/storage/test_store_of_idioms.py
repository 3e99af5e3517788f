"""A store that an earlier commit wrote plans as it did: nothing of it is stale.

`python benchmarks/replay.py 3853e26 --keep tests/support/store_of_idioms` made it, with an asset for
every fourth idiom of `tests/support/oracle` that needs no library.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import assetgraph as dg

KEPT = Path(__file__).parents[1] / "support" / "store_of_idioms"


def test_nothing_in_a_store_of_before_is_stale_and_its_values_load(
    project: Callable[..., Any], assetgraph: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    root: Path = project({"pipeline/__init__.py": ""}).root
    shutil.copytree(KEPT, root, dirs_exist_ok=True, copy_function=shutil.copyfile)
    monkeypatch.chdir(root)

    assert json.loads(assetgraph("plan", "--json").out) == []
    assets = json.loads(assetgraph("list", "--json").out)
    assert len(assets) == len(list((KEPT / "store" / "assets").glob("*.jsonl"))) > 40
    assert {asset["state"] for asset in assets} == {"fresh"}
    assert dg.load("default_arguments__value") == [5.5, 9.5, 5.5]
