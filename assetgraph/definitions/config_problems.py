"""What is wrong with a class of config, found before anybody gives it a value."""

from __future__ import annotations

import datetime as dt
import inspect as python
import itertools
import types
import typing
import warnings
from collections import abc
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from assetgraph.definitions.annotations import annotation_text, described, not_a_type
from assetgraph.definitions.config_fields import ConfigField, fields_of, has_fields
from assetgraph.definitions.deep_types import fits
from assetgraph.text import place_text

Wrong = tuple[str, str]  # a message, to be continued with the asset, and a remedy

_KNOWN = {
    *(str, int, float, bool, bytes, Any, None, types.NoneType, list, dict, set, tuple, frozenset),
    *(dt.date, dt.datetime, dt.time, dt.timedelta, Decimal, UUID, Path, PurePath),
}
_CONTAINERS = {list, dict, set, frozenset, tuple, abc.Sequence, abc.Mapping}
_LAZY = (abc.Iterable, abc.Iterator, abc.Generator)
_NO_DATA = (type, abc.Hashable, abc.Callable)
_SUPPORTED = (
    "Use text, numbers, bool, None, dates and times, Decimal, UUID, Path, Enum, Literal, "
    "a Config class, a pydantic model, a dataclass, or list, tuple, set or dict of these."
)
_TEXTS = (str, bytes, dt.date, dt.time, dt.timedelta, Decimal, UUID, PurePath)
_LISTS = (list, tuple, set, frozenset, abc.Sequence)
_LOOKS: dict[str, Any] = {"text": _TEXTS, "a list": _LISTS, "a dict": (dict, abc.Mapping)}


@lru_cache(1024)
def config_problems(kind: Any) -> tuple[Wrong, ...]:
    """Every field, also of the classes inside, that no value or not its own default can fill."""
    return tuple(_problems(kind, set()))


