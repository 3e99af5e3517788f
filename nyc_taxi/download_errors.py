"""The errors of a download.

DownloadError
├── UnreachableError      no answer at all: unknown name, no route, refused, timed out, no proxy
├── RefusedError          an invalid URL, or an answer that is not the file
│   └── BusyError         every try was answered with 403, 408, 425, 429 or 5xx
├── BrokenTransferError   every try broke off, stalled or sent a wrong number of bytes
└── WrongFileError        a complete file that failed the check
"""

from __future__ import annotations


class DownloadError(Exception):
    """Base class of the errors of a download. The message contains the URL or the host."""


class UnreachableError(DownloadError):
    """The host gave no answer."""


class RefusedError(DownloadError):
    """The URL is invalid, or the answer is not the file.

    `status` is the HTTP status of the answer, or None if there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class BusyError(RefusedError):
    """The host answered that it cannot send the file now.

    `wait_s` is how many seconds it asks to wait, or None if it does not say.
    """

    def __init__(
        self, message: str, status: int | None = None, wait_s: float | None = None
    ) -> None:
        super().__init__(message, status)
        self.wait_s = wait_s


class BrokenTransferError(DownloadError):
    """The transfer broke off, stalled, or had a wrong number of bytes."""

    wait_s = None


class WrongFileError(DownloadError):
    """The file is complete, but failed the check."""


def translated(error: OSError, url: str) -> DownloadError:
    """The `DownloadError` for an error that requests raised before any answer."""
    import requests

    if isinstance(error, ValueError | requests.TooManyRedirects):
        return RefusedError(f"{url} cannot be requested: {str(error).rstrip('.')}.")
    if isinstance(error, requests.ConnectTimeout):
        return UnreachableError(unreachable(url, "the connection timed out"))
    if isinstance(error, requests.ReadTimeout):
        return UnreachableError(unreachable(url, "no answer in time"))
    cause = error.args[0] if error.args else error
    return UnreachableError(unreachable(url, _reason(getattr(cause, "reason", cause))))


def _reason(trouble: object) -> str:
    """The reason in an error of urllib3, in a few words."""
    from http.client import BadStatusLine

    from urllib3.exceptions import (
        NameResolutionError,
        NewConnectionError,
        ProtocolError,
        ProxyError,
    )

    if isinstance(trouble, ProxyError):
        return f"the proxy refused the connection: {_reason(trouble.original_error)}"
    if isinstance(trouble, NameResolutionError):
        return "its name does not resolve"
    if isinstance(trouble, NewConnectionError):
        trouble = trouble.__cause__ or trouble
    if isinstance(trouble, ProtocolError):
        trouble = trouble.args[-1]
    if type(trouble) is BadStatusLine:  # a subclass of it means that there was no answer at all
        return "it does not speak HTTP"
    return getattr(trouble, "strerror", None) or str(trouble)


def unreachable(url: str, reason: str) -> str:
    """The message for a host that gives no answer."""
    from urllib.parse import urlsplit

    return f"{urlsplit(url).netloc} cannot be reached: {reason[:1].lower()}{reason[1:]}."
