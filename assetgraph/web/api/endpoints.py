"""How an address answers: JSON, with the place in the live stream that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from assetgraph.errors import AssetGraphError, SelectionError, UnknownRunError
from assetgraph.web.live.page_state import Site

POSITION = "Live-Position"
ERRORS_IN_BODY = "Errors-In-Body"
_MOST_BODY = 1 << 20

Reader = Callable[[Site, Request], Any]
Writer = Callable[[Site, Any, Request], Any]


class NotFoundError(AssetGraphError):
    """What an address names does not exist."""


def reads(answer: Reader) -> Callable[[Request], Response]:
    """An address that is only read. What it answers is at least as new as its position says."""

    def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        position = site.feed.position
        return json_answer(answer(site, request), position=position)

    return endpoint


def writes(act: Writer) -> Callable[[Request], Any]:
    """An address that does something; its body is a JSON object."""

    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        body = await _body(request)
        return json_answer(await run_in_threadpool(act, site, body, request))

    return endpoint


def json_answer(data: Any, status: int = 200, position: str | None = None) -> Response:
    headers = {"cache-control": "no-store"}
    if position is not None:
        headers[POSITION] = position
    return Response(
        msgspec.json.encode(data), status, headers=headers, media_type="application/json"
    )


def error_answer(request: Request, error: Exception) -> Response:
    """What went wrong. The page asks for it with status 200 and the status in the body: a browser
    writes every other status to its console, where a mistyped selection does not belong."""
    assert isinstance(error, AssetGraphError)
    found = isinstance(error, UnknownRunError | NotFoundError)
    told: dict[str, Any] = {"message": error.message, "hint": error.hint}
    if isinstance(error, SelectionError):
        told |= {"text": error.text, "column": error.column}
    status = 404 if found else 400
    if ERRORS_IN_BODY in request.headers:
        return json_answer({"error": {**told, "status": status}})
    return json_answer({"error": told}, status)


def number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query, between 0 and `most`."""
    given = request.query_params.get(name, "")
    try:
        return min(max(int(given), 0), most) if given else default
    except ValueError:
        raise AssetGraphError(f"{name} must be a whole number, not {given!r}.") from None


async def _body(request: Request) -> dict[str, Any]:
    site: Site = request.app.state.site
    data = bytearray()
    try:
        async with site.patience.limit():
            async for chunk in request.stream():
                data += chunk
                if len(data) > _MOST_BODY:
                    raise AssetGraphError("the request is too long.")
    except TimeoutError:
        raise AssetGraphError("the rest of the request did not come.") from None
    try:
        body = msgspec.json.decode(data or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise AssetGraphError(f"the request is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise AssetGraphError("the request must be a JSON object.")
    return body
