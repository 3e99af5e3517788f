"""A store that version 0.1.0 wrote opens, answers as it did then, and can be extended.

`tests/support/store_of_0_1` holds a project with its store, the commands that made it
(`made_by.sh`), and the answers of version 0.1.0 to the same questions (`expected/`). The store has
values of every format, and runs that succeeded, failed, were canceled and were interrupted.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import assetgraph as dg
from assetgraph.code.libraries import Distributions

KEPT = Path(__file__).parents[1] / "support" / "store_of_0_1"
WHERE_IT_WAS_MADE = "/srv/pipeline"
# The names of sentences of ours, which may be reworded.
WORDING = frozenset({"text", "changes", "notes", "reason"})
REWORDED = {"Stored as path at ": "Returned the path "}  # sentences among messages of the steps
# The versions of libraries that count in the code of its assets, which are stale with another.
OF_THE_STORE = {"msgspec": "msgspec 0.23.0"}
NEVER_MATERIALIZED = {"killed", "below_killed", "broken", "below_broken"}

pytestmark = pytest.mark.usefixtures("old_project", "utc")


@pytest.fixture
def old_project(project: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project and its store, whose folder is the current one."""
    root: Path = project({"pipeline/__init__.py": ""}).root
    shutil.copytree(KEPT / "project", root, dirs_exist_ok=True, copy_function=shutil.copyfile)
    monkeypatch.chdir(root)
    installed = Distributions.of
    monkeypatch.setattr(
        Distributions,
        "of",
        lambda self, module: OF_THE_STORE.get(module) or installed(self, module),
    )
    return root


@pytest.fixture
def answer(assetgraph: Callable[..., Any], old_project: Path) -> Callable[..., Any]:
    """What a command answers as JSON, with the folder named as it was when the store was made."""

    def answer_of(*arguments: str) -> Any:
        said = assetgraph(*arguments, "--json")
        return json.loads(said.out.replace(str(old_project), WHERE_IT_WAS_MADE))

    return answer_of


def said_before(name: str) -> Any:
    """What version 0.1.0 said, but for a failed attempt that read other data than that of now:
    it says nothing about the next attempt, so `broken` is missing now, and not failed."""
    text = (KEPT / "expected" / f"{name}.json").read_text(encoding="utf-8")
    for before, now in REWORDED.items():
        text = text.replace(before, now)
    said = json.loads(text)
    for asset in said.values() if name == "show" else said:
        if isinstance(asset, dict) and asset.get("key") == "broken" and "reasons" in asset:
            asset["reasons"] = [r for r in asset["reasons"] if r["kind"] != "attempt_failed"]
            asset |= {"state": "missing"} if "state" in asset else {}
    return said


def agrees(now: Any, before: Any, wording: frozenset[str] = WORDING) -> None:
    """Assert that every name of `before` is still there with an equal fact. Names may be added,
    and the sentences under the names of `wording` may read differently."""
    if isinstance(before, dict):
        assert set(before) <= set(now)
        for name, fact in before.items():
            if name in wording and fact is not None:
                assert isinstance(now[name], type(fact))
            else:
                agrees(now[name], fact, wording)
    elif isinstance(before, list):
        assert len(now) == len(before)
        for one, fact in zip(now, before, strict=True):
            agrees(one, fact, wording)
    else:
        assert now == before


@pytest.mark.parametrize("command", ["status", "list", "lineage"])
def test_the_states_of_its_assets_are_as_they_were(
    command: str, answer: Callable[..., Any]
) -> None:
    agrees(answer(command), said_before("status"))


def test_only_what_failed_was_interrupted_or_changed_then_is_planned(
    answer: Callable[..., Any],
) -> None:
    planned = answer("plan")
    agrees(planned, said_before("plan"))
    assert {step["key"] for step in planned} == {
        *NEVER_MATERIALIZED,
        "surcharges",
        "sum_of_surcharges",
    }


def test_the_cause_of_a_change_is_found_in_its_table_of_definitions(
    answer: Callable[..., Any],
) -> None:
    (stale,) = (step for step in answer("plan") if step["key"] == "surcharges")
    (reason,) = stale["reasons"]
    assert reason["kind"] == "code_changed"
    assert "SURCHARGE" in reason["text"]
    assert "helpers.py" in reason["text"]


def test_each_asset_shows_its_versions_and_history_as_they_were(
    answer: Callable[..., Any],
) -> None:
    for key, before in said_before("show").items():
        agrees(answer("show", key), before)


def test_each_run_shows_as_it_did(answer: Callable[..., Any]) -> None:
    agrees(answer("runs", "list"), said_before("runs_list"))
    for run_id, before in said_before("runs_show").items():
        agrees(answer("runs", "show", run_id), before)
    for run_id, logs in said_before("runs_logs").items():
        agrees(answer("runs", "logs", run_id), logs, wording=frozenset())


