"""Checks values and edges against type annotations, without importing the annotations' libraries.

An annotation is an object, or its text if its names are imported for type checking only. Only a
certain contradiction is reported: an annotation that is not understood allows everything.
"""

from __future__ import annotations

import ast
import builtins
import reprlib
import sys
import types
import typing
from collections import abc
from inspect import Parameter
from typing import Any, NamedTuple

EMPTY = Parameter.empty

# The kinds of table, which all convert into each other, by library and class name.
_TABLE_KINDS = {
    ("pyarrow", "Table"): "table",
    ("pyarrow", "RecordBatch"): "batch",
    ("pyarrow", "RecordBatchReader"): "reader",
    ("pyarrow", "Dataset"): "dataset",
    ("pyarrow", "FileSystemDataset"): "dataset",
    ("pyarrow", "InMemoryDataset"): "dataset",
    ("pyarrow", "UnionDataset"): "dataset",
    ("pyarrow", "Scanner"): "reader",
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "polars-lazy",
    ("duckdb", "DuckDBPyRelation"): "duckdb",
}
_LIBRARY_OF = {"pa": "pyarrow", "ds": "pyarrow", "pd": "pandas", "pl": "polars"}
_ITERATORS = {
    "Generator": abc.Generator,
    "Iterable": abc.Iterable,
    "Iterator": abc.Iterator,
}
_OF_RESULTS = {*_ITERATORS.values(), abc.AsyncGenerator, abc.AsyncIterator, abc.AsyncIterable}
_RESULTS = ("MaterializeResult", "Output")  # what says more of a value than the value
_MAX_TEXT = 60
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _MAX_TEXT
_TYPES_OF_TYPES = (type, typing.ForwardRef, typing.NewType, typing.TypeVar)
_NO_TYPES = (
    *(types.ModuleType, types.BuiltinFunctionType),
    *(int, float, bytes, tuple, list, dict, set),
)
_LIKELY_TYPES = ("DataFrame", "Table", "ndarray", "Path")
_MEANT = {"any": "typing.Any", "callable": "collections.abc.Callable"}
_EXAMPLES = {
    "tuple": "tuple[int, str]",
    "list": "list[int]",
    "set": "set[int]",
    "dict": "dict[str, int]",
}
_NUMBERS: dict[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}


class _Type(NamedTuple):
    """One alternative of an annotation: a class, a kind of table, or both."""

    cls: type | None = None
    table: str | None = None
    literals: tuple[Any, ...] | None = None


_NONE = _Type(types.NoneType)


def contradiction(value: object, annotation: Any) -> str | None:
    """How a returned value contradicts its annotation: "is annotated … but returned …", or None."""
    if annotation is EMPTY or type(value) is annotation or accepts(annotation, value):
        return None
    if isinstance(value, abc.Iterator | abc.AsyncIterator) and yielded_result(annotation):
        return None
    return f"is annotated `-> {annotation_text(annotation)}` but returned {described(value)}"


def yielded_result(annotation: Any) -> Any:
    """The annotation of the results that a function yields, as in `Iterator[Output[int]]`."""
    origin, items = typing.get_origin(annotation), typing.get_args(annotation)
    return items[0] if items and origin in _OF_RESULTS and _is_result(items[0]) else None


def _is_result(annotation: Any) -> bool:
    return getattr(typing.get_origin(annotation) or annotation, "__name__", "") in _RESULTS


def edge_contradiction(returns: Any, wanted: Any) -> str | None:
    """How the return annotation of an upstream contradicts the parameter's annotation `wanted`.

    None if some value fits both. Every kind of table fits every other, because they convert.
    """
    given, accepted = _alternatives(returns), _alternatives(wanted)
    if given is None or accepted is None:
        return None
    if any(_reaches(source, target) for source in given for target in accepted):
        return None
    return (
        f"it is annotated `{annotation_text(wanted)}`, "
        f"but its upstream is annotated `-> {annotation_text(returns)}`"
    )


def accepts(annotation: Any, value: object) -> bool:
    """Whether `value` fits `annotation`; true if the annotation is not understood."""
    accepted = _alternatives(annotation)
    return accepted is None or any(_is(value, one) for one in accepted)


def table_kind(annotation: Any) -> str | None:
    """The kind of table that an annotation or the name of a type asks for.

    One of table, batch, reader, dataset, pandas, polars, polars-lazy and duckdb; None if it asks
    for no table or for several kinds.
    """
    kinds = {one.table for one in _alternatives(annotation) or () if one != _NONE}
    return kinds.pop() if len(kinds) == 1 else None


def asks_for_memmap(annotation: Any) -> bool:
    """Whether an annotation asks for an array of numpy that is memory-mapped."""
    if isinstance(annotation, str):
        return annotation.strip() in ("np.memmap", "numpy.memmap")
    return any(
        one.cls is not None
        and one.cls.__name__ == "memmap"
        and _library(one.cls.__module__) == "numpy"
        for one in _alternatives(annotation) or ()
    )


