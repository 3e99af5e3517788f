"""Scopes: which names of a piece of code are its own, and which come from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b

import msgspec

LOOKUP = 1  # only looked up in: the order of a dict does not matter
GLOBAL = 2  # declared global: no enclosing function binds it
PAST_CLASS = 4  # read inside a function or comprehension of a class body, which cannot see the body
IMPORTED = 8  # `root` is a module and what is taken from it, not a name

_NO_NAMES: frozenset[str] = frozenset()


class Use(msgspec.Struct, frozen=True, gc=False):
    """A name and the attributes read from it: `root` "helpers", `rest` ".clean"."""

    root: str
    rest: str
    flags: int
    line: int

    @property
    def text(self) -> str:
        return f"{self.root}{self.rest}[]" if self.flags & LOOKUP else f"{self.root}{self.rest}"


class Scope:
    """The canonical text of some code while it is written, with a gap for each name.

    `kind` is function, comprehension, class, header (what is evaluated outside a definition:
    decorators, defaults, annotations, bases) or module (one statement of it).
    """

    __slots__ = (
        "bound",
        "classes",
        "declared_global",
        "declared_nonlocal",
        "gaps",
        "imports",
        "kind",
        "members",
        "methods",
        "notes",
        "own",
        "parts",
        "prefix",
        "private",
    )

    def __init__(self, kind: str, prefix: str = "", private: str = "") -> None:
        self.kind = kind
        self.prefix = prefix  # of the qualified names of what is defined in it
        self.private = private  # what Python puts before `__name` in a class: `_Trip`
        self.parts: list[str] = []
        self.gaps: list[tuple[int, Use]] = []
        self.bound: set[str] = set()
        # The names that are its own where they are read now. What a header binds is not.
        self.own: Collection[str] = _NO_NAMES if kind == "header" else self.bound
        self.declared_global = self.declared_nonlocal = _NO_NAMES
        self.imports: dict[str, list[str]] = {}
        self.notes: list[tuple[int, str, Use | None]] = []
        self.methods: list[int] = []
        self.classes: list[int] = []
        self.members: list[Scope] = []

    def bind(self, name: str) -> None:
        name = self.spelled(name)
        if name not in self.declared_global and name not in self.declared_nonlocal:
            self.bound.add(name)

    def use(self, root: str, rest: str, flags: int, line: int) -> None:
        """Leave a gap for a name, or write it where it is known to be bound. The body of a class
        runs in order, so there that is known at once; elsewhere for certain only at the end."""
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
        """A name as Python spells it: in the class `Trip`, `__rate` is `_Trip__rate`."""
        if self.private and name.startswith("__") and not name.endswith("__"):
            return self.private + name
        return name

    def close(self) -> Closed:
        """Fill the gaps of its own names."""
        outside: list[Use] = []
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
        return Closed(digest_of(self.parts), outside, self.notes)

    def take(self, closed: Closed, past_class: bool = False) -> None:
        """Put the code of a closed inner scope here. Its names from outside may be ours."""
        self.parts.append(closed.digest.hex())
        extra = PAST_CLASS if past_class and self.kind == "class" else 0
        for use in closed.outside:
            self.use(use.root, use.rest, use.flags | extra, use.line)
        self.notes += closed.notes

    def _unused_imports(self, used: set[str]) -> list[Use]:
        """What is imported for its effect, or under a name that is also bound otherwise."""
        left = []
        for name, origins in self.imports.items():
            for origin in origins[1:] if name in used else origins:
                self.parts.append("?")
                left.append(Use(origin, "", IMPORTED, 0))
        return left


class Closed(msgspec.Struct, frozen=True):
    """Code that is complete: what it reads from outside, what in it cannot be followed."""

    digest: bytes
    outside: list[Use]
    notes: list[tuple[int, str, Use | None]]


def digest_of(parts: Iterable[str]) -> bytes:
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).digest()


def _imported(origin: str, use: Use) -> Use:
    rest = use.rest.removeprefix(".") if origin.endswith(":") else use.rest
    return Use(origin, rest, use.flags | IMPORTED, use.line)
