"""Writes and reads pickles (protocol 5), and hashes their content.

The data version covers the versions of the project's classes that a pickle names, since a changed
method changes what the same bytes mean. Containers of plain values are hashed by their content.
Anything else is hashed by its pickle, in which equal objects may differ.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import IO, Any, NamedTuple, Protocol

from assetgraph.definitions.annotations import described, of_which_type
from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.storage.formats.digest import SummedFile, hasher
from assetgraph.storage.formats.pickling.canonical_hash import canonical_digest
from assetgraph.storage.formats.pickling.class_names import hashed_module, public_object

ClassVersion = Callable[[Any], "str | None"]


class Pickled(NamedTuple):
    """A written pickle: the digest of its content, the checksum of its bytes, the names
    (`module:qualname`) of the project's classes in it, and the digest of their versions."""

    content: str
    checksum: str
    classes: tuple[str, ...]
    class_digest: str


class _Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


def write_pickle(
    value: object, sink: IO[bytes], path: str, class_version: ClassVersion | None
) -> Pickled:
    """Pickle the value into `sink`, the opened file `path`.

    Raises `ValueTypeError` if it cannot be pickled, and `StoreError`.
    """
    canonical = canonical_digest(value)
    written = SummedFile(sink, None if canonical else "pickle", path)
    pickler = _Pickler(written)
    try:
        pickler.dump(value)
        content = canonical or _digest(value, written, pickler.named)
        checksum = written.checksum()
    except StoreError:
        raise
    except RecursionError as error:
        raise ValueTypeError(
            f"returned {of_which_type(value)} that nests too deep to be stored.",
            hint="Return flatter data, or write it to a file and return its pathlib.Path.",
        ) from error
    except Exception as error:
        raise ValueTypeError(
            f"returned {described(value)}, which cannot be stored: {error}.", hint=_hint(value)
        ) from error
    finally:
        written.end_thread()
    versions = _versions(pickler.named, class_version)
    return Pickled(content, checksum, tuple(versions), digest_of_versions(versions))


def digest_of_versions(versions: Mapping[str, str]) -> str:
    """A digest of the versions of classes, by their names; empty if there are none."""
    if not versions:
        return ""
    digest = hasher("classes")
    for name, version in sorted(versions.items()):
        digest.update(f"\0{name}\0{version}".encode())
    return digest.hexdigest()


def pickle_version(content: str, class_digest: str) -> str:
    """The data version of a pickle."""
    digest = hasher("pickle")
    digest.update(f"{content}\0{class_digest}".encode() if class_digest else content.encode())
    return digest.hexdigest()


def read_pickle(source: IO[bytes], path: str) -> object:
    """Raises `NoValueError` if the pickle cannot be read: it is damaged, or a class is gone."""
    try:
        return _Unpickler(source).load()
    except Exception as error:
        raise NoValueError(
            f"the value {path} cannot be read back: {type(error).__name__}: {error}.",
            hint="Materialize its asset again, or bring back the class that it names.",
        ) from error


class _Pickler(pickle.Pickler):
    """Collects the classes and functions that are pickled by name."""

    def __init__(self, sink: _Writable) -> None:
        super().__init__(sink, protocol=5)
        self.named: dict[str, Any] = {}

    def reducer_override(self, item: Any) -> Any:
        if isinstance(item, type | FunctionType):
            self.named[f"{item.__module__}:{item.__qualname__}"] = item
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Finds a public class of assetgraph by its name if the module that the pickle names no longer
    has it."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            if not module.startswith("assetgraph."):
                raise
        found = public_object(name)
        if found is None:
            raise AttributeError(f"assetgraph has no {name!r}")
        return found


# The pickler that is written in Python. The one in C always writes the present module of a class.
_PythonPickler: Any = pickle._Pickler


class _StableNames(_PythonPickler):  # type: ignore[misc]
    """Writes the bytes that `_Pickler` writes, except that each public class of assetgraph keeps
    the module name of the first version. Slower than `_Pickler`."""

    def save_global(self, item: Any, name: str | None = None) -> None:
        """Python's pickler calls this for every class and function that it writes by name."""
        module = hashed_module(item) if name is None else None
        if module is None:
            super().save_global(item, name)
            return
        self.save(module)
        self.save(item.__qualname__)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(item)


class _HashOnly:
    """A file that keeps nothing of what is written to it but the hash."""

    def __init__(self) -> None:
        self._digest = hasher("pickle")
        self.checksum = self._digest.hexdigest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return len(data)


def _digest(value: object, written: SummedFile, named: Mapping[str, Any]) -> str:
    """The digest of a pickle's bytes, with the names of public classes that never change.

    A local file gets these names too, so that an earlier assetgraph can read it.
    """
    if not any(map(hashed_module, named.values())):
        return written.checksum()
    sink = written if written.restart() else _HashOnly()
    _StableNames(sink, protocol=5).dump(value)
    return sink.checksum()


def _versions(named: dict[str, Any], class_version: ClassVersion | None) -> dict[str, str]:
    if class_version is None:
        return {}
    versions = {name: class_version(item) for name, item in sorted(named.items())}
    return {name: version for name, version in versions.items() if version is not None}


def _hint(value: object) -> str:
    if hasattr(value, "read") and hasattr(value, "close"):
        return "Close the file and return its path, as a pathlib.Path."
    return "Return plain data, a table, or the pathlib.Path of a file that it wrote."
