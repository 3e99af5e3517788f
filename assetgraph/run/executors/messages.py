"""What workers send to the process of the run: plain data and records of assetgraph.

A pickle can name any function and have it called. These pickles may name only the classes listed
here, so nothing that a step leaves in a worker can run in the process of the run.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from assetgraph.errors import WorkerError

_CLASSES = {
    "assetgraph.records": None,  # all of them
    "assetgraph.states": None,
    "assetgraph.keys": {"Target", "AssetKey", "_interned"},
    "assetgraph.run.step_task": {"StepResult", "_received"},
    "assetgraph.run.sent_exception": {"SentException"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "builtins": {
        "set", "frozenset", "complex", "str", "int", "float", "bytes", "list", "tuple", "dict",
    },
}  # fmt: skip
# How an object of a class derived from a plain one becomes the plain one.
_PLAIN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda data: bytes(memoryview(data)),
    list: lambda items: [*list.__iter__(items)],
    tuple: lambda items: (*tuple.__iter__(items),),
    dict: lambda items: dict(dict.items(items)),
}


CALLS = ("started", "events", "progress")  # of a step's channel, that a worker may make


# What a worker gets in place of a step when the run has ended: close its resources.
CLOSE = b"close"


def dumps(message: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(message)
    return buffer.getvalue()


def read_message(data: bytes) -> Any:
    """Raises `WorkerError` for what is not such a message."""
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise WorkerError(
            f"what its worker sent back cannot be read: {error}.",
            hint="Return plain data, and put plain data into metadata.",
        ) from error


class _Pickler(pickle.Pickler):
    """Sends an object of a class that derives from a plain one as the plain one."""

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if isinstance(obj, type) or _is_known(kind.__module__, kind.__qualname__):
            return NotImplemented
        for plain, exact in _PLAIN.items():
            if isinstance(obj, plain) and kind is not plain:
                return plain, (exact(obj),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if not _is_known(module, name):
            raise pickle.UnpicklingError(f"it holds a {module}.{name}")
        found = super().find_class(module, name)
        if _CLASSES[module] is None and not isinstance(found, type):
            raise pickle.UnpicklingError(f"it holds {module}.{name}")
        return found


def _is_known(module: str, name: str) -> bool:
    if module not in _CLASSES:
        return False
    names = _CLASSES[module]
    return "." not in name if names is None else name in names
