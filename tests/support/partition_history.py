"""Generated assets with partitions, and what should be on record of each of their targets.

Everything is by brute force: what a target is made from is looked up each time, and a state goes
through all that is upstream.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from partition_model import Definition, Part, Wrong

import assetgraph as dg
from assetgraph.definitions.partitions.mappings import default_mapping

PADDING = "x" * 5000  # more than goes into a record
Place = tuple[str, Part]  # a target: the name of its asset, and its partition
Value = tuple[int, bool]  # a number, and whether it is in something large
Inputs = dict[str, tuple[tuple[Part, Value | None], ...]]


@dataclass(frozen=True)
class Edge:
    """An upstream: the value of a parameter where it is `loaded`, and else one of `deps`."""

    upstream: str
    mapping: Any
    loaded: bool = True


@dataclass(frozen=True)
class Made:
    """An asset as it is generated. `at_once` is how many partitions one call makes: None for all,
    and 0 where it has no policy."""

    definition: Definition
    edges: tuple[Edge, ...]
    constant: int
    modulus: int
    large: bool
    at_once: int | None = 0

    @property
    def code_version(self) -> str:
        return f"{self.constant} {self.modulus} {self.large}"

    def value(self, place: Place, read: Iterable[int]) -> Value:
        own = zlib.crc32(str(place[1]).encode()) % 7
        return (self.constant + own + 3 * sum(read)) % self.modulus, self.large


@dataclass
class World:
    """The assets, and what lies outside of them: dynamic partitions, and what fails."""

    assets: dict[str, Made]
    dynamic: dict[str, list[str]]
    broken: set[Place] = field(default_factory=set)

    def places(self, name: str) -> list[Place]:
        return [(name, key) for key in self.assets[name].definition.keys(self.dynamic)]

    def every(self) -> list[Place]:
        return [place for name in self.assets for place in self.places(name)]

    def read(self, place: Place, edge: Edge) -> list[Place]:
        """The upstream targets of a target by one edge. Raises `Wrong`."""
        own, above = self.assets[place[0]].definition, self.assets[edge.upstream].definition
        if above.made() is None:
            return [(edge.upstream, None)]
        keys = edge.mapping.reads(place[1], own, above, self.dynamic)
        return [(edge.upstream, key) for key in keys]

    def upstream(self, place: Place) -> list[Place]:
        """The upstream targets of a target. Raises `Wrong`."""
        return [one for edge in self.assets[place[0]].edges for one in self.read(place, edge)]

    def upstream_or_none(self, place: Place) -> list[Place]:
        try:
            return self.upstream(place)
        except Wrong:
            return []

    def with_upstreams(self, places: Iterable[Place]) -> list[Place]:
        found: set[Place] = set()
        rest = list(places)
        while rest:
            place = rest.pop()
            if place not in found:
                found.add(place)
                rest += self.upstream_or_none(place)
        return [place for place in self.every() if place in found]

    def from_scratch(self) -> dict[Place, Value | None]:
        """The value of every target that a run of all would give; None where it would fail."""
        found: dict[Place, Value | None] = {}
        for place in self.every():
            made = self.assets[place[0]]
            above = [found[up] for up in self.upstream(place)]
            loaded = [found[up] for e in made.edges if e.loaded for up in self.read(place, e)]
            if place in self.broken or None in above:
                found[place] = None
            else:
                found[place] = made.value(place, [value[0] for value in loaded if value])
        return found

    def definitions(self) -> dg.Definitions:
        with dg.Registry():
            return dg.Definitions([self._asset(name) for name in self.assets])

    def _asset(self, name: str) -> dg.Asset:
        made = self.assets[name]
        loaded = [edge for edge in made.edges if edge.loaded]
        others = [edge for edge in made.edges if not edge.loaded]
        arguments = [
            f"{edge.upstream}{': dict[str, object]' if self._is_several(name, edge) else ''}"
            for edge in loaded
        ]
        values = ", ".join(f"{edge.upstream!r}: {edge.upstream}" for edge in loaded)
        source = (
            f"def {name}({', '.join(['context: Context', *arguments])}):\n"
            f"    return call(context, {{{values}}})"
        )

        def call(context: Any, values: Mapping[str, Any]) -> Any:
            return self._call(name, context, values)

        space: dict[str, Any] = {"call": call, "Context": dg.AssetExecutionContext}
        exec(source, space)
        policies = {0: None, None: dg.BackfillPolicy.single_run()}
        at_once = made.at_once
        policy = policies[at_once] if at_once in policies else dg.BackfillPolicy.multi_run(at_once)
        return dg.asset(
            code_version=made.code_version,
            partitions_def=made.definition.made(),
            backfill_policy=policy if made.definition.made() else None,
            ins={
                edge.upstream: dg.AssetIn(partition_mapping=self._mapping(edge)) for edge in loaded
            },
            deps=[
                dg.AssetDep(edge.upstream, partition_mapping=self._mapping(edge)) for edge in others
            ],
        )(space[name])

    def _mapping(self, edge: Edge) -> Any:
        return edge.mapping.made() if self.assets[edge.upstream].definition.made() else None

    def _is_several(self, name: str, edge: Edge) -> bool:
        own, above = (self.assets[one].definition.made() for one in (name, edge.upstream))
        if above is None:
            return False
        mapping = edge.mapping.made() or default_mapping(own, above)
        return not mapping.always_one(own, above)

    def _call(self, name: str, context: Any, values: Mapping[str, Any]) -> Any:
        """The body of an asset: one value, or a value for each partition of the call."""
        made = self.assets[name]
        keys = context.partition_keys if made.definition.made() else [None]
        found = {}
        for key in keys:
            assert (name, key) not in self.broken, "as the test says"
            read = [
                _number(values[edge.upstream], up[1], found if edge.upstream == name else {})
                for edge in made.edges
                if edge.loaded
                for up in self.read((name, key), edge)
            ]
            number, large = made.value((name, key), read)
            found[key] = {"n": number, "pad": PADDING} if large else number
        return found[keys[0]] if made.at_once in (0, 1) else found


def _number(value: Any, key: Part, own: Mapping[Part, Any]) -> int:
    """The number in what a parameter got, or for one of several partitions in that of `key`."""
    if key in own:
        value = own[key]
    elif isinstance(value, Mapping) and "n" not in value:
        value = value[key]
    number: int = value["n"] if isinstance(value, Mapping) else value
    return number


@dataclass
class Step:
    outputs: list[Place]
    after: list[int]  # the steps before it, by number


@dataclass
class History:
    """What should be on record: the code of each target's value, what it read, and the value; and
    of a later failure, the code and what it read."""

    world: World
    current: dict[Place, tuple[str, Inputs, Value]] = field(default_factory=dict)
    failed: dict[Place, tuple[str, Inputs]] = field(default_factory=dict)
    gone: set[Place] = field(default_factory=set)

    def has_value(self, place: Place) -> bool:
        return place in self.current and place not in self.gone

    def forget(self, place: Place) -> None:
        self.current.pop(place, None)
        self.failed.pop(place, None)
        self.gone.discard(place)

    def inputs(self, place: Place) -> Inputs:
        found: Inputs = {}
        for up in self.world.upstream(place):
            version = self.current[up][2] if up in self.current else None
            found[up[0]] = (*found.get(up[0], ()), (up[1], version))
        return found

    def is_needed(self, place: Place) -> bool:
        """Whether a target has a reason to run that does not come from a stale upstream."""
        if not self.has_value(place):
            return True
        try:
            present = self._code(place), self.inputs(place)
        except Wrong:
            return True
        return self.current[place][:2] != present or self.failed.get(place) == present

    def states(self, places: Iterable[Place]) -> dict[Place, str]:
        """The state of each target, and of all that is upstream of them."""
        found: dict[Place, str] = {}
        for place in self.world.with_upstreams(places):
            try:
                present = self._code(place), self.inputs(place)
            except Wrong:
                found[place] = "stale" if self.has_value(place) else "missing"
                continue
            above = self.world.upstream(place)
            if self.failed.get(place) == present:
                found[place] = "failed"
            elif not self.has_value(place):
                found[place] = "missing"
            elif self.is_needed(place) or any(found[up] != "fresh" for up in above):
                found[place] = "stale"
            else:
                found[place] = "fresh"
        return found

    def stale_plan(self, selected: Collection[Place]) -> list[Step]:
        """Raises `Wrong`."""
        states = self.states(selected)
        return self._steps([place for place in states if states[place] != "fresh"])

    def requested_plan(self, selected: Collection[Place]) -> list[Step]:
        """Raises `Wrong`."""
        running, rest = set(selected), list(selected)
        while rest:
            for up in self.world.upstream(rest.pop()):
                if up not in running and not self.has_value(up):
                    running.add(up)
                    rest.append(up)
        return self._steps([place for place in self.world.every() if place in running])

    def _steps(self, places: list[Place]) -> list[Step]:
        steps: list[Step] = []
        made_by: dict[Place, int] = {}
        for place in places:
            above = self.world.upstream(place)
            at_once = self.world.assets[place[0]].at_once
            keys = self.world.places(place[0])
            last = steps[-1].outputs if steps else []
            joins = (
                at_once != 0
                and place[1] is not None
                and bool(last)
                and last[-1] in keys
                and keys.index(last[-1]) + 1 == keys.index(place)
                and len(last) != at_once
                and not set(last) & set(above)
            )
            if not joins:
                steps.append(Step([], []))
            steps[-1].outputs.append(place)
            made_by[place] = len(steps) - 1
            before = {made_by[up] for up in above if up in made_by} - {len(steps) - 1}
            steps[-1].after = sorted({*steps[-1].after, *before})
        return steps

    def run(self, steps: list[Step], requested: Collection[Place]) -> set[Place]:
        """Run steps, and return the targets of those that should start."""
        started: set[Place] = set()
        failed: set[int] = set()
        for number, step in enumerate(steps):
            if failed & set(step.after):
                failed.add(number)
                continue
            if not set(step.outputs) & set(requested) and not any(
                self.is_needed(place) for place in step.outputs
            ):
                continue
            started.update(step.outputs)
            if set(step.outputs) & self.world.broken:
                failed.add(number)
                for place in step.outputs:
                    self.failed[place] = self._code(place), self.inputs(place)
                continue
            for place in step.outputs:
                self._make(place)
        return started

    def _make(self, place: Place) -> None:
        made, read = self.world.assets[place[0]], self.inputs(place)
        loaded = [up for e in made.edges if e.loaded for up in self.world.read(place, e)]
        value = made.value(place, [self.current[up][2][0] for up in loaded])
        self.current[place] = made.code_version, read, value
        self.failed.pop(place, None)
        self.gone.discard(place)

    def _code(self, place: Place) -> str:
        return self.world.assets[place[0]].code_version
