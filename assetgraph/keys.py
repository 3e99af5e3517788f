"""`AssetKey`: the name of an asset, safe as a file name on every machine."""

from __future__ import annotations

import unicodedata
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from assetgraph.errors import InvalidKeyError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_KEY_BYTES = 200


class AssetKey:
    """One or more parts: `AssetKey("trips")`, `AssetKey(["manhattan", "stats"])`.

    A part is Unicode letters, digits, `_`, `-` or `.`, in NFC, and does not start with a dot. The
    text of a key joins its parts with `/`; as text it may be given that way too. A whole key is at
    most 200 bytes of UTF-8. Of the same parts there is one object, so that graphs compare keys as
    quickly as Python compares anything.

    Raises `InvalidKeyError`.
    """

    __slots__ = ("__weakref__", "file_name", "parts", "text")

    parts: tuple[str, ...]
    text: str
    file_name: str  # a part cannot hold the comma that joins them, so no two keys meet

    def __new__(cls, path: str | Sequence[str]) -> AssetKey:
        key = cls.unchecked(path)
        problem = key_problem(key)
        if problem:
            raise InvalidKeyError(problem)
        return key

    @classmethod
    def unchecked(cls, path: str | Sequence[str]) -> AssetKey:
        """A key that may break the rules, so that it can be reported with all other problems; or
        one that was recorded, and so keeps to them."""
        return _interned(tuple(path.split("/") if isinstance(path, str) else path))

    @classmethod
    def from_user_string(cls, text: str) -> AssetKey:
        return cls(text)

    def to_user_string(self) -> str:
        return self.text

    @property
    def path(self) -> list[str]:
        return list(self.parts)

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    def with_prefix(self, prefix: str | Sequence[str]) -> AssetKey:
        head = prefix.split("/") if isinstance(prefix, str) else prefix
        return AssetKey([*head, *self.parts])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an AssetKey does not change: cannot set {name!r}")

    def __lt__(self, other: AssetKey) -> bool:
        return self.parts < other.parts

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"AssetKey({self.text!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _interned, (self.parts,)


_known: WeakValueDictionary[tuple[str, ...], AssetKey] = WeakValueDictionary()
_making = Lock()


def _interned(parts: tuple[str, ...]) -> AssetKey:
    return _known.get(parts) or _made(parts)


def _made(parts: tuple[str, ...]) -> AssetKey:
    parts = tuple(unicodedata.normalize("NFC", part) for part in parts)
    with _making:
        known = _known.get(parts)
        if known is not None:
            return known
        key = object.__new__(AssetKey)
        object.__setattr__(key, "parts", parts)
        object.__setattr__(key, "text", "/".join(parts))
        object.__setattr__(key, "file_name", ",".join(parts))
        _known[parts] = key
        return key


class Target(NamedTuple):
    """What is materialized, locked, stale and recorded: an asset, or one partition of it.

    As text `trips`, or `trips@2023-03`: no key holds an `@`.
    """

    key: AssetKey
    partition: str | None = None

    @property
    def text(self) -> str:
        return self.key.text if self.partition is None else f"{self.key.text}@{self.partition}"

    @property
    def file_name(self) -> str:
        """`<key>=<partition>`, safe as a file name; the partition is `_` where there is none."""
        return f"{self.key.file_name}={partition_file_name(self.partition)}"

    def __str__(self) -> str:
        return self.text


def key_text(file_name: str) -> str:
    """The text of the key whose `file_name` this is."""
    return file_name.replace(",", "/")


def partition_file_name(partition: str | None) -> str:
    """A partition as one file name: percent-encoded, `_` for none."""
    if partition is None:
        return "_"
    from urllib.parse import quote

    name = quote(partition, safe="")
    if name == "_" or name.startswith("."):
        return f"%{ord(name[0]):02X}{name[1:]}"
    return name or "%"


def partition_of(file_name: str) -> str | None:
    """The partition whose `partition_file_name` this is."""
    if file_name in ("_", "%"):
        return None if file_name == "_" else ""
    from urllib.parse import unquote

    return unquote(file_name)


def key_problem(key: AssetKey) -> str | None:
    """Why `key` cannot name an asset, or None."""
    if not key.parts:
        return "an asset key needs at least one part"
    for part in key.parts:
        if not part:
            return f"the asset key {key.text!r} has an empty part"
        if part.startswith("."):
            return f"the asset key {key.text!r} has a part that starts with a dot"
        if not _is_plain(part):
            wrong = next((c for c in part if not _is_plain(c) and not _joins(c)), part)
            return (
                f"the asset key {key.text!r} holds {wrong!r}: "
                "letters of any script, digits, '_', '-' and '.' are allowed"
            )
    size = len(key.text.encode("utf-8", "surrogatepass"))
    if size > MAX_KEY_BYTES:
        start = key.text[:24]
        return f"the asset key '{start}…' is {size} bytes long: at most {MAX_KEY_BYTES} are allowed"
    return None


def _is_plain(text: str) -> bool:
    # An identifier may hold letters, digits and combining marks of any script: just what is wanted,
    # but for the invisible joiners that some Unicode versions allow in it.
    plain = ("_" + text.replace("-", "_").replace(".", "_")).isidentifier()
    return plain and (text.isascii() or not any(unicodedata.category(c) == "Cf" for c in text))


def _joins(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
