"""`download`: a file over HTTP, whole or not at all, in constant memory.

DownloadError
├── UnreachableError      no answer at all: no name, no route, refused, timed out, no tunnel
├── RefusedError          an address that cannot be asked, or an answer that is not the file
│   └── BusyError         the same answer (403, 408, 425, 429, 5xx) at every try
├── BrokenTransferError   cut, stalled or of another length than announced, at every try
└── WrongFileError        a whole file, and the check refused it
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from nyc_taxi.files import replacing

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from requests import Response

Facts = TypeVar("Facts")
Progress = Callable[[int, int | None], None]

CHUNK_BYTES = 1 << 18
BUSY_STATUSES = frozenset({403, 408, 425, 429})  # and every 5xx


class DownloadError(Exception):
    """Base of what a download fails with. The message names the address."""


class UnreachableError(DownloadError):
    pass


class RefusedError(DownloadError):
    """`status` is the answer's; None where there was none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class BusyError(RefusedError):
    """`wait_s` is how long the host asks to be left alone, if it says."""

    def __init__(
        self, message: str, status: int | None = None, wait_s: float | None = None
    ) -> None:
        super().__init__(message, status)
        self.wait_s = wait_s


class BrokenTransferError(DownloadError):
    wait_s = None


class WrongFileError(DownloadError):
    pass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try.

    A host cannot be reached if it gives no answer to `reach_tries` connections, or none within
    `reach_s`. One that has answered gets `tries` requests in all; the wait between them doubles
    from `first_wait_s`, or is what it asks for, if that is no longer than `longest_wait_s`.
    `read_s` is the longest silence in the middle of a file.
    """

    connect_s: float = 5
    reach_s: float = 15
    reach_tries: int = 3
    reach_wait_s: float = 0.5
    read_s: float = 30
    tries: int = 6
    first_wait_s: float = 2
    longest_wait_s: float = 120
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Download(Generic[Facts]):
    """What was downloaded, with the `facts` that the check found in the file."""

    url: str
    path: Path
    bytes: int
    sha256: str
    duration_s: float
    facts: Facts


def download(
    url: str,
    path: Path,
    *,
    check: Callable[[Path], Facts],
    progress: Progress = lambda _done, _total: None,
    notice: Callable[[str], None] = lambda _text: None,
    patience: Patience | None = None,
) -> Download[Facts]:
    """Fetch `url` to `path`, which is replaced only by a whole file that `check` accepts.

    `check` gets the new file and raises `ValueError` to refuse it. A transfer that breaks is
    resumed where the server can. `progress` gets the bytes received and the bytes expected, if
    known; `notice` gets a sentence before each new try.

    Raises `DownloadError`, and `OSError` where the file cannot be written.
    """
    from concurrent.futures import ThreadPoolExecutor

    patience = patience or Patience()
    started = patience.clock()
    with replacing(path) as part, ThreadPoolExecutor(1) as beside:
        transfer = _Transfer(url, part, patience, progress, beside)
        transfer.run(notice)
        try:
            facts = check(Path(part.name))
        except ValueError as error:
            raise WrongFileError(f"{url} did not send the right file: {error}") from error
    return Download(
        url=url,
        path=path,
        bytes=transfer.received,
        sha256=transfer.sha256.hexdigest(),
        duration_s=patience.clock() - started,
        facts=facts,
    )


class _Transfer:
    """One file under way, over as many requests as it takes."""

    total: int | None
    validator: str | None

    def __init__(
        self,
        url: str,
        part: IO[bytes],
        patience: Patience,
        progress: Progress,
        beside: Executor,
    ) -> None:
        import requests

        self.url = url
        self.part = part
        self.patience = patience
        self.progress = progress
        self.beside = beside
        self.answered = False
        self.get = requests.get  # imported here, not in a thread that may be left half-way
        self._start_over()

    def run(self, notice: Callable[[str], None]) -> None:
        """Try until the file is whole, or raise what the last try failed with."""
        patience = self.patience
        wait_s = patience.first_wait_s
        for tries_left in reversed(range(patience.tries)):
            try:
                with self._response() as response:
                    self._receive(response)
                return
            except (BusyError, BrokenTransferError) as error:
                if not tries_left:
                    raise
                pause_s = wait_s if error.wait_s is None else error.wait_s
                if pause_s > patience.longest_wait_s:
                    asks = f"It asks to be left alone for {pause_s:.0f} s."
                    raise RefusedError(f"{error} {asks}") from error
                notice(f"{error} Trying again in {pause_s:.0f} s.")
            patience.sleep(pause_s)
            wait_s = min(2 * wait_s, patience.longest_wait_s)

    def _response(self) -> Response:
        """The answer to a request for what is still missing."""
        if not self.answered:
            response = _reach(self.url, self._request, self.patience)
            self.answered = True
            return response
        try:
            return self._request()
        except OSError as error:  # every error of requests is one
            trouble = _translated(error, self.url)
            if isinstance(trouble, UnreachableError):
                trouble = BrokenTransferError(str(trouble))
            raise trouble from error

    def _request(self) -> Response:
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
            if self.validator:
                headers["If-Range"] = self.validator
        timeout = (self.patience.connect_s, self.patience.read_s)
        return self.get(self.url, headers=headers, timeout=timeout, stream=True)

    def _receive(self, response: Response) -> None:
        """Take in the body of the response, or raise what is the matter with it."""
        self._judge(response)
        hashed: Future[Any] = self.beside.submit(int)
        for chunk in self._chunks(response):
            hashed.result()  # one chunk behind at most, so that memory stays constant
            hashed = self.beside.submit(self.sha256.update, chunk)
            self.part.write(chunk)
            self.received += len(chunk)
            self.progress(self.received, self.total)
        hashed.result()
        self.part.flush()
        if self.total not in (None, self.received):
            raise self._broken(f"announced {self.total} bytes and sent {self.received}")

    def _judge(self, response: Response) -> None:
        status = response.status_code
        answer = f"{self.url} answered {status} {response.reason}."
        if status in BUSY_STATUSES or status >= 500:
            raise BusyError(answer, status, _asked_wait_s(response))
        if self.received and status in (206, 416):
            if self._goes_on(response.headers.get("Content-Range", "")):
                return
            self._start_over()
            raise self._broken("does not go on where the transfer broke")
        if status != 200:
            raise RefusedError(answer, status)
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise RefusedError(f"{self.url} sent the file as {encoding}, though asked not to.")
        self._start_over()
        self.total = _number(response.headers.get("Content-Length", ""))
        self.validator = _validator(response)

    def _goes_on(self, content_range: str) -> bool:
        """Whether a range such as "bytes 100-199/200" is what is missing of the same file."""
        span, _, total = content_range.removeprefix("bytes ").partition("/")
        if self.total is None:
            self.total = _number(total)
        first = _number(span.partition("-")[0])
        return first == self.received and _number(total) in (None, self.total)

    def _chunks(self, response: Response) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        try:
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
                yield chunk
        except ReadTimeoutError as error:
            raise self._broken(f"fell silent for {self.patience.read_s:g} s") from error
        except HTTPError as error:
            raise self._broken("cut the transfer off") from error

    def _start_over(self) -> None:
        import hashlib

        if self.part.tell():  # truncating an empty file makes ext4 write it out when it is closed
            self.part.seek(0)
            self.part.truncate()
        self.sha256 = hashlib.sha256()
        self.received = 0
        self.total = None
        self.validator = None

    def _broken(self, what: str) -> BrokenTransferError:
        return BrokenTransferError(f"{self.url} {what}, {self.received} bytes in.")


def _reach(url: str, request: Callable[[], Response], patience: Patience) -> Response:
    """The host's first answer, or `UnreachableError` within `patience.reach_s`."""
    deadline = patience.clock() + patience.reach_s
    for tries_left in reversed(range(patience.reach_tries)):
        try:
            return _within(deadline - patience.clock(), request)
        except TimeoutError as error:
            reason = f"no answer within {patience.reach_s:g} s"
            raise UnreachableError(_unreachable(url, reason)) from error
        except OSError as error:
            trouble = _translated(error, url)
            late = patience.clock() + patience.reach_wait_s >= deadline
            if late or not tries_left or not isinstance(trouble, UnreachableError):
                raise trouble from error
        patience.sleep(patience.reach_wait_s)
    raise ValueError("reach_tries must be at least 1")


