"""Which asset made a file."""

from __future__ import annotations

from pathlib import Path

import assetgraph as dg
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store


@dg.asset
def export() -> Path:
    path = Path(Path("wanted").read_text())
    path.write_text("made")
    return path


@dg.asset
def table() -> str:
    return "x" * 10_000


def test_the_maker_of_a_file_is_known_by_the_last_path_that_it_returned(
    instance: dg.Instance, folder: Path
) -> None:
    for name in ("first.csv", "second.csv"):
        Path("wanted").write_text(name)
        dg.materialize([export], instance=instance)
    made = Store(instance.store.folder).outputs()

    assert made.maker("second.csv") == made.maker(f"{folder}/second.csv") == export.key
    assert made.maker("first.csv") is None
    assert not made.is_output("second.csv.bak")


def test_a_file_in_the_store_s_values_belongs_to_its_asset(
    instance: dg.Instance, folder: Path
) -> None:
    dg.materialize([table], instance=instance)
    (value,) = folder.glob(".assetgraph/values/table/**/value.*")

    assert instance.store.outputs().maker(str(value)) == table.key


def test_what_is_made_in_a_run_counts_at_once(instance: dg.Instance, folder: Path) -> None:
    Path("wanted").write_text("first.csv")
    outputs = instance.store.outputs()
    assert outputs.maker("first.csv") is None
    dg.materialize([export], instance=instance)
    made = instance.store.history.known(Target(export.key))
    assert made is not None
    assert outputs.maker("first.csv") is None
    outputs.add(AssetKey("export"), made)

    assert outputs.maker("first.csv") == export.key
