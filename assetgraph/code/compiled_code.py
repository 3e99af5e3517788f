"""The compiled code of the project's modules, by the content of their sources.

It stands in where Python has no bytecode that is checked by the hash of the source: Python may not
write beside the sources, is told not to, or has bytecode that goes by the time of the file.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import MutableMapping
from functools import cache
from hashlib import blake2b
from importlib.util import MAGIC_NUMBER

_DIGEST = 16  # bytes


def bytecode_of(
    source: bytes, digest: str, filename: str, kept: MutableMapping[str, bytes]
) -> bytes | None:
    """What a source with this digest compiles to, from the cache or else compiled and put there, in
    place of what an earlier source of the file compiled to. None if it does not compile. `filename`
    is the one that tracebacks name."""
    place = _place(filename)
    name = blake2b(place, digest_size=_DIGEST).hexdigest()
    data = kept.get(name, b"")
    found = data[_DIGEST:]
    if data[:_DIGEST] == _checksum(place, digest, found):
        return found
    try:
        code = compile(source, filename, "exec", dont_inherit=True)
    except Exception:
        return None  # Python compiles it again, and reports the error as it does
    found = marshal.dumps(code)
    kept[name] = _checksum(place, digest, found) + found
    return found


def _place(filename: str) -> bytes:
    """All that code depends on beside its source: the name of the file, the version of Python, and
    the options that count for the compiler."""
    return _compiler() + os.fsencode(filename)


@cache
def _compiler() -> bytes:
    positions = not (os.environ.get("PYTHONNODEBUGRANGES") or "no_debug_ranges" in sys._xoptions)
    options = f"{sys.implementation.cache_tag} {sys.flags.optimize} {positions} "
    return MAGIC_NUMBER + options.encode()


def _checksum(place: bytes, digest: str, bytecode: bytes) -> bytes:
    """The digest of what code was compiled from, and of the code: it says that they belong
    together, and that both are whole."""
    made = blake2b(b"%b\0%b\0" % (place, digest.encode()), digest_size=_DIGEST)
    made.update(bytecode)
    return made.digest()
