"""The places: where a project keeps the code of an idiom, and how its asset reaches it.

A place is a function from an idiom to the files of a project. A new place is one more function
under `@place`. A place that makes no sense for an idiom (code that needs its own module, say) gives
a project that does not run, and is left out there.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping

from oracle.idioms import Idiom

Files = dict[str, str]
Place = Callable[[Idiom], Files]

PLACES: dict[str, Place] = {}
# Places that differ in where definitions lie and how they are imported, which does not count.
ALIKE = (
    "same module",
    "helper module",
    "module under another name",
    "names imported",
    "names imported as others",
    "star import",
    "re-exported by a package",
    "imported in the body",
)
# Places where more counts than elsewhere. Code that passes a module around counts by all names in
# it, and a pickle holds the names of modules, functions and classes.
_NAMES = ("unused function and constant", "unused import", "renamed function", "@final")
COUNTS_IN = {
    "module passed": _NAMES,
    "getattr of a module, computed": _NAMES,
    "getattr of a package that finds its modules": _NAMES,
    "pickled by an upstream asset": ("renamed module", "renamed function"),
}
# Places whose code cannot be followed, with the sentence of docs/versions.md.
LIMITS = {"getattr of a module, computed": "Names that are known only when the code runs"}


def place(made: Callable[[Idiom], Files | str]) -> Callable[[Idiom], Files | str]:
    """Register a place. Its docstring is its title. A text is the file `pipeline.py`."""

    def files(idiom: Idiom) -> Files:
        found = made(idiom)
        return _tidy({"pipeline.py": found} if isinstance(found, str) else found)

    assert made.__doc__ is not None
    PLACES[made.__doc__] = files
    return made


def _tidy(files: Mapping[str, str]) -> Files:
    """The files as `ast.unparse` writes them, so that an edit is all that differs later."""
    return {name: ast.unparse(ast.parse(text)) + "\n" for name, text in files.items()}


class _Renaming(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.parse(self.names[node.id]).body[0].value if node.id in self.names else node  # type: ignore[attr-defined]


def use(idiom: Idiom, form: str = "{}") -> str:
    """The expression that uses the idiom, with each name written as `form`."""
    names = {name: form.format(name) for name in idiom.used}
    return ast.unparse(_Renaming(names).visit(ast.parse(idiom.use)))


def assets(idiom: Idiom, before: str, returns: str, within: str = "", decorators: str = "") -> str:
    """A pipeline whose asset `result` returns an expression, with an asset below it and one beside
    it."""
    lines = [
        "import assetgraph as dg",
        idiom.used_imports,
        before,
        "@dg.asset",
        decorators,
        "def result():",
        textwrap.indent(within, "    "),
        f"    return {returns}",
        "@dg.asset\ndef below(result):\n    return [result, 0]",
        "@dg.asset\ndef unrelated():\n    return 'unrelated'",
    ]
    return "\n".join(lines)


def code(idiom: Idiom) -> str:
    return f"{idiom.imports}\n{idiom.body}"


def names(idiom: Idiom) -> str:
    return ", ".join(idiom.used)


def function(name: str, idiom: Idiom, form: str = "{}", parameters: str = "") -> str:
    """A function that uses the idiom."""
    return f"def {name}({parameters}):\n    return {use(idiom, form)}\n"


# Modules


@place
def same(idiom: Idiom) -> str:
    """same module"""
    return assets(idiom, code(idiom), use(idiom))


@place
def module(idiom: Idiom) -> Files:
    """helper module"""
    text = assets(idiom, "import tools", use(idiom, "tools.{}"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def renamed_module(idiom: Idiom) -> Files:
    """module under another name"""
    text = assets(idiom, "import tools as t", use(idiom, "t.{}"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def imported_names(idiom: Idiom) -> Files:
    """names imported"""
    text = assets(idiom, f"from tools import {names(idiom)}", use(idiom))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def imported_as(idiom: Idiom) -> Files:
    """names imported as others"""
    listed = ", ".join(f"{name} as {name}_here" for name in idiom.used)
    text = assets(idiom, f"from tools import {listed}", use(idiom, "{}_here"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def star(idiom: Idiom) -> Files:
    """star import"""
    text = assets(idiom, "from tools import *", use(idiom))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def package(idiom: Idiom) -> Files:
    """re-exported by a package"""
    text = assets(idiom, "import kit", use(idiom, "kit.{}"))
    inside = f"from .deep import {names(idiom)}\n__all__ = {list(idiom.used)}"
    return {"pipeline.py": text, "kit/__init__.py": inside, "kit/deep.py": code(idiom)}


@place
def deep_package(idiom: Idiom) -> Files:
    """deep in a package, with relative imports"""
    text = assets(idiom, "from kit import go", "go()")
    middle = (
        f"from .inner.deep import {names(idiom)}\n{idiom.used_imports}\n{function('go', idiom)}"
    )
    return {
        "pipeline.py": text,
        "kit/__init__.py": "from .middle import go",
        "kit/middle.py": middle,
        "kit/inner/__init__.py": "",
        "kit/inner/deep.py": code(idiom),
    }


@place
def function_import(idiom: Idiom) -> Files:
    """imported in the body"""
    within = f"from tools import {names(idiom)}"
    return {"pipeline.py": assets(idiom, "", use(idiom), within), "tools.py": code(idiom)}


@place
def found_by_package(idiom: Idiom) -> Files:
    """getattr of a package that finds its modules"""
    finder = (
        "from importlib import import_module\ndef __getattr__(name):\n"
        "    if name == 'deep':\n        return import_module('.deep', __name__)\n"
        "    raise AttributeError(name)\n"
    )
    text = assets(idiom, "import kit", use(idiom, "kit.deep.{}"))
    return {"pipeline.py": text, "kit/__init__.py": finder, "kit/deep.py": code(idiom)}


@place
def found_by_name(idiom: Idiom) -> Files:
    """getattr of a module, computed"""
    finder = "import tools\ndef __getattr__(name):\n    return getattr(tools, name)\n"
    text = assets(idiom, "import lazy", use(idiom, "lazy.{}"))
    return {"pipeline.py": text, "lazy.py": finder, "tools.py": code(idiom)}


@place
def typing_only(idiom: Idiom) -> Files:
    """imported for types, and in the body"""
    listed = names(idiom)
    before = (
        f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tools import {listed}\n"
    )
    text = assets(idiom, before, use(idiom), f"from tools import {listed}")
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def fallback(idiom: Idiom) -> Files:
    """import with a fallback"""
    before = (
        f"try:\n    from not_there import {names(idiom)}\n"
        f"except ImportError:\n    from tools import {names(idiom)}\n"
    )
    return {"pipeline.py": assets(idiom, before, use(idiom)), "tools.py": code(idiom)}


@place
def passed_module(idiom: Idiom) -> Files:
    """module passed"""
    before = f"import tools\n{function('run', idiom, 'm.{}', 'm')}"
    return {"pipeline.py": assets(idiom, before, "run(tools)"), "tools.py": code(idiom)}


@place
def chain(idiom: Idiom) -> Files:
    """chain of helpers over modules"""
    middle = f"import tools\n{idiom.used_imports}\n{function('go', idiom, 'tools.{}')}"
    outer = "from middle import go\ndef further(x):\n    return [x, go()]\n"
    return {
        "pipeline.py": assets(idiom, "import outer", "outer.further(1)"),
        "outer.py": outer,
        "middle.py": middle,
        "tools.py": code(idiom),
    }


@place
def registered(idiom: Idiom) -> Files:
    """registered by a plugin"""
    registry = "KNOWN = {}\ndef register(f):\n    KNOWN[f.__name__] = f\n    return f\n"
    plugin = f"from registry import register\n{code(idiom)}\n@register\n{function('go', idiom)}"
    text = assets(idiom, "import plugin\nfrom registry import KNOWN", "KNOWN['go']()")
    return {"pipeline.py": text, "registry.py": registry, "plugin.py": plugin}


# Functions


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
