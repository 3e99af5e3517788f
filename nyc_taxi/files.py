"""`replacing`: replaces a file completely or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that replaces `path` when the block ends without an exception.

    The file lies beside `path` and is locked: an unlocked one was left by a killed process, and is
    removed.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    with open(part, "xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file
            file.flush()
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    import fcntl

    for found in path.parent.iterdir():
        if found.name.startswith(f".{path.name}.") and found.suffix == ".part":
            with suppress(OSError), open(found, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.unlink()
