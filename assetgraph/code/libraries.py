"""Libraries: whatever a library holds counts by its name and by the version of the installed
distribution that the library belongs to.

The names of the `*.dist-info` folders are nearly always enough to find that version. The files in
them are read only for a module whose name differs from that of its distribution (`yaml` of PyYAML),
and the answer is cached.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import MutableMapping
from functools import cached_property
from hashlib import blake2b
from importlib.machinery import EXTENSION_SUFFIXES

from assetgraph.code.definition_graph import Referent, Vertex

OWN_PACKAGE = __name__.partition(".")[0]
_INFO = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-py[\d.]+)?\.(dist|egg)-info$")


class Libraries:
    """Names of libraries as text, each with the vertex of its library."""

    def __init__(self, distributions: Distributions) -> None:
        self._distributions = distributions
        self._vertices: dict[str, Vertex | None] = {}

    def as_written(self, module: str | None, name: str) -> Referent:
        """`name` of the library's module `module`, as the code of the project spells it; with an
        empty `name`, the module itself."""
        module = module or "builtins"
        return Referent(f"{module}.{name}".rstrip(".").encode(), self._library(module))

    def of_object(self, module: str | None, name: str) -> Referent:
        """A live object of a library. Of the module that it gives for itself only the outermost
        package counts: libraries, and assetgraph itself, move their classes from one inner module
        to another."""
        package = (module or "builtins").partition(".")[0]
        return self.as_written(package, name)

    def _library(self, module: str) -> Vertex | None:
        """The vertex of the library with its version. None for the standard library and for
        assetgraph: their versions do not count."""
        package = module.partition(".")[0]
        if package not in self._vertices:
            self._vertices[package] = self._make(package)
        return self._vertices[package]

    def _make(self, package: str) -> Vertex | None:
        title = self._distributions.of(package)
        if title == "" or package == OWN_PACKAGE:
            return None
        vertex = Vertex("library", package)
        vertex.own = (title or package).encode()
        compiled = _compiled_content(package) if title is None else None
        if compiled is not None:
            vertex.own += compiled
        elif title is None:
            text = "it belongs to no installed distribution, so its version is unknown"
            vertex.add_blind_spot(0, text)
        elif self._distributions.is_editable(package):
            text = "it is installed in editable mode, so its code may change without its version"
            vertex.add_blind_spot(0, text)
        return vertex


class Distributions:
    """The installed distributions. `cache` keeps which of them a module belongs to."""

    def __init__(self, cache: MutableMapping[str, bytes]) -> None:
        self._cache = cache
        self._known: dict[str, str | None] = {}

    def of(self, module: str) -> str | None:
        """The distributions of the top-level module `module` with their versions, as text
        ("PyYAML 6.0.1"); "" for the standard library; None if no installed distribution has it."""
        if module not in self._known:
            self._known[module] = self._find(module)
        return self._known[module]

    def is_editable(self, module: str) -> bool:
        """Whether the distribution that is called like the module lies in a folder of its own,
        where somebody edits it (`pip install -e`)."""
        return any(
            b'"editable": true' in (_read(f"{self._installed[info]}/{info}/direct_url.json") or b"")
            for info in self._called(module)
        )

    def _find(self, module: str) -> str | None:
        if module in sys.stdlib_module_names or module in sys.builtin_module_names:
            return ""
        by_name = self._called(module)
        return (
            _titles([*by_name, *self._parts(module)] if by_name else self._owners(module)) or None
        )

    def _called(self, module: str) -> list[str]:
        return [info for info in self._installed if _plain_name(info) == _plain(module)][:1]

    def _parts(self, module: str) -> list[str]:
        """The distributions that add to the package of another: `acme-core` has `acme.core`."""
        start = f"{_plain(module)}_"
        longer = [(i, f) for i, f in self._installed.items() if _plain_name(i).startswith(start)]
        return [info for info, folder in longer if _holds(folder, info, module)]

    @cached_property
    def _installed(self) -> dict[str, str]:
        """The folder that holds each `*.dist-info`; the first on `sys.path` wins."""
        found: dict[str, str] = {}
        for folder in sys.path:
            try:
                names = sorted(os.listdir(folder or "."))
            except OSError:
                continue
            for name in names:
                if name.endswith("-info") and _INFO.match(name):  # of a thousand names, few do
                    found.setdefault(name, folder)
        return found

    def _owners(self, module: str) -> list[str]:
        listing = "\n".join([module, *self._installed]).encode()
        key = f"distributions-{blake2b(listing, digest_size=16).hexdigest()}"
        cached = self._cache.get(key)
        if cached is None:
            owners = [
                info for info, folder in self._installed.items() if _holds(folder, info, module)
            ]
            cached = self._cache[key] = "\n".join(owners).encode()
        return cached.decode().split("\n") if cached else []


def _compiled_content(module: str) -> bytes | None:
    """A digest of the file of an extension module, such as one that the project compiles."""
    path = str(getattr(sys.modules.get(module), "__file__", None) or "")
    if not path.endswith(tuple(EXTENSION_SUFFIXES)):
        return None
    content = _read(path)
    return None if content is None else blake2b(content, digest_size=16).digest()


def _holds(folder: str, info: str, module: str) -> bool:
    name = module.encode()
    listed = _read(f"{folder}/{info}/top_level.txt")
    if listed is not None:
        return name in listed.split()
    record = b"\n" + (_read(f"{folder}/{info}/RECORD") or b"")
    return any(b"\n" + name + end in record for end in (b"/", b".py,", b"."))


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _titles(infos: list[str]) -> str:
    matches = [match for match in map(_INFO.match, infos) if match]
    return ", ".join(f"{match['name']} {match['version']}" for match in matches)


def _plain_name(info: str) -> str:
    match = _INFO.match(info)
    return _plain(match["name"]) if match else ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
