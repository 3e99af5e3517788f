"""Calling the function of a schedule or a sensor with its context and its resources."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.automation.contexts import TickContext
from assetgraph.errors import InvariantError


def require_function(decorator: str, function: object) -> None:
    """Raise `TypeError` for what is not a function."""
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"@{decorator} decorates a function, not {described(function)}")


def call(function: Callable[..., Any], context: TickContext, more: Sequence[Any] = ()) -> Any:
    """What a function returns. Of its parameters, those that are named after a resource of the
    context get it; the others in turn get the context and `more`.

    Raises `InvariantError` for a parameter that nothing is left for.
    """
    resources = context.given_resources
    rest = [context, *more]
    given: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in resources:
            given[parameter.name] = resources[parameter.name]
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        elif rest:
            given[parameter.name] = rest.pop(0)
        elif parameter.default is parameter.empty:
            raise InvariantError(
                f"{function.__name__} needs {parameter.name!r}, which the context does not have.",
                hint=f"Build the context with resources={{{parameter.name!r}: …}}.",
            )
    return function(**given)


def call_directly(function: Callable[..., Any], args: Sequence[Any], named: dict[str, Any]) -> Any:
    """What a function returns that a test calls, with a context alone or with all it takes."""
    if len(args) == 1 and isinstance(args[0], TickContext) and not named:
        return call(function, args[0])
    return function(*args, **named)
