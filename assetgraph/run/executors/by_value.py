"""Pickling by value, for functions and classes that another process cannot import: those of a
notebook, a script or another function. Imported only when there is one to send."""

from __future__ import annotations

import inspect
import io
import sys
from functools import partial
from types import CodeType, FunctionType
from typing import Any, cast

import cloudpickle
import msgspec

from assetgraph.process.streams import standard_name
from assetgraph.run.executors.script import of_script


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle's pickler, extended for msgspec's classes and for file names.

    cloudpickle creates a class empty and adds its members later, but a msgspec class gets its
    fields only on creation. Code objects keep their file name, which tracebacks show and code
    versions use.
    """

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            make, code = self.dispatch_table[CodeType](obj)
            return _make_code, (obj.co_filename, make, code)
        if isinstance(obj, io.TextIOBase):  # one that a script kept: cloudpickle knows its name
            name = standard_name(obj)
            if name is not None:
                return getattr, (sys, name)
        reduced = super().reducer_override(obj)
        if isinstance(obj, FunctionType) and isinstance(reduced, tuple):
            return of_script(obj, reduced)
        if not isinstance(obj, msgspec.StructMeta) or not isinstance(reduced, tuple):
            return reduced
        make, (kind, *args), state, *rest = reduced
        state[0].pop("__annotations__", None)  # the receiver may not know the names in them
        own = _own_fields(obj)
        fields = [(f.name, f.type, f.default, f.default_factory, f.encode_name) for f in own]
        return make, (partial(_make_struct, kind, fields, _options(obj, own)), *args), state, *rest


def dumps(item: Any, limit: int | None = None) -> bytes:
    """Raises `ValueError` if the pickle has more than `limit` bytes."""
    buffer = io.BytesIO() if limit is None else _Limited(limit)
    Pickler(buffer, protocol=5).dump(item)
    return buffer.getvalue()


class _Limited(io.BytesIO):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self._limit:
            raise ValueError("the pickle is too long")
        return super().write(data)


def _make_code(filename: str, make: Any, code: tuple[Any, ...]) -> CodeType:
    return cast("CodeType", make(*code)).replace(co_filename=filename)


def _own_fields(kind: Any) -> list[msgspec.structs.FieldInfo]:
    return [f for f in msgspec.structs.fields(kind) if f.name in kind.__annotations__]


def _options(kind: Any, own: list[msgspec.structs.FieldInfo]) -> dict[str, Any]:
    config = kind.__struct_config__
    parameters = inspect.signature(kind).parameters
    keyword_only = any(parameters[f.name].kind is inspect.Parameter.KEYWORD_ONLY for f in own)
    options = {name: getattr(config, name) for name in dir(config) if not name.startswith("_")}
    return {**options, "kw_only": keyword_only, "post_init": "__post_init__" in vars(kind)}


def _make_struct(
    kind: Any,
    fields: list[tuple[str, Any, Any, Any, str]],
    options: dict[str, Any],
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
) -> Any:
    """Create the class with its fields, at the receiver. Its methods are added afterwards."""
    make_field: Any = msgspec.field  # its type allows only one of the two defaults
    namespace["__annotations__"] = {field: wanted for field, wanted, *_ in fields}
    for field, _, default, factory, encoded in fields:
        namespace[field] = make_field(default=default, default_factory=factory, name=encoded)
    if options.pop("post_init"):
        namespace["__post_init__"] = _call_post_init  # msgspec keeps the one it finds here
    return kind(name, bases, namespace, **options)


def _call_post_init(self: Any) -> None:
    type(self).__post_init__(self)
