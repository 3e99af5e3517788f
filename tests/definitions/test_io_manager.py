"""A custom IO manager stores and loads the values of its assets."""

from __future__ import annotations

from typing import Any

from small_assets import graph_of

import assetgraph as dg
from assetgraph.cli.render.asset_page import asset_page
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import stale_reasons
from assetgraph.queries.asset_views import asset_details
from assetgraph.queries.event_text import event_text
from assetgraph.records import EventType, now


class Scaled(dg.IOManager):
    """Returns ten times the stored value, so that a value that bypassed it is noticed."""

    def __init__(self) -> None:
        self.kept: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        self.kept[context.asset_key] = obj
        context.add_output_metadata({"stored_by": "scaled"})

    def load_input(self, context: dg.InputContext) -> Any:
        return self.kept[context.asset_key] * 10


def test_an_input_counts_as_loaded_once_it_was(instance: dg.Instance) -> None:
    loaded_at = []

    class Timed(Scaled):
        def load_input(self, context: dg.InputContext) -> Any:
            value = super().load_input(context)
            loaded_at.append(now())
            return value

    @dg.asset(io_manager=Timed())
    def five() -> int:
        return 5

    @dg.asset
    def reader(five: int) -> int:
        return five

    events = dg.materialize([five, reader], instance=instance).events
    (loaded,) = (event for event in events if event.type is EventType.LOADED_INPUT)
    assert loaded.timestamp >= loaded_at[0]


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


def test_nothing_says_that_its_value_lies_in_its_record(instance: dg.Instance) -> None:
    @dg.asset(io_manager=Scaled())
    def five() -> int:
        return 5

    result = dg.materialize([five], instance=instance)
    (stored,) = [event for event in result.events if event.type is EventType.STEP_OUTPUT]
    assert event_text(stored) == "Stored by its IO manager."
    details = asset_details(StoreFacts(graph_of(five), instance.store), Target(five.key))
    page = "\n".join(line.plain for line in asset_page(details, 80))
    assert "  Value         stored by its IO manager\n" in page


def test_an_asset_without_the_manager_that_stored_its_value_is_materialized_again(
    instance: dg.Instance,
) -> None:
    def assets(manager: dg.IOManager | None) -> list[dg.Asset]:
        with dg.Registry():

            @dg.asset(io_manager=manager)
            def five() -> int:
                return 5

            @dg.asset
            def reader(five: int) -> int:
                return five

        return [five, reader]

    dg.materialize(assets(Scaled()), instance=instance)
    plain = assets(None)
    graph = graph_of(*plain)
    facts = StoreFacts(graph, instance.store)
    ((reason,), _) = stale_reasons(facts.targets, facts, map(Target, graph.order)).values()
    assert reason.text == "its value needs the IO manager that stored it"
    result = dg.materialize(plain, instance=instance, selection="reader")
    assert result.value("reader") == 5
