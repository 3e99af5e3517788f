"""`select`: the assets of a graph that a selection matches.

A name, pattern or attribute that matches no asset is an error anywhere in a selection, so a typo
never makes the selection larger or smaller. Where all of them exist, that nothing matches is an
answer, such as that no asset is stale. It never means everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from assetgraph.definitions.selection.syntax import (
    FIELDS,
    And,
    Call,
    Expression,
    Filter,
    Not,
    Or,
    Traversal,
    parse,
)
from assetgraph.errors import PartitionsError, SelectionError
from assetgraph.hints import command
from assetgraph.keys import AssetKey, checked_asset, key_problem
from assetgraph.states import AssetState
from assetgraph.text import did_you_mean, shorten, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Set

    from assetgraph.definitions.computation import AssetSpec

_SOURCE_CELLS = 60


T = TypeVar("T")


class Selectable(Protocol[T]):
    """The part of a graph that a selection needs, of assets or of targets.

    `order` has all of them, upstream first, and `asset_order` the keys of the assets. Only `order`
    lists every partition, so that a selection of a few does not.
    """

    @property
    def order(self) -> Sequence[T]: ...
    @property
    def asset_order(self) -> Sequence[AssetKey]: ...
    @property
    def externals(self) -> Set[AssetKey]: ...
    @property
    def checks(self) -> Iterable[AssetKey]: ...
    def __contains__(self, key: AssetKey) -> bool: ...
    def asset(self, key: AssetKey) -> AssetSpec: ...
    def made_by(self, function: str) -> Sequence[AssetKey]: ...
    def named(self, key: AssetKey, partition: str | None) -> Iterable[T]: ...
    def in_order(self, chosen: Iterable[T]) -> Sequence[T]: ...
    def parents(self, key: T) -> Sequence[T]: ...
    def children(self, key: T) -> Sequence[T]: ...
    def checks_of(self, key: T) -> Iterable[T]: ...


def select(
    texts: Sequence[str],
    graph: Selectable[T],
    state: Callable[[T], str] | None = None,
    *,
    with_checks: bool = False,
) -> tuple[T, ...]:
    """The assets, or targets, that any of `texts` selects, in the graph's order.

    Checks that are there with their asset are left out, except `with_checks`. None may match.
    `state` returns the state of one, for `status:`. Raises `SelectionError`, also for a name,
    pattern or attribute that no asset has.
    """
    if not texts:
        raise SelectionError("nothing is selected.", hint="Name assets, or select all with '*'.")
    named: set[T] = set()
    checks = [text for text in texts if _names_check(text, graph)]
    for text in checks:  # the language is one of assets
        name, _, partition = text.partition("@")
        named |= {*graph.named(AssetKey.unchecked(name), partition or None)}
    chosen: set[T] = set()
    parsed = [(text, parse(text)) for text in texts if text not in checks]
    for text, expression in parsed:
        chosen |= _Evaluator(text, graph, state).keys(expression)
    if not with_checks:
        chosen = _without_own_checks(chosen, graph)
    return tuple(graph.in_order(chosen | named))


def _checks(chosen: Iterable[T], graph: Selectable[T]) -> set[T]:
    """The checks of these assets."""
    if not graph.checks:
        return set()
    return {check for key in chosen for check in graph.checks_of(key)}


def _without_own_checks(chosen: set[T], graph: Selectable[T]) -> set[T]:
    """These without the checks that are there with their asset."""
    own = _checks(chosen, graph)
    return chosen - own


def _names_check(text: str, graph: Selectable[T]) -> bool:
    """Whether a text is just the name of a check, with or without a partition."""
    key = AssetKey.unchecked(text.partition("@")[0])
    return checked_asset(key) is not None and key in graph


def names_partitions(texts: Iterable[str]) -> bool:
    """Whether a selection names partitions, so that it is one of targets and not of assets."""
    return any("@" in text and _names_one(text) for text in texts)


def _names_one(text: str) -> bool:
    field, colon, _ = text.partition(":")
    if colon and key_problem(AssetKey.unchecked(field)) is None and field not in FIELDS:
        return True  # one of a check
    return _names_partitions(parse(text))


def _names_partitions(node: Expression) -> bool:
    match node:
        case Filter():
            return node.partition is not None
        case And() | Or():
            return any(map(_names_partitions, node.parts))
        case Not() | Traversal() | Call():
            return _names_partitions(node.operand)


class _Evaluator(Generic[T]):
    """Evaluates the nodes of one parsed `text`. Every asset brings its checks."""

    def __init__(self, text: str, graph: Selectable[T], state: Callable[[T], str] | None) -> None:
        self.text = text
        self.graph = graph
        self.state = state
        self._known: dict[str, set[T]] = {}

    def keys(self, node: Expression) -> set[T]:
        """What `node` selects. A part that the text repeats is worked out once."""
        source = self.text[node.start : node.end]
        if source not in self._known:
            self._known[source] = self._keys(node)
        return self._known[source]

    def _keys(self, node: Expression) -> set[T]:
        match node:
            case Filter():
                found = self._filtered(node)
                return found | _checks(found, self.graph)
            case Traversal():
                chosen = _without_own_checks(self.keys(node.operand), self.graph)
                upstream = _reached(chosen, self.graph.parents, node.upstream)
                downstream = _reached(chosen, self.graph.children, node.downstream)
                reached = upstream | downstream
                return reached | _checks(reached, self.graph)
            case Call():
                return self._called(node)
            case Not():
                return self._others(self.keys(node.operand))
            case And():
                return set.intersection(*(self.keys(part) for part in node.parts))
            case Or():
                return set().union(*(self.keys(part) for part in node.parts))

    def _called(self, node: Call) -> set[T]:
        chosen = _without_own_checks(self.keys(node.operand), self.graph)
        if node.which == "checks":
            return _checks(chosen, self.graph)
        near = self.graph.parents if node.which == "roots" else self.graph.children
        found = {key for key in chosen if chosen.isdisjoint(near(key))}
        return found | _checks(found, self.graph)

    def _others(self, chosen: set[T]) -> set[T]:
        """All but these."""
        rest = set(self.graph.order) - chosen
        checks = _checks(self.graph.order, self.graph)
        # Of an asset of which some partitions are left, a check of the whole is left too.
        left, gone = _checks(rest, self.graph), _checks(chosen, self.graph)
        return rest | (checks - chosen) | (left & gone)

    def _filtered(self, node: Filter) -> set[T]:
        if node.field == "status":
            return self._with_status(node)
        named = self._matching(node)
        if not named:
            raise self._unknown(node)
        try:
            return {one for key in named for one in self.graph.named(key, node.partition)}
        except PartitionsError as error:
            raise self._error(node, error.message, error.hint) from error

    def _matching(self, node: Filter) -> Sequence[AssetKey]:
        if node.field == "key" and "*" not in node.value:
            key = AssetKey.unchecked(node.value)
            return (key,) if key in self.graph else self.graph.made_by(node.value)
        if node.field == "key" and ":" in node.value:  # no asset has such a key
            return [key for key in self.graph.checks if _matches(node.value, key.text)]
        return [key for key in self.graph.asset_order if _has(self.graph.asset(key), node)]

    def _with_status(self, node: Filter) -> set[T]:
        if node.value == AssetState.EXTERNAL:  # this needs no records
            found = [key for key in self.graph.asset_order if key in self.graph.externals]
            return {one for key in found for one in self.graph.named(key, None)}
        if self.state is None:
            raise self._error(
                node,
                f"{self._source(node)} needs the records of past runs, which are not read here.",
                "Select by name, group, tag, kind or owner.",
            )
        return {key for key in self.graph.order if self.state(key) == node.value}

    def _unknown(self, node: Filter) -> SelectionError:
        assets = [self.graph.asset(key) for key in self.graph.asset_order]
        if not assets:
            return self._error(node, "there are no assets to select from.")
        if "*" in node.value or "*" in (node.tag_value or ""):
            return self._error(node, f"no asset matches {self._source(node)}.")
        known = {text for asset in assets for text in _attributes(asset, node.field)}
        if node.field == "tag" and node.tag_value is not None and node.value in known:
            values = {asset.tags[node.value] for asset in assets if node.value in asset.tags}
            message = f"no asset has the tag {node.value!r} with the value {node.tag_value!r}."
            alike = did_you_mean(node.tag_value, values)
            return self._error(node, message, alike or some_of("Its values", values))
        message = _NOTHING[node.field].format(repr(shorten(node.value, _SOURCE_CELLS)))
        elsewhere = _other_field(node.value, assets) if node.field == "key" else None
        hint = elsewhere or did_you_mean(node.value, known)
        if hint is None and node.field != "key":
            hint = some_of("There are", known) or f"No asset has {_ARTICLES[node.field]}."
        hint = hint or f"See them with: {command('list')}"
        return self._error(node, message, hint)

    def _source(self, node: Expression) -> str:
        source = self.text[node.start : node.end]
        return repr(shorten(source, _SOURCE_CELLS))

    def _error(self, node: Expression, message: str, hint: str | None = None) -> SelectionError:
        return SelectionError(message, hint=hint, text=self.text, column=node.start)


_NOTHING = {
    "key": "no asset is named {}.",
    "group": "no asset is in the group {}.",
    "tag": "no asset has the tag {}.",
    "kind": "no asset has the kind {}.",
    "owner": "no asset is owned by {}.",
}

_ARTICLES = {"group": "a group", "tag": "a tag", "kind": "a kind", "owner": "an owner"}


def _reached(start: set[T], near: Callable[[T], Iterable[T]], levels: int | None) -> set[T]:
    """`start` and everything within `levels` steps of it (None: any distance)."""
    reached = set(start)
    edge = start
    while edge and levels != 0:
        edge = {key for known in edge for key in near(known)} - reached
        reached |= edge
        levels = None if levels is None else levels - 1
    return reached


def _has(asset: AssetSpec, node: Filter) -> bool:
    if node.tag_value is None:
        return any(_matches(node.value, text) for text in _attributes(asset, node.field))
    return any(
        _matches(node.value, name) and _matches(node.tag_value, value)
        for name, value in asset.tags.items()
    )


def _other_field(text: str, assets: Sequence[AssetSpec]) -> str | None:
    """A question with the selection by the group, kind, tag or owner that is called `text`."""
    for field in ("group", "kind", "tag", "owner"):
        if any(text in _attributes(asset, field) for asset in assets):
            return f"Did you mean '{field}:{text}'?"
    return None


def _attributes(asset: AssetSpec, field: str) -> Iterable[str]:
    match field:
        case "key":
            return (asset.key.text,)
        case "group":
            return (asset.group_name,)
        case "tag":
            return asset.tags
        case "kind":
            return asset.kinds
        case _:
            return asset.owners


def _matches(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`, where `*` stands for any characters. Never backtracks."""
    first, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    last = middle.pop()
    end = len(text) - len(last)
    at = len(first)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
