"""`@definitions`: functions that return the definitions of a project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from assetgraph.definitions.annotations import described
from assetgraph.definitions.signature import signature_of
from assetgraph.errors import InvalidDefinitionError

T = TypeVar("T")


class LazyDefinitions(Generic[T]):
    """A function that returns `Definitions`, as `@definitions` makes it. It runs once, when what it
    defines is first asked for: calling it gives the same object each time."""

    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.name = function.__name__
        self._made: list[T] = []
        self._is_open = False

    def __call__(self) -> T:
        if not self._made:
            if self._is_open:
                raise InvalidDefinitionError(
                    f"{self.name}() loads itself: it is in one of the modules that it loads.",
                    hint="Load a package below, such as the folder defs.",
                )
            self._is_open = True
            try:
                self._made.append(self.function())
            finally:
                self._is_open = False
        return self._made[0]

    def __repr__(self) -> str:
        return f"<LazyDefinitions {self.name}>"


def definitions(function: Callable[[], T]) -> LazyDefinitions[T]:
    """Declare that a function returns `Definitions`, which loading its module asks it for.

        @definitions
        def defs():
            return load_from_defs_folder(project_root=Path(__file__).parent.parent)

    Raises `TypeError` for an object that is not a function without parameters.
    """
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"@definitions decorates a function, not {described(function)}")
    wanted = [p.name for p in signature_of(function).parameters if not p.has_default]
    if wanted:
        raise TypeError(
            f"@definitions decorates a function without parameters: {function.__name__} takes "
            f"{wanted[0]!r}"
        )
    return LazyDefinitions(function)
