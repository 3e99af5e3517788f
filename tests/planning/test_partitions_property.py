"""The promises about targets, on generated assets with partitions. After any edits of code,
definitions and mappings, failures, deleted values and partial runs, states and plans are those of a
model that looks up everything by brute force, and `--stale` leaves every target as if made from
scratch. It runs nothing that is current."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from partition_history import Edge, History, Made, Place, Step, World
from partition_model import (
    All,
    Default,
    Definition,
    Each,
    InStore,
    Last,
    Multi,
    OfTime,
    OneDimension,
    Own,
    Same,
    Some,
    Static,
    Table,
    Windows,
    Wrong,
)

import assetgraph as dg
from assetgraph.definitions.partitions.number_ranges import in_ranges
from assetgraph.errors import PartitionsError
from assetgraph.keys import Target
from assetgraph.planning import columns
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.planning.reasons import AssetStates
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.records import EventType
from assetgraph.run.launch import launch
from assetgraph.storage import partition_index, partition_rows
from assetgraph.storage.asset_records import wipe_partitions
from assetgraph.storage.store import Store

EXAMPLES = int(os.environ.get("ASSETGRAPH_EXAMPLES", "25"))
NAMES = [f"a{number}" for number in range(5)]
DAY_ONE = date(2023, 1, 1)
DYNAMIC = ("red", "blue")


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_states_and_plans_are_those_of_the_model_and_stale_makes_all_as_from_scratch(
    data: st.DataObject,
) -> None:
    kept = data.draw(st.sampled_from([0, 500, partition_index.WORTH_KEEPING]))
    few = data.draw(st.sampled_from([1, 2, 254]))  # labels, and circumstances of values
    with (
        instance() as store_of,
        mock.patch.object(partition_index, "WORTH_KEEPING", kept),
        mock.patch.object(columns, "MOST_LABELS", few),
        mock.patch.object(partition_rows, "_MOST_CIRCUMSTANCES", few),
        mock.patch.object(partition_rows, "_FEW_UPSTREAMS", few),
        mock.patch.object(partition_rows, "_MOST_INPUT_BYTES", 0),
    ):
        world = World({}, {name: [] for name in DYNAMIC})
        for name in NAMES:
            world.assets[name] = data.draw(made(world, name))
        history = History(world)
        project = Project(store_of, world, history)
        for _ in range(3):
            for _ in range(data.draw(st.integers(0, 3))):
                change(project, data)
            project.check_states()
            project.check_and_run(data.draw(requests(project)))
            if project.check_and_run(RunRequest(stale=True)):
                project.check_values()
                project.check_and_run(RunRequest(stale=True))


class Project:
    """A store, compared with what the model says."""

    def __init__(self, store_of: dg.Instance, world: World, history: History) -> None:
        self.instance = store_of
        self.world = world
        self.history = history

    def facts(self) -> StoreFacts:
        for name, keys in self.world.dynamic.items():
            there = self.instance.get_dynamic_partitions(name)
            for key in there:
                if key not in keys:
                    self.instance.delete_dynamic_partition(name, key)
            self.instance.add_dynamic_partitions(name, keys)
        graph = self.world.definitions().graph.require_valid()
        # An ephemeral store goes by `code_version` alone, which takes much less time.
        folder = self.instance.store.folder
        return StoreFacts(graph, Store(folder, project_root=Path(folder), ephemeral=True))

    def check_states(self) -> None:
        facts = self.facts()
        every = facts.targets.of(facts.graph.order)
        states = facts.target_states(every)
        found = {place(one): state.state.value for one, state in states.items()}
        expected = self.history.states(self.world.every())
        assert found == expected
        self.check_groups(states)

    def check_groups(self, states: Mapping[Target, AssetStates]) -> None:
        """The states that are told of whole assets are those of their targets one by one."""
        facts = self.facts()
        for key, found in facts.states(facts.graph.order).items():
            keys = facts.targets.keys(key)
            if keys is None:
                assert found == states[facts.graph.targets[key]]
                continue
            counts, groups = Counter[str](), {}
            for target in facts.targets.targets(key):
                state, reasons = states[target][:2]
                counts[state] += 1
                if reasons:
                    kind = state.value, tuple(one.of_many for one in reasons)
                    groups.setdefault(kind, []).append(target)
            assert found.counts == counts
            assert len(found.reasons) == len(groups)
            for why in found.reasons:
                shown = why.facts
                (alike,) = [
                    targets
                    for (state, texts), targets in groups.items()
                    if state == shown["state"]
                    and shown["why"]
                    in (list(texts), [one.text for one in states[targets[0]].reasons])
                ]
                numbers = in_ranges(map(facts.targets.number, alike))
                ends = [dict.fromkeys([keys[part[0]], keys[part[-1]]]) for part in numbers]
                assert list(shown["partitions"]) == ["..".join(one) for one in ends]
                assert (shown["count"], shown["of"]) == (len(alike), len(keys))

    def check_and_run(self, request: RunRequest) -> bool:
        """Plan and run a request, and compare both. Returns False if there can be no plan."""
        facts = self.facts()
        expected: list[Step] | None
        selected = self._meant(request, facts)
        try:
            if request.stale:
                expected = self.history.stale_plan(selected)
            else:
                expected = self.history.requested_plan(selected)
        except Wrong:
            expected = None
        if expected is None:
            with pytest.raises(PartitionsError):
                plan_run(request, facts)
            return False
        plan = plan_run(request, facts)
        assert calls(plan) == sorted(tuple(step.outputs) for step in expected)
        asked = set() if request.stale or request.only else set(selected)
        ran = self.history.run(expected, asked)
        assert self._started(request, plan, facts) == ran
        return True

    def check_values(self) -> None:
        """Every target that is fresh has the value that a run from scratch gives, and without a
        failure every target is."""
        facts, states = self.facts(), self.history.states(self.world.every())
        assert self.world.broken or set(states.values()) <= {"fresh"}
        for (name, partition), value in self.world.from_scratch().items():
            if value is None or states[name, partition] != "fresh":
                continue
            current = facts.of(Target(dg.AssetKey(name), partition)).current
            assert current is not None
            loaded: Any = facts.store.values.load(current.value)
            is_large = isinstance(loaded, dict)
            assert (loaded["n"] if is_large else loaded, is_large) == value, (name, partition)

    def _meant(self, request: RunRequest, facts: StoreFacts) -> list[Place]:
        """The targets that a request selects, as far as the model needs to know."""
        places: list[Place] = []
        for text in request.selection or list(self.world.assets):
            name, _, keys = text.partition("@")
            every = self.world.places(name)
            if keys and keys != "*":
                first, _, last = keys.partition("..")
                numbers = [every.index((name, key)) for key in (first, last or first)]
                every = every[numbers[0] : numbers[1] + 1]
            places += every
        if not request.only:
            return places
        states = self.history.states(places)
        return [one for one in places if states[one] in request.only]

    def _started(self, request: RunRequest, plan: Plan, facts: StoreFacts) -> set[Place]:
        if not plan.steps:
            return set()
        outputs = {step.id: step.outputs for step in plan.steps}
        outcome = launch(request, plan, facts)
        for step, error in outcome.errors.items():
            assert self.world.broken.intersection(map(place, outputs[step])), error
        started = [
            event.step
            for event in facts.store.runs.events(outcome.record.run_id)
            if event.type is EventType.STEP_START and event.step
        ]
        assert len(set(started)) == len(started)
        return {place(one) for step in started for one in outputs[step]}


def calls(plan: Plan) -> list[tuple[Place, ...]]:
    return sorted(tuple(map(place, step.outputs)) for step in plan.steps)


def place(target: Target) -> Place:
    return target.key.text, target.partition


def change(project: Project, data: st.DataObject) -> None:
    """One edit, or one thing that happens to the store."""
    world, history = project.world, project.history
    kind = data.draw(
        st.sampled_from(
            ["asset", "code", "size", "mapping", "dynamic", "broken", "mend", "value", "wipe"]
        )
    )
    name = data.draw(st.sampled_from(NAMES))
    made_before = world.assets[name]
    if kind == "asset":
        world.assets[name] = data.draw(made(world, name))
    elif kind == "code":
        world.assets[name] = replace(made_before, constant=data.draw(st.integers(0, 5)))
    elif kind == "size":
        sized = data.draw(resized(made_before.definition))
        world.assets[name] = replace(made_before, definition=sized)
    elif kind == "mapping":
        kept = data.draw(edges(world, name, made_before.definition, made_before.edges))
        world.assets[name] = replace(made_before, edges=kept)
    elif kind == "dynamic":
        keys = world.dynamic[data.draw(st.sampled_from(DYNAMIC))]
        key = data.draw(st.sampled_from(["d0", "d1", "d2"]))
        keys.remove(key) if key in keys else keys.append(key)
    elif kind == "mend":
        world.broken.clear()
    elif world.every():
        one = data.draw(st.sampled_from(world.every()))
        target = Target(dg.AssetKey(one[0]), one[1])
        store = project.instance.store
        if kind == "broken":
            world.broken.add(one)
        elif kind == "wipe" and one[1] is not None:
            wipe_partitions(store, [target])
            history.forget(one)
        elif kind == "value":
            current, _ = store.history.current(target)
            if current is not None and current.value.path is not None and one not in history.gone:
                os.unlink(f"{store.folder}/values/{current.value.path}")
                history.gone.add(one)
    for other in NAMES:  # what does not go together any more is drawn anew
        redrawn = data.draw(
            edges(
                world, other, world.assets[other].definition, world.assets[other].edges, keep=True
            )
        )
        world.assets[other] = replace(world.assets[other], edges=redrawn)


@st.composite
def requests(draw: st.DrawFn, project: Project) -> RunRequest:
    kind = draw(st.sampled_from(["stale", "missing", "failed", "request"]))
    world = project.world
    if kind in ("missing", "failed"):
        return RunRequest(only=(kind,))
    chosen = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)):
        keys = [key for _, key in world.places(name)]
        if kind == "request" and keys and keys[0] is not None:
            numbers = sorted(draw(st.tuples(*[st.integers(0, len(keys) - 1)] * 2)))
            chosen.append(f"{name}@{keys[numbers[0]]}..{keys[numbers[1]]}")
        elif kind == "stale" or keys == [None]:
            chosen.append(name)
    return RunRequest(selection=tuple(chosen) or (NAMES[0],), stale=kind == "stale" or not chosen)


@st.composite
def made(draw: st.DrawFn, world: World, name: str) -> Made:
    definition = draw(definitions())
    return Made(
        definition,
        draw(edges(world, name, definition)),
        constant=draw(st.integers(0, 5)),
        modulus=draw(st.sampled_from([2, 3, 1009])),
        large=draw(st.booleans()),
        at_once=draw(st.sampled_from([0, 0, 1, 2, None])) if definition.made() else 0,
    )


statics = st.builds(
    lambda first, count: Static(tuple(f"k{n}" for n in range(first, first + count))),
    st.integers(0, 2),
    st.integers(1, 3),
)
dynamics = st.sampled_from(DYNAMIC).map(InStore)


@st.composite
def times(draw: st.DrawFn, most: int = 5) -> OfTime:
    unit = draw(st.sampled_from(["day", "week", "month"]))
    length = {"day": 1, "week": 7, "month": 31}[unit]
    start = DAY_ONE + timedelta(days=length * draw(st.integers(0, 2)))
    return OfTime(unit, start, start + timedelta(days=length * draw(st.integers(1, most)) + 3))


@st.composite
def multis(draw: st.DrawFn) -> Multi:
    dimensions = [("c", draw(statics)), ("time", draw(times(most=3)))]
    if draw(st.booleans()):
        dimensions.append(("b", draw(dynamics)))
    return Multi(tuple(dimensions))


def definitions() -> st.SearchStrategy[Definition]:
    return st.one_of(st.just(Definition()), statics, times(), dynamics, times(), multis())


@st.composite
def resized(draw: st.DrawFn, definition: Definition) -> Definition:
    """The definition with more or fewer partitions at either end."""
    more = draw(st.integers(-2, 2))
    at_start = draw(st.booleans())
    if isinstance(definition, Static):
        first, last = (int(definition.given[n][1:]) for n in (0, -1))
        first, last = (first + more, last) if at_start else (first, last + more)
        first = max(first, 0)
        return Static(tuple(f"k{n}" for n in range(first, max(last, first) + 1)))
    if isinstance(definition, OfTime):
        moved = timedelta(days=more * {"day": 1, "week": 7, "month": 31}[definition.unit])
        start, end = definition.start, definition.end
        start, end = (start + moved, end) if at_start else (start, end + moved)
        return OfTime(definition.unit, start, max(start + timedelta(days=1), end))
    if isinstance(definition, Multi):
        dimensions = list(definition.dimensions)
        at = draw(st.integers(0, len(dimensions) - 1))
        dimensions[at] = dimensions[at][0], draw(resized(dimensions[at][1]))
        return Multi(tuple(dimensions))
    return definition


@st.composite
def edges(
    draw: st.DrawFn,
    world: World,
    name: str,
    definition: Definition,
    given: tuple[Edge, ...] | None = None,
    keep: bool = False,
) -> tuple[Edge, ...]:
    """Upstreams with mappings that fit. Those that are given stay, and with `keep` their mappings
    too where they still fit."""
    chosen: list[Edge] = []
    if given is None:
        earlier = NAMES[: NAMES.index(name)]
        ups = draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
        given = tuple(Edge(up, None, draw(st.integers(0, 3)) > 0) for up in ups)
        if draw(st.integers(0, 2)) == 0:
            given = (*given, Edge(name, None, draw(st.booleans())))
    for edge in given:
        above = definition if edge.upstream == name else world.assets[edge.upstream].definition
        if edge.upstream == name:
            if isinstance(definition, OfTime):
                back = Windows(draw(st.integers(-2, -1)), -1, draw(st.booleans()))
                chosen.append(edge if keep and edge.mapping else replace(edge, mapping=back))
        elif keep and edge.mapping.fits(definition, above):
            chosen.append(edge)
        else:
            options = [
                one for one in draw(mappings(definition, above)) if one.fits(definition, above)
            ]
            chosen.append(replace(edge, mapping=draw(st.sampled_from(options))))
    return tuple(chosen)


@st.composite
def mappings(draw: st.DrawFn, own: Definition, above: Definition) -> list[Any]:
    """Mappings of every kind, of which some fit."""
    offsets = sorted(draw(st.tuples(st.integers(-2, 1), st.integers(-2, 1))))
    windows = Windows(*offsets, lenient=draw(st.integers(0, 3)) > 0)
    options = [
        Default(),
        All(),
        Last(),
        Same(),
        OneDimension(),
        windows,
        Own(draw(st.integers(0, 3))),
    ]
    if isinstance(above, Static):
        options.append(Some(tuple(sorted(draw(st.sets(st.sampled_from(above.given), min_size=1))))))
        if isinstance(own, Static):
            below = st.sets(st.sampled_from(own.given), min_size=1).map(lambda s: tuple(sorted(s)))
            table = draw(st.dictionaries(st.sampled_from(above.given), below, min_size=1))
            options.append(Table(tuple(sorted(table.items()))))
    if isinstance(above, InStore):
        options.append(Some((draw(st.sampled_from(["d0", "d1"])),)))
    if isinstance(above, Multi) and isinstance(own, Multi):
        each = [
            ("time", "time", windows),
            ("c", "c", draw(st.sampled_from([All(), Same(), Last()]))),
            ("b", "c", All()),
            ("b", "b", Same()),
        ]
        options.append(Each(tuple(each[: draw(st.integers(1, 4))])))
    if isinstance(own, OfTime) and isinstance(above, OfTime):
        options += [windows] * 3
    return options


@contextmanager
def instance() -> Iterator[dg.Instance]:
    with tempfile.TemporaryDirectory() as folder:
        yield dg.Instance(folder)
