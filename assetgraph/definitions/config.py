"""`Config`: the typed config of an asset, checked before a run starts."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar, dataclass_transform, get_args

import msgspec

from assetgraph.definitions.annotations import annotation_text, described, type_name
from assetgraph.errors import ConfigError
from assetgraph.text import did_you_mean


# Its name counts in the code version of every subclass: another would make their assets stale.
class _KeywordOnly(msgspec.StructMeta):
    """Makes the fields of every subclass keyword-only, an option that msgspec does not inherit.
    A default that is a list, set or dict is copied for each instance: msgspec refuses it."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> Any:
        fields = {
            name: msgspec.field(default_factory=partial(deepcopy, value))
            for name, kind in namespace.get("__annotations__", {}).items()
            if (value := namespace.get(name)) and type(value) in (list, set, dict)
            if "ClassVar" not in str(kind)
        }
        namespace = {**namespace, **fields}
        return super().__new__(cls, name, bases, namespace, **{"kw_only": True, **options})


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Config(msgspec.Struct, metaclass=_KeywordOnly, frozen=True, forbid_unknown_fields=True):
    """Base class for the config of an asset: fields with types and optional defaults.

        class TripsConfig(Config):
            month: str = "2023-03"
            rows: int

        @asset
        def trips(config: TripsConfig): ...

        materialize([trips], run_config=RunConfig({"trips": TripsConfig(rows=5)}))

    The parameter is recognized by its annotation. An instance is frozen and takes keyword arguments
    only. Before a run starts, unknown fields, wrong types and missing fields raise an error.
    """


C = TypeVar("C", bound=Config)
_WORDS = {
    "`array": "`list",
    "`object": "`dict",
    "Invalid RFC3339 encoded datetime": "not a time such as 2024-03-31T17:00:00",
    "Invalid RFC3339 encoded date": "not a date such as 2024-03-31",
    "Invalid RFC3339 encoded time": "not a time of day such as 17:00:00",
    "Invalid ISO8601 duration": "not a duration such as P1DT2H, which is a day and two hours",
    "Invalid base64 encoded string": "not text in base64",
    "Invalid decimal string": "not a decimal number such as 1.5",
    "Object contains unknown field": "there is no field",
    " | null`": " | None`",
    "Invalid UUID": "not a UUID such as 123e4567-e89b-12d3-a456-426614174000",
}


def build_config(kind: type[C], given: Mapping[str, Any], owner: str) -> C:
    """The config of asset `owner` as an instance of `kind`, from plain values by field name.

    Text is converted to the type of its field, such as a number, a bool, a date or JSON, because a
    command line passes only text.

    Raises `ConfigError` with the asset, the field and its type.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in fields:
            takes = f"It takes: {', '.join(fields) or 'none'}."
            raise ConfigError(
                f"{owner!r} has no config field {name!r}.",
                hint=" ".join(filter(None, [did_you_mean(name, fields), takes])),
            )
    values = {name: from_text(value, fields[name].type) for name, value in given.items()}
    try:
        built: C = from_value(values, kind, strict=False)
        return built
    except msgspec.ValidationError as error:
        missing = _missing_field(str(error))
        if missing:
            raise ConfigError(
                f"{owner!r} needs a value for its config field {missing!r}.",
                hint=f"Set it with: --config {owner}.{missing}=…",
            ) from None
        takes = ", ".join(f"{name}: {declared}" for name, declared in declared_fields(kind).items())
        example = _example(owner, str(error))
        hint = f"It takes: {takes}." + (f" In a shell, write {example}" if example else "")
        hint = " ".join(filter(None, [_meant(given, fields, str(error)), hint]))
        raise ConfigError(f"config of {owner!r}: {_readable(str(error))}.", hint=hint) from None


def config_by_asset(given: Any, what: str = "config") -> dict[str, dict[str, Any]]:
    """`given` as {asset key: {field: value}}. Raises `ConfigError`, which calls it `what`, if it is
    something else."""
    wrong = None
    if not isinstance(given, Mapping):
        wrong = f"it is {described(given)}"
    else:
        for key, fields in given.items():
            names = fields if isinstance(fields, Mapping) else ()
            if not isinstance(key, str):
                wrong = f"{key!r} is no asset key, but {described(key)}"
            elif not isinstance(fields, Mapping):
                wrong = f"{key!r} has {described(fields)} instead of fields"
            elif other := [name for name in names if not isinstance(name, str)]:
                wrong = f"{key!r} has a field {other[0]!r}, and fields are text"
    if wrong:
        raise ConfigError(
            f"{what} must be {{asset key: {{field: value}}}}: {wrong}.",
            hint='For example: {"trips": {"limit": 100}}',
        )
    return {key: dict(fields) for key, fields in given.items()}


def config_json(config: Config) -> dict[str, Any]:
    """All fields with their values, defaults included, as JSON types.

    Raises `ConfigError` for a value that JSON cannot express.
    """
    try:
        built: dict[str, Any] = msgspec.to_builtins(config, enc_hook=_encoded, str_keys=True)
        msgspec.json.encode(built)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        why = "it nests too deep" if isinstance(error, RecursionError) else error
        why = "a key of a dict is no text or number" if "str-like" in str(error) else why
        raise ConfigError(
            f"{type(config).__name__} cannot be recorded: {why}.",
            hint="Give it values that JSON can express: text, numbers, dates, lists and so on.",
        ) from error
    return built


def from_value(value: Any, wanted: Any, *, strict: bool = True) -> Any:
    """`value` as the type `wanted`. Raises `msgspec.ValidationError` if it does not fit."""
    return msgspec.convert(value, wanted, strict=strict, dec_hook=_decoded)


def _decoded(kind: type[Any], value: Any) -> Any:
    """A value of a type that msgspec does not know."""
    if isinstance(value, kind):
        return value
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise TypeError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")


def _encoded(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a value of the type {type_name(type(value))} is not JSON")


def declared_fields(kind: type[Config]) -> dict[str, str]:
    """Each field's type and default, if any, as text: `{"limit": "int = 100"}`."""
    return {field.encode_name: _declared(field) for field in msgspec.structs.fields(kind)}