def _within(seconds: float, request: Callable[[], Response]) -> Response:
    """What `request` returns, or `TimeoutError`.

    A connection's own time limit covers neither the look-up of its name nor all the addresses
    of a host together, and neither can be interrupted: a thread waits for them, and is left.
    """
    from concurrent.futures import Future
    from threading import Thread

    answer: Future[Response] = Future()

    def work() -> None:
        try:
            answer.set_result(request())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=work, name="nyc_taxi.download", daemon=True).start()
    try:
        return answer.result(max(seconds, 0))
    except TimeoutError:
        answer.add_done_callback(_close_unused)
        raise


def _close_unused(answer: Future[Response]) -> None:
    if answer.exception() is None:
        answer.result().close()


def _translated(error: OSError, url: str) -> DownloadError:
    """What an error of requests, raised before any answer, means for the download."""
    import requests

    if isinstance(error, ValueError | requests.TooManyRedirects):
        return RefusedError(f"{url} cannot be asked: {str(error).rstrip('.')}.")
    if isinstance(error, requests.ConnectTimeout):
        return UnreachableError(_unreachable(url, "the connection timed out"))
    if isinstance(error, requests.ReadTimeout):
        return UnreachableError(_unreachable(url, "no answer in time"))
    cause = error.args[0] if error.args else error
    return UnreachableError(_unreachable(url, _reason(getattr(cause, "reason", cause))))


def _reason(trouble: object) -> str:
    """The reason in urllib3's error, in a few words."""
    from http.client import BadStatusLine

    from urllib3.exceptions import (
        NameResolutionError,
        NewConnectionError,
        ProtocolError,
        ProxyError,
    )

    if isinstance(trouble, ProxyError):
        return f"the proxy does not let it through: {_reason(trouble.original_error)}"
    if isinstance(trouble, NameResolutionError):
        return "its name does not resolve"
    if isinstance(trouble, NewConnectionError):
        trouble = trouble.__cause__ or trouble
    if isinstance(trouble, ProtocolError):
        trouble = trouble.args[-1]
    if type(trouble) is BadStatusLine:  # its subclass means no answer at all
        return "what answers there does not speak HTTP"
    return getattr(trouble, "strerror", None) or str(trouble)


def _unreachable(url: str, reason: str) -> str:
    from urllib.parse import urlsplit

    return f"{urlsplit(url).netloc} cannot be reached: {reason[:1].lower()}{reason[1:]}."


def _asked_wait_s(response: Response) -> float | None:
    """Seconds from a Retry-After header, which gives seconds or a date."""
    from email.utils import parsedate_to_datetime

    asked = response.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    try:
        now = parsedate_to_datetime(response.headers["Date"])
        return max((parsedate_to_datetime(asked) - now).total_seconds(), 0)
    except (KeyError, TypeError, ValueError):
        return None


def _validator(response: Response) -> str | None:
    """What `If-Range` may hold, so that a file that changed meanwhile is not glued to its old
    beginning: a strong ETag, or the date of the last change."""
    etag: str | None = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