def kind_of_value(value: object) -> str | None:
    """The kind of table that a value is, or that its class derives from."""
    return next(filter(None, map(_own_kind, type(value).__mro__)), None)


def type_name(cls: type) -> str:
    """The name of a type as recorded and shown, such as `int` or `pandas.DataFrame`."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def public_name(cls: type) -> str:
    """The name of a type as a program writes it: `polars.DataFrame`, not
    `polars.dataframe.frame.DataFrame`."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    package = cls.__module__.partition(".")[0]
    exported = vars(sys.modules.get(package, cls)).get(cls.__qualname__)
    return f"{package}.{cls.__qualname__}" if exported is cls else type_name(cls)


def is_understood(annotation: Any) -> bool:
    """Whether `annotation` is a type, or a text that names one which this module knows."""
    if isinstance(annotation, str):
        return annotation in ("Any", "typing.Any", "object") or _of_text(annotation) is not None
    return (
        annotation in (EMPTY, None, Any)
        or isinstance(annotation, _TYPES_OF_TYPES)
        or typing.get_origin(annotation) is not None
    )


def not_a_type(annotation: Any) -> tuple[str, str] | None:
    """What an annotation is that is certainly no type, and what to write instead: a module, a
    function of Python such as `any`, or a value such as `(int, str)`. None for any other."""
    if not isinstance(annotation, _NO_TYPES):
        return None
    if isinstance(annotation, types.ModuleType):
        name = annotation.__name__
        likely = (*_LIKELY_TYPES, name.rpartition(".")[2])
        own = next((one for one in likely if isinstance(getattr(annotation, one, None), type)), "…")
        return f"the module {name}", f"Name a type in it, as in: {name}.{own}"
    if isinstance(annotation, types.BuiltinFunctionType):
        name = annotation.__name__
        return f"the function {name}", f"Write {_MEANT.get(name, 'the name of a type')}."
    if isinstance(annotation, tuple | list | set | dict):
        kind = type(annotation).__name__
        return f"a {kind} of types", f"Write the type with brackets, as in: {_EXAMPLES[kind]}"
    return f"the value {_SHORT.repr(annotation)}", f"Write its type: {type(annotation).__name__}"


def annotation_text(annotation: Any) -> str:
    """An annotation as a person would write it."""
    if isinstance(annotation, str):
        return annotation
    if annotation is types.NoneType or annotation is None:
        return "None"
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return public_name(annotation)
    return repr(annotation).replace("typing.", "").replace("collections.abc.", "")


def of_which_type(value: object) -> str:
    """The type of `value` with its article: `an int`, `a str`."""
    name = public_name(type(value))
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def described(value: object) -> str:
    """The type of `value` with its article, and the value itself if it is short: `an int: 5`."""
    if value is None:
        return "None"
    name = of_which_type(value)
    try:
        text = _SHORT.repr(value)
    except Exception:
        text = ""
    if not text or len(text) > _MAX_TEXT or "\n" in text or _is_cut(value, text):
        return name
    return f"{name}: {text}"


def _is_cut(value: object, text: str) -> bool:
    """Whether `text` is the beginning and the end of a longer one, such as the rows of a table."""
    return "..." in text and type(value).__module__ != "builtins" and len(text) == _MAX_TEXT


def _alternatives(annotation: Any) -> tuple[_Type, ...] | None:
    """The types that an annotation allows, or None if it allows everything or is not understood."""
    if annotation is EMPTY or annotation is Any or annotation is object:
        return None
    if annotation is None:
        return (_NONE,)
    if isinstance(annotation, str):
        return _of_text(annotation)
    if isinstance(annotation, typing.ForwardRef):
        return _of_text(annotation.__forward_arg__)
    if isinstance(annotation, typing.NewType):
        return _alternatives(annotation.__supertype__)
    origin = typing.get_origin(annotation)
    if origin is None:
        return _of_class(annotation)
    return _of_generic(origin, typing.get_args(annotation))


def _of_generic(origin: Any, args: tuple[Any, ...]) -> tuple[_Type, ...] | None:
    if origin is typing.Annotated:
        return _alternatives(args[0])
    if origin is typing.Union or origin is types.UnionType:
        return _joined(_alternatives(arg) for arg in args)
    if origin is typing.Literal:
        return (_Type(literals=args),)
    if origin in _OF_RESULTS and args and _is_result(args[0]):
        return _alternatives(args[0])
    if origin in _ITERATORS.values():
        return _of_iterator(origin, _alternatives(args[0]) if args else None)
    if getattr(origin, "__name__", "") == "Output":
        return _alternatives(args[0])
    return _of_schema(origin) if isinstance(origin, type) else None


