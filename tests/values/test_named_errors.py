"""Errors about a value: each names the asset, whoever asked for the value."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assetgraph import (
    Asset,
    AssetIn,
    InputContext,
    Instance,
    IOManager,
    MaterializeResult,
    OutputContext,
    RunResult,
    asset,
    load,
    materialize,
)
from assetgraph.errors import AssetGraphError, NoValueError, ValueTypeError


class Custom:
    pass


def lost_class(made: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(globals(), "Custom")


def lost_file(made: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    os.remove(_file(made))


def cut_file(made: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(_file(made), 3)


def nothing(made: RunResult, monkeypatch: pytest.MonkeyPatch) -> None: ...


def _file(made: RunResult) -> str:
    path = made.materialization("raw/x").value.path or ""
    return os.path.join(made.instance.store.folder, "values", path)


CASES = [
    (lambda: [1, 2], int, nothing, "cannot be loaded as `int`: it is a list"),
    (lambda: "text", Path, nothing, "Return pathlib.Path"),
    (lambda: pl.DataFrame({"n": [1]}), dict, nothing, "it is a polars.DataFrame.*Ask for polars.D"),
    (lambda: Custom(), object, lost_class, "cannot be read back"),
    (lambda: Custom(), object, lost_file, "is gone"),
    (lambda: pl.DataFrame({"n": [1]}), pl.DataFrame, lost_file, "is gone"),
    (lambda: pl.DataFrame({"n": [1]}), pl.DataFrame, cut_file, "is damaged"),
]


@pytest.mark.parametrize(("make", "wanted", "then", "message"), CASES)
def test_an_error_about_a_value_names_its_asset_whoever_asks_for_it(
    make: Callable[[], object],
    wanted: Any,
    then: Callable[[RunResult, pytest.MonkeyPatch], None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asset(key="raw/x")
    def x() -> Any:
        return make()

    def reads(p: Any) -> None: ...

    reads.__annotations__["p"] = wanted
    reader = asset(ins={"p": AssetIn(key="raw/x")})(reads)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.assetgraph]\n")
    made = materialize([x], instance=Instance(tmp_path / ".assetgraph"))
    then(made, monkeypatch)
    for ask in (lambda: made.value("raw/x", wanted), lambda: load("raw/x", wanted)):
        with pytest.raises((ValueTypeError, NoValueError), match=message) as raised:
            ask()
        assert raised.value.message.startswith("asset 'raw/x': ")
        assert raised.value.hint
    if then is nothing:
        with pytest.raises(ValueTypeError, match=message) as raised:
            materialize([x, reader])
        where = "parameter 'p' of asset 'reads', which reads 'raw/x': "
        assert raised.value.message.startswith(where)


class Broken(IOManager):
    def handle_output(self, context: OutputContext, obj: Any) -> None: ...
    def load_input(self, context: InputContext) -> Any:
        raise KeyError("no such row")


def test_the_exception_of_an_io_manager_has_a_note_with_the_asset() -> None:
    @asset(io_manager=Broken())
    def orders() -> int:
        return 1

    with pytest.raises(KeyError) as raised:
        materialize([orders]).value("orders")
    assert "asset 'orders'" in raised.value.__notes__[0]


@asset
def returns_it() -> Any:
    return MaterializeResult(value=1, metadata={"rows": object()})


@asset
def adds_it(context: Any) -> None:
    context.add_output_metadata({"rows": object()})


@pytest.mark.parametrize("made", [returns_it, adds_it])
def test_metadata_that_cannot_be_recorded_names_its_asset(made: Asset[Any]) -> None:
    with pytest.raises(AssetGraphError, match=rf"asset '{made.name}': the metadata 'rows' is an"):
        materialize([made])


@pytest.mark.parametrize("kind", [list, dict])
def test_a_value_that_nests_too_deep_is_refused_in_plain_words(kind: type) -> None:
    @asset
    def nested() -> Any:
        value: Any = kind()
        for _ in range(5000):
            value = [value] if kind is list else {"in": value}
        return value

    with pytest.raises(ValueTypeError) as raised:
        materialize([nested])
    assert (
        raised.value.message
        == f"asset 'nested' returned a {kind.__name__} that nests too deep to be stored."
    )
