"""The progress of a run in a notebook."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from assetgraph import AssetExecutionContext, asset, materialize


class Handle:
    def __init__(self, shown: list[Any]) -> None:
        self.shown = shown

    def update(self, one: Any) -> None:
        self.shown.append(one)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a notebook displays, one item for each update of the line."""
    items: list[Any] = []

    def display(one: Any, *, display_id: bool) -> Handle:
        assert display_id
        assert not items  # one line, updated in place
        items.append(one)
        return Handle(items)

    notebook = ModuleType("IPython")
    vars(notebook)["get_ipython"] = lambda: SimpleNamespace(kernel=object())
    display_module = ModuleType("IPython.display")
    vars(display_module)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    return items


@asset
def a(context: AssetExecutionContext) -> int:
    context.progress(1, 4)
    return 1


@asset
def broken(a: int) -> int:
    raise RuntimeError


@asset
def behind(broken: int) -> int:
    return broken


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_notebook_shows_a_run_in_one_line_that_ends_with_how_it_ended(
    shown: list[Any], executor: str
) -> None:
    materialize([a, broken, behind], raise_on_error=False, executor=executor)
    assert repr(shown[0]).startswith("0 of 3 steps · a · ")
    assert repr(shown[-1]).startswith("✕ failed · 3 of 3 steps · 1 failed · 1 skipped · ")
    assert shown[-1]._repr_html_().startswith('<div><progress value="3" max="3"></progress> ✕')
    assert len(shown) < 10


def test_a_run_that_succeeds_ends_with_that(shown: list[Any]) -> None:
    materialize([a])
    assert repr(shown[-1]).startswith("✓ succeeded · 1 of 1 steps · ")


def test_a_notebook_that_cannot_show_the_line_does_not_stop_the_run(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_one: Any, **_options: Any) -> None:
        raise OSError("the kernel's socket is closed")

    vars(sys.modules["IPython.display"])["display"] = fails
    assert materialize([a]).success


def test_ipython_in_a_terminal_and_a_plain_program_show_nothing(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    vars(sys.modules["IPython"])["get_ipython"] = lambda: SimpleNamespace()
    materialize([a])
    vars(sys.modules["IPython"])["get_ipython"] = lambda: None
    materialize([a])
    monkeypatch.delitem(sys.modules, "IPython")
    materialize([a])
    assert shown == []
