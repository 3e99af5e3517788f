"""The addresses, and the application that answers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from assetgraph.errors import AssetGraphError
from assetgraph.web.api import actions as api_actions
from assetgraph.web.api import asset_addresses as api_assets
from assetgraph.web.api import lineage_address as api_lineage
from assetgraph.web.api import run_addresses as api_runs
from assetgraph.web.api.endpoints import error_answer, json_answer, reads, writes
from assetgraph.web.http.guard import Guard
from assetgraph.web.http.html_pages import page, problem_page
from assetgraph.web.http.static_files import StaticFiles
from assetgraph.web.live.page_state import Site

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

_GONE = "There is no page at this address."


def create_app(site: Site, *, hosts: Iterable[str] = (), token: str | None = None) -> ASGIApp:
    """The page of `site`, behind its guard. See `Guard` for `hosts` and `token`."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(site.run())
        task.add_done_callback(_raise_bug)
        yield
        site.close()
        task.cancel()

    files = StaticFiles()
    app = Starlette(
        routes=[*_pages(), *_addresses(), Route("/static/{version}/{name:path}", files.serve)],
        lifespan=lifespan,
        exception_handlers={
            AssetGraphError: error_answer,
            HTTPException: _http_problem,
            Exception: _bug,
        },
    )
    app.state.site = site
    app.state.files = files
    return Guard(app, hosts=hosts, token=token)


def _pages() -> list[Route]:
    return [
        Route("/", page("overview", "Overview")),
        Route("/assets", page("assets", "Assets")),
        Route("/assets/{key:path}", page("asset", "Assets", section="assets", parameter="key")),
        Route("/lineage", page("lineage", "Lineage")),
        Route("/runs", page("runs", "Runs")),
        Route("/runs/{run_id}", page("run", "Runs", section="runs", parameter="run_id")),
        Route("/definitions", page("definitions", "Definitions")),
    ]


def _addresses() -> list[Route]:
    return [
        _get("/api/summary", api_assets.summary),
        _get("/api/assets", api_assets.assets),
        _get("/api/assets/{key:path}", api_assets.asset),
        _get("/api/history/{key:path}", api_assets.history),
        _get("/api/preview/{key:path}", api_assets.value_preview),
        Route("/api/picture/{key:path}", api_assets.picture),
        _get("/api/lineage", api_lineage.lineage),
        Route("/api/lineage.svg", api_lineage.svg),
        _get("/api/overview", api_runs.overview),
        _get("/api/runs", api_runs.runs),
        _get("/api/runs/{run_id}", api_runs.run),
        _get("/api/runs/{run_id}/events", api_runs.events),
        _get("/api/runs/{run_id}/events/{number}", api_runs.event),
        _get("/api/runs/{run_id}/outputs", api_runs.outputs),
        _get("/api/runs/{run_id}/output", api_runs.output),
        _get("/api/runs/{run_id}/steps/{key:path}", api_runs.step),
        _get("/api/definitions", api_assets.definitions),
        Route("/api/stream", _stream),
        _post("/api/plan", api_actions.plan),
        _post("/api/runs", api_actions.launch),
        _post("/api/runs/{run_id}/rerun", api_actions.rerun),
        _post("/api/runs/{run_id}/cancel", api_actions.cancel),
        _post("/api/definitions/reload", api_actions.reload),
    ]


def _get(path: str, answer: Callable[..., Any]) -> Route:
    return Route(path, reads(answer), methods=["GET"])


def _post(path: str, act: Callable[..., Any]) -> Route:
    return Route(path, writes(act), methods=["POST"])


def _raise_bug(task: asyncio.Task[None]) -> None:
    """Have the event loop report what ended the task that keeps the site up to date."""
    if not task.cancelled():
        task.result()


async def _stream(request: Request) -> Response:
    site: Site = request.app.state.site
    position = request.headers.get("last-event-id") or request.query_params.get("after")
    return StreamingResponse(
        site.feed.stream(position),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _bug(request: Request, error: Exception) -> Response:
    """The error itself, with its trace, goes to the terminal that serves the page."""
    told = f"The page has a bug: {type(error).__name__}. Its trace is in the terminal."
    return _http_problem(request, HTTPException(500, told))


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = _GONE if error.status_code == 404 else error.detail
    if request.url.path.startswith("/api/"):
        return json_answer({"error": {"message": text, "hint": None}}, error.status_code)
    return problem_page(request, error.status_code, text)