def _of_schema(cls: type) -> tuple[_Type, ...] | None:
    """A class with something in brackets. If it derives from a table, as pandera's
    `DataFrame[Schema]`, that is a schema, which a plain table may follow too: so a plain table is
    asked for."""
    return _of_class(next(filter(_own_kind, cls.__mro__), cls))


def _own_kind(cls: type) -> str | None:
    return _TABLE_KINDS.get((_library(cls.__module__), cls.__name__))


def _of_class(cls: Any) -> tuple[_Type, ...] | None:
    if not isinstance(cls, type) or cls.__name__ in _RESULTS:
        return None
    if typing.is_typeddict(cls):
        return (_Type(dict),)
    if getattr(cls, "_is_protocol", False) and cls.__module__ not in ("collections.abc", "typing"):
        return None
    if cls in _ITERATORS.values():
        return _of_iterator(cls, None)
    if cls.__module__.startswith("pandera"):  # its classes stand for those that they derive from
        return _of_class(next(base for base in cls.__mro__ if _is_of_library(base)))
    return (_Type(cls, _own_kind(cls)),)


def _is_of_library(cls: type) -> bool:
    return _library(cls.__module__) not in ("pandera", "typing")


def _of_iterator(cls: type, item: tuple[_Type, ...] | None) -> tuple[_Type, ...]:
    """An iterator of tables is a stream of one table; so may be an iterator of unknown items."""
    is_stream = item is None or any(one.table for one in item)
    return (_Type(cls, "reader" if is_stream else None),)


def _of_text(text: str) -> tuple[_Type, ...] | None:
    try:
        return _of_syntax(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        return None


def _of_syntax(node: ast.expr) -> tuple[_Type, ...] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _joined((_of_syntax(node.left), _of_syntax(node.right)))
    if isinstance(node, ast.Constant):
        if node.value is None:
            return (_NONE,)
        return _of_text(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.Subscript):
        return _of_subscript(_dotted(node.value), node.slice)
    return _of_name(_dotted(node))


def _of_subscript(name: str, item: ast.expr) -> tuple[_Type, ...] | None:
    last = name.rpartition(".")[2]
    first = item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item
    if last == "Optional":
        return _joined((_of_syntax(first), (_NONE,)))
    if last in ("Annotated", "Output"):
        return _of_syntax(first)
    if last == "Union" and isinstance(item, ast.Tuple):
        return _joined(_of_syntax(one) for one in item.elts)
    if last in _ITERATORS:
        return _of_iterator(_ITERATORS[last], _of_syntax(first))
    return _of_name(name)


def _of_name(name: str) -> tuple[_Type, ...] | None:
    library, _, last = name.rpartition(".")
    if not library:
        cls = getattr(builtins, last, None)
        return _of_class(cls) if cls is not object else None
    root = library.partition(".")[0]
    kind = _TABLE_KINDS.get((_LIBRARY_OF.get(root, _library(root)), last))
    return (_Type(table=kind),) if kind else None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _library(module: str) -> str:
    return module.partition(".")[0].lstrip("_")


def _joined(parts: abc.Iterable[tuple[_Type, ...] | None]) -> tuple[_Type, ...] | None:
    joined: list[_Type] = []
    for part in parts:
        if part is None:
            return None
        joined.extend(part)
    return tuple(joined)


def _is(value: object, wanted: _Type) -> bool:
    if wanted.literals is not None:
        return any(type(value) is type(one) and value == one for one in wanted.literals)
    if wanted.cls is None:
        return wanted.table is not None and wanted.table in {
            _own_kind(cls) for cls in type(value).__mro__
        }
    try:
        if isinstance(value, (wanted.cls, *_NUMBERS.get(wanted.cls, ()))):
            return True
    except TypeError:  # a class that refuses isinstance
        return True
    return _is_number(value, wanted.cls)


def _is_number(value: object, wanted: type) -> bool:
    """Whether `value` is a numpy scalar that fits a Python number type."""
    if wanted not in (bool, int, float, complex) or _library(type(value).__module__) != "numpy":
        return False
    item = getattr(value, "item", None)
    return getattr(value, "ndim", 1) == 0 and callable(item) and _is(item(), _Type(wanted))


def _reaches(source: _Type, target: _Type) -> bool:
    if source.table and target.table:
        return True
    if source.literals is not None:
        return any(_is(one, target) for one in source.literals)
    if target.literals is not None:
        return any(_is(one, source) for one in target.literals)
    if source.cls is None or target.cls is None:
        # One of them is the text of a table type, whose class is unknown without its library.
        return not (_plain(source.cls) or _plain(target.cls))
    return _related(source.cls, target.cls) or source.cls in _NUMBERS.get(target.cls, ())


def _plain(cls: type | None) -> bool:
    return cls is not None and cls.__module__ in ("builtins", "pathlib")


def _related(one: type, other: type) -> bool:
    try:
        return issubclass(one, other) or issubclass(other, one)
    except TypeError:
        return True
