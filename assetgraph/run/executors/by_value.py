"""What no other process can import travels whole: functions and classes of a notebook, a script or
another function. Imported only when there is such a thing to send."""

from __future__ import annotations

import inspect
import io
from functools import partial
from types import CodeType
from typing import Any, cast

import cloudpickle
import msgspec


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle's, for msgspec's classes too: they have fields only if made with them, while
    cloudpickle makes a class empty and then adds what belongs to it. Code keeps its file, which
    tells a person, and the version of the code, where it is from."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            make, code = self.dispatch_table[CodeType](obj)
            return _make_code, (obj.co_filename, make, code)
        reduced = super().reducer_override(obj)
        if not isinstance(obj, msgspec.StructMeta) or not isinstance(reduced, tuple):
            return reduced
        make, (kind, *args), state, *rest = reduced
        state[0].pop("__annotations__", None)  # their names may mean nothing at the receiver
        own = _own_fields(obj)
        fields = [(f.name, f.type, f.default, f.default_factory, f.encode_name) for f in own]
        return make, (partial(_make_struct, kind, fields, _options(obj, own)), *args), state, *rest


def dumps(item: Any) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, protocol=5).dump(item)
    return buffer.getvalue()


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
    """At the receiver: the class with its fields. Its methods come to it afterwards."""
    make_field: Any = msgspec.field  # it is declared to take one or the other default
    namespace["__annotations__"] = {field: wanted for field, wanted, *_ in fields}
    for field, _, default, factory, encoded in fields:
        namespace[field] = make_field(default=default, default_factory=factory, name=encoded)
    if options.pop("post_init"):
        namespace["__post_init__"] = _call_post_init  # msgspec keeps the one it finds here
    return kind(name, bases, namespace, **options)


def _call_post_init(self: Any) -> None:
    type(self).__post_init__(self)
