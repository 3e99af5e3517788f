"""The functions and classes of a script or a notebook, `__main__`, in another process.

They go there by value, and are put into the `__main__` of that process: a stored value names its
functions and classes by module, and so does what a pool of processes in a step sends to its own
workers. As in the script, there is one of each, and all functions share one set of global names.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary, WeakValueDictionary

_here = uuid4().hex
_ids: WeakKeyDictionary[FunctionType, str] = WeakKeyDictionary()
_made: WeakValueDictionary[str, FunctionType] = WeakValueDictionary()
_names: dict[str, dict[str, Any]] = {}


def receive_script(items: Mapping[str, bytes], file: str | None) -> None:
    """Have the `__main__` of this process define `items`. Each is unpickled when it is needed."""

    def find(name: str) -> Any:
        if name not in items:
            raise AttributeError(f"module '__main__' has no attribute {name!r}")
        item = pickle.loads(items[name])
        setattr(main, name, item)
        return item

    main = sys.modules["__main__"]
    vars(main)["__getattr__"] = find
    if file is not None:  # a child that is spawned imports it
        vars(main).setdefault("__file__", file)


def of_script(function: FunctionType, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """`reduced`, by which `function` is made anew: if the script defines it, as one of the script's
    functions."""
    names = vars(sys.modules["__main__"])
    if function.__globals__ is not names:
        return reduced
    make, args, *rest = reduced
    public = names.get(function.__qualname__) is function
    mark = _ids.setdefault(function, uuid4().hex) if public else None
    return (_make, (_here, mark, function.__qualname__, make, args), *rest)


def _make(script: str, mark: str | None, name: str, make: Any, args: tuple[Any, ...]) -> Any:
    """Make a function of a script, with the script's global names."""
    if script == _here:
        return make(*args)
    code, names, *more = args
    if mark is not None and mark in _made:
        return _made[mark]
    function = make(code, _names.setdefault(script, names), *more)
    if mark is not None:
        _made[mark] = function
        setattr(sys.modules["__main__"], name, function)
    return function
