"""Endpoints for the lineage graph: the cards with their places, and the routes of the edges."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from assetgraph.pictures.layout import Layout, layout
from assetgraph.pictures.svg import graph_svg
from assetgraph.queries.asset_views import card
from assetgraph.text import first_line
from assetgraph.web.api.answer_cache import AnswerCache
from assetgraph.web.api.asset_endpoints import selected
from assetgraph.web.shapes import attempt_head, main_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from assetgraph.keys import AssetKey
    from assetgraph.queries.asset_views import AssetView
    from assetgraph.web.live.asset_table import AssetTable
    from assetgraph.web.live.page_state import PageState

CARD = (228.0, 104.0)
GROUP_CARD = (228.0, 92.0)
COLLAPSE_ABOVE = 150


def lineage(page: PageState, request: Request) -> dict[str, Any]:
    """The graph of all assets, or of those of `?select=`.

    `?collapsed=` names the groups to draw as one card; `*` collapses all, an empty value none.
    Without it, the groups of a graph of more than 150 assets are collapsed.
    """
    table = page.table()
    with page.lock:
        keys = selected(table, request.query_params.getlist("select"))
        picture = _Picture(table, keys, _collapsed(table, keys, request))
    placed = _placed(picture.sizes, picture.edges)
    return {
        "nodes": [
            {**node, "x": placed.positions[id_][0], "y": placed.positions[id_][1]}
            for id_, node in picture.nodes.items()
        ],
        "edges": [{"from": a, "to": b, "points": placed.routes[(a, b)]} for a, b in picture.edges],
        "width": placed.width,
        "height": placed.height,
        "card": CARD,
        "group_card": GROUP_CARD,
        "groups": picture.groups,
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
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    aspect: float = 1.6,
) -> Layout:
    """The layout of a graph, as it was last time: it does not change with the states."""
    known = (tuple(sizes.items()), tuple(edges), aspect)
    return _layouts.of(known, lambda: layout(sizes, edges, aspect=aspect))


class _Picture:
    """What is drawn: one card for each asset, or for each collapsed group."""

    def __init__(self, table: AssetTable, keys: Sequence[AssetKey], collapsed: set[str]) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.sizes: dict[str, tuple[float, float]] = {}
        drawn_as: dict[AssetKey, str] = {}
        members: dict[str, list[AssetView]] = {}
        for key in keys:
            view = table.views[key]
            group = view.asset.group_name
            members.setdefault(group, []).append(view)
            drawn_as[key] = f"group:{group}" if group in collapsed else key.text
            if group not in collapsed:
                self.nodes[key.text] = asset_node(view)
                self.sizes[key.text] = CARD
        for group in sorted(collapsed & members.keys()):
            self.nodes[f"group:{group}"] = _group_node(group, members[group])
            self.sizes[f"group:{group}"] = GROUP_CARD
        self.groups = [
            {"name": group, "count": len(views), "collapsed": group in collapsed}
            for group, views in sorted(members.items())
        ]
        self.edges = tuple(_edges(table, drawn_as))


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
        "reason": main_reason(view),
        "warning": view.warning,
        "damage": view.damage,
        "last": view.materialization and attempt_head(view.materialization),
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