def test_doctor_finds_what_it_found_and_that_no_value_has_a_checksum(
    answer: Callable[..., Any],
) -> None:
    unsummed, *rest = answer("doctor")
    agrees(rest, said_before("doctor"))
    assert re.match(r"\d\d values were recorded without a checksum", unsummed["text"])
    assert not unsummed["serious"]


def test_every_value_loads_equal(old_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(old_project)
    helpers = import_module("pipeline.helpers")
    trips = helpers.rows("2023-03", 3)
    assert trips[1] == {"month": "2023-03", "zone": "Inwood", "fare": 7.0, "miles": 0.25}
    zones = [
        helpers.Zone("Harlem", 41, ("Inwood", "SoHo")),
        helpers.Zone("Inwood", 127, ("Harlem", "SoHo")),
        helpers.Zone("SoHo", 211, ("Harlem", "Inwood")),
    ]
    lines = "Harlem → 5.00\nInwood → 7.00\nSoHo → 9.00\n"
    values = {
        "trips": trips,
        "many_trips": helpers.rows("2023-03", 80),
        "raw/tlc/trips_file": Path("files/trips.csv"),
        "raw/zone_folder": Path("files/zones"),
        "prepared": None,
        "title": "3 trips — größer als nichts\n",
        "long_text": lines * 120,
        "digest": b"\x00\xff",
        "noise": bytes(range(256)) * 20,
        "größe/маршрут": {"Länge": 0.75},
        "zones": zones,
        "plain_pickle": {
            ("Harlem", 1): {41, 42},
            "when": datetime(2023, 3, 1, 12, 30, tzinfo=UTC),
            "sum": Decimal("1.10"),
            3: 1 + 2j,
        },
        "labels": ["41: Harlem", "127: Inwood", "211: SoHo"],
        "kept_elsewhere": {"zones": ["Harlem", "Inwood", "SoHo"]},
        "read_elsewhere": 3,
        "described": {"count": 3},
        "shaky": 3,
        "killed_once": 30,
        "canceled_once": 31,
        "below_canceled": 32,
        "surcharges": [5.25, 7.25, 9.25],
        "sum_of_surcharges": 21.75,
        "constants": ["größe/маршрут", "2023-03", 3],
        "pickled_names": (
            dg.AssetKey(["größe", "маршрут"]),
            dg.RetryPolicy(max_retries=3, delay=0.5, backoff=dg.Backoff.EXPONENTIAL),
            dg.MetadataValue.url("https://example.org/trips"),
            helpers.MonthConfig(),
            dg.Backoff.LINEAR,
        ),
        "reads_pickled_names": "größe/маршрут",
        "count_of_rows": 16,
    }
    assert {key: dg.load(key) for key in values} == values
    assert (old_project / "files/trips.csv").read_text() == "Harlem,5.0\nInwood,7.0\nSoHo,9.0\n"
    assert dg.load("trip_table", pa.Table).to_pylist() == trips
    assert dg.load("arrow_only").equals(pa.table({"at": pa.array([1, 2, None], pa.timestamp("s"))}))
    streamed = helpers.rows("2023-01", 5) + helpers.rows("2023-02", 5)
    assert dg.load("streamed", pa.Table).to_pylist() == streamed
    by_zone = dg.load("pandas_frame")
    assert (by_zone["zone"].tolist(), by_zone["fare"].tolist()) == (
        ["Harlem", "Inwood", "SoHo"],
        [5.0, 7.0, 9.0],
    )
    assert dg.load("polars_frame")["miles"].to_list() == [0.0, 0.25, 0.5]
    tables = {"trip_table", "arrow_only", "streamed", "pandas_frame", "polars_frame"}
    every = {asset["key"] for asset in said_before("status")}
    assert every == {*values, *tables, *NEVER_MATERIALIZED}


def test_stale_materializes_what_is_left_and_then_nothing(
    assetgraph: Callable[..., Any], answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_WORKING", "1")
    monkeypatch.setenv("PIPELINE_SURVIVE", "1")
    assert assetgraph("materialize", "--stale").code == 0
    assert answer("plan") == []
    assert answer("materialize", "--stale") is None


@pytest.mark.filterwarnings("ignore:two bytes are few")
def test_all_of_it_can_be_materialized_once_more(
    assetgraph: Callable[..., Any], answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_WORKING", "1")
    monkeypatch.setenv("PIPELINE_SURVIVE", "1")
    before = {asset["key"]: answer("show", asset["key"]) for asset in answer("list")}
    assert assetgraph("materialize", "--all").code == 0
    for key, shown in before.items():
        now = answer("show", key)
        assert now["state"] == "fresh"
        assert now["history"][1:] == shown["history"][: len(now["history"]) - 1]
        assert now["code_version"] == shown["code_version"]
    assert len(answer("runs", "list")) == len(said_before("runs_list")) + 1
