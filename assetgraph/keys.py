"""Names of assets and their partitions, safe as file names on every machine."""

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
    """The name of an asset: one or more parts, as in `AssetKey("trips")` or
    `AssetKey(["manhattan", "stats"])`.

    A part is Unicode letters, digits, `_`, `-` or `.`, in NFC, and does not start with a dot. The
    text of a key joins its parts with `/`, and `AssetKey` takes that text too. A key is at most 200
    bytes of UTF-8. Two keys with the same parts are the same object, so comparing keys is as fast
    as comparing object identities.

    Raises `InvalidKeyError`.
    """

    __slots__ = ("__weakref__", "file_name", "parts", "text")

    parts: tuple[str, ...]
    text: str
    file_name: str  # the parts joined with a comma, which no part contains: unique for each key

    def __new__(cls, path: str | Sequence[str]) -> AssetKey:
        key = cls.unchecked(path)
        problem = key_problem(key)
        if problem:
            raise InvalidKeyError(problem)
        return key

    @classmethod
    def unchecked(cls, path: str | Sequence[str]) -> AssetKey:
        """A key that is not checked: it was recorded, so it is valid, or it will be reported
        together with the other problems of a project."""
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
        raise AttributeError(f"an AssetKey is immutable: cannot set {name!r}")

    def __lt__(self, other: AssetKey) -> bool:
        return self.parts < other.parts

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"AssetKey({self.text!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _interned, (self.parts,)


_known: WeakValueDictionary[tuple[str, ...], AssetKey] = WeakValueDictionary()
_lock = Lock()  # so that two threads do not create the same key


def _interned(parts: tuple[str, ...]) -> AssetKey:
    return _known.get(parts) or _created(parts)


def _created(parts: tuple[str, ...]) -> AssetKey:
    parts = tuple(unicodedata.normalize("NFC", part) for part in parts)
    with _lock:
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
    """An asset, or one partition of it: the unit that is materialized, locked, stale and recorded.

    Its text is `trips`, or `trips@2023-03`; no key contains an `@`.
    """

    key: AssetKey
    partition: str | None = None

    @property
    def text(self) -> str:
        return self.key.text if self.partition is None else f"{self.key.text}@{self.partition}"

    @property
    def file_name(self) -> str:
        """`<key>=<partition>`, safe as a file name; without a partition, `<key>=_`."""
        return f"{self.key.file_name}={partition_file_name(self.partition)}"

    def __str__(self) -> str:
        return self.text


def recorded_target(text: str) -> Target:
    """The target with this `text`, which was recorded and so is not checked."""
    key, at, partition = text.partition("@")
    return Target(AssetKey.unchecked(key), partition if at else None)


def key_text(file_name: str) -> str:
    """The text of the key with this `file_name`."""
    return file_name.replace(",", "/")


def partition_file_name(partition: str | None) -> str:
    """A partition as one file name: percent-encoded, or `_` for None."""
    if partition is None:
        return "_"
    from urllib.parse import quote

    name = quote(partition, safe="")
    if name == "_" or name.startswith("."):
        return f"%{ord(name[0]):02X}{name[1:]}"
    return name or "%"


def partition_of(file_name: str) -> str | None:
    """The partition with this `partition_file_name`."""
    if file_name in ("_", "%"):
        return None if file_name == "_" else ""
    from urllib.parse import unquote

    return unquote(file_name)


def step_file_name(step_id: str) -> str:
    """The id of a step as one file name: a key as its `file_name`, a partition percent-encoded."""
    name, at, partition = step_id.partition("@")
    if not at:
        return name.replace("/", ",")
    from urllib.parse import quote

    return f"{name.replace('/', ',')}@{quote(partition, safe='')}"


def step_of_file_name(file_name: str) -> str:
    """The id of the step whose `step_file_name` this is."""
    name, at, partition = file_name.partition("@")
    if not at:
        return key_text(name)
    from urllib.parse import unquote

    return f"{key_text(name)}@{unquote(partition)}"


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
                f"the asset key {key.text!r} contains {wrong!r}: "
                "letters of any script, digits, '_', '-' and '.' are allowed"
            )
    size = len(key.text.encode("utf-8", "surrogatepass"))
    if size > MAX_KEY_BYTES:
        start = key.text[:24]
        return f"the asset key '{start}…' is {size} bytes long: at most {MAX_KEY_BYTES} are allowed"
    return None


def _is_plain(text: str) -> bool:
    # An identifier may contain letters, digits and combining marks of any script, which is what a
    # key allows too. Some Unicode versions also allow invisible joiners, which a key does not.
    plain = ("_" + text.replace("-", "_").replace(".", "_")).isidentifier()
    return plain and (text.isascii() or not any(unicodedata.category(c) == "Cf" for c in text))


def _joins(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
