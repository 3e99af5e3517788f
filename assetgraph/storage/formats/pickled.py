"""Whatever else pickles: protocol 5, and the classes of the project that the pickle names.

The hash covers the versions of those classes, since a changed method changes what the same bytes
mean. Containers of plain values are hashed by their content; of anything else the pickle is, as
well as pickles can be: equal objects may differ in it.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import IO, Any, NamedTuple

import assetgraph
from assetgraph.definitions.annotations import described
from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.canonical import canonical_digest
from assetgraph.storage.formats.digest import hasher

ClassVersion = Callable[[Any], "str | None"]


class Pickled(NamedTuple):
    """A digest of the content; the names (`module:qualname`) of the project's classes in it; and
    what their versions make of it."""

    content: str
    classes: tuple[str, ...]
    meaning: str


def write_pickle(
    value: object, sink: IO[bytes], path: str, class_version: ClassVersion | None
) -> Pickled:
    canonical = canonical_digest(value)
    written = _Sink(sink, path, hashed=canonical is None)
    pickler = _Pickler(written)
    try:
        pickler.dump(value)
    except StoreError:
        raise
    except Exception as error:
        raise ValueTypeError(
            f"returned {described(value)}, which cannot be stored: {error}.", hint=_hint(value)
        ) from error
    versions = _versions(pickler.named, class_version)
    content = canonical or written.digest.hexdigest()
    return Pickled(content, tuple(versions), meaning_of(versions))


def meaning_of(versions: Mapping[str, str]) -> str:
    """What the versions of the classes in a pickle, by name, make of its bytes."""
    if not versions:
        return ""
    digest = hasher("classes")
    for name, version in sorted(versions.items()):
        digest.update(f"\0{name}\0{version}".encode())
    return digest.hexdigest()


def pickle_version(content: str, meaning: str) -> str:
    """The data version of a pickle."""
    digest = hasher("pickle")
    digest.update(f"{content}\0{meaning}".encode() if meaning else content.encode())
    return digest.hexdigest()


def read_pickle(source: IO[bytes], path: str) -> object:
    try:
        return _Unpickler(source).load()
    except Exception as error:
        raise NoValueError(
            f"the value {path} cannot be read back: {type(error).__name__}: {error}.",
            hint="Materialize its asset again, or bring back the class that it was made of.",
        ) from error


class _Pickler(pickle.Pickler):
    """Keeps the classes and functions that are pickled by name."""

    def __init__(self, sink: Any) -> None:
        super().__init__(sink, protocol=5)
        self.named: dict[str, Any] = {}

    def reducer_override(self, item: Any) -> Any:
        if isinstance(item, type | FunctionType):
            self.named[f"{item.__module__}:{item.__qualname__}"] = item
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Finds assetgraph's public classes by name, since an old pickle names the modules of then."""

    def find_class(self, module: str, name: str, /) -> Any:
        if module.startswith("assetgraph.") and name in assetgraph.__all__:
            return getattr(assetgraph, name)
        return super().find_class(module, name)


class _Sink:
    """A file that hashes what is written to it, if it should, and names itself when that fails."""

    def __init__(self, sink: IO[bytes], path: str, *, hashed: bool) -> None:
        self._sink = sink
        self._path = path
        self._hashed = hashed
        self.digest = hasher("pickle")

    def write(self, data: bytes) -> int:
        if self._hashed:
            self.digest.update(data)
        try:
            return self._sink.write(data)
        except OSError as error:
            raise store_error(error, "write", self._path) from error


def _versions(named: dict[str, Any], class_version: ClassVersion | None) -> dict[str, str]:
    if class_version is None:
        return {}
    versions = {name: class_version(item) for name, item in sorted(named.items())}
    return {name: version for name, version in versions.items() if version is not None}


def _hint(value: object) -> str:
    if hasattr(value, "read") and hasattr(value, "close"):
        return "Close the file and return its path, as a pathlib.Path."
    return "Return plain data, a table, or the pathlib.Path of a file that it wrote."


def class_exists(name: str) -> bool:
    """Whether `module:qualname` still names something, as far as the module is here to ask."""
    module_name, _, qualname = name.partition(":")
    found: Any = sys.modules.get(module_name)
    if found is None:
        return _module_exists(module_name)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found is not None


def _module_exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
