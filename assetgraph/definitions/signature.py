"""The signature of a function: its parameters, annotations and defaults."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from assetgraph.definitions.annotations import EMPTY

BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_CONTEXTS = ("AssetExecutionContext", "AssetCheckExecutionContext")
_NAME = re.compile(r"[^\W\d]\w*")


class Parameter(NamedTuple):
    """A parameter of an asset's function.

    `annotation` is an object, or `EMPTY`, or text if a name in it cannot be resolved, such as a
    name imported for type checking only.
    """

    name: str
    annotation: Any
    has_default: bool
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD


class Signature(NamedTuple):
    """The parameters of a function and its return annotation (`EMPTY` without one).

    `only_names` says that each parameter names an upstream and nothing else is said of any, as in
    most projects: then there is nothing to look for among them.
    """

    parameters: tuple[Parameter, ...]
    returns: Any
    only_names: bool = False


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature as written. Annotations that are text stay text."""
    return _simple_signature(function) or _full_signature(function)


def resolved(
    signature: Signature, function: Callable[..., Any], local_names: Mapping[str, Any]
) -> Signature:
    """`signature` with its text annotations replaced by the objects they name.

    `local_names` holds the local variables of an enclosing function that the annotations name.
    """
    if signature.only_names:
        return signature
    written, returns, _ = signature
    if not isinstance(returns, str) and not any(isinstance(p.annotation, str) for p in written):
        return signature
    names = {**getattr(plain_function(function), "__globals__", {}), **local_names}

    def resolve(annotation: Any) -> Any:
        if not isinstance(annotation, str):
            return annotation
        try:
            return eval(annotation, dict(names))
        except Exception:
            return annotation

    parameters = tuple(p._replace(annotation=resolve(p.annotation)) for p in written)
    return Signature(parameters, resolve(returns))


def require_signature(function: Callable[..., Any]) -> None:
    """Check that Python can read the parameters of a callable. Raises `TypeError` if it cannot."""
    if plain_function(function) is not None:
        return
    try:
        inspect.signature(function)
    except ValueError:
        raise TypeError(
            f"the parameters of {function!r} cannot be read: wrap it in a function of your own"
        ) from None


def plain_function(function: Any) -> FunctionType | None:
    """The function inside partials, methods and wrappers, or None for a callable without one."""
    while not isinstance(function, FunctionType):
        if isinstance(function, partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif hasattr(function, "__func__"):
            function = function.__func__
        elif isinstance(getattr(type(function), "__call__", None), FunctionType):  # noqa: B004
            function = type(function).__call__
        else:
            return None
    bottom: FunctionType = function
    if hasattr(function, "__wrapped__"):
        bottom = inspect.unwrap(function)
    return bottom


def local_names(function: Callable[..., Any], caller: FrameType) -> dict[str, Any]:
    """The local variables of `caller` that text annotations of `function` name.

    A class or import inside a function is not in any module's globals, and an inner function keeps
    only the names that its body uses.
    """
    if caller.f_code.co_name == "<module>":
        return {}
    annotations = getattr(plain_function(function), "__annotations__", {}).values()
    texts = [annotation for annotation in annotations if isinstance(annotation, str)]
    known = caller.f_locals
    return {name: known[name] for name in _NAME.findall(" ".join(texts)) if name in known}


def is_context(parameter: Parameter) -> bool:
    """Whether a parameter takes the context: by its annotation, or by the name `context`."""
    annotation = parameter.annotation
    if annotation is EMPTY:
        return parameter.name == "context"
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return parameter.name == "context" or name.rpartition(".")[2] in _CONTEXTS


def _simple_signature(function: Callable[..., Any]) -> Signature | None:
    """The signature of a plain function with ordinary parameters, or None for any other.

    It is read from the code object, in a fifth of the time that `inspect` takes.
    """
    if type(function) is not FunctionType or function.__dict__:
        return None
    code = function.__code__
    if (
        code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        or code.co_kwonlyargcount
        or code.co_posonlyargcount
    ):
        return None
    annotations = function.__annotations__
    names = code.co_varnames[: code.co_argcount]
    if not annotations and not function.__defaults__:
        return Signature(tuple(map(_plain, names)), EMPTY, only_names="context" not in names)
    required = code.co_argcount - len(function.__defaults__ or ())
    parameters = [
        Parameter(name, annotations.get(name, EMPTY), position >= required)
        for position, name in enumerate(names)
    ]
    return Signature(tuple(parameters), annotations.get("return", EMPTY))


@cache
def _plain(name: str) -> Parameter:
    """A parameter that is only a name, as most are: one object for all assets that read it."""
    return Parameter(name, EMPTY, has_default=False)


def _full_signature(function: Callable[..., Any]) -> Signature:
    signature = inspect.signature(function)
    parameters = tuple(
        Parameter(p.name, p.annotation, p.default is not EMPTY, p.kind)
        for p in signature.parameters.values()
    )
    return Signature(parameters, signature.return_annotation)
