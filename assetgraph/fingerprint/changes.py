"""Why two code versions differ: a walk over the old definitions and the new ones, side by side."""

from __future__ import annotations

import msgspec

from assetgraph.fingerprint.table import Node, Table


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One definition that changed. `kind` is code, value (but not the code that made it), library,
    or unknown, where the table does not know the old version any more.

    `added` and `removed` are what it names now and did not, and the other way round.
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
        place = f"`{self.name}` in `{self.file}`" if self.file else f"`{self.name}`"
        if self.kind == "library":
            return f"{self.old or self.name} is now {self.new}"
        if self.kind == "value":
            return f"the value of {place} changed, not its code (a clock, the environment, a file?)"
        if self.kind == "unknown":
            return "its code changed (the old code is no longer on record)"
        return f"{place} changed"


def changes(old_root: str, old_table: Table, new_root: str, new_table: Table) -> tuple[Change, ...]:
    """The definitions that made the version `new_root` of `old_root`, nearest to the asset first;
    none if they are the same.

    Names and places are those of the new code.
    """
    if old_root == new_root:
        return ()
    walk = _Walk(old_table, new_table)
    walk.compare(old_root, new_root)
    return walk.run()


class _Walk:
    """Over pairs of an old and a new definition that have the same place in the code."""

    def __init__(self, old_table: Table, new_table: Table) -> None:
        self._old = old_table
        self._new = new_table
        self._known: set[tuple[str, str]] = set()
        self._waiting: list[tuple[Node, Node]] = []
        self._found: dict[tuple[str, str], Change] = {}

    def run(self) -> tuple[Change, ...]:
        for old, new in self._waiting:
            same = self._says_the_same(old, new)
            if not same:
                self._add(self._change(old, new))
            if old.origin and new.origin:
                self.compare(old.origin, new.origin)
            if same and new.kind != "wrapper":
                pairs = list(zip(old.refs, new.refs, strict=True))
            else:
                by_title = {self._old_title(key): key for key in old.refs}
                titles = ((self._new_title(key), key) for key in new.refs)
                pairs = [(by_title[title], key) for title, key in titles if title in by_title]
            for old_key, new_key in pairs:
                self.compare(old_key, new_key)
        found = tuple(self._found.values())
        # Beside code that changed, a value that did is most likely what came of it.
        return tuple(change for change in found if change.kind != "value") or found

    def compare(self, old_key: str, new_key: str) -> None:
        if (old_key, new_key) in self._known:
            return
        self._known.add((old_key, new_key))
        old, new = self._old.get(old_key), self._new.get(new_key)
        if old is None or new is None:
            self._add(Change("unknown"))
        elif old.version != new.version:
            self._waiting.append((old, new))

    def _add(self, change: Change | None) -> None:
        if change is not None:
            self._found.setdefault((change.name, change.file), change)

    def _says_the_same(self, old: Node, new: Node) -> bool:
        """Whether a definition says what it did and names what it did. A name that now stands for
        a definition of another name and content was exchanged."""
        if old.own != new.own or len(old.refs) != len(new.refs):
            return False
        return new.kind == "wrapper" or all(
            self._old_title(before) == self._new_title(after)
            or before.partition("-")[0] == after.partition("-")[0]
            for before, after in zip(old.refs, new.refs, strict=True)
        )

    def _change(self, old: Node, new: Node) -> Change | None:
        place = (new.name, new.file, new.line)
        if new.kind == old.kind == "library":
            return Change("library", new.name, old=old.own, new=new.own)
        if new.kind == old.kind == "value" and old.origin and new.origin:
            before, after = self._old.get(old.origin), self._new.get(new.origin)
            if before is not None and after is not None:
                # The expression, or what that names, is compared in its turn and explains it.
                return Change("value", *place) if before.version == after.version else None
        titles = {self._old_title(key) for key in old.refs}
        titles_now = {self._new_title(key) for key in new.refs}
        return Change(
            "code",
            *place,
            added=tuple(sorted(titles_now - titles)),
            removed=tuple(sorted(titles - titles_now)),
        )

    def _old_title(self, key: str) -> str:
        return _title(self._old.get(key))

    def _new_title(self, key: str) -> str:
        return _title(self._new.get(key))


def _title(node: Node | None) -> str:
    return node.name if node else ""
