"""What a record says of the upstream data that it was made from.

An upstream target is one entry, with its data version. Where several partitions of one asset are
read, they are one entry together, so that no record grows with their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.keys import RANGE, AssetKey, Target, recorded_target
from assetgraph.records import PartitionsRead

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys


Versions = Mapping[Target, str | None]
Inputs = dict[str, str | None]


def as_recorded(
    versions: Versions, positions: Mapping[AssetKey, int] | None = None
) -> tuple[Inputs, dict[str, PartitionsRead]]:
    """The entries for upstream targets with these data versions: one for each target, and one for
    the partitions of an asset where they are several. `positions` has how much of the history of
    each such asset was known."""
    inputs: Inputs = {}
    for target, version in versions.items():
        if target.partition is not None:
            break
        inputs[target.key.text] = version
    else:
        return inputs, {}
    inputs, read = {}, {}
    for key, partitions in by_asset(versions).items():
        if len(partitions) == 1:
            ((partition, version),) = partitions.items()
            inputs[Target(key, partition).text] = version
        else:
            at = positions[key] if positions else 0
            read[key.text] = partitions_read(partitions, at)
    return inputs, read


def by_asset(versions: Versions) -> dict[AssetKey, dict[str | None, str | None]]:
    """The data version of each partition, for each asset."""
    found: dict[AssetKey, dict[str | None, str | None]] = {}
    for target, version in versions.items():
        found.setdefault(target.key, {})[target.partition] = version
    return found


def partitions_read(versions: Mapping[str | None, str | None], position: int) -> PartitionsRead:
    """The entry for the partitions of one asset, by their data versions."""
    from assetgraph.storage.formats.digest import digest_of

    keys = [str(partition) for partition in versions]
    data = "\0".join(f"{key}\0{version or ''}" for key, version in versions.items())
    return PartitionsRead(
        count=len(keys),
        keys=digest_of("partitions", "\0".join(keys).encode()),
        data=digest_of("partitions", data.encode()),
        position=position,
        first=keys[0],
        last=keys[-1],
    )


def recorded_assets(
    inputs: Mapping[str, str], read: Mapping[str, PartitionsRead]
) -> Iterator[AssetKey]:
    """The assets whose partitions a record names."""
    for text in inputs:
        target = recorded_target(text)
        if target.partition is not None:
            yield target.key
    for text in read:
        yield AssetKey.unchecked(text)


def same_data(one: Mapping[str, PartitionsRead], other: Mapping[str, PartitionsRead]) -> bool:
    """Whether two records read the same data of the same partitions."""
    return one.keys() == other.keys() and all(one[name].data == other[name].data for name in one)


def ranges_of(chosen: Sequence[str], keys: Sequence[str] | PartitionKeys) -> list[str]:
    """The ranges that `chosen` forms among `keys`, which must be in the same order, as text: a key,
    or the first and the last with dots between them."""
    places = {key: place for place, key in enumerate(keys)}
    ranges: list[list[str]] = []
    before = None
    for key in chosen:
        place = places.get(key)
        if ranges and before is not None and place == before + 1:
            ranges[-1][1:] = [key]
        else:
            ranges.append([key])
        before = place
    return [RANGE.join(ends) for ends in ranges]
