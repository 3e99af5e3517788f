"""What is shown of a frame that is pickled: its first rows, and nothing is unpickled for it."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.keys import AssetKey, Target
from assetgraph.queries.value_preview import preview
from assetgraph.storage.store import Store

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


class Loud:
    """An object in a frame, whose code nobody runs to show it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __setstate__(self, _state: object) -> None:
        raise AssertionError("it was unpickled")


class Mute:
    def __str__(self) -> str:
        raise ValueError("no text")


def shown(store: Store, value: object, most: int = 50) -> dict[str, Any]:
    saved = store.values.save(Target(AssetKey("a")), "20261122-160837-482-4f2a", value)
    assert saved.stored.format == "pickle"
    return preview(store, saved.stored, most)


FRAMES = {
    "objects": (
        lambda: pd.DataFrame({"n": [1, 2], "x": [Loud("one"), Loud("two")]}),
        [("n", "int64"), ("x", "object")],
        [[1, "one"], [2, "two"]],
    ),
    "mixed cells": (
        lambda: pd.DataFrame({"x": ["a", 1, 1.5, None, True, 2**70, (1, 2), pd.NA, pd.NaT]}),
        [("x", "object")],
        [["a"], [1], [1.5], [None], [True], [str(2**70)], ["(1, 2)"], [None], [None]],
    ),
    "one name twice": (
        lambda: pd.DataFrame([[1, 2]], columns=["x", "x"]),
        [("x", "int64"), ("x", "int64")],
        [[1, 2]],
    ),
    "an index of several levels": (
        lambda: pd.DataFrame(
            {"x": [1, "b"]},
            index=pd.MultiIndex.from_tuples([(1, "u"), (2, "v")], names=["k", None]),
        ),
        [("k", "int64"), ("", "object"), ("x", "object")],
        [[1, "u", 1], [2, "v", "b"]],
    ),
    "columns of several levels": (
        lambda: pd.DataFrame({("a", "b"): [Loud("one")]}),
        [("('a', 'b')", "object")],
        [["one"]],
    ),
    "a series": (
        lambda: pd.Series([1, 2], index=["u", "v"], name="s"),
        [("", "object"), ("s", "int64")],
        [["u", 1], ["v", 2]],
    ),
    "numbers of pandas": (
        lambda: pd.DataFrame({"x": [decimal.Decimal("1.50"), "a"]}),
        [("x", "object")],
        [["1.50"], ["a"]],
    ),
    "a series of polars": (lambda: pl.Series("s", [1, None]), [("s", "Int64")], [[1], [None]]),
    "large integers of polars": (
        lambda: pl.DataFrame({"x": pl.Series([1, 2**100], dtype=pl.Int128)}),
        [("x", "Int128")],
        [[1], [str(2**100)]],
    ),
    "a lazy frame of polars": (
        lambda: pl.DataFrame({"x": pl.Series([3], dtype=pl.Int128)}).lazy(),
        [("x", "Int128")],
        [[3]],
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_pickled_frame_shows_its_first_rows_and_is_not_unpickled(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make, columns, rows = FRAMES[name]
    store.prepare()
    monkeypatch.setattr("pickle.loads", None)
    monkeypatch.setattr("assetgraph.storage.formats.pickling.pickle_file.read_pickle", None)
    found = shown(store, make())
    if name in ("an index of several levels", "a series"):  # pandas 3 has a type of its own
        found["columns"] = [
            {**one, "type": one["type"].replace("str", "object")} for one in found["columns"]
        ]
    assert [(one["name"], one["type"]) for one in found["columns"]] == columns
    assert found["rows"] == rows
    assert "note" not in found


def test_a_large_pickled_frame_shows_a_bounded_part(store: Store) -> None:
    store.prepare()
    wide = shown(store, pd.DataFrame({n: ["x" * 10_000, n] * 40 for n in range(300)}))
    assert wide["note"] == "The first 50 rows. The first 200 of 300 columns."
    assert (len(wide["rows"]), len(wide["rows"][0])) == (50, 200)
    assert wide["rows"][0][0] == "x" * 199 + "…"
    nested = shown(store, pd.DataFrame({"x": [list(range(100_000)), "a"]}))
    assert nested["rows"][0][0].endswith("18, 19, ...]")
    assert len(shown(store, pd.DataFrame({"x": [1, "a"]}), 1)["rows"]) == 1


def test_a_frame_whose_objects_have_no_text_is_stored_without_a_preview(store: Store) -> None:
    store.prepare()
    found = shown(store, pd.DataFrame({"x": [Mute()]}))
    assert found["kind"] == "none"
    assert "Showing it would run its code" in found["note"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"columns": 3}'])
def test_a_damaged_preview_is_said_and_the_value_is_as_it_was(store: Store, content: bytes) -> None:
    store.prepare()
    saved = store.values.save(
        Target(AssetKey("a")), "20261122-160837-482-4f2a", pd.DataFrame({"x": [1, "a"]})
    )
    (file,) = Path(store.storage).glob("a/_/*/preview.json")
    file.write_bytes(content)
    assert "is damaged" in preview(store, saved.stored)["note"]
    assert store.values.check(saved.stored, deep=True) == "intact"
    file.unlink()
    assert preview(store, saved.stored)["kind"] == "none"


def test_the_head_of_a_pickled_frame_is_a_table(
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = """
    import pandas as pd
    from assetgraph import asset
    @asset
    def mixed(): return pd.DataFrame({"x": [1, "a", None]})
    """
    monkeypatch.chdir(project({"pipeline.py": text}).root)
    assert assetgraph("materialize", "mixed").code == 0
    assert assetgraph("show", "mixed", "--head", "2").out == "x\n1\na\n"
    assert assetgraph("show", "mixed", "--head", "2").err == "The first 2 rows.\n"
    (file,) = Path(".assetgraph/values").glob("mixed/_/*/value.pickle")
    file.write_bytes(b"x")
    damaged = assetgraph("show", "mixed", "--head", "2")
    assert (damaged.code, damaged.out) == (2, "")
    assert "is damaged" in damaged.err
