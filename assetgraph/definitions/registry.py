"""`Registry`: collects the assets that are decorated with `@asset`. `module_variables` reads what a
module defines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from types import ModuleType
from typing import Any, Protocol

Modules = Mapping[str, Mapping[str, Any]]  # the variables of modules, by the module's name


class Declaration:
    """What a module may define beside assets, such as a job: loading a project finds it among the
    module's variables. `kind` is what a sentence calls it; with its `name` it is unique."""

    kind = ""
    name: str


class Registered(Protocol):
    """What a registry needs to know about a computation: its name and where it is defined."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def module(self) -> str: ...
    @property
    def specs(self) -> Sequence[Any]: ...


class Registry:
    """Collects the assets that are defined inside its `with` block, in order of definition.

        with Registry() as registry:
            @asset
            def trips(): ...
        defs = Definitions(registry)

    `@asset` registers in the innermost open block. If none is open, it uses a default registry.
    """

    def __init__(self) -> None:
        self._assets: list[Registered] = []
        self._by_name: dict[str, list[Registered]] = {}
        self._tokens: list[Token[Registry]] = []

    def add(self, asset: Registered) -> None:
        """Add `asset`; one that is defined again replaces its older definition.

        Another asset with the same name is added too: the graph reports the duplicate.
        """
        for position, known in enumerate(self._by_name.get(asset.name, ())):
            if _redefines(asset, known):
                self._assets[self._assets.index(known)] = asset
                self._by_name[asset.name][position] = asset
                return
        self._assets.append(asset)
        self._by_name.setdefault(asset.name, []).append(asset)

    def __iter__(self) -> Iterator[Any]:  # of Asset, whose module imports this one
        return iter(tuple(self._assets))

    def __len__(self) -> int:
        return len(self._assets)

    def __enter__(self) -> Registry:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._tokens.pop())


default_registry = Registry()
_current: ContextVar[Registry] = ContextVar("registry", default=default_registry)


def current_registry() -> Registry:
    """The registry of the innermost open `with` block, or the default one."""
    return _current.get()


def module_variables(module: object) -> dict[str, Any]:
    """The variables of a module, read without running its `__getattr__`.

    Empty for an object that took a module's place in `sys.modules`.
    """
    if not issubclass(type(module), ModuleType):  # isinstance would ask the object for its class
        return {}
    variables: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return variables


def values_of(modules: Modules) -> Iterator[tuple[str, Any]]:
    """What the variables of modules stand for, and what is in lists there, each with the name of
    its module."""
    for name, variables in modules.items():
        for value in variables.values():
            if issubclass(type(value), (list, tuple)):  # a union: three times slower
                for item in value:
                    yield name, item
            else:
                yield name, value


def public_object(name: str) -> Any:
    """What assetgraph exports under a name. Definitions that run, or read a store, do so as a
    person would, since what does it lies in a layer above."""
    return getattr(sys.modules["assetgraph"], name)


def _redefines(new: Registered, old: Registered) -> bool:
    """Whether `new` comes from the same lines as `old`, or both from a notebook or a prompt."""
    same_place = (new.file, new.line) == (old.file, old.line) and new.module == old.module
    # A loop may make several functions, each of other assets: the graph reports their name.
    if same_place and [spec.key for spec in new.specs] == [spec.key for spec in old.specs]:
        return True
    main = sys.modules.get("__main__")
    interactive = main is not None and not hasattr(main, "__file__")
    return interactive and new.module == old.module == "__main__"
