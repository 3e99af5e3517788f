"""Whether a value fits its annotation down to the members of lists, tuples, sets and dicts.

The members of a level are looked at together: a list of a million rows costs a few passes at C
speed, and no call for each row.
"""

from __future__ import annotations

import types
import typing
from collections import abc
from collections.abc import Callable, Iterable
from itertools import chain
from operator import itemgetter
from typing import Any

from assetgraph.definitions.annotations import (
    accepts,
    annotation_text,
    contradiction,
    described,
    yielded_result,
)
from assetgraph.definitions.metadata import MaterializeResult, Output
from assetgraph.errors import ValueTypeError

Values = Callable[[], Iterable[Any]]  # the values of one level, as often as they are asked for
_LISTS = (list, tuple, set, frozenset)
_OF_MEMBERS = {*_LISTS, abc.Sequence, abc.Collection, abc.Set, abc.MutableSequence, abc.MutableSet}
_OF_PAIRS = {dict, abc.Mapping, abc.MutableMapping}
_UNIONS = (typing.Union, types.UnionType)


def fits(annotation: Any, value: object) -> bool:
    """Whether `value` and all that it holds fit; true if the annotation is not understood."""
    return accepts(annotation, value) and (
        not typing.get_args(annotation) or _all_fit(annotation, lambda: (value,))
    )


def misfit(annotation: Any, value: object, name: str) -> str | None:
    """What does not fit, as "rows[2]['fare'] is a str: 'x'" of the value called `name`; None if all
    fits."""
    if fits(annotation, value):
        return None
    found = _first(annotation, value, name) if accepts(annotation, value) else None
    return found or f"{name} is {described(value)}"


def _all_fit(annotation: Any, values: Values) -> bool:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _all_fit(args[0], values)
    if origin is typing.Literal:
        return all(accepts(annotation, value) for value in values())
    if origin in _UNIONS and any(map(typing.get_args, args)):
        return _all_fit_one(args, values)
    by_type = dict(zip(map(type, values()), values(), strict=True))
    if not all(accepts(annotation, value) for value in by_type.values()):
        return False
    if not args or not all(issubclass(kind, (*_LISTS, dict)) for kind in by_type):
        return True  # whatever else has members may be read only once
    if origin in _OF_PAIRS:
        return _all_fit(args[0], lambda: chain.from_iterable(values())) and _all_fit(
            args[1], lambda: chain.from_iterable(value.values() for value in values())
        )
    if origin is tuple and args[-1] is not ...:
        return _all_fit_by_position(args, values)
    if origin in _OF_MEMBERS:
        return _all_fit(args[0], lambda: chain.from_iterable(values()))
    return True


def _all_fit_one(alternatives: tuple[Any, ...], values: Values) -> bool:
    """Whether each value fits one of several types."""
    rest = [one for one in alternatives if one is not types.NoneType]
    if len(rest) == 1:
        return _all_fit(rest[0], lambda: [value for value in values() if value is not None])
    return all(any(fits(one, value) for one in alternatives) for value in values())


def _all_fit_by_position(args: tuple[Any, ...], values: Values) -> bool:
    if any(len(value) != len(args) for value in values()):
        return False

    def member(number: int) -> Values:
        return lambda: map(itemgetter(number), values())

    return all(_all_fit(one, member(number)) for number, one in enumerate(args))


def _first(annotation: Any, value: Any, name: str) -> str | None:
    """The first member that does not fit."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _first(args[0], value, name)
    if origin in _UNIONS:
        args = tuple(one for one in args if accepts(one, value))
        return misfit(args[0], value, name) if len(args) == 1 else None
    if origin in _OF_PAIRS and isinstance(value, dict):
        for key, one in value.items():
            if not fits(args[0], key):
                return f"a key of {name} is {described(key)}"
            if wrong := misfit(args[1], one, f"{name}[{key!r}]"):
                return wrong
    elif origin in _OF_MEMBERS and isinstance(value, _LISTS):
        if origin is tuple and args[-1] is not ...:
            if len(value) != len(args):
                return f"{name} has {len(value)} members instead of {len(args)}"
            wanted: Iterable[Any] = args
        else:
            wanted = [args[0]] * len(value)
        for number, (kind, one) in enumerate(zip(wanted, value, strict=True)):
            place = (
                f"{name}[{number}]" if isinstance(value, list | tuple) else f"a member of {name}"
            )
            if wrong := misfit(kind, one, place):
                return wrong
    return None


def result_contradiction(value: object, annotation: Any) -> str | None:
    """How a returned value contradicts its annotation: "is annotated … but returned …", or None."""
    wrong = contradiction(value, annotation)
    if wrong or not typing.get_args(annotation):
        return wrong
    inner = yielded_result(annotation) or annotation
    if typing.get_origin(inner) is Output:
        (inner,) = typing.get_args(inner)
    if isinstance(value, abc.Iterator | abc.AsyncIterator):
        return None  # what it yields is looked at when it comes
    inside = misfit(inner, value, "result")
    text = annotation_text(annotation)
    return f"is annotated `-> {text}` but in what it returned, {inside}" if inside else None


def require_result(owner: str, returned: object, annotation: Any) -> None:
    """Raise `ValueTypeError` if what the function of an asset returned contradicts `annotation`."""
    if isinstance(returned, MaterializeResult):
        return
    wrong = result_contradiction(
        returned.value if isinstance(returned, Output) else returned, annotation
    )
    if wrong:
        raise ValueTypeError(
            f"asset {owner!r} {wrong}.",
            hint="Add the missing return, or annotate the function with `-> None`."
            if returned is None
            else "Return what the annotation says, or change the annotation.",
        )
