"""`replacing`: replaces a file completely or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from itertools import count
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that replaces `path` when the block ends without an exception.

    The file lies beside `path` and is locked: an unlocked one was left by a killed process, and is
    used again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file, part = _locked_part(path)
    with file:
        try:
            yield file
            file.flush()
        except BaseException:
            part.unlink()
            raise
        part.replace(path)


def _locked_part(path: Path) -> tuple[IO[bytes], Path]:
    """A new, empty file beside `path` that no other process writes."""
    import fcntl

    for number in count():
        part = path.with_name(f".{path.name}.{number}.part")
        file = open(part, "wb", opener=_without_emptying)  # noqa: SIM115 (the caller closes it)
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(part, file):
                file.truncate(0)
                return file, part
        file.close()
    raise AssertionError


def _without_emptying(part: str, flags: int) -> int:
    return os.open(part, flags & ~os.O_TRUNC, 0o666)


def _is_at(part: Path, file: IO[bytes]) -> bool:
    """Whether `file` still has its name: another process may just have put it in its place."""
    try:
        return os.path.samestat(os.stat(part), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
