"""How the partitions that a target reads differ from those that its value was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.keys import AssetKey, Target, recorded_target
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.what_was_read import (
    Versions,
    by_asset,
    partitions_read,
    ranges_of,
    recorded_assets,
)

if TYPE_CHECKING:
    from assetgraph.records import Materialization, PartitionsRead

Partitions = Mapping[str | None, str | None]


class Known(Protocol):
    """What is known of the partitions of an asset."""

    def versions_at(self, key: AssetKey, position: int) -> Mapping[str | None, str]: ...
    def partition_keys(self, key: AssetKey) -> Sequence[str]: ...


def partition_reasons(
    current: Materialization, upstream: Versions, known: Known
) -> tuple[list[Reason], set[str]]:
    """The reasons for upstream assets with partitions, and the entries of `inputs` that are left to
    be compared: those of assets without partitions, and of a partition that is read alone."""
    present = by_asset(upstream)
    assets = {key: None for key, read in present.items() if None not in read}
    assets |= dict.fromkeys(recorded_assets(current.inputs, current.partitions_read))
    reasons: list[Reason] = []
    kept = {text for text in current.inputs if recorded_target(text).key not in assets}
    kept |= {key.text for key in present if key not in assets}
    for key in assets:
        now = present.get(key, {})
        before = current.partitions_read.get(key.text)
        alone = [text for text in current.inputs if recorded_target(text).key is key]
        if before is not None and len(now) > 1:
            reasons += _of_several(key, before, now, known)
        elif before is None and len(now) == 1 and alone == [Target(key, *now).text]:
            kept.add(alone[0])
        else:
            old = [recorded_target(text).partition for text in alone]
            reasons.append(_others(key, now, before or old, known))
    return reasons, kept


def _of_several(
    key: AssetKey, before: PartitionsRead, now: Partitions, known: Known
) -> list[Reason]:
    found = partitions_read(now, before.position)
    if found.keys != before.keys:
        return [_others(key, now, before, known)]
    if found.data == before.data or None in now.values():
        return []
    then = known.versions_at(key, before.position)
    changed = [str(one) for one, version in now.items() if then.get(one) != version]
    facts = {
        "upstream": key.text,
        "old": before.data,
        "new": found.data,
        "partitions": ranges_of(changed, list(map(str, now))),
        "changed": len(changed),
        "read": found.count,
    }
    return [Reason(ReasonKind.UPSTREAM_DATA, facts)]


def _others(
    key: AssetKey, now: Partitions, before: PartitionsRead | list[str | None], known: Known
) -> Reason:
    """The reason for a target that reads other partitions than its value was made from."""
    read = list(now)
    old = before if isinstance(before, list) else _keys_of(key, before, known)
    facts: dict[str, Any] = {"upstream": key.text, "now": _ends(read)}
    if old is not None and None in (*old, *read):  # it has partitions since, or none any more
        facts["before"] = _ends(old)
    elif old is None:
        assert not isinstance(before, list)
        facts["before"] = [before.count, before.first, before.last]
    else:
        facts["before"] = _ends(old)
        facts["added"] = len(set(read).difference(old))
        facts["removed"] = len(set(old).difference(read))
    return Reason(ReasonKind.OTHER_PARTITIONS, facts)


def _keys_of(key: AssetKey, before: PartitionsRead, known: Known) -> list[str | None] | None:
    """The keys that were read, if they are a range of the keys of today."""
    keys = list(known.partition_keys(key))
    if before.first not in keys or before.last not in keys:
        return None
    found = keys[keys.index(before.first) : keys.index(before.last) + 1]
    same = partitions_read(dict.fromkeys(found), 0).keys == before.keys if found else False
    return [*found] if same else None


def _ends(keys: Sequence[str | None]) -> list[Any]:
    """How many keys there are, the first and the last: None for an asset without partitions."""
    return [len(keys), keys[0], keys[-1]] if keys else [0]
