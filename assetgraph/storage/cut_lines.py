"""A last line of a history that is cut, since its writer died: to be found and removed."""

from __future__ import annotations

from assetgraph.storage.atomic_files import AppendFile, is_cut, opened
from assetgraph.storage.file_locks import Lock, try_shared


def has_cut_line(path: str) -> bool:
    """Whether the last line of the history at `path` is cut, and no process is writing it."""
    with opened(path) as file:
        return try_shared(file.fileno(), path) and is_cut(file.fileno())


def remove_cut_line(path: str) -> bool:
    """Remove the cut last line of the history at `path`. Returns False while another process has
    the history locked."""
    lock = Lock(path)
    if not lock.acquire():
        return False
    try:
        AppendFile(path).close()
    finally:
        lock.release()
    return True
