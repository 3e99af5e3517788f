"""A history that somebody deleted, compressed or moved away is named, not taken for none."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

import assetgraph as dg
from assetgraph.keys import AssetKey
from assetgraph.storage.asset_records import rename, wipe
from assetgraph.storage.doctor import Finding, examine
from assetgraph.storage.retention import find_prunable
from assetgraph.storage.store import Store

Command = Callable[..., Answer]

PIPELINE = """
from assetgraph import asset
@asset
def large(): return list(range(5000))
@asset
def small(): return 1
@asset
def reader(large, small): return len(large) + small
"""


def delete(path: Path) -> None:
    path.unlink()


def compress(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_suffix(".old"))


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("assets.old"))


@pytest.fixture
def pipeline(
    project: Callable[..., ProjectFolder], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of the histories of a project where everything is fresh."""
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all", "--quiet").code == 0
    assert assetgraph("doctor").err == "The store is intact.\n"
    return made.root / ".assetgraph/assets"


@pytest.mark.parametrize("take_away", [delete, compress, move, move_the_folder])
def test_an_asset_with_a_value_and_no_history_is_damaged_not_never_materialized(
    pipeline: Path, assetgraph: Command, take_away: Callable[[Path], None]
) -> None:
    path = pipeline / "large.jsonl"
    take_away(path)
    said = f"its history is missing, though it has values: {path}"
    for command in (["status"], ["plan", "large"], ["show", "large"]):
        answer = assetgraph(*command)
        assert answer.code == 0
        assert said in answer.out
    (large,) = assetgraph("status", "large", "--json").json
    assert (large["state"], large["reasons"][0]["kind"]) == ("missing", "history_missing")
    assert "Restore the history of large from a copy" in assetgraph("list", "large").err
    for command in (["show", "large", "--head", "3"], ["accept", "large"]):
        answer = assetgraph(*command)
        assert answer.code == 2
        assert f"the history of 'large' is missing, though it has values: {path}" in answer.err
        assert "assetgraph materialize large" in answer.err
    with pytest.raises(dg.AssetGraphError, match="the history of 'large' is missing"):
        dg.load("large")
    examined = assetgraph("doctor")
    assert examined.code == 1
    assert ("large.jsonl" in examined.out) != (take_away is move_the_folder)
    assert str(pipeline) in examined.out


@pytest.mark.parametrize("take_away", [delete, compress, move])
def test_doctor_knows_by_the_runs_that_a_value_in_its_record_was_made(
    pipeline: Path, assetgraph: Command, take_away: Callable[[Path], None]
) -> None:
    path = pipeline / "small.jsonl"
    take_away(path)
    examined = assetgraph("doctor")
    assert examined.code == 1
    (beside,) = [f" (there is {one.name})" for one in pipeline.glob("small*")] or [""]
    beside = beside if ".jsonl" in beside else ""
    assert f"{path} is missing{beside}, though the run" in examined.out.replace("\n  ", " ")
    assert "assetgraph materialize small" in examined.out


def test_materializing_an_asset_begins_a_new_history_and_ends_the_damage(
    pipeline: Path, assetgraph: Command
) -> None:
    (pipeline / "large.jsonl").unlink()
    (pipeline / "small.jsonl").unlink()
    assert assetgraph("materialize", "--stale").code == 0
    assert assetgraph("status", "--exit-code").code == 0
    assert "a value of large was stored but never recorded" in assetgraph("doctor").out
    assert assetgraph("doctor", "--repair").code == 0
    assert assetgraph("doctor").err == "The store is intact.\n"


def test_the_values_of_a_lost_history_stay_until_it_is_back(
    pipeline: Path, assetgraph: Command
) -> None:
    compress(pipeline / "large.jsonl")
    assert assetgraph("doctor", "--repair").code == 1
    assert "Nothing to remove" in assetgraph("prune").err
    (pipeline / "large.jsonl").write_bytes(
        gzip.decompress((pipeline / "large.jsonl.gz").read_bytes())
    )
    assert assetgraph("status", "--exit-code").code == 0
    assert assetgraph("doctor").code == 0


def test_what_was_wiped_is_not_lost(pipeline: Path, assetgraph: Command) -> None:
    assert assetgraph("wipe", "large", "small", "--yes").code == 0
    status = assetgraph("status", "--json").json
    kinds = {asset["key"]: asset["reasons"][0]["kind"] for asset in status[:2]}
    assert kinds == {"large": "never_materialized", "small": "never_materialized"}
    assert assetgraph("doctor").code == 0
    (pipeline / "reader.jsonl").unlink()
    assert assetgraph("wipe", "reader", "--yes").code == 0


def test_the_values_of_a_lost_history_can_be_wiped(pipeline: Path, assetgraph: Command) -> None:
    (pipeline / "large.jsonl").unlink()
    assert assetgraph("wipe", "large", "--yes").code == 0
    assert assetgraph("doctor").code == 0
    assert list(Store(pipeline.parent).values.runs()) == []


def test_an_emptied_history_is_mentioned(pipeline: Path, assetgraph: Command) -> None:
    (pipeline / "large.jsonl").write_bytes(b"")
    examined = assetgraph("doctor")
    assert examined.code == 0
    assert f"{pipeline}/large.jsonl is empty, though there is a value" in examined.out
    assert "assetgraph prune" in examined.out


def test_a_lost_history_of_what_the_project_does_not_define_names_wipe(
    pipeline: Path, assetgraph: Command
) -> None:
    for name in ("large", "small"):
        (pipeline / f"{name}.jsonl").unlink()
    (pipeline.parents[1] / "pipeline.py").write_text(
        "from assetgraph import asset\n@asset\ndef other(): return 1\n"
    )
    examined = assetgraph("doctor")
    assert examined.code == 1
    assert "assetgraph wipe large" in examined.out
    assert "small" not in examined.out  # nothing is left that it could describe
    assert assetgraph("wipe", "large", "--yes").code == 0
    assert assetgraph("doctor").code == 0


def large(instance: dg.Instance, name: str = "old") -> Store:
    """A store with one asset, whose value has a file."""
    dg.materialize([dg.asset(name=name)(lambda: list(range(5000)))], instance=instance)
    return instance.store


def serious(store: Store) -> list[Finding]:
    return [finding for finding in examine(store) if finding.serious]


def test_a_renamed_asset_has_the_history_of_its_first_name(instance: dg.Instance) -> None:
    store = large(instance)
    rename(store, AssetKey("old"), AssetKey("new"))
    assert list(examine(store)) == []
    history = Path(store.history.path(AssetKey("new")))
    kept = history.read_bytes()
    history.unlink()
    (finding,) = serious(store)
    assert f"{history} is missing" in finding.text
    assert "materialized new" in finding.text
    history.write_bytes(kept)
    wipe(store, [AssetKey("new")])
    assert list(examine(store)) == []


def test_values_in_a_folder_elsewhere_tell_of_a_lost_history_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", storage=str(tmp_path / "values"))
    instance = dg.Instance(store.folder)
    instance.store = store
    large(instance)
    assert serious(store) == []
    Path(store.history.path(AssetKey("old"))).unlink()
    (finding,) = serious(store)
    assert "old.jsonl is missing" in finding.text
    assert list(find_prunable(store)) == []
    shutil.rmtree(tmp_path / "store/runs")
    assert len(serious(store)) == 1
