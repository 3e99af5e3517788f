"""Turns a function into an endpoint: reads its JSON body, answers JSON, and translates errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from assetgraph.errors import AssetGraphError, SelectionError, UnknownRunError
from assetgraph.project.data_text import DataError, decode
from assetgraph.storage.atomic_files import encoded
from assetgraph.text import did_you_mean, listed
from assetgraph.web.api.body_timeout import BodyTimeout
from assetgraph.web.live.page_state import PageState

POSITION = "Live-Position"
ERRORS_IN_BODY = "Errors-In-Body"
_MOST_BODY = 1 << 20
_LONGEST_SHOWN = 2000  # characters of a selection, with a mark below its error

Reader = Callable[[PageState, Request], Any]
Writer = Callable[[PageState, Any, Request], Any]


class NotFoundError(AssetGraphError):
    """The thing that an address names does not exist. `assets` may be meant instead."""

    def __init__(self, message: str, *, hint: str | None = None, assets: Sequence[str] = ()):
        super().__init__(message, hint=hint)
        self.assets = assets


def reads(answer: Reader) -> Callable[[Request], Response]:
    """An endpoint that only reads.

    Its header `Live-Position` is a place in the live stream; the answer is at least as new.
    """

    def endpoint(request: Request) -> Response:
        page: PageState = request.app.state.page_state
        position = page.feed.position
        return json_answer(answer(page, request), position=position)

    endpoint.__doc__ = answer.__doc__
    return endpoint


def writes(act: Writer) -> Callable[[Request], Any]:
    """An endpoint that acts. The body of its request is a JSON object."""

    async def endpoint(request: Request) -> Response:
        page: PageState = request.app.state.page_state
        body = await _body(request)
        return json_answer(await run_in_threadpool(act, page, body, request))

    endpoint.__doc__ = act.__doc__
    return endpoint


def json_answer(data: Any, status: int = 200, position: str | None = None) -> Response:
    headers = {"cache-control": "no-store"}
    if position is not None:
        headers[POSITION] = position
    return Response(encoded(data), status, headers=headers, media_type="application/json")


def error_answer(request: Request, error: Exception) -> Response:
    """The error as JSON.

    The page asks for status 200 with the real status in the body: a browser logs every other
    status to its console, and a mistyped selection does not belong there.
    """
    assert isinstance(error, AssetGraphError)
    missing = isinstance(error, UnknownRunError | NotFoundError)
    shown: dict[str, Any] = {"message": error.message, "hint": error.hint}
    if isinstance(error, SelectionError) and len(error.text or "") <= _LONGEST_SHOWN:
        shown |= {"text": error.text, "column": error.column}
    if isinstance(error, NotFoundError) and error.assets:
        shown["assets"] = list(error.assets)
    status = 404 if missing else 400
    if ERRORS_IN_BODY in request.headers:
        return json_answer({"error": {**shown, "status": status}})
    return json_answer({"error": shown}, status)


def check_query(query: QueryParams, names: Sequence[str]) -> None:
    """Raises `AssetGraphError` for a parameter that is none of `names`: to ignore it would answer
    another question."""
    unknown = next((name for name in query if name not in names), None)
    if unknown is None:
        return
    known = f"The parameters are {listed(names)}." if names else "It takes no parameters."
    raise AssetGraphError(
        f"this address has no parameter {unknown!r}.", hint=did_you_mean(unknown, names) or known
    )


def number(request: Request, name: str, default: int, most: int, *, least: int = 0) -> int:
    """A whole number from the query. Raises `AssetGraphError` for one below `least` or above
    `most`."""
    given = request.query_params.get(name, "")
    try:
        found = int(given) if given else default
    except ValueError:
        raise AssetGraphError(f"{name} must be a whole number, not {given!r}.") from None
    if given and found < least:
        raise AssetGraphError(f"{name} must be at least {least}, not {found}.")
    if found > most:
        raise AssetGraphError(f"{name} must be at most {most}, not {found}.")
    return found


def one_of(request: Request, name: str, known: Sequence[str]) -> str:
    """A word from the query, which must be one of `known`; "" if it is not given."""
    given = request.query_params.get(name, "")
    if given and given not in known:
        raise AssetGraphError(
            f"{name} cannot be {given!r}.",
            hint=did_you_mean(given, known) or f"It is {listed(known, 'or')}.",
        )
    return given


async def _body(request: Request) -> dict[str, Any]:
    body_timeout: BodyTimeout = request.app.state.body_timeout
    data = bytearray()
    try:
        async with body_timeout.limit():
            async for chunk in request.stream():
                data += chunk
                if len(data) > _MOST_BODY:
                    raise AssetGraphError("the request is too long.")
    except TimeoutError:
        raise AssetGraphError("the rest of the request did not arrive.") from None
    try:
        body = decode(bytes(data) or b"{}", "json")
    except DataError as error:
        raise AssetGraphError(f"the request is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise AssetGraphError("the request must be a JSON object.")
    return body
