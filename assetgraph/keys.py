"""Names of assets and their partitions, safe as file names on every machine."""

from __future__ import annotations

import unicodedata
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from assetgraph.errors import InvalidKeyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_KEY_BYTES = 200
RANGE = ".."  # between the first and the last partition of a range, and in no partition's key
EVERY = "*"  # stands for all partitions
_OF_ASSET = ":"  # between an asset and a check of it, and in no key of an asset
_MAX_NAME_BYTES = 240  # of a file name of 255, so that a suffix such as `.1234567.out` fits
_CUT = "+"  # in a file name that was cut; neither a key nor a percent-encoded text contains it


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
        """`<key>=<partition>`, safe as a file name; without a partition, `<key>=_`. Two targets
        never have the same one."""
        return _short(f"{self.key.file_name}={_encoded(self.partition)}")

    def __str__(self) -> str:
        return self.text


def check_key(asset: AssetKey, name: str) -> AssetKey:
    """The key of a check, as in `trips:no_nulls`: no asset can have it."""
    return AssetKey.unchecked([*asset.parts[:-1], f"{asset.parts[-1]}{_OF_ASSET}{name}"])


def checked_asset(key: AssetKey) -> AssetKey | None:
    """The asset that the check with this key is about; None for the key of an asset."""
    asset, colon, _ = key.text.partition(_OF_ASSET)
    return AssetKey.unchecked(asset) if colon else None


def recorded_target(text: str) -> Target:
    """The target with this `text`, which was recorded and so is not checked."""
    key, at, partition = text.partition("@")
    return Target(AssetKey.unchecked(key), partition if at else None)


def partitions_by_asset(targets: Iterable[Target]) -> dict[AssetKey, list[str]]:
    """The partitions among `targets`, by their assets."""
    found: dict[AssetKey, list[str]] = {}
    for key, partition in targets:
        if partition is not None:
            found.setdefault(key, []).append(partition)
    return found


def key_text(file_name: str) -> str:
    """The text of the key with this `file_name`."""
    return file_name.replace(",", "/")


def partition_file_name(partition: str | None) -> str:
    """A partition as one file name: percent-encoded, and cut if it is long; `_` for None. Two
    partitions never have the same one."""
    return "_" if partition is None else _short(_encoded(partition))


def partition_of(file_name: str) -> str | None:
    """The partition with this `partition_file_name`, which must not be cut: see `is_cut_name`."""
    if file_name in ("_", "%"):
        return None if file_name == "_" else ""
    from urllib.parse import unquote

    return unquote(file_name)


def step_file_name(step_id: str) -> str:
    """The id of a step as one file name: a key as its `file_name`, a partition percent-encoded, and
    cut if it is long. Two steps never have the same one."""
    name, at, partition = step_id.partition("@")
    name = name.replace("/", ",")
    if at:
        name += f"@{_quoted(partition)}"
    return _short(name)


def step_of_file_name(file_name: str) -> str:
    """The id of the step with this `step_file_name`, which must not be cut: see `is_cut_name`."""
    name, at, partition = file_name.partition("@")
    if not at:
        return key_text(name)
    from urllib.parse import unquote

    return f"{key_text(name)}@{unquote(partition)}"


def is_cut_name(file_name: str) -> bool:
    """Whether a file name was cut, so that what it names cannot be read from it."""
    return _CUT in file_name


def _encoded(partition: str | None) -> str:
    if partition is None:
        return "_"
    name = _quoted(partition)
    if name == "_" or name.startswith("."):
        return f"%{ord(name[0]):02X}{name[1:]}"
    return name or "%"


def _quoted(partition: str) -> str:
    """A partition, percent-encoded."""
    if partition.isascii() and _is_plain(partition):
        return partition  # as most are: `quote` takes ten times as long
    from urllib.parse import quote

    return quote(partition, safe="")


def _short(name: str) -> str:
    """`name`, or if it is too long for a file, its start and a hash of all of it."""
    if len(name) <= _MAX_NAME_BYTES // 4:  # a character has at most four bytes
        return name
    data = name.encode()
    if len(data) <= _MAX_NAME_BYTES:
        return name
    from hashlib import blake2b

    tail = _CUT + blake2b(data, digest_size=16).hexdigest()
    return data[: _MAX_NAME_BYTES - len(tail)].decode(errors="ignore") + tail


def key_problem(key: AssetKey) -> str | None:
    """Why `key` cannot name an asset, or None."""
    if len(key.text) <= MAX_KEY_BYTES and key.text.isascii() and key.text.isidentifier():
        return None  # as most keys are
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
