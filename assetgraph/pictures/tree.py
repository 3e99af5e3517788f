"""A graph as a tree for the terminal, one row per asset.

Each asset is drawn below the last of its upstreams, so the rows from top to bottom are a possible
execution order. A row names the edges that the tree cannot show: `←` other upstreams, above it;
`→` other downstream assets, below it.

    zones  → fares
    raw_trips
    └─ trips
       └─ fares  ← zones
          ├─ by_day
          └─ by_zone
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.pictures.gist import gist
from assetgraph.pictures.theme import LOOKS
from assetgraph.text import printable, shorten, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assetgraph.pictures.picture_card import Card

STEP = len("└─ ")
GAP = "  "
DEEPEST = 24  # levels of indentation if the width is unlimited
WIDEST_PLAIN_TREE = 48
WIDEST_GROUP = 16
NARROWEST_DESCRIPTION = 16


class Span(NamedTuple):
    """A piece of a line.

    `role` is "branch", "name", "reference", "group", "description", an asset's state, or "" for a
    gap.
    """

    text: str
    role: str


Line = tuple[Span, ...]


def tree(
    cards: Sequence[Card], edges: Iterable[tuple[str, str]], *, columns: int | None = None
) -> list[Line]:
    """The graph as one line per card.

    `cards` must list upstream before downstream; `edges` are (upstream, downstream) ids. To keep a
    line within `columns`, everything but the names is shortened or left out.
    """
    deepest = DEEPEST if columns is None else max(4, columns * 2 // 5 // STEP)
    rows = list(_rows(_Forest(cards, edges), deepest))
    table = _Table(rows, columns)
    return [table.line(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Row:
    card: Card
    branch: str
    reads: tuple[str, ...]
    feeds: tuple[str, ...]


class _Forest:
    """The graph in drawing order, one component after the other.

    In a component, the roots come first, with the start of the longest path last. Each other asset
    follows soon after its upstreams.
    """

    def __init__(self, cards: Sequence[Card], edges: Iterable[tuple[str, str]]) -> None:
        given = {card.id: card for card in cards}
        self.parents: dict[str, list[str]] = {id_: [] for id_ in given}
        self.children: dict[str, list[str]] = {id_: [] for id_ in given}
        for upstream, downstream in dict.fromkeys(edges):
            if upstream in given and downstream in given:
                self.children[upstream].append(downstream)
                self.parents[downstream].append(upstream)
        depths = _longest_paths(given, self.parents)
        for near in self.parents.values():
            near.sort(key=depths.__getitem__)
        self.cards = {id_: given[id_] for id_ in self._sequence(list(given))}
        place = {id_: n for n, id_ in enumerate(self.cards)}
        for near in (*self.parents.values(), *self.children.values()):
            near.sort(key=place.__getitem__)

    def _sequence(self, ids: Sequence[str]) -> Iterator[str]:
        heights = _longest_paths(reversed(ids), self.children)
        placed: set[str] = set()
        for component in self._components(ids):
            # Leaves first: each brings its upstreams along. A component that is a cycle has none.
            ends = sorted(component, key=lambda id_: bool(self.children[id_]))
            order = [id_ for end in ends for id_ in self._with_upstream(end, placed)]
            roots = [id_ for id_ in order if not self.parents[id_]]
            yield from sorted(roots, key=heights.__getitem__)
            yield from (id_ for id_ in order if self.parents[id_])

    def _components(self, ids: Iterable[str]) -> Iterator[list[str]]:
        position = {id_: n for n, id_ in enumerate(ids)}
        seen: set[str] = set()
        for id_ in position:
            component = []
            open_ = [id_]
            while open_:
                near = open_.pop()
                if near not in seen:
                    seen.add(near)
                    component.append(near)
                    open_ += self.parents[near]
                    open_ += self.children[near]
            yield sorted(component, key=position.__getitem__)

    def _with_upstream(self, id_: str, placed: set[str]) -> Iterator[str]:
        """All upstreams of `id_` that are not in `placed`, then `id_`; adds them to `placed`."""
        if id_ in placed:
            return
        placed.add(id_)
        path = [(id_, iter(self.parents[id_]))]
        while path:
            current, rest = path[-1]
            parent = next(rest, None)
            if parent is None:
                path.pop()
                yield current
            elif parent not in placed:
                placed.add(parent)
                path.append((parent, iter(self.parents[parent])))


def _longest_paths(ids: Iterable[str], before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The number of edges in the longest path to each id, which follow those `before` them."""
    lengths: dict[str, int] = {}
    for id_ in ids:
        lengths[id_] = 1 + max((lengths.get(other, 0) for other in before[id_]), default=-1)
    return lengths


class _Place(NamedTuple):
    """The place of a row: its own branch, the indent of the rows below it, and its parent row."""

    id: str
    branch: str = ""
    indent: str = ""
    owner: str | None = None


