"""`AssetGraph`: assets connected into a DAG, with everything that is wrong with them.

The only module that knows networkx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeVar

import networkx as nx

from assetgraph.definitions.annotations import EMPTY, edge_contradiction, table_kind
from assetgraph.definitions.asset import Asset, Parameter
from assetgraph.definitions.problems import Problem, definition_problems
from assetgraph.errors import AssetGraphError, DefinitionsError
from assetgraph.hints import command
from assetgraph.keys import AssetKey
from assetgraph.process.collector import paused_collector
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    DiGraph = nx.DiGraph[AssetKey]

T = TypeVar("T")


class AssetGraph:
    """The assets and who reads whom. The same assets give the same graph and the same order,
    however they were defined.

    A graph with problems can be looked at, without the edges that are wrong; `validate` lists
    them, and `require_valid` raises.
    """

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets: _ByKey[Asset] = _ByKey()
        self._duplicates: list[tuple[Asset, Asset]] = []
        self._problems: list[Problem] = []
        self._guesses: dict[str, str | None] = {}
        self._inputs: _ByKey[dict[str, AssetKey]] = _ByKey()
        self._parents: _ByKey[tuple[AssetKey, ...]] = _ByKey()
        self._digraph: DiGraph = nx.DiGraph()
        with paused_collector():
            self._take(assets)
            self._connect()
            # Each row is in order, since those that read were connected in order.
            self._children = _ByKey((k, tuple(row)) for k, row in self._digraph.adjacency())

    @property
    def assets(self) -> Mapping[AssetKey, Asset]:
        """Every asset by its key, in the order of the keys."""
        return self._assets

    @cached_property
    def order(self) -> tuple[AssetKey, ...]:
        """Every key, upstream before downstream, by name where the graph leaves a choice. What
        lies on a cycle comes last."""
        order = self._before_cycles
        if len(order) < len(self):
            placed = set(order)
            order = (*order, *(key for key in self._assets if key not in placed))
        return order

    @cached_property
    def _before_cycles(self) -> tuple[AssetKey, ...]:
        """The order of what is neither on a cycle nor below one."""
        keys = list(self._assets)  # by name
        rank = {key: number for number, key in enumerate(keys)}
        waits_for = [len(self._parents[key]) for key in keys]
        ready = [number for number, count in enumerate(waits_for) if not count]  # a heap
        order: list[AssetKey] = []
        while ready:
            key = keys[heappop(ready)]
            order.append(key)
            for child in self._children[key]:
                number = rank[child]
                waits_for[number] -= 1
                if not waits_for[number]:
                    heappush(ready, number)
        return tuple(order)

    @cached_property
    def positions(self) -> Mapping[AssetKey, int]:
        """Where each key stands in `order`."""
        return {key: position for position, key in enumerate(self.order)}

    @property
    def edges(self) -> Iterator[tuple[AssetKey, AssetKey]]:
        """(upstream, downstream) pairs, in order."""
        for key in self.order:
            for child in self.children(key):
                yield key, child

    def asset(self, key: AssetKey) -> Asset:
        """Raises `AssetGraphError` with what may have been meant."""
        return self._assets[key]

    def inputs(self, key: AssetKey) -> Mapping[str, AssetKey]:
        """Which upstream each loaded parameter of an asset reads."""
        return self._inputs[key]

    def parents(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """The assets that `key` reads or waits for, by name."""
        return self._parents[key]

    def children(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """The assets that read `key` or wait for it, by name."""
        return self._children[key]

    def upstream(self, key: AssetKey, depth: int | None = None) -> tuple[AssetKey, ...]:
        """Every asset that `key` reads, directly or not, nearest first; within `depth` steps."""
        return self._reach(self.parents, key, depth)

    def downstream(self, key: AssetKey, depth: int | None = None) -> tuple[AssetKey, ...]:
        """Every asset that reads `key`, directly or not, nearest first; within `depth` steps."""
        return self._reach(self.children, key, depth)

    def roots(self) -> tuple[AssetKey, ...]:
        """The assets that read no other."""
        return tuple(key for key in self.order if not self._digraph.pred[key])

    def leaves(self) -> tuple[AssetKey, ...]:
        """The assets that no other reads."""
        return tuple(key for key in self.order if not self._digraph.succ[key])

    @cached_property
    def levels(self) -> tuple[tuple[AssetKey, ...], ...]:
        """The keys by the length of the longest path that leads to them, roots first."""
        level: dict[AssetKey, int] = {}
        for key in self.order:
            level[key] = 1 + max((level.get(p, 0) for p in self._digraph.pred[key]), default=-1)
        rows: list[list[AssetKey]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        for key in self.order:
            rows[level[key]].append(key)
        return tuple(tuple(row) for row in rows)

    def components(self) -> tuple[tuple[AssetKey, ...], ...]:
        """The parts of the graph that nothing joins, each in order, by their first asset."""
        found = [
            tuple(sorted(part, key=self.positions.__getitem__))
            for part in nx.weakly_connected_components(self._digraph)
        ]
        return tuple(sorted(found, key=lambda part: self.positions[part[0]]))

    def validate(self) -> tuple[Problem, ...]:
        """Every problem of the definitions, in the order of the files and lines."""
        return self._all_problems

    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and may not be meant: a parameter that keeps its default though an asset
        has its name."""
        found = [
            Problem(
                asset.file,
                asset.line,
                f"parameter {parameter.name!r} of asset {asset.key.text!r} has a default, so it "
                "does not read the asset of that name.",
                f"To read it, remove the default, or add ins={{{parameter.name!r}: "
                f"{parameter.name!r}}}; or else rename the parameter.",
                asset.key.text,
            )
            for asset in self._assets.values()
            for parameter in asset.parameters
            if parameter.has_default
            and parameter.name not in self._inputs[asset.key]
            and AssetKey.unchecked([parameter.name]) in self._assets
        ]
        return tuple(sorted(found))

    def require_valid(self) -> AssetGraph:
        """This graph. Raises `DefinitionsError` with every problem, if it has one."""
        if self._all_problems:
            raise DefinitionsError(self._all_problems)
        return self

    def __contains__(self, key: object) -> bool:
        return key in self._assets

    def __len__(self) -> int:
        return len(self._assets)

    def __repr__(self) -> str:
        return f"<AssetGraph of {len(self)} assets, {self._digraph.number_of_edges()} edges>"

    def _repr_svg_(self) -> str:
        """The picture that a notebook shows."""
        from assetgraph.pictures.svg import graph_svg
        from assetgraph.pictures.theme import Card

        cards = [
            Card(asset.key.text, asset.group_name, asset.description)
            for asset in map(self.asset, self.order)
        ]
        return graph_svg(cards, [(a.text, b.text) for a, b in self.edges])

    @cached_property
    def _all_problems(self) -> tuple[Problem, ...]:
        with paused_collector():
            problems = [*self._problems, *self._duplicate_problems(), *self._case_problems()]
            for asset in self._assets.values():
                problems += definition_problems(asset)
            problems += self._cycle_problems()
            problems += self._annotation_problems()
        return tuple(sorted(set(problems)))

    def _take(self, assets: Iterable[Asset]) -> None:
        found: dict[AssetKey, Asset] = {}
        again: dict[AssetKey, list[Asset]] = {}
        for asset in assets:
            known = found.setdefault(asset.key, asset)
            if known is not asset:
                again.setdefault(asset.key, [known]).append(asset)
        for key, defined in again.items():
            first, *others = sorted(defined, key=lambda asset: (asset.file, asset.line))
            found[key] = first
            self._duplicates += [(first, other) for other in others if other is not first]
        for key in sorted(found, key=_parts):
            self._assets[key] = found[key]

    def _connect(self) -> None:
        self._digraph.add_nodes_from(self._assets)
        edges: list[tuple[AssetKey, AssetKey]] = []
        by_parts = {key.parts: key for key in self._assets}
        by_name: dict[str, list[AssetKey]] = {}
        for key in self._assets:
            by_name.setdefault(key.name, []).append(key)
        for asset in self._assets.values():
            inputs = self._inputs[asset.key] = {}
            for parameter in asset.inputs:
                upstream = self._resolve(asset, parameter, by_parts, by_name)
                if upstream is not None:
                    inputs[parameter.name] = upstream
            parents = set(inputs.values())
            for dep in asset.deps:
                if dep in self._assets:
                    parents.add(dep)
                else:
                    self._unknown(asset, dep.text, "deps=")
            row = self._parents[asset.key] = tuple(sorted(parents, key=_parts))
            edges += [(upstream, asset.key) for upstream in row]
        self._digraph.add_edges_from(edges)

    def _resolve(
        self,
        asset: Asset,
        parameter: Parameter,
        by_parts: Mapping[tuple[str, ...], AssetKey],
        by_name: Mapping[str, Sequence[AssetKey]],
    ) -> AssetKey | None:
        """The upstream that a parameter names, or None once the problem is noted."""
        given = asset.ins.get(parameter.name)
        if given is not None:
            if given in self._assets:
                return given
            self._unknown(asset, given.text, "ins=")
            return None
        for prefix in (asset.key.parts[:-1], ()):
            key = by_parts.get((*prefix, parameter.name))
            if key is not None and key is not asset.key:
                return key
        candidates = [key for key in by_name.get(parameter.name, ()) if key != asset.key]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            listing = ", ".join(key.text for key in candidates)
            self._note(
                asset,
                f"parameter {parameter.name!r} of asset {asset.key.text!r} could be any of: "
                f"{listing}.",
                f"Say which: ins={{{parameter.name!r}: {candidates[0].text!r}}}.",
            )
        elif by_name.get(parameter.name):
            return by_name[parameter.name][0]  # itself: reported as a cycle
        else:
            self._unknown_parameter(asset, parameter)
        return None

    def _unknown_parameter(self, asset: Asset, parameter: Parameter) -> None:
        name, annotation = parameter.name, parameter.annotation
        if name == "config" and isinstance(annotation, str):
            self._note(
                asset,
                f"parameter 'config' of asset {asset.key.text!r} is annotated `{annotation}`, "
                "which is no name that its module knows.",
                "Define or import the Config class where the whole module sees it, also when the "
                "program runs.",
            )
        elif name == "config":
            remedy = "If it takes config, annotate it with a subclass of Config."
            self._unknown(asset, name, "a parameter", remedy)
        else:
            remedy = "Define it with @asset, or give the parameter a default if it is no asset."
            if isinstance(annotation, str) and table_kind(annotation) is None:
                remedy += (
                    f" If `{annotation}` is a Config class: it is no name that the module knows, "
                    "so define or import it where the whole module sees it."
                )
            self._unknown(asset, name, "a parameter", self._guess(name, asset) or remedy)

    def _unknown(self, asset: Asset, wanted: str, how: str, remedy: str | None = None) -> None:
        remedy = remedy or self._guess(wanted, asset) or "Define it with @asset."
        message = f"asset {asset.key.text!r} needs {wanted!r} ({how}), which nothing defines."
        self._note(asset, message, remedy, is_unknown_upstream=True)

    def _guess(self, wanted: str, asset: Asset) -> str | None:
        """What `asset` may have meant. Looked up once for a name: many may miss the same one."""
        if wanted not in self._guesses:
            self._guesses[wanted] = did_you_mean(wanted, (key.text for key in self._assets))
        guess = self._guesses[wanted]
        if guess is None or repr(asset.key.text) not in guess:
            return guess
        return did_you_mean(wanted, (key.text for key in self._assets if key != asset.key))

    def _note(
        self, asset: Asset, message: str, remedy: str, *, is_unknown_upstream: bool = False
    ) -> None:
        place = asset.file, asset.line
        self._problems.append(Problem(*place, message, remedy, asset.key.text, is_unknown_upstream))

    def _duplicate_problems(self) -> Iterator[Problem]:
        for first, second in self._duplicates:
            yield Problem(
                second.file,
                second.line,
                f"asset {second.key.text!r} is defined twice: {first.place} and {second.place}.",
                "Rename one, or give it a key_prefix=.",
                second.key.text,
            )

    def _case_problems(self) -> Iterator[Problem]:
        folded: dict[str, Asset] = {}
        for asset in self._assets.values():
            known = folded.setdefault(asset.key.text.casefold(), asset)
            if known is not asset:
                yield Problem(
                    asset.file,
                    asset.line,
                    f"the assets {known.key.text!r} ({known.place}) and {asset.key.text!r} differ "
                    "only in case: on many machines they would be one file.",
                    "Rename one.",
                    asset.key.text,
                )

    def _cycle_problems(self) -> Iterator[Problem]:
        if len(self._before_cycles) == len(self):
            return
        for part in nx.strongly_connected_components(self._digraph):
            start = min(part)
            if len(part) == 1 and start not in self._digraph.succ[start]:
                continue
            path = self._cycle_through(start, part)
            asset = self._assets[start]
            shown = " -> ".join(key.text for key in path)
            yield Problem(
                asset.file,
                asset.line,
                f"assets depend on each other in a circle: {shown}.",
                "Remove one of these dependencies.",
                start.text,
            )

    def _cycle_through(self, start: AssetKey, part: set[AssetKey]) -> list[AssetKey]:
        """A shortest way from `start` back to itself inside a strongly connected part."""
        before: dict[AssetKey, AssetKey] = {}
        row = [start]
        while row:
            following = []
            for key in row:
                for child in self.children(key):
                    if child == start:
                        path = [start, key]
                        while path[-1] != start:
                            path.append(before[path[-1]])
                        return [start, *path[1:-1][::-1], start] if key != start else [start, start]
                    if child in part and child not in before:
                        before[child] = key
                        following.append(child)
            row = following
        raise AssertionError("a strongly connected part has a cycle")  # pragma: no cover

    def _annotation_problems(self) -> Iterator[Problem]:
        for key, inputs in self._inputs.items():
            asset = self._assets[key]
            if all(p.annotation is EMPTY for p in asset.inputs):
                continue
            annotations = {p.name: p.annotation for p in asset.inputs}
            for parameter, upstream in inputs.items():
                maker = self._assets[upstream]
                wrong = edge_contradiction(maker.returns, annotations[parameter])
                if wrong:
                    yield Problem(
                        asset.file,
                        asset.line,
                        f"parameter {parameter!r} of asset {key.text!r} does not fit what "
                        f"{upstream.text!r} ({maker.place}) returns: {wrong}.",
                        "Change one of the two annotations.",
                        key.text,
                    )

    def _reach(
        self,
        neighbours: Callable[[AssetKey], tuple[AssetKey, ...]],
        key: AssetKey,
        depth: int | None,
    ) -> tuple[AssetKey, ...]:
        found: dict[AssetKey, None] = {}
        row: Sequence[AssetKey] = (key,)
        while row and (depth is None or depth > 0):
            following: dict[AssetKey, None] = {}
            for current in row:
                for other in neighbours(current):
                    if other not in found and other != key:
                        following[other] = None
            found.update(following)
            row = tuple(following)
            depth = None if depth is None else depth - 1
        return tuple(found)


class _ByKey(dict[AssetKey, T]):
    """Something of every asset. A key that is none of theirs is an error that says what may have
    been meant."""

    def __missing__(self, key: object) -> T:
        text = str(key)
        hint = did_you_mean(text, (known.text for known in self))
        if any(known.text == text for known in self):
            hint = f"Name it by its key: AssetKey({text!r})."
        raise AssetGraphError(
            f"there is no asset {text!r}.", hint=hint or f"See them with: {command('list')}"
        )


def _parts(key: AssetKey) -> tuple[str, ...]:
    return key.parts
