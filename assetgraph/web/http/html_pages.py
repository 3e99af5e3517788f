"""The HTML of each page: the frame, and the script that fills it."""

from __future__ import annotations

import os
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import HTMLResponse, Response

from assetgraph.pictures.theme import LOOKS
from assetgraph.states import ASSET_STATE_WORDS, EXECUTORS, RUN_STATUS_WORDS
from assetgraph.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jinja2 import Template
    from starlette.requests import Request

    from assetgraph.web.http.static_files import StaticFiles

NAVIGATION = (
    ("overview", "/", "Overview"),
    ("assets", "/assets", "Assets"),
    ("lineage", "/lineage", "Lineage"),
    ("runs", "/runs", "Runs"),
    ("definitions", "/definitions", "Definitions"),
)
_WORDS = msgspec.json.encode(
    {
        "looks": {s.value: {"glyph": look.glyph, "word": look.word} for s, look in LOOKS.items()},
        "asset_words": ASSET_STATE_WORDS,
        "run_words": RUN_STATUS_WORDS,
        "executors": EXECUTORS,
    }
).decode()


def html_page(
    name: str, title: str, *, section: str | None = None, parameter: str | None = None
) -> Callable[[Request], Response]:
    """The endpoint of a page that `static/pages/<name>.js` fills.

    `parameter` names the part of its address that identifies its subject.
    """

    def endpoint(request: Request) -> Response:
        about = request.path_params[parameter] if parameter else ""
        return _rendered(
            request, script=f"pages/{name}.js", page=name, section=section or name,
            title=f"{about} · {title}" if about else title, about=about,
        )  # fmt: skip

    return endpoint


def problem_page(request: Request, status: int, text: str) -> Response:
    """A page that shows an error."""
    title = HTTPStatus(status).phrase
    return _rendered(
        request, status, script="pages/problem.js", page="problem", section="", title=title,
        about="", text=text,
    )  # fmt: skip


def _rendered(request: Request, status: int = 200, **values: Any) -> Response:
    files: StaticFiles = request.app.state.files
    root: Path = request.app.state.page_state.project.root
    text = _template().render(
        values,
        text=values.get("text", ""),
        navigation=NAVIGATION,
        version=__version__,
        words=_WORDS,
        project=root.name,
        root=str(root),
        editor=_editor(),
        url=files.url,
        preloaded=files.modules_of(values["script"]),
    )
    return HTMLResponse(text, status, headers={"cache-control": "no-cache"})


def _editor() -> str:
    """The program that the environment names as the user's editor, or ""."""
    words = (os.environ.get("VISUAL") or os.environ.get("EDITOR") or "").split()
    return os.path.basename(words[0]) if words else ""


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("assetgraph.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
