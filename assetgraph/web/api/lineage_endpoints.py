"""Endpoints for the lineage graph: the cards with their places, and the routes of the edges."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import Response

from assetgraph.errors import AssetGraphError
from assetgraph.pictures.layout import Layout, arranged, scale, worth_frames
from assetgraph.pictures.svg import graph_svg
from assetgraph.pictures.text_width import ems
from assetgraph.queries.asset_views import card
from assetgraph.text import first_line
from assetgraph.web.api.answer_cache import AnswerCache
from assetgraph.web.api.partition_endpoints import selected
from assetgraph.web.shapes import attempt_head, main_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from assetgraph.keys import AssetKey
    from assetgraph.queries.asset_views import AssetView
    from assetgraph.web.live.asset_table import AssetTable
    from assetgraph.web.live.page_state import PageState

Size = tuple[float, float]

CARD_HEIGHT, GROUP_CARD_HEIGHT = 104.0, 98.0
USUAL, NARROW, WIDEST = 228.0, 196.0, 300.0  # widths of a card
NAME_SIZE = 16  # of a name on a card, with room for a wide font
PADDING, ICON = 26, 26
COLLAPSE_ABOVE = 150
SMALL = 40  # cards: so few are made narrower where all are then seen at their full size
TIGHTER = ((0.0, 56.0), (0.0, 40.0), (0.5, 40.0), (1.0, 32.0))  # how narrow, and the gaps
LEAST_SCALE = 0.8  # at a smaller one, narrower cards do not help
WINDOW = (1280.0, 800.0)


def lineage(page: PageState, request: Request) -> dict[str, Any]:
    """The graph of all assets, or of those of `?select=`.

    `?collapsed=` names the groups to draw as one card; `*` collapses all, an empty value none.
    Without it, the groups of a graph of more than 150 assets are collapsed. `?window=1280x800` is
    the size to lay the graph out for.
    """
    window = _window(request)
    table = page.table()
    with page.lock:
        keys = selected(table, request.query_params.getlist("select"))
        picture = _Picture(table, keys, _collapsed(table, keys, request))
    sizes, placed = _in_window(picture, window)
    return {
        "nodes": [
            {**node, "x": placed.positions[id_][0], "y": placed.positions[id_][1]}
            for id_, node in picture.nodes.items()
        ],
        "edges": [{"from": a, "to": b, "points": placed.routes[(a, b)]} for a, b in picture.edges],
        "width": placed.width,
        "height": placed.height,
        "card": sizes.asset,
        "group_card": sizes.group,
        "groups": picture.groups,
        "frames": [
            {"group": group, "x": x, "y": y, "width": width, "height": height}
            for group, (x, y, width, height) in placed.frames.items()
        ],
        "asset_count": len(keys),
    }


def svg(request: Request) -> Response:
    """The same graph as an SVG to download, with a card for every asset."""
    page: PageState = request.app.state.page_state
    table = page.table()
    with page.lock:
        keys = selected(table, request.query_params.getlist("select"))
        cards = [card(table.views[key]) for key in keys]
    shown = set(keys)
    edges = tuple((a.text, b.text) for a, b in table.graph.edges if a in shown and b in shown)
    etag = f'"{blake2b(repr((cards, edges)).encode(), digest_size=16).hexdigest()}"'
    headers = {
        "content-disposition": 'attachment; filename="lineage.svg"',
        "cache-control": "no-cache",
        "etag": etag,
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    drawn = _pictures.of(etag, lambda: graph_svg(cards, edges, place=_placed))
    return Response(drawn, headers=headers, media_type="image/svg+xml")


_layouts: AnswerCache[Layout] = AnswerCache(16)
_pictures: AnswerCache[str] = AnswerCache(4)


def _placed(
    sizes: Mapping[str, Size],
    edges: Sequence[tuple[str, str]],
    group_of: Mapping[str, str] | None = None,
    **shape: Any,
) -> Layout:
    """The layout of a graph, as it was last time: it does not change with the states."""
    groups = group_of or {}
    known = (tuple(sizes.items()), tuple(edges), tuple(groups.items()), tuple(shape.items()))
    return _layouts.of(known, lambda: arranged(sizes, edges, group_of=groups, **shape))


def _window(request: Request) -> Size:
    given = request.query_params.get("window")
    if given is None:
        return WINDOW
    found = re.fullmatch(r"([1-9]\d{1,3})x([1-9]\d{1,3})", given, re.ASCII)
    if found is None:
        raise AssetGraphError(
            f"window must be a width and a height such as 1280x800, not {given!r}."
        )
    return float(found[1]), float(found[2])


class _Sizes(NamedTuple):
    """The sizes of the cards of assets and of those of groups."""

    asset: Size
    group: Size


def _in_window(picture: _Picture, window: Size) -> tuple[_Sizes, Layout]:
    """The layout of a picture, with narrower cards where only then the window shows it whole."""
    best: tuple[float, _Sizes, Layout] | None = None
    for narrow, gap in TIGHTER:
        sizes = picture.sizes(narrow)
        cards = {
            id_: sizes.group if "count" in n else sizes.asset for id_, n in picture.nodes.items()
        }
        placed = _placed(cards, picture.edges, group_of=picture.framed, window=window, gap=gap)
        seen = scale(placed.width, placed.height, window)
        if best is None or (seen > best[0] and seen >= LEAST_SCALE):
            best = seen, sizes, placed
        if seen >= 1 or len(cards) > SMALL:
            break
    assert best
    return best[1:]


class _Picture:
    """What is drawn: one card for each asset, or for each collapsed group."""

    def __init__(self, table: AssetTable, keys: Sequence[AssetKey], collapsed: set[str]) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        drawn_as: dict[AssetKey, str] = {}
        members: dict[str, list[AssetView]] = {}
        for key in keys:
            view = table.views[key]
            group = view.asset.group_name
            members.setdefault(group, []).append(view)
            drawn_as[key] = f"group:{group}" if group in collapsed else key.text
            if group not in collapsed:
                self.nodes[key.text] = asset_node(view)
        for group in sorted(collapsed & members.keys()):
            self.nodes[f"group:{group}"] = _group_node(group, members[group])
        self.groups = [
            {"name": group, "count": len(views), "collapsed": group in collapsed}
            for group, views in sorted(members.items())
        ]
        self.edges = tuple(_edges(table, drawn_as))
        self.framed = self._framed()

    def _framed(self) -> dict[str, str]:
        """The groups of the cards that stand in frames.

        Opened groups have frames beside folded ones.
        """
        group_of = {id_: node["group"] for id_, node in self.nodes.items() if "key" in node}
        some_folded = len(group_of) < len(self.nodes)
        return group_of if some_folded or worth_frames(self.edges, group_of) else {}

    def sizes(self, narrow: float) -> _Sizes:
        """Sizes that fit the names; with `narrow` up to 1, down to the least that can be read."""
        keys = [node["key"] for node in self.nodes.values() if "key" in node]
        groups = [node["group"] for node in self.nodes.values() if "count" in node]
        bare = [key.rpartition("/")[2] for key in keys]
        group_width = _width(groups, ICON, USUAL), _width(groups, ICON, NARROW, lines=2)
        key_width = _width(keys, 0, USUAL), _width(bare, 0, NARROW)

        def between(usual: float, least: float) -> float:
            return round(usual + (min(usual, least) - usual) * narrow)

        return _Sizes(
            (between(*key_width), CARD_HEIGHT), (between(*group_width), GROUP_CARD_HEIGHT)
        )


def _width(names: Iterable[str], beside: float, least: float, *, lines: int = 1) -> float:
    longest = max((ems(name) for name in names), default=0.0)
    # A name on two lines is broken between its words, not in its middle.
    needed = longest / (1 if lines == 1 else lines - 0.5) * NAME_SIZE + PADDING + beside
    return round(min(max(needed, least), WIDEST))


def asset_node(view: AssetView) -> dict[str, Any]:
    asset = view.asset
    return {
        "id": asset.key.text,
        "key": asset.key.text,
        "group": asset.group_name,
        "description": first_line(asset.description or ""),
        "kinds": sorted(asset.kinds),
        "owners": list(asset.owners),
        "state": view.state.value,
        "partitions": view.up_to_date,
        "reason": main_reason(view),
        "warning": view.warning,
        "checks": [check.json for check in view.checks],
        "damage": view.damage,
        "last": view.materialization and attempt_head(view.materialization),
        "external": view.external and {"at": view.external.at},
        "failure": view.failure and attempt_head(view.failure),
        "running_run_id": view.running_run_id,
    }


def _group_node(group: str, views: Sequence[AssetView]) -> dict[str, Any]:
    return {
        "id": f"group:{group}",
        "group": group,
        "collapsed": True,
        "count": len(views),
        "member_states": {view.asset.key.text: view.state.value for view in views},
    }


def _edges(table: AssetTable, drawn_as: Mapping[AssetKey, str]) -> Iterable[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for key, id_ in drawn_as.items():
        for parent in table.graph.parents(key):
            source = drawn_as.get(parent)
            if source is not None and source != id_:
                found[(source, id_)] = None
    return found


def _collapsed(table: AssetTable, keys: Sequence[AssetKey], request: Request) -> set[str]:
    groups = {table.views[key].asset.group_name for key in keys}
    given = request.query_params.get("collapsed")
    if given is None:
        return groups if len(keys) > COLLAPSE_ABOVE and len(groups) > 1 else set()
    return groups if given == "*" else groups & set(given.split(","))