def _rows(forest: _Forest, deepest: int) -> Iterator[_Row]:
    """Yield a row for each card, as soon as its upstreams are drawn.

    A card that would be deeper than `deepest` levels starts again at the margin. Cards on a cycle
    come last.
    """
    missing = {id_: len(parents) for id_, parents in forest.parents.items()}
    drawn: set[str] = set()
    starts = deque([*(id_ for id_ in forest.cards if not missing[id_]), *forest.cards])
    while starts:
        pending = [_Place(starts.popleft())]
        while pending:
            place = pending.pop()
            if place.id in drawn:
                continue
            drawn.add(place.id)
            children = forest.children[place.id]
            for child in children:
                missing[child] -= 1
            owned = [child for child in children if not missing[child] and child not in drawn]
            if len(place.indent) >= deepest * STEP:
                starts.extendleft(reversed(owned))
                owned = []
            pending += reversed(_places_under(place, owned))
            yield _Row(
                forest.cards[place.id],
                place.branch,
                reads=tuple(id_ for id_ in forest.parents[place.id] if id_ != place.owner),
                feeds=tuple(child for child in children if child not in owned),
            )


def _places_under(place: _Place, owned: Sequence[str]) -> list[_Place]:
    indent = place.indent
    places = [_Place(id_, indent + "├─ ", indent + "│  ", place.id) for id_ in owned[:-1]]
    places += [_Place(id_, indent + "└─ ", indent + "   ", place.id) for id_ in owned[-1:]]
    return places


class _Table:
    """The columns of the table: the tree, the group if there are several, the description."""

    def __init__(self, rows: Sequence[_Row], columns: int | None) -> None:
        self.columns = columns
        groups = {printable(row.card.group) for row in rows}
        self.group_width = min(max(map(width, groups)), WIDEST_GROUP) if len(groups) > 1 else 0
        names = max((_width(_named(row)) for row in rows), default=0)
        whole = max((_width([*_named(row), *_references(row)]) for row in rows), default=0)
        if columns is None:
            tree_width = max(names, WIDEST_PLAIN_TREE)
        elif any(row.card.description for row in rows):
            counted = max((_width([*_named(row), *_references(row, 0)]) for row in rows), default=0)
            tree_width = min(max(counted, columns // 2), columns * 3 // 5)
        else:
            tree_width = columns - self.group_width - len(GAP)
        self.group_at = min(whole, tree_width) + len(GAP)
        self.description_at = self.group_at + (self.group_width and self.group_width + len(GAP))

    def line(self, row: _Row) -> Line:
        spans = _named(row)
        room = None if self.columns is None else self.group_at - len(GAP) - _width(spans)
        spans += _references(row, room)
        if self.group_width:
            group = shorten(printable(row.card.group), self.group_width)
            _add(spans, self.group_at, Span(group, "group"))
        description = self._description(row, _width(spans) + len(GAP))
        if description:
            _add(spans, self.description_at, Span(description, "description"))
        return tuple(spans)

    def _description(self, row: _Row, used: int) -> str:
        description = gist(row.card.description)
        if self.columns is None:
            return description
        room = self.columns - max(used, self.description_at)
        return shorten(description, room) if room >= NARROWEST_DESCRIPTION else ""


def _named(row: _Row) -> list[Span]:
    spans = [Span(row.branch, "branch")] if row.branch else []
    if row.card.state is not None:
        spans.append(Span(f"{LOOKS[row.card.state].glyph} ", row.card.state))
    spans.append(Span(printable(row.card.id), "name"))
    if row.card.failed_checks:
        s = "s" if row.card.failed_checks > 1 else ""
        spans.append(Span(f"  ✕ {row.card.failed_checks} check{s} failed", "failed_check"))
    return spans


def _references(row: _Row, room: int | None = None) -> list[Span]:
    """The edges that the tree does not show, with as many names as fit into `room` columns."""
    reads = [printable(id_) for id_ in row.reads]
    feeds = [printable(id_) for id_ in row.feeds]
    spans = []
    if reads:
        left = None if room is None else room - (width(_counted("→", feeds)) if feeds else 0)
        spans.append(Span(_fitted("←", reads, left), "reference"))
    if feeds:
        left = None if room is None else room - _width(spans)
        spans.append(Span(_fitted("→", feeds, left), "reference"))
    return spans


def _fitted(arrow: str, names: Sequence[str], room: int | None) -> str:
    whole = f"{GAP}{arrow} {', '.join(names)}"
    if room is None or width(whole) <= room:
        return whole
    best = _counted(arrow, names)
    for shown in range(1, len(names)):
        text = f"{GAP}{arrow} {', '.join(names[:shown])} +{len(names) - shown}"
        if width(text) > room:
            break
        best = text
    return best


def _counted(arrow: str, names: Sequence[str]) -> str:
    return f"{GAP}{arrow} {len(names)} {'asset' if len(names) == 1 else 'assets'}"


def _add(spans: list[Span], at: int, span: Span) -> None:
    """Append `span` at column `at`, or after a gap if the line is already longer."""
    spans.append(Span(" " * max(at - _width(spans), len(GAP)), ""))
    spans.append(span)


def _width(spans: Iterable[Span]) -> int:
    return sum(width(span.text) for span in spans)
