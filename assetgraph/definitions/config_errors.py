"""What is wrong with config that was given, in our words: from the errors of pydantic."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import annotation_text, described
from assetgraph.definitions.config_fields import ConfigField, declared_fields, fields_of
from assetgraph.errors import ConfigError
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# What a type of error expects, by how its name begins.
_EXPECTED = {
    "int_": "`int`",
    "float_": "`float`",
    "finite_number": "a number that is not infinite",
    "string_": "`str`",
    "bool_": "`bool`",
    "bytes_": "`bytes`",
    "none_required": "`None`",
    "list_": "`list`",
    "tuple_": "`tuple`",
    "set_": "`set`",
    "frozen_set_": "`frozenset`",
    "sequence_": "`list`",
    "iteration_": "`list`",
    "dict_": "`dict`",
    "mapping_": "`dict`",
    "model_type": "`dict`",
    "model_attributes_type": "`dict`",
    "dataclass_type": "`dict`",
    "date_": "a date such as 2024-03-31",
    "datetime_": "a time such as 2024-03-31T17:00:00",
    "timezone_": "a time with its zone, such as 2024-03-31T17:00:00Z",
    "time_delta_": "a duration such as P1DT2H, which is a day and two hours",
    "time_": "a time of day such as 17:00:00",
    "decimal_": "a decimal number such as 1.5",
    "uuid_": "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
    "path_": "a path",
    "complex_": "a number such as 1+2j",
}
_LIMITS = ("_too_short", "_too_long", "_max_", "_whole_", "_pattern", "_past", "_future", "_exact")
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")


def wrong_fields(error: ValidationError) -> str:
    """What pydantic found, by field and without the values: for fields of resources."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)


def config_error(
    error: ValidationError,
    kind: Any,
    values: Mapping[str, Any],
    owner: str,
    secret: Mapping[str, str],
) -> ConfigError:
    """What to say of config that does not fit: the first thing that is wrong, and what to write.

    `secret` has the environment variable of each field that came from one: no value is shown.
    """
    first = error.errors(include_url=False)[0]
    fields = fields_of(kind)
    loc = _known_names(first["loc"], fields)
    place, found = _place(loc[:-1] if first["type"] in _UNKNOWN else loc, values)
    if first["type"] in _MISSING:
        return ConfigError(
            f"{owner!r} needs a value for its config field {place!r}.",
            hint=f"Set it with: --config {owner}.{place}=…",
        )
    field = fields.get(str(loc[0])) if loc else None
    if variables := list(secret.values()) if field is None else secret.get(field.name):
        return _secret_error(place or kind.__name__, variables, first, field, owner)
    in_union = found is not None and len(found) < len(loc)
    if field is not None and found is not None and in_union and first["type"] not in _UNKNOWN:
        what = f"expected `{_branches(field, found)}`, got {described(_at(values, found))}"
    else:
        what = _what(first, field if len(loc) == 1 else None)
    text = f"{place}: {what}" if place else what
    return ConfigError(
        f"config of {owner!r}: {text.rstrip('.')}.", hint=_hint(first, field, loc, kind, owner)
    )


def _secret_error(
    place: str,
    variables: str | list[str],
    error: ErrorDetails,
    field: ConfigField | None,
    owner: str,
) -> ConfigError:
    """The value of a variable does not fit: it is not shown, nor what a validator says of it."""
    names = variables if isinstance(variables, str) else ", ".join(variables)
    wanted = f" `{annotation_text(field.annotation)}`" if field is not None else ""
    what = f"the environment variable {names} has a value that does not fit{wanted}"
    if error["type"] == "value_error":
        what = f"the environment variable {names} has a value that is refused"
    return ConfigError(f"config of {owner!r}: {place}: {what}.", hint="Set it to another one.")


def no_time(place: str, given: Any, field: ConfigField, owner: str) -> ConfigError:
    """A number stands where a date or a time belongs."""
    wanted = annotation_text(field.annotation)
    number = f"the number {given!r}" if given != "" else "a number"
    return ConfigError(
        f"config of {owner!r}: {place}: expected `{wanted}`, got {number}.",
        hint="Write it as text, as in: 2024-03-31, 2024-03-31T17:00:00 or 17:00:00.",
    )


