"""Has a function of a library tell what it is given, before it does what it did.

Only its code is another: the function stays the same object with the same signature, source and
place, whoever has taken it by name, and pickles as before.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

_KEPT_FLAGS = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_OTHER_KINDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def tell_before(function: FunctionType, tell: Callable[[Mapping[str, Any]], None]) -> CodeType:
    """Have `function` call `tell` with its arguments by name. Returns the code that it had.

    Raises `ValueError` for a function that cannot be treated so.
    """
    before = function.__code__
    if before.co_flags & _OTHER_KINDS:
        raise ValueError("its body does not run when it is called")
    names = inspect.getargs(before)
    real = FunctionType(
        before, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    real.__kwdefaults__ = function.__kwdefaults__
    positional = names.args[: before.co_argcount]
    keywords = names.args[before.co_argcount :]

    def call() -> Any:
        given = sys._getframe(1).f_locals
        tell(given)
        args = [given[name] for name in positional]
        if names.varargs:
            args += given[names.varargs]
        named = {name: given[name] for name in keywords}
        if names.varkw:
            named |= given[names.varkw]
        return real(*args, **named)

    function.__code__ = _calling(call, before)
    return before


def _calling(call: Callable[[], Any], like: CodeType) -> CodeType:
    """Code that returns `call()`, and seems to be `like`."""
    template = _template(len(like.co_freevars))
    count = like.co_argcount + like.co_kwonlyargcount
    count += bool(like.co_flags & inspect.CO_VARARGS) + bool(like.co_flags & inspect.CO_VARKEYWORDS)
    return template.replace(
        co_argcount=like.co_argcount,
        co_posonlyargcount=like.co_posonlyargcount,
        co_kwonlyargcount=like.co_kwonlyargcount,
        co_varnames=like.co_varnames[:count],
        co_nlocals=count,
        co_freevars=like.co_freevars,
        co_flags=template.co_flags | like.co_flags & _KEPT_FLAGS,
        co_consts=tuple(call if one == _HERE else one for one in template.co_consts),
        co_name=like.co_name,
        co_qualname=like.co_qualname,
        co_filename=like.co_filename,
        co_firstlineno=like.co_firstlineno,
    )


_HERE = "what is called"


def _template(free: int) -> CodeType:
    """The code of a function that calls `_HERE`, and has as many free variables."""
    names = [f"v{number}" for number in range(free)]
    tuple_of = f"({' '.join(f'{name},' for name in names)})"
    # `'…'()` would warn that a text is called, and to ignore a warning is not safe among threads.
    called = f"{_HERE!r}.__call__()"
    text = f"def outer({', '.join(names)}):\n def call():\n  return {called}\n  {tuple_of}\n"
    found = compile(text, "<call>", "exec")
    for _ in range(2):
        found = next(one for one in found.co_consts if isinstance(one, CodeType))
    return found
