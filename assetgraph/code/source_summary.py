"""The summary of a source file: what its code says, without its layout. Small enough to cache.

A piece of code is a digest of its syntax tree with a gap for each name from outside, and the names
that fill the gaps, in order. Two pieces that reach the same definitions in different ways (a
renamed module, another style of import) therefore have the same digest.

A name is text in one of two forms:
    clean.cache         a global, built-in or captured name and the attributes read from it
    .helpers:clean      what a function imports itself: the module, then what is taken from it
Either form ends with `[]` where the code only looks something up in it, as `TABLE[key]` does.
"""

from __future__ import annotations

import msgspec


class Piece(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Some code: the digest of its tree, and the names in it as positions in `File.names`."""

    digest: bytes
    names: tuple[int, ...] = ()


class Decorator(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A decorator. `callee` is the position of the name that it calls or is, -1 for any other
    expression."""

    piece: Piece
    callee: int


class BlindSpot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Code that cannot be followed, with a sentence about it. `name` is the position of the name
    that the sentence is about, or -1: if that name is defined in the project, it is followed after
    all."""

    line: int
    text: str
    name: int = -1


class Function(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A function or lambda. `line` is the first line that its code object gives. `span` is the
    place of a lambda's body: line, column, end line, end column.

    `enclosed` are the names in defaults, annotations and decorators that an enclosing function or
    class binds. They are gone when the function exists, but its defaults hold their values.
    """

    qualname: str
    line: int
    body: Piece
    defaults: Piece | None
    annotations: Piece | None
    decorators: tuple[Decorator, ...] = ()
    enclosed: frozenset[int] = frozenset()
    blind_spots: tuple[BlindSpot, ...] = ()
    span: tuple[int, int, int, int] | None = None

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2]


class Class(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A class. `body` is its body without the definitions in it, and `bound` are the names that
    the body binds. `methods` and `classes` are positions in `File.functions` and
    `File.classes`."""

    qualname: str
    line: int
    body: Piece
    bases: Piece
    decorators: tuple[Decorator, ...] = ()
    methods: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    bound: frozenset[str] = frozenset()
    enclosed: frozenset[int] = frozenset()
    blind_spots: tuple[BlindSpot, ...] = ()


class Statement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A statement of the module that assigns a name or changes its value."""

    line: int
    piece: Piece


class File(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A whole file.

    `imports` are the places from which the module may import a name (`.helpers:clean`), `stars`
    the modules of its star imports. `statements` are by the name that they assign or change, and
    `handed` by other names whose objects they hand to a call.
    `volatile` are the positions of names that look like a clock, chance or the environment.
    `rebound` are the names that functions declare global.
    """

    names: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    classes: tuple[Class, ...] = ()
    imports: dict[str, tuple[str, ...]] = {}
    stars: tuple[str, ...] = ()
    statements: dict[str, tuple[Statement, ...]] = {}
    volatile: frozenset[int] = frozenset()
    rebound: frozenset[str] = frozenset()
    handed: dict[str, tuple[Statement, ...]] = {}
