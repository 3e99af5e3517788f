"""`download`: fetches a file over HTTP completely or not at all, in constant memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from nyc_taxi.download_errors import (
    BrokenTransferError,
    BusyError,
    RefusedError,
    UnreachableError,
    WrongFileError,
    translated,
    unreachable,
)
from nyc_taxi.files import replacing

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from requests import Response

Facts = TypeVar("Facts")
Progress = Callable[[int, int | None], None]

CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"\s*bytes\s+(\d+)\s*-\s*\d+\s*/\s*(\d+|\*)\s*", re.IGNORECASE)
BUSY_STATUSES = frozenset({403, 408, 425, 429})  # and every 5xx


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try; all times are in seconds.

    A host is unreachable if it does not answer `reach_tries` connections, or none within `reach_s`.
    A host that has answered once gets up to `tries` requests. The wait between them starts at
    `first_wait_s` and doubles, or is what the host asks for; if it asks for more than
    `longest_wait_s`, the download fails. `read_s` is the longest pause within a file.
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
    """A downloaded file, with the `facts` that its check returned."""

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
    """Download `url` to `path`, which changes only if the file is complete and passes `check`.

    `check` is called with the new file and raises `ValueError` to reject it. A broken transfer is
    resumed if the server supports it. `progress` is called with the bytes received and the bytes
    expected, None if unknown; `notice` with a sentence before each new try.

    Raises `DownloadError`, or `OSError` if the file cannot be written.
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
            raise WrongFileError(f"{url} sent a wrong file: {error}") from error
    return Download(
        url=url,
        path=path,
        bytes=transfer.received,
        sha256=transfer.sha256.hexdigest(),
        duration_s=patience.clock() - started,
        facts=facts,
    )


class _Transfer:
    """The transfer of one file, in as many requests as it takes."""

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
        self.get = requests.get  # imported here, not in a thread that may be abandoned half-way
        self._start_over()

    def run(self, notice: Callable[[str], None]) -> None:
        """Try until the file is complete. Raises the error of the last try."""
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
                    asks = f"It asks to wait for {pause_s:.0f} s."
                    raise RefusedError(f"{error} {asks}") from error
                notice(f"{error} Trying again in {pause_s:.0f} s.")
            patience.sleep(pause_s)
            wait_s = min(2 * wait_s, patience.longest_wait_s)

    def _response(self) -> Response:
        """The answer to a request for the missing part of the file."""
        if not self.answered:
            response = _reach(self.url, self._request, self.patience)
            self.answered = True
            return response
        try:
            return self._request()
        except OSError as error:  # the base class of all errors of requests
            trouble = translated(error, self.url)
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
        """Write the body of `response` to the file. Raises `DownloadError` if it does not fit."""
        self._judge(response)
        hashed: Future[Any] = self.beside.submit(int)
        for chunk in self._chunks(response):
            hashed.result()  # hashing is at most one chunk behind, so memory stays constant
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
            raise self._broken("does not continue where the transfer broke off")
        if status != 200:
            raise RefusedError(answer, status)
        encoding = response.headers.get("Content-Encoding", "")
        if not _words(encoding) <= {"identity"}:
            raise RefusedError(f"{self.url} sent the file encoded as {encoding}, unasked.")
        self._start_over()
        self.total = _announced(response)
        self.validator = _validator(response)

    def _goes_on(self, content_range: str) -> bool:
        """Whether a range such as "bytes 100-199/200" is the missing part of the same file."""
        found = _RANGE.fullmatch(content_range)
        if found is None:
            return False
        first, total = int(found[1]), found[2]
        if self.total is None:
            self.total = _number(total)
        return first == self.received and _number(total) in (None, self.total)

    def _chunks(self, response: Response) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        try:
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
                yield chunk
        except ReadTimeoutError as error:
            raise self._broken(f"sent nothing for {self.patience.read_s:g} s") from error
        except HTTPError as error:
            raise self._broken("broke off the transfer") from error

    def _start_over(self) -> None:
        import hashlib

        if self.part.tell():  # after truncating even an empty file, ext4 writes it out on close
            self.part.seek(0)
            self.part.truncate()
        self.sha256 = hashlib.sha256()
        self.received = 0
        self.total = None
        self.validator = None

    def _broken(self, what: str) -> BrokenTransferError:
        return BrokenTransferError(f"{self.url} {what}, after {self.received} bytes.")


def _reach(url: str, request: Callable[[], Response], patience: Patience) -> Response:
    """The first answer of the host. Raises `UnreachableError` after `patience.reach_s`."""
    deadline = patience.clock() + patience.reach_s
    for tries_left in reversed(range(patience.reach_tries)):
        try:
            return _within(deadline - patience.clock(), request)
        except TimeoutError as error:
            reason = f"no answer within {patience.reach_s:g} s"
            raise UnreachableError(unreachable(url, reason)) from error
        except OSError as error:
            trouble = translated(error, url)
            late = patience.clock() + patience.reach_wait_s >= deadline
            if late or not tries_left or not isinstance(trouble, UnreachableError):
                raise trouble from error
        patience.sleep(patience.reach_wait_s)
    raise ValueError("reach_tries must be at least 1")


def _within(seconds: float, request: Callable[[], Response]) -> Response:
    """The result of `request`. Raises `TimeoutError` after `seconds`.

    The timeout of a connection covers neither the lookup of its name nor all addresses of a host
    together, and neither can be interrupted. So a thread waits for them, and is abandoned.
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


def _asked_wait_s(response: Response) -> float | None:
    """Seconds to wait, from a Retry-After header with seconds or a date; None without one."""
    from email.utils import parsedate_to_datetime

    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        now = parsedate_to_datetime(response.headers["Date"])
        return max((parsedate_to_datetime(asked) - now).total_seconds(), 0)
    except (KeyError, TypeError, ValueError):
        return None


def _validator(response: Response) -> str | None:
    """The value for an `If-Range` header: a strong ETag, or the date of the last change.

    With it, the server does not append the end of a changed file to the beginning of the old one.
    """
    etag = response.headers.get("ETag", "").strip()
    if etag and not etag.startswith(("W/", "w/")):
        return etag
    return response.headers.get("Last-Modified")


def _announced(response: Response) -> int | None:
    """The bytes that the whole file has. The length of a chunked answer does not count: it may be
    that of something else."""
    lengths = _words(response.headers.get("Content-Length", ""))
    if "Transfer-Encoding" in response.headers or len(lengths) != 1:
        return None
    return _number(lengths.pop())


def _words(header: str) -> set[str]:
    """The words of a header that lists them, without case, blanks and empty ones."""
    return {word.strip().lower() for word in header.split(",")} - {""}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