def _problems(kind: Any, seen: set[type]) -> Iterator[Wrong]:
    if kind in seen:
        return
    seen.add(kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each is said here as a problem
            fields = fields_of(kind).values()
    except NameError as error:
        yield _unknown_name(kind, str(error.name))
        return
    except Exception as error:
        yield (
            f"the annotations of {_where(kind)} cannot be read: {_first_line(error)}",
            "Correct them, or import what they name at module level.",
        )
        return
    for field in fields:
        inside = [p for inner in _classes_in(field.annotation) for p in _problems(inner, seen)]
        yield from inside
        wrong = None if inside else _wrong_annotation(kind, field) or _wrong_default(kind, field)
        if wrong:
            yield wrong


def _wrong_annotation(kind: Any, field: ConfigField) -> Wrong | None:
    limits = field.info.metadata if field.info is not None else ()
    start = (
        f"field {field.name!r} of {_where(kind)} is annotated `{annotation_text(field.annotation)}`"
    )
    if any(type(limit).__module__ == "msgspec" for limit in limits):
        return f"{start} with msgspec.Meta", "Write pydantic.Field, as in: Field(ge=1)."
    if refused := _refused(field.annotation):
        return f"{start}, which is not a type that config can have", refused
    if _is_known(field.annotation) and not limits:
        return None
    try:
        _make_schema(field)
    except Exception as error:
        if type(error).__name__ in (
            "PydanticInvalidForJsonSchema",
            "PydanticSchemaGenerationError",
        ):
            return f"{start}, and JSON, in which config is recorded, has no such value", _SUPPORTED
        return f"{start}: {_first_line(error)}", "Correct it."
    tagged = field.info is not None and field.info.discriminator
    shape = None if tagged else _shared_shape(field.annotation)
    if shape == "a dict":
        return (
            f"{start}: which of its classes a value means cannot be told",
            'Give each a field such as `kind: Literal["a"] = "a"`, and annotate it as '
            '`Annotated[A | B, pydantic.Field(discriminator="kind")]`. Or use one class for both.',
        )
    if shape:
        return (
            f"{start}: its alternatives cannot be told apart in text or JSON",
            "Keep one of them. With `str`, convert the text in the asset.",
        )
    return None


def _make_schema(field: ConfigField) -> None:
    """Make the JSON Schema of a class that has only this field. Raises the errors of pydantic."""
    from pydantic import create_model

    from assetgraph.definitions.config import Config

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        info: Any = field.info if field.info is not None else ...
        fields: Any = {field.name: (field.annotation, info)}
        model: Any = create_model("Settings", __base__=Config, **fields)
        model.model_json_schema(mode="serialization", by_alias=False)


def _refused(annotation: Any) -> str | None:
    """What to write in place of a type that pydantic takes, but that JSON does not give back."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return None
    if origin is typing.Annotated:
        return _refused(typing.get_args(annotation)[0])
    if not_a_type(annotation):
        return _SUPPORTED
    if annotation is object:
        return "Write `Any` instead."
    if annotation in _LAZY or origin in _LAZY:
        return "Write `list[…]` instead."
    if annotation in _NO_DATA or origin in _NO_DATA:
        return _SUPPORTED
    return next(filter(None, map(_refused, typing.get_args(annotation))), None)


def _is_known(annotation: Any) -> bool:
    """Whether an annotation is of the types that most are, so that pydantic need not be asked."""
    if annotation in _KNOWN or has_fields(annotation):
        return True
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return True
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return True
    if origin in (typing.Union, types.UnionType):
        return len(args) == 2 and types.NoneType in args and all(map(_is_known, args))
    return origin in _CONTAINERS and all(arg is ... or _is_known(arg) for arg in args)


def _shared_shape(annotation: Any) -> str | None:
    """What two alternatives of a union both look like in text or JSON, which so does not say which
    of them a value is. None if there are none such."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return None
    if origin is typing.Annotated:
        tagged = any(getattr(one, "discriminator", None) for one in args[1:])
        return None if tagged else _shared_shape(args[0])
    if origin in (typing.Union, types.UnionType):
        for shapes, others in itertools.combinations(map(_shapes, args), 2):
            if (
                (shapes & others) - {"a number"}
                or _is_value_of(shapes, others)
                or _is_value_of(others, shapes)
            ):
                return str(min(shapes, key=str))
    return next(filter(None, map(_shared_shape, args)), None)


def _shapes(annotation: Any) -> set[Any]:
    """What values of a type look like: a word, or else the values of an Enum. Types of numbers tell
    themselves apart, a Literal is what it names, and what pydantic alone knows may be anything."""
    origin = typing.get_origin(annotation)
    kind = annotation if origin is None else origin
    if origin is typing.Annotated:
        return _shapes(typing.get_args(annotation)[0])
    if not isinstance(kind, type):
        return set()
    if issubclass(kind, Enum):
        return {(one.value,) for one in kind}
    if has_fields(kind):
        return {"a dict"}
    if kind in (int, float):
        return {"a number", kind}
    found = (what for what, some in _LOOKS.items() if issubclass(kind, some))
    return set(itertools.islice(found, 1))


def _is_value_of(shapes: set[Any], others: set[Any]) -> bool:
    """Whether a value of an Enum looks like a value of the other type."""
    values = [shape[0] for shape in shapes if isinstance(shape, tuple)]
    return (any(isinstance(value, str) for value in values) and "text" in others) or (
        any(isinstance(value, int | float) for value in values) and "a number" in others
    )


def _wrong_default(kind: Any, field: ConfigField) -> Wrong | None:
    if field.required:
        return None
    start = f"field {field.name!r} of {_where(kind)}"
    if field.info is not None and type(field.info.default).__module__ == "msgspec._core":
        return f"{start} has a default of msgspec", "Write pydantic.Field, as in: Field(default=1)."
    try:
        value = field.default()
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        return f"{start} has a default_factory that fails: {what}", "Correct it."
    if _fits(field, value):
        return None
    written = annotation_text(field.annotation)
    remedy = "Change one of the two."
    if value is None:
        remedy = f"Write `{field.name}: {written} | None = None`, or give it a value."
    return f"{start} is annotated `{written}`, but its default is {described(value)}", remedy


def _fits(field: ConfigField, value: Any) -> bool:
    """Whether a default is already what its annotation says. An int may be a float."""
    if hasattr(value, "env_var_name"):
        return True  # its value is known in a run only
    if type(value) is bool and not _names_bool(field.annotation):
        return False
    limits = field.info.metadata if field.info is not None else ()
    if not limits or not fits(field.annotation, value):
        return fits(field.annotation, value)
    from pydantic import TypeAdapter, ValidationError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            limited: Any = typing.Annotated[(field.annotation, *limits)]
            TypeAdapter(limited).validate_python(value)
    except ValidationError:
        return False
    except Exception:
        return True  # the annotation is wrong, and is reported itself
    return True


def _names_bool(annotation: Any) -> bool:
    named = (bool, Any, object)
    return (
        annotation in named
        or any(map(_names_bool, typing.get_args(annotation)))
        or (typing.get_origin(annotation) is typing.Literal)
    )


def _unknown_name(kind: Any, name: str) -> Wrong:
    own = [
        field for field, text in vars(kind).get("__annotations__", {}).items() if name in str(text)
    ]
    what = f"field {own[0]!r} of {_where(kind)}" if own else _where(kind)
    return (
        f"{what} is annotated with {name!r}, which its module does not define",
        "Define or import it at module level, and not only for type checking.",
    )


def _classes_in(annotation: Any) -> Iterator[type[Any]]:
    if has_fields(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _classes_in(argument)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _where(kind: type[Any]) -> str:
    """A class with its place, where that can be found."""
    try:
        file, line = python.getsourcefile(kind), python.findsource(kind)[1] + 1
    except (OSError, TypeError):
        return kind.__qualname__
    return f"{kind.__qualname__} ({place_text(file or '', line)})"
