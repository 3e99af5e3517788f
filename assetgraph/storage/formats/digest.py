"""The hash behind every data version: 128-bit blake2b in hex, of a kind and the data.

The kind separates values with the same bytes, such as the text `1` and the number 1. It has at most
16 bytes.
"""

from __future__ import annotations

import os
from hashlib import blake2b, file_digest

DIGEST_BYTES = 16


def hasher(kind: str) -> blake2b:
    """A running hash of data of a kind."""
    return blake2b(digest_size=DIGEST_BYTES, person=kind.encode())


def digest_of(kind: str, data: bytes) -> str:
    """The hash of `data`, as data of a kind."""
    return blake2b(data, digest_size=DIGEST_BYTES, person=kind.encode()).hexdigest()


def digest_of_file(path: str | os.PathLike[str]) -> str:
    """The hash of a file's content. Raises `OSError`."""
    with open(path, "rb") as file:
        return file_digest(file, lambda: hasher("file")).hexdigest()
