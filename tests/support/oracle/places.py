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
        return _tidy({"pipeline.py": found} if isinstance(found, str) else found) | idiom.data

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
