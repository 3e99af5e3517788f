"""The keys of partitions: what they may be, ranges of them, and those of several dimensions."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, overload

from assetgraph.definitions.partitions.number_ranges import Numbers
from assetgraph.errors import PartitionsError
from assetgraph.keys import EVERY, RANGE
from assetgraph.text import did_you_mean, shorten

MAX_PARTITION_BYTES = 200
_SUGGESTED = 1000  # keys among which the one that is meant may be
BETWEEN_DIMENSIONS = "|"


class PartitionKeyRange(NamedTuple):
    """The partitions from `start` to `end`, both included."""

    start: str
    end: str


class MultiPartitionKey(str):
    """The key of a partition with several dimensions: `MultiPartitionKey({"day": "2023-01-01",
    "color": "red"})` is the text `red|2023-01-01`, in the order of the dimensions' names."""

    keys_by_dimension: Mapping[str, str]

    def __new__(cls, keys_by_dimension: Mapping[str, str]) -> MultiPartitionKey:
        names = sorted(keys_by_dimension)
        for name in names:
            if BETWEEN_DIMENSIONS in keys_by_dimension[name]:
                raise PartitionsError(
                    f"the key {keys_by_dimension[name]!r} of the dimension {name!r} has a '|', "
                    "which stands between the dimensions."
                )
        made = super().__new__(cls, BETWEEN_DIMENSIONS.join(keys_by_dimension[n] for n in names))
        made.keys_by_dimension = {name: keys_by_dimension[name] for name in names}
        return made

    def __reduce__(self) -> tuple[type[MultiPartitionKey], tuple[Mapping[str, str]]]:
        return MultiPartitionKey, (self.keys_by_dimension,)


class PartitionKeys(Sequence[str]):
    """The keys of a definition at one moment, in order. They are counted and found without being
    listed. `definition` is what they are the keys of."""

    definition: object

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def key(self, number: int) -> str:
        """The key with a number from 0 on, below the number of keys."""

    @abstractmethod
    def number(self, key: str) -> int | None:
        """The number of a key, or None if there is no such key."""

    def numbering(self, count: int) -> str:
        """A text that is another one if the first `count` keys have other numbers."""
        digest = blake2b(digest_size=16)
        for key in self.keys_of(range(min(count, len(self)))):
            digest.update(key.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        numbers = range(len(self))[at]
        return self.key(numbers) if isinstance(numbers, int) else list(self.keys_of(numbers))

    def __iter__(self) -> Iterator[str]:
        return self.keys_of(range(len(self)))

    def keys_of(self, numbers: range) -> Iterator[str]:
        """The keys with these numbers."""
        return map(self.key, numbers)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.number(key) is not None

    def index(self, key: str, start: int = 0, stop: int | None = None) -> int:
        number = self.number(key)
        if number is None or number not in range(len(self))[start:stop]:
            raise ValueError(f"{key!r} is not one of these partitions")
        return number

    def require(self, key: str) -> int:
        """The number of a key. Raises `PartitionsError`, with the range and what may be meant."""
        number = self.number(key)
        if number is None:
            raise PartitionsError(self._missing(key), hint=self._hint(key))
        return number

    def find(self, text: str) -> int:
        """The number of the partition that a person means by a text: by its key, or by a shorter
        one, as `2023-03` for `2023-03-01` among months. Raises `PartitionsError`, as `require`."""
        return self.require(text)

    def between(self, first: str, last: str) -> range:
        """The numbers of the partitions from `first` to `last`, both included. An end that is "" is
        that of all.

        Raises `PartitionsError` for a key that does not exist, and for a range that goes backwards.
        """
        if not (first or last):
            raise PartitionsError(
                f"the range {RANGE} has no end.", hint="Name its first partition, or its last."
            )
        if not len(self):
            self.require(first or last)
        low = self._end(first, at=0) if first else 0
        high = self._end(last, at=-1) if last else len(self) - 1
        if high < low:
            raise PartitionsError(
                f"the range {first}{RANGE}{last} goes backwards.",
                hint=f"Write {last}{RANGE}{first}.",
            )
        return range(low, high + 1)

    def among(self, text: str) -> Numbers:
        """The numbers of the partitions that a person means by a text: `*` for all, a range, or
        what `find` takes. Raises `PartitionsError`."""
        if text == EVERY:
            return (range(len(self)),)
        first, dots, last = text.partition(RANGE)
        if dots:
            return (self.between(first, last),)
        number = self.find(text)
        return (range(number, number + 1),)

    def _end(self, text: str, *, at: int) -> int:
        """The number of the partition at an end of a range."""
        return self.find(text)

    def _missing(self, key: str) -> str:
        return f"there is no partition {shorten(key, 60)!r}."

    def _meant(self, key: str) -> Sequence[str]:
        """Keys among which the one that is meant may be."""
        return self[:_SUGGESTED]

    def _hint(self, key: str) -> str:
        count = len(self)
        if not count:
            return "There are no partitions yet."
        there = f"There {'is 1 partition' if count == 1 else f'are {count:,} partitions'}"
        there += (
            f": {self.key(0)}." if count == 1 else f", {self.key(0)}{RANGE}{self.key(count - 1)}."
        )
        meant = did_you_mean(shorten(key, MAX_PARTITION_BYTES), self._meant(key))
        return f"{there} {meant}" if meant else there


class ListedKeys(PartitionKeys):
    """Keys that are listed."""

    def __init__(self, definition: object, keys: Sequence[str]) -> None:
        self.definition = definition
        self._keys = keys
        self._numbers: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, number: int) -> str:
        return self._keys[number]

    def number(self, key: str) -> int | None:
        if self._numbers is None:
            self._numbers = {one: number for number, one in enumerate(self._keys)}
        return self._numbers.get(key)


def partition_problem(key: object) -> str | None:
    """What is wrong with the text of a partition's key, or None."""
    if not isinstance(key, str):
        return f"the partition key {key!r} is not text"
    shown = repr(shorten(key, 60))
    if not key:
        return "a partition key is empty"
    if key != key.strip():
        return f"the partition key {shown} begins or ends with a space"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in key):
        return f"the partition key {shown} has a line break or a control character"
    if RANGE in key:
        return f"the partition key {shown} has '..', which stands between the ends of a range"
    if key == EVERY:
        return "the partition key '*' stands for every partition"
    if len(key.encode()) > MAX_PARTITION_BYTES:
        return f"the partition key {shown} is longer than {MAX_PARTITION_BYTES} bytes"
    return None


def checked_partitions(keys: Iterable[str]) -> tuple[str, ...]:
    """`keys`, if each is one and none comes twice. Raises `PartitionsError`."""
    keys = tuple(keys)
    seen: set[str] = set()
    for key in keys:
        problem = partition_problem(key)
        if problem:
            raise PartitionsError(f"{problem}.")
        if key in seen:
            raise PartitionsError(f"the partition key {key!r} comes twice.")
        seen.add(key)
    return keys
