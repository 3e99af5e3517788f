"""What is the project's: its functions, classes and modules, loaded or not."""

from __future__ import annotations

import importlib.util
import sys
import types
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from assetgraph.code.importer import ProjectFolder
from assetgraph.definitions.registry import Registry


class Ownership:
    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self._known: dict[Any, bool] = {}

    def is_ours(self, item: Any) -> bool:
        """Whether a function, class or module is of the project."""
        if isinstance(item, FunctionType):
            return self.is_our_function(item)
        key = item if isinstance(item, type) else id(item)
        known = self._known.get(key)
        if known is None:
            decide = self._is_our_class if isinstance(item, type) else self._is_our_module
            known = self._known[key] = decide(item)
        return known

    def is_our_function(self, function: FunctionType) -> bool:
        """By its code: what a function says of its module may be a wrapper's politeness."""
        filename = function.__code__.co_filename
        if self.folder.contains(filename):
            return True
        name = function.__globals__.get("__name__")
        if name == "__main__":
            return True
        # Made by `exec`: it is the project's unless a library's module made it.
        return filename.startswith("<") and not self._is_library(name)

    def is_our_name(self, name: str) -> bool:
        """Whether a module of that name, loaded or not, is or would be of the project."""
        first = name.partition(".")[0]
        module = sys.modules.get(first)
        if module is not None:
            return self.is_ours(module)
        try:
            spec = importlib.util.find_spec(first)
        except (ImportError, ValueError):
            return False
        if spec is None:
            return False
        places = [spec.origin or "", *(f"{p}/x.py" for p in spec.submodule_search_locations or ())]
        return any(self.folder.contains(place) for place in places)

    def import_ours(self, name: str) -> ModuleType | Exception | None:
        """A module of the project that a function imports: imported now, as the function would do
        itself. None where there is no such module, the error where it does not import."""
        try:
            with Registry():  # its assets, if it has any, were not asked for
                return import_module(name)
        except ModuleNotFoundError as error:
            return None if error.name == name else error
        except Exception as error:
            return error

    def _is_our_class(self, kind: type) -> bool:
        module = sys.modules.get(kind.__module__)
        if isinstance(module, ModuleType) and self.is_ours(module):
            return True
        if module is types and vars(types).get(kind.__name__) is not kind:
            return True  # made by a call, which did not say for whom
        return any(
            isinstance(member, FunctionType) and self.folder.contains(member.__code__.co_filename)
            for member in vars(kind).values()
        )

    def _is_our_module(self, module: Any) -> bool:
        if not isinstance(module, ModuleType):  # put into a module's place in `sys.modules`
            return self.is_ours(type(module))
        names = vars(module)
        if names.get("__name__") == "__main__":
            return True
        if names.get("__file__") is not None:
            return self.folder.contains(names["__file__"])
        paths = getattr(names.get("__path__"), "_path", ())  # of a namespace package
        return any(self.folder.contains(f"{path}/x.py") for path in paths)

    def _is_library(self, name: Any) -> bool:
        module = sys.modules.get(name) if isinstance(name, str) else None
        return module is not None and not self.is_ours(module)
