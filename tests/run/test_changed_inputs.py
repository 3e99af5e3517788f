"""A step that changes a file of its upstream says so: it makes its own upstream stale."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import assetgraph as dg
from assetgraph.records import EventType

FILE = Path("orders.csv")
FOLDER = Path("exports")


@dg.asset
def orders_file() -> Path:
    FILE.write_text("a\n1\n")
    return FILE


@dg.asset
def exports() -> Path:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "jan.csv").write_text("a\n1\n")
    return FOLDER


def warnings(result: dg.RunResult, step: str) -> list[str | None]:
    return [
        event.message
        for event in result.events
        if event.type is EventType.LOG and event.level == "WARNING" and event.step == step
    ]


def overwrite_and_return(path: Path) -> Path:
    path.write_text("a,b\n1,2\n")
    return path


def overwrite_and_return_another_thing(path: Path) -> int:
    path.write_text("a,b\n1,2\n")
    return 5


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("2\n")


def replace(path: Path) -> None:
    Path("new.csv").write_text("a\n2\n")
    Path("new.csv").replace(path)


def overwrite_as_long(path: Path) -> None:
    path.write_text("a\n2\n")
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [overwrite_and_return, overwrite_and_return_another_thing, append, replace, overwrite_as_long],
)
def test_a_step_that_changes_the_file_of_its_upstream_warns(
    instance: dg.Instance, change: Callable[[Path], object]
) -> None:
    @dg.asset
    def cleaned(orders_file: Path) -> object:
        return change(orders_file)

    [warning] = warnings(dg.materialize([orders_file, cleaned], instance=instance), "cleaned")
    assert str(warning).startswith("orders.csv, which orders_file returned, has changed since")
    assert "orders_file is not up to date. Write to another file instead." in str(warning)


def test_a_step_that_deletes_the_file_or_adds_to_the_folder_of_its_upstream_warns(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def moved(orders_file: Path, exports: Path) -> None:
        orders_file.unlink()
        (exports / "feb.csv").write_text("a\n")

    result = dg.materialize([orders_file, exports, moved], instance=instance)
    assert [str(one).partition(" since")[0] for one in warnings(result, "moved")] == [
        "orders.csv, which orders_file returned, is gone",
        "exports, which exports returned, has changed",
    ]


@pytest.mark.parametrize(
    "use", [Path.read_text, Path.touch, lambda path: path.write_text(path.read_text()), Path]
)
def test_a_step_that_reads_passes_on_or_rewrites_what_is_there_does_not(
    instance: dg.Instance, use: Callable[[Path], object]
) -> None:
    @dg.asset
    def read(orders_file: Path) -> object:
        return use(orders_file)

    assert warnings(dg.materialize([orders_file, read], instance=instance), "read") == []