def _declared(field: msgspec.structs.FieldInfo) -> str:
    kind = annotation_text(field.type)
    if field.default is not msgspec.NODEFAULT:
        return f"{kind} = {_typed(field.default)}"
    return kind if field.required else f"{kind} = {_typed(field.default_factory())}"


def _typed(value: Any) -> str:
    """A default as a person gives it in Python or JSON: 'data/raw' for a Path or 'full' for the
    member of an Enum."""
    try:
        return repr(msgspec.to_builtins(value, enc_hook=_encoded, str_keys=True))
    except (TypeError, ValueError, OverflowError):
        return repr(value)


def from_text(value: Any, wanted: Any) -> Any:
    """What is meant by `value` for a field of the type `wanted`: a text may be JSON."""
    if not isinstance(value, str) or _takes_text(value, wanted):
        return value
    try:
        return msgspec.json.decode(value.encode())
    except (msgspec.DecodeError, RecursionError):  # text that nests too deep fits no field
        return value


def _takes_text(value: str, wanted: Any) -> bool:
    try:
        from_value(value, wanted, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _missing_field(error: str) -> str | None:
    """The field, such as `month` or `source.port`, that a message of msgspec says is missing.

    The message is "Object missing required field `port` - at `$.source`".
    """
    _, found, rest = error.partition("missing required field `")
    if not found:
        return None
    name, _, place = rest.partition("`")
    outer = place.partition("`$.")[2].rstrip("`")
    return f"{outer}.{name}" if outer else name


def _readable(error: str) -> str:
    """A message of msgspec, "Expected `int`, got `str` - at `$.month`", with the field first and
    Python's words."""
    what, field = _what_and_field(error)
    for theirs, ours in _WORDS.items():
        what = what.replace(theirs, ours)
    text = what[0].lower() + what[1:]
    return f"{field}: {text}" if field else text


def _what_and_field(error: str) -> tuple[str, str]:
    """What is wrong, and where: the path of a field such as `source.port`, or a key in one."""
    what, found, where = error.partition(" - at `$")
    if found:
        return what, _path(where)
    what, found, where = error.partition(" - at `key` in `$")
    return what, f"a key of {_path(where)}" if found else ""


def _path(theirs: str) -> str:
    return theirs.rstrip("`").lstrip(".").replace("[...]", "[…]")


def _meant(
    given: Mapping[str, Any], fields: Mapping[str, msgspec.structs.FieldInfo], error: str
) -> str | None:
    """The words of an Enum or a Literal that resemble the one that was given."""
    what, name = _what_and_field(error)
    if not what.startswith("Invalid enum value") or name not in fields:
        return None
    kind = fields[name].type
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    words = [one.value for one in kind] if is_enum else get_args(kind)
    return did_you_mean(str(given[name]), [word for word in words if isinstance(word, str)])


def _example(owner: str, error: str) -> str | None:
    """How to type a list, where something else was given for it."""
    what, field = _what_and_field(error)
    if what.startswith("Expected `array") and field.isidentifier():
        return f'a list as JSON: --config \'{owner}.{field}=["a", "b"]\''
    return None
