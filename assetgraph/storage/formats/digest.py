"""The hash behind every data version: 128-bit blake2b in hex, of a kind and the data.

The kind separates values with the same bytes, such as the text `1` and the number 1. It has at most
16 bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Any
from zlib import crc32

from assetgraph.storage.atomic_files import store_error

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

DIGEST_BYTES = 16
CRC_DIGITS = 8
_LEAST_READ, _MOST_READ = 1 << 14, 1 << 20  # bytes at once: what was read is still in the cache
_LARGE = 1 << 18  # from here on, summing takes longer than handing over to a thread


def hasher(kind: str) -> blake2b:
    """A running hash of data of a kind."""
    return blake2b(digest_size=DIGEST_BYTES, person=kind.encode())


def digest_of(kind: str, data: bytes) -> str:
    """The hash of `data`, as data of a kind."""
    digest = _begun(kind).copy()  # in half the time that a new one takes
    digest.update(data)
    return digest.hexdigest()


@cache
def _begun(kind: str) -> blake2b:
    return hasher(kind)


def digest_of_file(path: str | os.PathLike[str]) -> str:
    """The hash of a file's content. Raises `OSError`."""
    digest = hasher("file")
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        buffer = memoryview(bytearray(min(max(size + 1, _LEAST_READ), _MOST_READ)))
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


class Crc32:
    """A running CRC-32, a third of the work: for bytes whose hash nothing else needs."""

    def __init__(self) -> None:
        self._crc = 0

    def update(self, data: Any) -> None:
        self._crc = crc32(data, self._crc)

    def hexdigest(self) -> str:
        return f"{self._crc:08x}"


def checksum_of(kind: str, like: str, data: Iterable[bytes]) -> str:
    """The checksum of bytes, of the sort that the checksum `like` is: a CRC-32, or their hash as
    data of a kind."""
    summed = Crc32() if len(like) == CRC_DIGITS else hasher(kind)
    for piece in data:
        summed.update(piece)
    return summed.hexdigest()


class SummedFile:
    """A file opened for writing, with the checksum of what is written to it: a CRC-32, or the hash
    of data of a `kind`.

    A large piece is summed in a thread while it is written. `close` or `end_thread` ends it. With a
    `path`, an error of the disk becomes a `StoreError` that names it: around a pickler, whose
    objects may raise an `OSError` of their own.
    """

    def __init__(self, file: IO[bytes], kind: str | None = None, path: str | None = None) -> None:
        self._file = file
        self._path = path
        self._kind = kind
        self._sum = hasher(kind) if kind else Crc32()
        self._thread: ThreadPoolExecutor | None = None
        self._summed: Future[None] | None = None

    def write(self, data: Any) -> int:
        if self._summed is not None:
            self._wait()
        try:
            if (len(data) if type(data) is bytes else memoryview(data).nbytes) < _LARGE:
                self._sum.update(data)
                return self._file.write(data)
            return self._write_large(data)
        except OSError as error:
            if self._path is None:
                raise
            raise store_error(error, "write", self._path) from error

    def _write_large(self, data: Any) -> int:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1)
        self._summed = self._thread.submit(self._sum.update, data)
        written = self._file.write(data)
        if type(data) is not bytes:  # its owner may reuse the memory
            self._wait()
        return written

    def restart(self) -> bool:
        """Forget what was written. Returns False if the file cannot: an object store's stream."""
        if not self._file.seekable():
            return False
        self._wait()
        self._file.seek(0)
        self._file.truncate()
        self._sum = hasher(self._kind) if self._kind else Crc32()
        return True

    def checksum(self) -> str:
        """The checksum of everything written so far."""
        self._wait()
        return self._sum.hexdigest()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
        self.end_thread()

    def end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _wait(self) -> None:
        if self._summed is not None:
            self._summed.result()
            self._summed = None
