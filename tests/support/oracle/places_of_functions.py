"""Places in functions: closures, defaults, wrappers, generators and the like."""

from __future__ import annotations

import textwrap

from oracle.idioms import Idiom
from oracle.places import Files, assets, code, function, names, place, use


@place
def closure(idiom: Idiom) -> str:
    """closure"""
    made = textwrap.indent(f"{idiom.body}\n{function('inner', idiom)}return inner", "    ")
    return assets(idiom, f"{idiom.imports}\ndef make():\n{made}\nINNER = make()", "INNER()")


@place
def closure_in_body(idiom: Idiom) -> str:
    """defined in the body"""
    return assets(idiom, idiom.imports, use(idiom), idiom.body)


@place
def default(idiom: Idiom) -> str:
    """default arguments"""
    parameters = ", ".join(f"{name}_given={name}" for name in idiom.used)
    before = f"{code(idiom)}\n{function('helper', idiom, '{}_given', parameters)}"
    return assets(idiom, before, "helper()")


@place
def keyword_default(idiom: Idiom) -> Files:
    """keyword defaults from a module"""
    parameters = ", ".join(f"{name}_given=tools.{name}" for name in idiom.used)
    before = f"import tools\n{function('helper', idiom, '{}_given', '*, ' + parameters)}"
    return {"pipeline.py": assets(idiom, before, "helper()"), "tools.py": code(idiom)}


@place
def partials(idiom: Idiom) -> str:
    """partial"""
    listed = names(idiom)
    before = (
        f"from functools import partial\n{code(idiom)}\n{function('run', idiom, parameters=listed)}"
    )
    return assets(idiom, f"{before}\nRUN = partial(run, {listed})", "RUN()")


@place
def lambdas(idiom: Idiom) -> str:
    """table of lambdas"""
    before = f"{code(idiom)}\nRULES = {{'go': lambda: {use(idiom)}, 'no': lambda: 0}}"
    return assets(idiom, before, "RULES['go']()")


@place
def cached(idiom: Idiom) -> str:
    """cached function"""
    before = (
        f"from functools import lru_cache\n{code(idiom)}\n@lru_cache(maxsize=None)\n"
        f"{function('go', idiom)}"
    )
    return assets(idiom, before, "go()")


@place
def decorator(idiom: Idiom) -> str:
    """decorator of the asset"""
    before = (
        f"from functools import wraps\n{code(idiom)}\ndef with_more(f):\n    @wraps(f)\n"
        f"    def inner():\n        return [f(), {use(idiom)}]\n    return inner\n"
    )
    return assets(idiom, before, "1", decorators="@with_more")


@place
def generator(idiom: Idiom) -> str:
    """generator"""
    before = (
        f"{code(idiom)}\ndef rows(n):\n    for i in range(n):\n        yield [i, {use(idiom)}]\n"
    )
    return assets(idiom, before, "list(rows(2))")


@place
def comprehension(idiom: Idiom) -> str:
    """comprehension"""
    return assets(idiom, code(idiom), f"{{str(i): {use(idiom)} for i in range(2) if i < 5}}")


@place
def context(idiom: Idiom) -> str:
    """context manager"""
    before = (
        f"from contextlib import contextmanager\n{code(idiom)}\n@contextmanager\ndef opened():\n"
        f"    yield {use(idiom)}\n"
        "def read():\n    with opened() as value:\n        return value\n"
    )
    return assets(idiom, before, "read()")


@place
def coroutine(idiom: Idiom) -> str:
    """coroutine"""
    before = (
        f"import asyncio\n{code(idiom)}\nasync def fetch():\n    await asyncio.sleep(0)\n"
        f"    return {use(idiom)}\n"
    )
    return assets(idiom, before, "asyncio.run(fetch())")


@place
def matched(idiom: Idiom) -> str:
    """match statement"""
    before = (
        f"{code(idiom)}\ndef choose(row):\n    match row:\n        case {{'kind': 'a'}}:\n"
        f"            return {use(idiom)}\n        case [first, *_]:\n            return first\n"
        "    return None\n"
    )
    return assets(idiom, before, "choose({'kind': 'a'})")


@place
def reduced(idiom: Idiom) -> str:
    """reduce over functions"""
    before = (
        f"from functools import reduce\n{code(idiom)}\ndef go(value):\n"
        f"    return [value, {use(idiom)}]\nSTEPS = (go, str)"
    )
    return assets(idiom, before, "reduce(lambda value, step: step(value), STEPS, 1)")


@place
def dispatched(idiom: Idiom) -> str:
    """singledispatch"""
    before = (
        f"from functools import singledispatch\n{code(idiom)}\n@singledispatch\ndef clean(x):\n"
        f"    return x\n@clean.register\ndef _(x: int):\n    return {use(idiom)}\n"
    )
    return assets(idiom, before, "clean(3)")


@place
def global_set(idiom: Idiom) -> str:
    """global that a function sets"""
    before = (
        f"{code(idiom)}\nHELD = None\ndef set_up():\n    global HELD\n    HELD = ({names(idiom)},)\n"
        "set_up()"
    )
    unpacked = f"({names(idiom)},) = HELD"
    return assets(idiom, f"{before}\ndef go():\n    {unpacked}\n    return {use(idiom)}\n", "go()")


@place
def attribute_of_function(idiom: Idiom) -> str:
    """attribute of a function"""
    before = f"{code(idiom)}\n{function('go', idiom, 'go.{}')}"
    before += "".join(f"go.{name} = {name}\n" for name in idiom.used)
    return assets(idiom, before, "go()")
