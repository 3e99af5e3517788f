"""`Codes`: all code that a text compiles to, which says whether some code ran from that text.

The trees of its pieces are compiled as they are parsed. That gives nearly all of the code: what a
function compiles to may depend on the rest of its module. Only for code that is not among them, the
whole text is compiled.
"""

from __future__ import annotations
import __future__

from collections.abc import Iterable, Iterator
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag
_START = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


class Codes:
    """All code in a text. `filename` does not count in a comparison of code."""

    def __init__(self, source: str | bytes, filename: str) -> None:
        self._source = source
        self._filename = filename
        self.is_whole = False
        self.begin()

    def begin(self) -> None:
        """Begin anew, with the first piece of the text."""
        self._found: set[CodeType] = set()
        self._futures = 0  # what the first piece imports from `__future__` counts in all of them
        self._imported: dict[str, None] = {}

    def __contains__(self, code: CodeType) -> bool:
        if code not in self._found and not self.is_whole:
            self.is_whole = True
            try:
                whole = compile(self._source, self._filename, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError):
                return False  # the text is not what ran
            self._found = set(_all_codes(whole))
        return code in self._found

    def add(self, piece: ast.Module) -> None:
        """Add what the next piece compiles to."""
        import ast

        tree = piece
        if self._imported:
            # Python 3.11 compiles `name.method()` in another way where the module imports `name`.
            names = [ast.alias(name, None, **_START) for name in self._imported]
            tree = ast.Module([ast.Import(names, **_START), *piece.body], [])
        self._imported.update(dict.fromkeys(_imported(piece.body)))
        try:
            code = compile(tree, self._filename, "exec", self._futures, dont_inherit=True)
        except RecursionError:  # the tree is very deep; compiling the text is another matter
            return
        self._futures |= code.co_flags & _FUTURES
        self._found.update(_all_codes(code))


def _imported(statements: Iterable[ast.AST]) -> Iterator[str]:
    """The names that some statements of a module import."""
    for statement in statements:
        kind = statement.__class__.__name__
        if kind in ("Import", "ImportFrom"):
            for alias in statement.names:  # type: ignore[attr-defined]
                yield alias.asname or alias.name.partition(".")[0]
        elif kind not in ("FunctionDef", "AsyncFunctionDef", "ClassDef"):
            for field in _BLOCKS:
                yield from _imported(getattr(statement, field, ()))


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_codes(constant)
