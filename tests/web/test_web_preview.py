"""What the page shows of a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store
from assetgraph.web.api.preview import preview


@pytest.mark.parametrize(("unit", "expected"), [("us", "parquet"), ("s", "arrow")])
def test_a_table_is_shown_however_it_is_stored(folder: Path, unit: Any, expected: str) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    table = pa.table({"at": pa.array([1], pa.timestamp(unit))})
    stored = store.values.save(Target(AssetKey("trips")), "run", table).stored
    assert stored.format == expected
    shown = preview(store, stored)
    assert shown["kind"] == "table"
    assert [column["name"] for column in shown["columns"]] == ["at"]
    assert len(shown["rows"]) == 1
