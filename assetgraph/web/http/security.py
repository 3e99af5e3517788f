"""`Guard`: refuses unsafe requests, and adds the security headers to every answer.

The page runs the user's code, so no other site may reach it through the user's browser: not by a
host name that resolves to this machine (`Host`), not by a form, script or picture (`Origin`,
`Sec-Fetch-Site`). Another site may only link to a page. Where the page listens beyond this machine,
a request needs the token.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(?::([0-9]{1,5}))?", re.ASCII)
_SINGLE_HEADERS = (
    "host",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "content-type",
)
_READS = ("GET", "HEAD")
_OWN_SITES = ("same-origin", "none")  # none: the address was typed, or is a bookmark
_COOKIE = "assetgraph_token"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


class Guard:
    """Passes safe requests on to `app`.

    `hosts` are further host names to accept. With a `token`, every request must carry it.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str] = (), token: str | None = None):
        self._app = app
        self._hosts = LOCAL_NAMES | {host.lower() for host in hosts}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = self._refusal(scope)
            await (refusal or self._app)(scope, receive, _with_headers(send))
        else:
            raise RuntimeError(f"the page does not support {scope['type']}")

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        for name in _SINGLE_HEADERS:
            if len(headers.getlist(name)) > 1:
                return _refused(f"the header {name} is given more than once.")
        host = headers.get("host", "").lower()
        if _name(host) not in self._hosts:
            return _refused(f"this server does not answer for the host {host!r}.")
        wrong_one = _wrong_read if scope["method"] in _READS else _wrong_write
        wrong = wrong_one(headers, f"{scope['scheme']}://{host}", scope["path"])
        if wrong:
            return _refused(wrong)
        return self._without_token(scope, headers) if self._token else None

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        if self._is_token(dict(query).get("token")) and scope["method"] == "GET":
            return self._welcome(scope, headers, query)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self._is_token(bearer) or self._is_token(_cookie(headers)):
            return None
        return _refused("open the address that assetgraph dev printed; it contains the token.")

    def _welcome(self, scope: Scope, headers: Headers, query: list[tuple[str, str]]) -> Response:
        """Redirects to the address without the token, and sets the token as a cookie."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + quote(scope["path"]).lstrip("/")
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        assert self._token is not None
        answer.set_cookie(_cookie_name(headers), self._token, httponly=True, samesite="strict")
        return answer

    def _is_token(self, given: str | None) -> bool:
        assert self._token is not None
        return hmac.compare_digest((given or "").encode(), self._token.encode())


def _wrong_read(headers: Headers, own_origin: str, path: str) -> str | None:
    """Why a read is refused: its answer may be dear, and only our own pages need it."""
    if headers.get("sec-fetch-site", "none") in _OWN_SITES:
        origin = headers.get("origin", own_origin)
        return None if origin.lower() == own_origin else f"a page of {origin} may not read this."
    follows_link = (
        headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
    if follows_link and not path.startswith("/api/"):
        return None
    return "another site's page may not read anything here."


def _wrong_write(headers: Headers, own_origin: str, _path: str) -> str | None:
    origin = headers.get("origin")
    if origin is not None and origin.lower() != own_origin:
        return f"a page of {origin} may not change anything here."
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "another site's page may not change anything here."
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return "send application/json."
    return None


def _name(host: str) -> str | None:
    """A host without its port, or None if it is not valid. IPv6 addresses keep their brackets."""
    found = _HOST.fullmatch(host)
    return found[1] if found else None


def _cookie_name(headers: Headers) -> str:
    """A name for each port: browsers keep one jar of cookies for all ports of a host."""
    found = _HOST.fullmatch(headers.get("host", "").lower())
    return f"{_COOKIE}_{found[2] if found and found[2] else 80}"


def _cookie(headers: Headers) -> str | None:
    """The token in the cookies. It needs no quotes, so the header is only split."""
    wanted = _cookie_name(headers)
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == wanted:
            return value
    return None


def _refused(why: str) -> Response:
    return PlainTextResponse(f"Refused: {why}\n", 403)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            known = {name.lower() for name, _ in given}
            given += [(name, value) for name, value in _HEADERS.items() if name not in known]
            message = {**message, "headers": given}
        await send(message)

    return send_with_headers
