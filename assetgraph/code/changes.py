"""Explains why two code versions differ, by comparing the old definitions with the new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from assetgraph.code.definition_graph import UNORDERED, components
from assetgraph.code.definition_table import Node, Table

_MOST = 50

Pair = tuple[str, str]


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One definition that changed.

    `kind` is code, value (the value changed, but not the code that makes it), library, or unknown
    (the table no longer holds the old version). `added` are the definitions that it names only now,
    `removed` those that it no longer names.
    """

    kind: str
    name: str = ""
    file: str = ""
    line: int = 0
    old: str = ""
    new: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The change as a sentence without a full stop."""
        place = self._place
        if self.kind == "library":
            return f"{self.old or self.name} is now {self.new}"
        if self.kind == "value":
            return (
                f"the value of {place} changed, but its code did not "
                "(a clock, the environment, a file?)"
            )
        if self.kind == "unknown":
            return "its code changed (the old code is no longer on record)"
        return f"{place} changed"

    @property
    def _place(self) -> str:
        captured, _, owner = self.name.rpartition(" of ")
        if owner.endswith("<lambda>") and self.file:
            place = f"a lambda on line {self.line} of `{self.file}`"
            return f"`{captured}` of {place}" if captured else place
        return f"`{self.name}` in `{self.file}`" if self.file else f"`{self.name}`"


class Comparison:
    """Compares the definitions of two tables, each with the one in the same place of the code. It
    remembers every comparison, since many assets reach the same helpers."""

    def __init__(self, old_table: Table, new_table: Table) -> None:
        self.old_table = old_table
        self._new = new_table
        self._found: dict[Pair, Mapping[Change, int]] = {}  # with the distance of each change

    def changes(self, old_root: str, new_root: str) -> tuple[Change, ...]:
        """The definitions whose changes turned the version `old_root` into `new_root`, nearest to
        the asset first; none if the versions are equal. Names and places are those of the new
        code."""
        if _version(old_root) == _version(new_root):
            return ()
        start = (_key(self.old_table, old_root), _key(self._new, new_root))
        if start not in self._found:
            for pairs in components(start, self._below, self._found.__contains__):
                self._settle(pairs)
        found = self._found[start]
        nearest: dict[tuple[str, str], Change] = {}
        for change in sorted(found, key=lambda c: (found[c], c.name, c.file, c.kind, c.line)):
            nearest.setdefault((change.name, change.file), change)
        # If code changed as well, the changed values most likely follow from it.
        code = tuple(change for change in nearest.values() if change.kind != "value")
        return code or tuple(nearest.values())

    def _settle(self, pairs: list[Pair]) -> None:
        """Collect the changes of definitions that reach each other, and of all that they reach."""
        nearest: dict[Change, int] = {}
        for pair in pairs:
            own = self._own_change(pair)
            if own is not None:
                nearest[own] = 0
            for below in self._below(pair):
                for change, distance in self._found.get(below, {}).items():
                    nearest[change] = min(distance + 1, nearest.get(change, distance + 1))
        if len(nearest) > _MOST:
            kept = sorted(nearest.items(), key=lambda item: (item[1], item[0].name))
            nearest = dict(kept[:_MOST])
        self._found |= dict.fromkeys(pairs, nearest)

    def _below(self, pair: Pair) -> Iterable[Pair]:
        """The pairs of different definitions that the two name: paired by position if the two have
        the same content, else by name."""
        old, new = self.old_table.get(pair[0]), self._new.get(pair[1])
        if old is None or new is None:
            return ()
        pairs = [(old.origin, new.origin)] if old.origin and new.origin else []
        if new.kind not in UNORDERED and self._has_same_content(old, new):
            pairs += zip(old.refs, new.refs, strict=True)
        else:
            kept = {_version(key) for key in old.refs} & {_version(key) for key in new.refs}
            by_title = {self._old_title(k): k for k in old.refs if _version(k) not in kept}
            titles = ((self._new_title(k), k) for k in new.refs if _version(k) not in kept)
            pairs += [(by_title[title], key) for title, key in titles if title in by_title]
        return [(before, after) for before, after in pairs if _version(before) != _version(after)]

    def _own_change(self, pair: Pair) -> Change | None:
        old, new = self.old_table.get(pair[0]), self._new.get(pair[1])
        if old is None or new is None:
            return Change("unknown")
        return None if self._has_same_content(old, new) else self._change(old, new)

    def _has_same_content(self, old: Node, new: Node) -> bool:
        """Whether a definition has its old content and names the same definitions. If a name now
        refers to a definition with another name and another hash, it was exchanged."""
        if old.own != new.own or len(old.refs) != len(new.refs):
            return False
        if new.kind == "collection":
            return sorted(map(self._old_title, old.refs)) == sorted(map(self._new_title, new.refs))
        return new.kind in UNORDERED or all(
            self._old_title(before) == self._new_title(after) or _version(before) == _version(after)
            for before, after in zip(old.refs, new.refs, strict=True)
        )

    def _change(self, old: Node, new: Node) -> Change | None:
        place = (new.name, new.file, new.line)
        if new.kind == old.kind == "library":
            return Change("library", new.name, old=old.own, new=new.own)
        explained = old.origin in self.old_table and new.origin in self._new
        if new.kind == old.kind == "value" and explained:
            # Otherwise the expression, which is compared as well, explains the change.
            same = _version(old.origin) == _version(new.origin)
            return Change("value", *place) if same else None
        titles = {self._old_title(key) for key in old.refs}
        titles_now = {self._new_title(key) for key in new.refs}
        return Change(
            "code",
            *place,
            added=tuple(sorted(titles_now - titles)),
            removed=tuple(sorted(titles - titles_now)),
        )

    def _old_title(self, key: str) -> str:
        return _title(self.old_table.get(key))

    def _new_title(self, key: str) -> str:
        return _title(self._new.get(key))


def _title(node: Node | None) -> str:
    return node.name if node else ""


def _key(table: Table, root: str) -> str:
    """The key of `root`, which may be a bare version: an asset may have had another name."""
    if root in table:
        return root
    return next((key for key in table if _version(key) == root), root)


def _version(key: str) -> str:
    """The version in a key of the table: see `key_of`."""
    return key.partition("-")[0]