def _known_names(
    loc: Sequence[int | str], fields: Mapping[str, ConfigField]
) -> tuple[int | str, ...]:
    """A place with the name of its field in place of an alias."""
    aliases = {field.alias: field.name for field in fields.values() if field.alias}
    return tuple(aliases.get(str(part), part) if not i else part for i, part in enumerate(loc))


def _place(loc: Sequence[int | str], values: Any) -> tuple[str, Sequence[int | str] | None]:
    """A place as a path, `source.ports[0]`, and its part that leads through the values: what
    follows that names a type in a union, or a field that is missing."""
    found: list[int | str] = []
    text, here = "", values
    for number, part in enumerate(loc):
        if part == "[key]":
            outer = _place(loc[: number - 1], values)[0]
            return f"a key of {outer}", None
        if isinstance(here, Mapping) and (part in here or not found):
            here = here.get(part)
        elif isinstance(here, list | tuple) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif number + 1 == len(loc) and isinstance(here, Mapping) and part not in here:
            return f"{text}.{part}", None  # it is missing
        else:
            return text, found
        found.append(part)
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text, found


def _at(values: Any, loc: Sequence[int | str]) -> Any:
    for part in loc:
        values = values[part]
    return values


def _branches(field: ConfigField, found: Sequence[int | str]) -> str:
    """The type of what stands at a place: of the field itself, or of what is in it."""
    kind = field.annotation
    for _ in found[1:]:
        inner = [arg for arg in typing.get_args(kind) if arg is not types.NoneType]
        if not inner:
            return annotation_text(field.annotation)
        kind = inner[-1]
    return annotation_text(kind)


def _what(error: ErrorDetails, field: ConfigField | None) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx") or {}
    if kind in _UNKNOWN:
        return f"there is no field `{error['loc'][-1]}`"
    if kind == "value_error":
        return str(context.get("error") or error["msg"])
    if kind in ("enum", "literal_error"):
        return f"expected {context['expected']}, got {described(given)}"
    if kind == "invalid_key":
        return "expected `str`"
    limit = any(part in kind for part in _LIMITS)
    for start, expected in _EXPECTED.items():
        if kind.startswith(start) and not limit:
            if field is not None and expected.startswith("`"):
                expected = f"`{annotation_text(field.annotation)}`"
            return f"expected {expected}, got {described(given)}"
    text = error["msg"].replace("Input should", "it should")
    return f"{text[0].lower()}{text[1:]}, and it is {described(given)}"


def _hint(
    error: ErrorDetails,
    field: ConfigField | None,
    loc: Sequence[int | str],
    kind: Any,
    owner: str,
) -> str:
    takes = ", ".join(f"{name}: {declared}" for name, declared in declared_fields(kind).items())
    hint = f"It takes: {takes}."
    if field is None:
        return hint
    if len(loc) == 1 and (example := _example(f"{owner}.{field.name}", error["type"])):
        hint += f" In a shell, write {example}"
    if error["type"] not in ("enum", "literal_error"):
        return hint
    meant = did_you_mean(str(error["input"])[:100], _words(field.annotation))
    return f"{meant} {hint}" if meant else hint


def _words(annotation: Any) -> list[str]:
    """The words of the Enums and Literals in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [one.value for one in annotation if isinstance(one.value, str)]
    words: list[str] = []
    for part in typing.get_args(annotation):
        words += [part] if isinstance(part, str) else _words(part)
    return words


def _example(setting: str, kind: str) -> str | None:
    """How to type a list or a dict, where something else was given for it."""
    if kind.startswith(("list_", "set_", "tuple_", "frozen_set_", "sequence_")):
        return f'a list as JSON: --config \'{setting}=["a", "b"]\' or as --config {setting}=a,b'
    if kind.startswith(("dict_", "mapping_", "model_", "dataclass_")):
        return f"each of its entries: --config {setting}.NAME=VALUE"
    return None
