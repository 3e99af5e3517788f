"""What is wrong with a `Config` class, found before anybody gives it a value."""

from __future__ import annotations

import inspect as python
import typing
from collections import abc
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import msgspec
from msgspec import inspect

from assetgraph.definitions.annotations import accepts, annotation_text, described
from assetgraph.definitions.config import Config, from_value
from assetgraph.text import place_text

Wrong = tuple[str, str]  # a message, to be continued with the asset, and a remedy


@lru_cache(1024)
def config_problems(kind: type[Config]) -> tuple[Wrong, ...]:
    """Every field, also of the classes inside, that no value or not its own default can fill."""
    return tuple(_problems(kind, set()))


def _problems(kind: type[Any], seen: set[type]) -> Iterator[Wrong]:
    if kind in seen:
        return
    seen.add(kind)
    try:
        fields = msgspec.structs.fields(kind)
    except NameError as error:
        yield _unknown_name(kind, str(error.name))
        return
    except Exception as error:
        yield (
            f"the annotations of {_where(kind)} cannot be read: {error}",
            "Correct them, or import what they name at module level.",
        )
        return
    for field in fields:
        inside = [p for inner in _structs_in(field.type) for p in _problems(inner, seen)]
        yield from inside
        wrong = None if inside else _wrong_annotation(kind, field) or _wrong_default(kind, field)
        if wrong:
            yield wrong


def _wrong_annotation(kind: type[Any], field: msgspec.structs.FieldInfo) -> Wrong | None:
    start = f"field {field.name!r} of {_where(kind)} is annotated `{annotation_text(field.type)}`"
    try:
        found = inspect.type_info(field.type)
    except NameError:
        return None  # a class inside names it, and is reported itself
    except Exception as error:
        if "multiple Struct types" in str(error):
            return (
                f"{start}: which of its classes a value means cannot be told",
                "Tag them, as in: class A(Config, tag=True). A value then has the name of its "
                'class, as in {"type": "A"}. Or use one class for both.',
            )
        if "not supported" in str(error) and "union" not in str(error):
            return f"{start}, which is not a type that config can have", _SUPPORTED
        return (
            f"{start}: its alternatives cannot be told apart in text or JSON",
            "Keep one of them. With `str`, convert the text in the asset.",
        )
    for custom in _custom_types(found):
        if not issubclass(custom, PurePath):
            return (
                f"{start}, and JSON, in which config is recorded, has no {custom.__name__}",
                _instead(custom),
            )
    return None


def _wrong_default(kind: type[Any], field: msgspec.structs.FieldInfo) -> Wrong | None:
    start = f"field {field.name!r} of {_where(kind)}"
    value = field.default
    if value is msgspec.NODEFAULT:
        if field.default_factory is msgspec.NODEFAULT:
            return None
        try:
            value = field.default_factory()
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            return f"{start} has a default_factory that fails: {what}", "Correct it."
    try:
        fits = _is_same(from_value(value, field.type), value) or accepts(field.type, value)
    except (NameError, TypeError):
        return None  # the annotation is wrong, and is reported itself
    except msgspec.ValidationError:
        fits = False
    if not fits:
        written = annotation_text(field.type)
        remedy = "Change one of the two."
        if value is None:
            remedy = f"Write `{field.name}: {written} | None = None`, or give it a value."
        return f"{start} is annotated `{written}`, but its default is {described(value)}", remedy
    return None


def _is_same(read: Any, value: Any) -> bool:
    """Whether a default is already what its annotation makes of it. An int may be a float."""
    return read == value and (
        type(read) is type(value) or (type(read), type(value)) == (float, int)
    )


def _unknown_name(kind: type[Any], name: str) -> Wrong:
    own = [
        field for field, text in vars(kind).get("__annotations__", {}).items() if name in str(text)
    ]
    what = f"field {own[0]!r} of {_where(kind)}" if own else _where(kind)
    return (
        f"{what} is annotated with {name!r}, which its module does not define",
        "Define or import it at module level, and not only for type checking.",
    )


def _structs_in(annotation: Any) -> Iterator[type[Any]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _structs_in(argument)


def _custom_types(found: Any, seen: frozenset[int] = frozenset()) -> Iterator[type[Any]]:
    """The classes in a type that msgspec does not know. A struct inside reports its own."""
    if isinstance(found, inspect.CustomType):
        yield found.cls
    elif isinstance(found, inspect.Type) and not isinstance(found, inspect.StructType):
        if id(found) in seen:
            return
        for name in found.__struct_fields__:
            value = getattr(found, name)
            parts = value if isinstance(value, tuple) else (value,)
            for part in parts:
                inner = part.type if isinstance(part, inspect.Field) else part
                yield from _custom_types(inner, seen | {id(found)})


_SUPPORTED = (
    "Use text, numbers, bool, None, dates and times, Decimal, UUID, Path, Enum, Literal, "
    "a Config class, or list, tuple, set or dict of these."
)


def _instead(custom: type[Any]) -> str:
    if custom in (abc.Iterable, abc.Iterator, abc.Generator):
        return "Write `list[…]` instead."
    if custom is object:
        return "Write `Any` instead."
    return _SUPPORTED


def _where(kind: type[Any]) -> str:
    """A class with its place, where that can be found."""
    try:
        file, line = python.getsourcefile(kind), python.findsource(kind)[1] + 1
    except (OSError, TypeError):
        return kind.__qualname__
    return f"{kind.__qualname__} ({place_text(file or '', line)})"
