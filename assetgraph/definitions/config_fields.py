"""The fields of what config is given as: a `Config`, another pydantic model or a dataclass."""

from __future__ import annotations

import dataclasses
import sys
import typing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from assetgraph.definitions.annotations import annotation_text
from assetgraph.definitions.resource_marks import SECRET, is_secret_type
from assetgraph.process.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import TypeAdapter
    from pydantic.fields import FieldInfo


class ConfigField(NamedTuple):
    """A field of a config. `alias` is another name by which its value may be given. `info` is what
    pydantic knows of it, or None for a field of a plain dataclass."""

    name: str
    annotation: Any
    required: bool
    alias: str | None = None
    info: FieldInfo | None = None
    factory: Any = None

    def default(self) -> Any:
        """The value where none is given. Raises whatever its factory raises."""
        if self.info is not None:
            return self.info.get_default(call_default_factory=True, validated_data={})
        return self.factory()


def is_secret(field: ConfigField) -> bool:
    """Whether a field has the type `Secret[…]`, or a secret type of pydantic."""
    if field.info is not None and SECRET in field.info.metadata:
        return True
    return is_secret_type(field.annotation)


def is_model(kind: Any) -> bool:
    """Whether `kind` is a class of pydantic models."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def has_fields(kind: Any) -> bool:
    """Whether `kind` is a pydantic model or a dataclass."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or is_model(kind))


@lru_cache(1024)
def fields_of(kind: Any) -> dict[str, ConfigField]:
    """Each field by its name. Raises `NameError` for an annotation that names nothing."""
    return {field.name: field for field in _fields(kind)}


def _fields(kind: Any) -> Iterator[ConfigField]:
    infos = getattr(kind, "__pydantic_fields__", None)
    if not isinstance(infos, dict):
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in dataclasses.fields(kind):
            if field.init:
                yield _of_dataclass(field, hints[field.name])
        return
    if any(not info._complete for info in infos.values()):
        adapter_of(kind)
        infos = vars(kind)["__pydantic_fields__"]
    for name, info in infos.items():
        if getattr(info, "init", None) is not False:
            yield ConfigField(name, info.annotation, info.is_required(), info.alias, info)


def _of_dataclass(field: dataclasses.Field[Any], annotation: Any) -> ConfigField:
    factory: Any = None
    if field.default_factory is not dataclasses.MISSING:
        factory = field.default_factory
    elif (default := field.default) is not dataclasses.MISSING:
        factory = lambda: default  # noqa: E731
    return ConfigField(field.name, annotation, factory is None, factory=factory)


@lru_cache(1024)
def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """What validates and dumps a config. Raises the errors of pydantic for a class that has none,
    and `NameError` for an annotation that names nothing."""
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation

    try:
        if is_model(kind) and not kind.__pydantic_complete__:
            kind.model_rebuild(_types_namespace=None)
        return TypeAdapter(kind)
    except PydanticUndefinedAnnotation as error:
        raise NameError(str(error), name=error.name) from None


def declared_fields(kind: Any) -> dict[str, str]:
    """Each field's type and default, if any, as text: `{"limit": "int = 100"}`."""
    return {name: _declared(field) for name, field in fields_of(kind).items()}


def _declared(field: ConfigField) -> str:
    kind = annotation_text(field.annotation)
    if field.required:
        return kind
    return f"{kind} = {HIDDEN if is_secret(field) else _typed(field.default())}"


def _typed(value: Any) -> str:
    """A default as a person gives it in Python or JSON: 'data/raw' for a Path or 'full' for the
    member of an Enum."""
    try:
        return repr(plain(value))
    except (TypeError, ValueError, OverflowError):
        return repr(value)


def plain(value: Any) -> Any:
    """A value in the types of JSON. Raises `ValueError` for one that has none."""
    from pydantic_core import to_jsonable_python

    return with_sorted_sets(value, to_jsonable_python(value))


def with_sorted_sets(value: Any, dumped: Any) -> Any:
    """`dumped` with each `EnvVar` by its name, and the members of each set in an order that is
    always the same."""
    if hasattr(value, "env_var_name"):
        return {"env": value.env_var_name}
    if isinstance(dumped, list):
        if isinstance(value, set | frozenset):
            return sorted(dumped, key=msgspec.json.encode)
        if isinstance(value, list | tuple) and len(value) == len(dumped):
            return [with_sorted_sets(*pair) for pair in zip(value, dumped, strict=True)]
    elif isinstance(dumped, dict):
        inner = value if isinstance(value, dict) else {}
        if has_fields(type(value)):
            inner = {name: getattr(value, name, None) for name in dumped}
        names = {str(name): one for name, one in inner.items()}
        return {n: with_sorted_sets(names.get(n), one) for n, one in dumped.items()}
    return dumped
