"""The addresses of the page, and the application that answers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from assetgraph.errors import AssetGraphError
from assetgraph.web.api import (
    action_endpoints,
    asset_endpoints,
    lineage_endpoints,
    log_endpoints,
    overview_endpoints,
    partition_bar_endpoints,
    partition_endpoints,
    run_endpoints,
    run_strip_endpoints,
    search_endpoints,
)
from assetgraph.web.api.body_timeout import BodyTimeout
from assetgraph.web.api.json_endpoint import (
    check_query,
    error_answer,
    json_answer,
    reads,
    writes,
)
from assetgraph.web.http.html_pages import html_page, problem_page
from assetgraph.web.http.security import Guard
from assetgraph.web.http.static_files import StaticFiles
from assetgraph.web.live.page_state import PageState

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

_GONE = "There is no page at this address."
_OF_RUNS = ("status", "asset", "tag", "text", "since", "until", "before", "limit")
_OF_PARTITIONS = ("state", "text", "after", "limit")
_OF_BAR = ("first", "end", "row", "rows")
_OF_EVENTS = ("text", "level", "step", "type")
_OF_OUTPUT = ("step", "attempt", "stream")


def create_app(page: PageState, *, hosts: Iterable[str] = (), token: str | None = None) -> ASGIApp:
    """The application that serves `page`. See `Guard` for `hosts` and `token`."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(page.run())
        task.add_done_callback(_raise_bug)
        yield
        page.close()
        task.cancel()

    files = StaticFiles()
    app = Starlette(
        routes=[*_pages(), *api_routes(), Route("/static/{version}/{name:path}", files.serve)],
        lifespan=lifespan,
        exception_handlers={
            AssetGraphError: error_answer,
            HTTPException: _http_problem,
            Exception: _bug,
        },
    )
    app.state.page_state = page
    app.state.files = files
    app.state.body_timeout = BodyTimeout()
    page.on_close(app.state.body_timeout.end)
    return Guard(app, hosts=hosts, token=token)


def _pages() -> list[Route]:
    return [
        Route("/", html_page("overview", "Overview")),
        Route("/assets", html_page("assets", "Assets")),
        Route(
            "/assets/{key:path}", html_page("asset", "Assets", section="assets", parameter="key")
        ),
        Route("/lineage", html_page("lineage", "Lineage")),
        Route("/runs", html_page("runs", "Runs")),
        Route("/runs/{run_id}", html_page("run", "Runs", section="runs", parameter="run_id")),
        Route("/definitions", html_page("definitions", "Definitions")),
    ]


def api_routes() -> list[ApiRoute]:
    return [
        _get("/api/summary", overview_endpoints.summary),
        _get("/api/search", search_endpoints.search, "text", "limit"),
        _get("/api/assets", asset_endpoints.assets, "select"),
        _get("/api/assets/{key:path}", asset_endpoints.asset, "partition"),
        _get("/api/history/{key:path}", asset_endpoints.history, "partition", "after", "limit"),
        _get("/api/preview/{key:path}", asset_endpoints.value_preview, "partition"),
        ApiRoute("/api/picture/{key:path}", asset_endpoints.picture, "partition", "run"),
        _get("/api/partitions/{key:path}", partition_endpoints.partitions, *_OF_PARTITIONS),
        _get("/api/states/{key:path}", partition_bar_endpoints.bar, *_OF_BAR, "width"),
        _get("/api/place/{key:path}", partition_bar_endpoints.details, *_OF_BAR),
        _get("/api/partitioned", partition_endpoints.partitioned, "select"),
        _post("/api/dynamic/{name:path}", partition_endpoints.change),
        _get("/api/lineage", lineage_endpoints.lineage, "select", "collapsed", "window"),
        ApiRoute("/api/lineage.svg", lineage_endpoints.svg, "select"),
        _get("/api/overview", overview_endpoints.overview, "hours"),
        _get("/api/runs", run_endpoints.runs, *_OF_RUNS),
        _get("/api/runs/{run_id}", run_endpoints.run),
        _get("/api/runs/{run_id}/events", log_endpoints.events, *_OF_EVENTS, "after", "limit"),
        _get("/api/runs/{run_id}/events/{number}", log_endpoints.event),
        _get("/api/runs/{run_id}/outputs", log_endpoints.outputs),
        _get("/api/runs/{run_id}/output", log_endpoints.output, *_OF_OUTPUT, "offset", "limit"),
        ApiRoute("/api/runs/{run_id}/events.txt", log_endpoints.log_text, *_OF_EVENTS),
        ApiRoute("/api/runs/{run_id}/output.txt", log_endpoints.output_text, *_OF_OUTPUT),
        _get("/api/runs/{run_id}/steps/{key:path}", run_endpoints.step),
        _get("/api/runs/{run_id}/strips", run_strip_endpoints.strips, "width"),
        _get("/api/runs/{run_id}/strips/{key:path}", run_strip_endpoints.place, "first", "end"),
        _get("/api/definitions", overview_endpoints.definitions),
        _get("/api/resources", overview_endpoints.resources),
        ApiRoute("/api/stream", _stream, "after"),
        _post("/api/plan", action_endpoints.plan),
        _post("/api/runs", action_endpoints.launch),
        _post("/api/runs/cancel", action_endpoints.cancel_several),
        _post("/api/runs/delete", action_endpoints.delete_several),
        _post("/api/runs/{run_id}/rerun", action_endpoints.rerun),
        _post("/api/runs/{run_id}/cancel", action_endpoints.cancel),
        _post("/api/definitions/reload", action_endpoints.reload),
    ]


class ApiRoute(Route):
    """An address whose query may have the parameters `names`, and no other."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *names: str, method: str = "GET"):
        super().__init__(path, endpoint, methods=[method])
        self.names = names

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_query(QueryParams(scope["query_string"]), self.names)
        await super().handle(scope, receive, send)


def _get(path: str, answer: Callable[..., Any], *names: str) -> ApiRoute:
    return ApiRoute(path, reads(answer), *names)


def _post(path: str, act: Callable[..., Any]) -> ApiRoute:
    return ApiRoute(path, writes(act), method="POST")


def _raise_bug(task: asyncio.Task[None]) -> None:
    """Let the event loop report the error that ended the task of `PageState.run`."""
    if not task.cancelled():
        task.result()


async def _stream(request: Request) -> Response:
    """What changes, as server-sent events, from the place `?after=` in the stream on."""
    page: PageState = request.app.state.page_state
    position = request.headers.get("last-event-id") or request.query_params.get("after")
    return StreamingResponse(
        page.feed.stream(position),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _bug(request: Request, error: Exception) -> Response:
    """The answer after a bug of the page. The server prints the trace to its terminal."""
    text = f"The page has a bug: {type(error).__name__}. The terminal shows its trace."
    return _http_problem(request, HTTPException(500, text))


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = _GONE if error.status_code == 404 else error.detail
    if request.url.path.startswith("/api/"):
        return json_answer({"error": {"message": text, "hint": None}}, error.status_code)
    return problem_page(request, error.status_code, text)
