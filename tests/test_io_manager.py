"""An IO manager of a person's own stores and loads the values of its assets."""

from __future__ import annotations

from typing import Any

import pytest

import assetgraph as dg


class Scaled(dg.IOManager):
    """Gives back ten times what it was given, so that a value that skipped it is seen."""

    def __init__(self) -> None:
        self.kept: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        self.kept[context.asset_key] = obj
        context.add_output_metadata({"stored_by": "scaled"})

    def load_input(self, context: dg.InputContext) -> Any:
        return self.kept[context.asset_key] * 10


def test_a_consumer_gets_what_the_manager_loads_in_the_same_run_and_in_a_later_one(
    instance: dg.Instance,
) -> None:
    @dg.asset(io_manager=Scaled())
    def five() -> int:
        return 5

    @dg.asset
    def reader(five: int) -> int:
        return five

    together = dg.materialize([five, reader], instance=instance)
    assert together.value("reader") == 50
    assert together.value("five") == 50
    assert together.materialization("five").metadata == {"stored_by": "scaled"}
    later = dg.materialize([five, reader], instance=instance, selection="reader")
    assert later.value("reader") == 50


def test_what_is_no_manager_is_refused_where_it_is_given() -> None:
    with pytest.raises(TypeError, match="handle_output and load_input"):

        @dg.asset(io_manager="s3")  # type: ignore[call-overload]
        def five() -> int:
            return 5


def test_a_manager_that_raises_fails_the_step(instance: dg.Instance) -> None:
    class Full(Scaled):
        def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
            raise OSError("the shelf is full")

    @dg.asset(io_manager=Full())
    def five() -> int:
        return 5

    result = dg.materialize([five], instance=instance, raise_on_error=False)
    assert result.failures["five"].message == "the shelf is full"
