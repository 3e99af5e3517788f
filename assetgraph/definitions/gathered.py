"""What a parameter that reads several partitions takes: its annotation decides."""

from __future__ import annotations

import ast
import typing
from collections import abc
from types import MappingProxyType, UnionType
from typing import Any, NamedTuple

from assetgraph.definitions.annotations import EMPTY, accepts, annotation_text, table_kind

MAPPING = "mapping"
DICT = "dict"

_MAPPINGS = ("dict", "Dict", "Mapping", "MutableMapping")
_READ_ONLY: MappingProxyType[str, Any] = MappingProxyType({})


class Gathered(NamedTuple):
    """What holds several partitions: `kind` is a lazy `MAPPING`, a `DICT`, or a kind of table, see
    `table_kind`. `item` annotates each value of a mapping."""

    kind: str
    item: Any = EMPTY

    @property
    def is_mapping(self) -> bool:
        return self.kind in (MAPPING, DICT)


def gathered_as(annotation: Any) -> Gathered | None:
    """What a parameter with this annotation takes for several partitions, or None if it cannot.

    Of several types, as in `dict[str, int] | None`, the first that can hold them counts. An
    annotation that is not understood takes a mapping.
    """
    alternatives = _alternatives(annotation)
    if alternatives is not None:
        found = (gathered_as(one) for one in alternatives if not _is_none(one))
        return next(filter(None, found), None)
    table = table_kind(annotation)
    if table is not None:
        return Gathered(table)
    kind = next((kind for kind, example in _EXAMPLES if accepts(annotation, example)), None)
    if kind is None:
        return None
    key, item = _key_and_item(annotation)
    return Gathered(kind, item) if accepts(key, "") else None


def gathering_hint(annotation: Any) -> str:
    """What to write in place of an annotation that cannot hold several partitions."""
    item = _key_and_item(annotation)[1]
    text = annotation_text(annotation if item is EMPTY else item)
    return f"Annotate it `Mapping[str, {text}]`, or as a table such as pa.Table."


_EXAMPLES: tuple[tuple[str, object], ...] = ((MAPPING, _READ_ONLY), (DICT, {}))


def _alternatives(annotation: Any) -> tuple[Any, ...] | None:
    """The annotations that another one, such as a union, stands for."""
    if isinstance(annotation, str):
        return _alternatives_in_text(annotation)
    if isinstance(annotation, typing.ForwardRef):
        return (annotation.__forward_arg__,)
    if isinstance(annotation, typing.NewType):
        return (annotation.__supertype__,)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return typing.get_args(annotation)[:1]
    return typing.get_args(annotation) if origin in (typing.Union, UnionType) else None


def _alternatives_in_text(annotation: str) -> tuple[str, ...] | None:
    node = _parsed(annotation)
    if isinstance(node, ast.BinOp):
        return ast.unparse(node.left), ast.unparse(node.right)
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        name = ast.unparse(node.value).rpartition(".")[2]
        if name in ("Optional", "Annotated"):
            return (ast.unparse(items[0]),)
        if name == "Union":
            return tuple(map(ast.unparse, items))
    return None


def _key_and_item(annotation: Any) -> tuple[Any, Any]:
    """How the keys and the values of a mapping are annotated."""
    if isinstance(annotation, str):
        node = _parsed(annotation)
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
            return EMPTY, EMPTY
        name = ast.unparse(node.value).rpartition(".")[2]
        texts = list(map(ast.unparse, node.slice.elts))
        is_mapping = name in _MAPPINGS and len(texts) == 2
        return (texts[0], texts[1]) if is_mapping else (EMPTY, EMPTY)
    origin, found = typing.get_origin(annotation), typing.get_args(annotation)
    is_mapping = isinstance(origin, type) and issubclass(origin, abc.Mapping)
    key, item = found if is_mapping and len(found) == 2 else (EMPTY, EMPTY)
    return _unbound(key), _unbound(item)


def _unbound(annotation: Any) -> Any:
    return EMPTY if isinstance(annotation, typing.TypeVar) else annotation


def _parsed(annotation: str) -> ast.expr | None:
    try:
        return ast.parse(annotation.strip(), mode="eval").body
    except SyntaxError:
        return None


def _is_none(annotation: Any) -> bool:
    return annotation in (None, type(None), "None")
