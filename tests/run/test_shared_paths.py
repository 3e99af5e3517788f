"""Values that are one file: who runs last replaces what the other wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import assetgraph as dg


def warnings_of(result: dg.RunResult) -> list[str]:
    return [str(event.message) for event in result.events if event.level == "WARNING"]


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_partitions_that_return_one_path_are_warned_of() -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def letters(context: dg.AssetExecutionContext) -> Path:
        Path("letters.txt").write_text(context.partition_key)
        return Path("letters.txt")

    (warning,) = warnings_of(dg.materialize([letters], partitions="*"))
    assert warning == (
        "letters@b returned letters.txt, as letters@a did: one of them replaces what the other "
        "wrote. Let each partition write a file of its own, with context.partition_key in its name."
    )


def test_an_asset_may_pass_a_path_on() -> None:
    @dg.asset
    def written() -> Path:
        Path("letters.txt").write_text("a")
        return Path("letters.txt")

    @dg.asset
    def passed_on(written: Path) -> Path:
        return written

    assert warnings_of(dg.materialize([written, passed_on])) == []


def test_a_path_of_each_is_no_reason_to_warn() -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def letters(context: dg.AssetExecutionContext) -> Path:
        path = Path(f"{context.partition_key}.txt")
        path.write_text("x")
        return path

    assert warnings_of(dg.materialize([letters], partitions="*")) == []
