"""The scopes of a piece of code: which names it binds itself, and which come from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import ast

    Parameters = list[tuple[str, ast.arg]]

LOOKUP = 1  # the code only looks something up in it, so the order of a dict does not matter
GLOBAL = 2  # declared global: no enclosing function binds it
PAST_CLASS = 4  # read in a function or comprehension of a class body, which cannot see the body
IMPORTED = 8  # `root` is a module and what is taken from it, not a name

_NO_NAMES: frozenset[str] = frozenset()


class Use(msgspec.Struct, frozen=True, gc=False):
    """A name and the attributes read from it: for `helpers.clean`, `root` is "helpers" and `rest`
    is ".clean"."""

    root: str
    rest: str
    flags: int
    line: int

    @property
    def text(self) -> str:
        return f"{self.root}{self.rest}[]" if self.flags & LOOKUP else f"{self.root}{self.rest}"


class Scope:
    """The canonical text of some code while it is being written, with a gap for each name.

    `kind` is function, comprehension, class, header (the decorators, defaults, annotations or bases
    of a definition, which are evaluated outside it) or module (one statement of a module).
    """

    __slots__ = (
        "blind_spots",
        "bound",
        "classes",
        "declared_global",
        "declared_nonlocal",
        "gaps",
        "imports",
        "kind",
        "members",
        "methods",
        "own",
        "parts",
        "prefix",
        "private",
    )

    def __init__(self, kind: str, prefix: str = "", private: str = "") -> None:
        self.kind = kind
        self.prefix = prefix  # starts the qualified names of the definitions in it
        self.private = private  # what Python puts before `__name` in a class: `_Trip`
        self.parts: list[str] = []
        self.gaps: list[tuple[int, Use]] = []
        self.bound: set[str] = set()
        # The names that are the scope's own at this point. Names that a header binds are not.
        self.own: Collection[str] = _NO_NAMES if kind == "header" else self.bound
        self.declared_global = self.declared_nonlocal = _NO_NAMES
        self.imports: dict[str, list[str]] = {}
        self.blind_spots: list[tuple[int, str, Use | None]] = []
        self.methods: list[int] = []
        self.classes: list[int] = []
        self.members: list[Scope] = []

    def bind(self, name: str) -> None:
        if self.private:
            name = self.spelled(name)
        if name not in self.declared_global and name not in self.declared_nonlocal:
            self.bound.add(name)

    def use(self, root: str, rest: str, flags: int, line: int) -> None:
        """Leave a gap for a name, or write the name if it is known to be bound here. The body of a
        class runs in order, so this is known at once; in other scopes it is certain only at the
        end, when `close` fills the gaps."""
        if self.private:
            root = self.spelled(root)
            rest = ".".join(map(self.spelled, rest.split("."))) if "__" in rest else rest
        if root in self.own and flags <= LOOKUP:
            self.parts.append(f"L{root}{rest}")
            return
        if root in self.declared_global:
            flags |= GLOBAL
        self.gaps.append((len(self.parts), Use(root, rest, flags, line)))
        self.parts.append("?")

    def spelled(self, name: str) -> str:
        """The name that Python uses: in the class `Trip`, `__rate` means `_Trip__rate`."""
        if self.private and name.startswith("__") and not name.endswith("__"):
            return self.private + name
        return name

    def close(self) -> Closed:
        """Fill the gaps of the names that the scope binds; the others come from outside."""
        outside: list[Use] = []
        if not (self.gaps or self.imports):
            return Closed(digest_of(self.parts), outside, self.blind_spots)
        used_imports: set[str] = set()
        own = _NO_NAMES if self.kind == "class" else self.own
        for position, use in self.gaps:
            root = use.root
            free = not use.flags & (GLOBAL | IMPORTED)
            if free and root in own:
                self.parts[position] = f"L{root}{use.rest}"
            elif free and root in self.imports:
                used_imports.add(root)
                outside.append(_imported(self.imports[root][0], use))
            else:
                outside.append(use)
        if self.imports:
            outside += self._unused_imports(used_imports)
        return Closed(digest_of(self.parts), outside, self.blind_spots)

    def take(self, closed: Closed, past_class: bool = False) -> None:
        """Put the code of a closed inner scope here. This scope may bind its outside names."""
        self.parts.append(closed.digest.hex())
        extra = PAST_CLASS if past_class and self.kind == "class" else 0
        for use in closed.outside:
            self.use(use.root, use.rest, use.flags | extra, use.line)
        self.blind_spots += closed.blind_spots

    def _unused_imports(self, used: set[str]) -> list[Use]:
        """The imports made only for their effect, or under a name that is bound in another way,
        too."""
        left = []
        for name, origins in self.imports.items():
            for origin in origins[1:] if name in used else origins:
                self.parts.append("?")
                left.append(Use(origin, "", IMPORTED, 0))
        return left


class Closed(msgspec.Struct, frozen=True):
    """Complete code: its digest, the names that it reads from outside, and what cannot be
    followed in it."""

    digest: bytes
    outside: list[Use]
    blind_spots: list[tuple[int, str, Use | None]]


_empty = blake2b(digest_size=16)


def digest_of(parts: Iterable[str]) -> bytes:
    digest = _empty.copy()  # in half the time that a new one takes
    digest.update("\n".join(parts).encode("utf-8", "surrogatepass"))
    return digest.digest()


def _imported(origin: str, use: Use) -> Use:
    rest = use.rest.removeprefix(".") if origin.endswith(":") else use.rest
    return Use(origin, rest, use.flags | IMPORTED, use.line)


def parameters_of(args: ast.arguments) -> Parameters:
    """The parameters in order, each with a mark for its kind."""
    found = [(" ", argument) for argument in args.args]
    if args.posonlyargs:
        found[:0] = [("/", argument) for argument in args.posonlyargs]
    if args.vararg is not None:
        found.append(("*", args.vararg))
    if args.kwonlyargs:
        found += [(":", argument) for argument in args.kwonlyargs]
    if args.kwarg is not None:
        found.append(("=", args.kwarg))
    return found
