"""`AssetSelection`: a selection of assets, put together in Python."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset, unchecked_key
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.registry import public_object
from assetgraph.definitions.selection.syntax import (
    WORDS,
    And,
    Call,
    Expression,
    Filter,
    Not,
    Or,
    Traversal,
    parse,
)
from assetgraph.errors import AssetGraphError, InvalidDefinitionError
from assetgraph.keys import AssetKey

KeyLike = str | Sequence[str] | AssetKey | Asset | AssetSpec

_EVERYTHING = "*"
_OWN = "not status:external"  # what no other system makes
_NOTHING = f"{_EVERYTHING} and not {_EVERYTHING}"

# How tightly the parts of a text hold together.
_OR, _AND, _NOT, _STEPS, _TERM = range(5)


class AssetSelection:
    """A selection of assets. Its `text` says the same in the selection language.

        AssetSelection.groups("raw") | AssetSelection.assets(trips).upstream()

    `|`, `&` and `-` combine two. Two selections are equal if they mean the same assets by the same
    names: `AssetSelection.assets(trips) == AssetSelection.assets("trips")`.
    """

    def __init__(self, text: str, rank: int | None = None) -> None:
        self.text = text
        self.given: tuple[KeyLike, ...] = ()  # by `assets`, as they were
        self._rank = _rank_of(parse(text)) if rank is None else rank

    @classmethod
    def all(cls, include_sources: bool = False) -> AssetSelection:
        """Every asset; those that something else makes only with `include_sources`."""
        return cls(_EVERYTHING, _TERM) if include_sources else cls(_OWN, _NOT)

    @classmethod
    def assets(cls, *assets: KeyLike) -> AssetSelection:
        """These assets, given as assets, keys or texts. Raises `InvalidKeyError`."""
        found = cls._any_of([_key_text(one) for one in _each(assets)])
        found.given = assets
        return found

    @classmethod
    def keys(cls, *asset_keys: KeyLike) -> AssetSelection:
        """The assets of these keys. Raises `InvalidKeyError`."""
        return cls.assets(*asset_keys)

    @classmethod
    def checks(cls, *asset_checks: Asset) -> AssetSelection:
        """These checks, without their assets."""
        return cls._any_of([f'key:"{unchecked_key(one).text}"' for one in _each(asset_checks)])

    @classmethod
    def checks_for_assets(cls, *assets: KeyLike) -> AssetSelection:
        """The checks of these assets, without the assets."""
        return cls.assets(*assets)._checks()

    @classmethod
    def all_asset_checks(cls) -> AssetSelection:
        """Every check, without the assets."""
        return cls("checks()", _TERM)

    @classmethod
    def groups(cls, *group_strs: str, include_sources: bool = False) -> AssetSelection:
        """The assets of these groups; those that something else makes only with
        `include_sources`."""
        found = cls._any_of([f"group:{_value(name)}" for name in group_strs])
        return found if include_sources else found & cls.all()

    @classmethod
    def key_prefixes(
        cls, *key_prefixes: str | Sequence[str], include_sources: bool = False
    ) -> AssetSelection:
        """The assets whose keys begin with one of these prefixes; those that something else makes
        only with `include_sources`."""
        texts = [prefix if isinstance(prefix, str) else "/".join(prefix) for prefix in key_prefixes]
        found = cls._any_of([f"key:{_value(f'{text}/*')}" for text in texts])
        return found if include_sources else found & cls.all()

    @classmethod
    def tag(cls, key: str, value: str) -> AssetSelection:
        """The assets that have this tag with this value."""
        return cls(f"tag:{_value(key)}={_value(value)}", _TERM)

    @classmethod
    def kind(cls, kind: str) -> AssetSelection:
        """The assets of this kind."""
        return cls(f"kind:{_value(kind)}", _TERM)

    @classmethod
    def owner(cls, owner: str) -> AssetSelection:
        """The assets of this owner."""
        return cls(f"owner:{_value(owner)}", _TERM)

    @classmethod
    def from_string(cls, string: str) -> AssetSelection:
        """What a text of the selection language selects. Raises `SelectionError`."""
        return cls.all() if string.strip() == _EVERYTHING else cls(string)

    @classmethod
    def from_coercible(cls, selection: Any) -> AssetSelection:
        """A selection from a text of the language, a key or an asset, a list of keys, assets and
        texts of keys, or a selection. Raises `SelectionError`, `InvalidKeyError` and `TypeError`.
        """
        if isinstance(selection, AssetSelection):
            return selection
        if isinstance(selection, str):
            return cls.from_string(selection)
        if isinstance(selection, AssetKey | Asset | AssetSpec):
            return cls.assets(selection)
        if isinstance(selection, Iterable):
            return cls.assets(*selection)
        raise TypeError(f"{described(selection)} selects no assets: pass a list of them, or text")

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """These, and everything upstream of them, within `depth` levels if given."""
        return self._reaching(f"{_levels(depth)}+{self._inside(_TERM)}", include_self)

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """These, and everything downstream of them, within `depth` levels if given."""
        return self._reaching(f"{self._inside(_TERM)}+{_levels(depth)}", include_self)

    def roots(self) -> AssetSelection:
        """Those of these that have no upstream among these."""
        return AssetSelection(f"roots({self.text})", _TERM)

    def sinks(self) -> AssetSelection:
        """Those of these that have no downstream among these."""
        return AssetSelection(f"sinks({self.text})", _TERM)

    def without_checks(self) -> AssetSelection:
        """These without their checks, which run with them otherwise."""
        return self - AssetSelection.all_asset_checks()

    def materializable(self) -> AssetSelection:
        """These without those that something else makes."""
        return self & AssetSelection.all()

    def __or__(self, other: AssetSelection) -> AssetSelection:
        if not isinstance(other, AssetSelection):
            return NotImplemented
        return AssetSelection(f"{self._inside(_OR)} or {other._inside(_OR)}", _OR)

    def __and__(self, other: AssetSelection) -> AssetSelection:
        if not isinstance(other, AssetSelection):
            return NotImplemented
        return AssetSelection(f"{self._inside(_AND)} and {other._inside(_AND)}", _AND)

    def __sub__(self, other: AssetSelection) -> AssetSelection:
        if not isinstance(other, AssetSelection):
            return NotImplemented
        return AssetSelection(f"{self._inside(_AND)} and not {other._inside(_STEPS)}", _AND)

    def resolve(self, assets: Any) -> set[AssetKey]:
        """The keys that this selects of a list of assets, of `Definitions` or of a graph.

        Raises `SelectionError` for a name that is not there.
        """
        graph = getattr(assets, "graph", assets)
        if not hasattr(graph, "select"):
            graph = public_object("Definitions")(assets).graph
        return set(graph.select(self.text))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AssetSelection):
            return NotImplemented
        return self.text == other.text or self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"AssetSelection({self.text!r})"

    @cached_property
    def _meaning(self) -> Hashable:
        return _meaning(parse(self.text))

    def _inside(self, rank: int) -> str:
        """The text, in parentheses if it would fall apart beside what holds together by `rank`."""
        return self.text if self._rank >= rank else f"({self.text})"

    def _checks(self) -> AssetSelection:
        return AssetSelection(f"checks({self.text})", _TERM)

    def _reaching(self, text: str, include_self: bool) -> AssetSelection:
        found = AssetSelection(text, _STEPS)
        return found if include_self else found - self

    @classmethod
    def _any_of(cls, terms: Sequence[str]) -> AssetSelection:
        if not terms:
            return cls(_NOTHING, _AND)
        return cls(" or ".join(terms), _TERM if len(terms) == 1 else _OR)


def selection_texts(selection: Any) -> tuple[str, ...]:
    """The texts of the language for what a run is asked to select: a text of it, a selection, an
    asset or a key, or a list of these. Raises `AssetGraphError` for an empty list."""
    if isinstance(selection, str):
        return (selection,)
    if isinstance(selection, AssetSelection):
        return (selection.text,)
    if isinstance(selection, AssetKey | Asset | AssetSpec):
        selection = (selection,)
    texts = [
        one if isinstance(one, str) else f'key:"{unchecked_key(one).text}"'
        for one in _each(selection)
    ]
    if not texts:
        raise AssetGraphError("the selection is empty.", hint="Leave it out to take every asset.")
    return tuple(texts)


def _each(given: Iterable[KeyLike]) -> Iterator[KeyLike]:
    """What is given, with every asset of a function that makes several."""
    for one in given:
        yield from one.specs if isinstance(one, Asset) else (one,)


def _levels(depth: int | None) -> str:
    if depth is None:
        return ""
    if type(depth) is not int or depth < 0:
        raise InvalidDefinitionError(
            f"depth is {depth!r}.", hint="Write a number of levels, or leave it out for all."
        )
    return str(depth)


def _key_text(given: KeyLike) -> str:
    text = AssetKey(unchecked_key(given).parts).text
    is_plain = text[0].isalpha() or text[0] == "_"
    return text if is_plain and text.lower() not in WORDS else f"key:{text}"


def _value(text: str) -> str:
    """A text as the language takes it, in quotes. Raises `InvalidDefinitionError` for one that
    cannot be quoted."""
    if not isinstance(text, str) or not text or ('"' in text and "'" in text):
        raise InvalidDefinitionError(f"{text!r} cannot be part of a selection.")
    quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}"


def _rank_of(tree: Expression) -> int:
    ranks = {Or: _OR, And: _AND, Not: _NOT, Traversal: _STEPS}
    return ranks.get(type(tree), _TERM)


def _meaning(tree: Expression) -> Hashable:
    """What a tree says, whatever the order and the repetition of its parts."""
    match tree:
        case Filter():
            return (tree.field, tree.value, tree.tag_value, tree.partition)
        case Traversal():
            return ("steps", _meaning(tree.operand), tree.upstream, tree.downstream)
        case Call():
            return (tree.which, _meaning(tree.operand))
        case Not():
            return ("not", _meaning(tree.operand))
        case And() | Or():
            word = "and" if isinstance(tree, And) else "or"
            parts: set[Any] = set()
            for part in tree.parts:
                found = _meaning(part)
                same = isinstance(found, tuple) and found[0] == word
                parts.update(found[1] if same and isinstance(found, tuple) else [found])
            return (word, frozenset(parts)) if len(parts) > 1 else parts.pop()
