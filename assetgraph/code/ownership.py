"""`Ownership`: which functions, classes and modules belong to the project, imported or not."""

from __future__ import annotations

import importlib.util
import sys
import types
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from assetgraph.code.project_folder import ProjectFolder
from assetgraph.definitions.registry import Registry


class Ownership:
    """Decides what belongs to the project in `folder`, and remembers the answers."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self._known: dict[Any, bool] = {}

    def in_project(self, item: Any) -> bool:
        """Whether a function, class or module belongs to the project."""
        if isinstance(item, FunctionType):
            return self.is_project_function(item)
        key = item if isinstance(item, type) else id(item)
        known = self._known.get(key)
        if known is None:
            decide = self._is_project_class if isinstance(item, type) else self._is_project_module
            known = self._known[key] = decide(item)
        return known

    def is_project_function(self, function: FunctionType) -> bool:
        """Decided by its code: a wrapper copies the module name of the function that it wraps."""
        filename = function.__code__.co_filename
        if self.folder.contains(filename):
            return True
        name = function.__globals__.get("__name__")
        if name == "__main__":
            return True
        # `exec` made it. It belongs to the project unless the code of a library called `exec`.
        return filename.startswith("<") and not self._is_library(name)

    def is_project_name(self, name: str) -> bool:
        """Whether a module of that name, imported or not, would belong to the project."""
        first = name.partition(".")[0]
        module = sys.modules.get(first)
        if module is not None:
            return self.in_project(module)
        try:
            spec = importlib.util.find_spec(first)
        except (ImportError, ValueError):
            return False
        if spec is None:
            return False
        places = [spec.origin or "", *(f"{p}/x.py" for p in spec.submodule_search_locations or ())]
        return any(self.folder.contains(place) for place in places)

    def import_project_module(self, name: str) -> ModuleType | Exception | None:
        """Import a module of the project now that a function imports when it runs. Returns None
        if there is no such module, and the error if importing it fails."""
        try:
            with Registry():  # keeps the assets of the module out of the present registry
                return import_module(name)
        except ModuleNotFoundError as error:
            return None if error.name == name else error
        except Exception as error:
            return error

    def _is_project_class(self, kind: type) -> bool:
        module = sys.modules.get(kind.__module__)
        if isinstance(module, ModuleType) and self.in_project(module):
            return True
        if module is types and vars(types).get(kind.__name__) is not kind:
            return True  # `types.new_class` made it, and does not record its caller
        return any(
            isinstance(member, FunctionType) and self.folder.contains(member.__code__.co_filename)
            for member in vars(kind).values()
        )

    def _is_project_module(self, module: Any) -> bool:
        if not isinstance(module, ModuleType):  # an object that replaces a module in `sys.modules`
            return self.in_project(type(module))
        names = vars(module)
        if names.get("__name__") == "__main__":
            return True
        if names.get("__file__") is not None:
            return self.folder.contains(names["__file__"])
        paths = getattr(names.get("__path__"), "_path", ())  # of a namespace package
        return any(self.folder.contains(f"{path}/x.py") for path in paths)

    def _is_library(self, name: Any) -> bool:
        module = sys.modules.get(name) if isinstance(name, str) else None
        return module is not None and not self.in_project(module)
