"""What a source file says, apart from where and how it is written: small enough to cache.

A piece of code is a digest of its tree, in which each name from outside is a gap, and the names
that fill the gaps, in order. So two pieces that differ only in how they reach the same definitions
(a renamed module, another style of import) have the same digest.

A name is text, one of
    clean.cache         a global, built-in or captured name and the attributes read from it
    .helpers:clean      what a function imports itself: module, then what is taken from it
either followed by `[]` where it is only looked up in, as `TABLE[key]` does.
"""

from __future__ import annotations

import msgspec


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Some code: the digest of its tree and, by position in `File.names`, the names in it."""

    digest: bytes
    names: tuple[int, ...] = ()


class Decorator(msgspec.Struct, frozen=True, array_like=True):
    """`callee` is the position of the name that is called or used, -1 for another expression."""

    piece: Piece
    callee: int


class Note(msgspec.Struct, frozen=True, array_like=True):
    """Something that cannot be followed. With `name`, only if that name is not the project's."""

    line: int
    text: str
    name: int = -1


class Function(msgspec.Struct, frozen=True, array_like=True):
    """A function or lambda. `line` is where its code object says that it starts; `span` is where
    the body of a lambda lies (line, column, end line, end column).

    `enclosed` are the names in defaults, annotations and decorators that an enclosing function or
    class binds: they are gone when the function exists, but their values are in its defaults.
    """

    qualname: str
    line: int
    body: Piece
    defaults: Piece | None
    annotations: Piece | None
    decorators: tuple[Decorator, ...] = ()
    enclosed: frozenset[int] = frozenset()
    notes: tuple[Note, ...] = ()
    span: tuple[int, int, int, int] | None = None

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2]


class Class(msgspec.Struct, frozen=True, array_like=True):
    """A class. `body` is what its body says beside the definitions in it; `bound` are the names
    that it binds; `methods` and `classes` are positions in `File.functions` and `File.classes`."""

    qualname: str
    line: int
    body: Piece
    bases: Piece
    decorators: tuple[Decorator, ...] = ()
    methods: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    bound: frozenset[str] = frozenset()
    enclosed: frozenset[int] = frozenset()
    notes: tuple[Note, ...] = ()


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """A statement of the module that gives a name its value or changes it."""

    line: int
    piece: Piece


class File(msgspec.Struct, frozen=True, array_like=True):
    """A whole file. `imports` says where a name may be imported from (`.helpers:clean`); `stars`
    are the modules that everything is imported from; `volatile` are the positions of names that
    look like a clock, chance or the environment; `rebound` the names that functions declare
    global."""

    names: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    classes: tuple[Class, ...] = ()
    imports: dict[str, tuple[str, ...]] = {}
    stars: tuple[str, ...] = ()
    statements: dict[str, tuple[Statement, ...]] = {}
    volatile: frozenset[int] = frozenset()
    rebound: frozenset[str] = frozenset()
