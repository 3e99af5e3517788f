"""The hash of a data version: blake2b of 128 bits, in hex, with what kind of thing was hashed.

The kind keeps apart values whose bytes are the same, such as the text `1` and the number 1.
"""

from __future__ import annotations

import os
from hashlib import blake2b, file_digest

DIGEST_BYTES = 16


def hasher(kind: str) -> blake2b:
    return blake2b(digest_size=DIGEST_BYTES, person=kind.encode())


def digest_of(kind: str, data: bytes) -> str:
    return blake2b(data, digest_size=DIGEST_BYTES, person=kind.encode()).hexdigest()


def digest_of_file(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as file:
        return file_digest(file, lambda: hasher("file")).hexdigest()
