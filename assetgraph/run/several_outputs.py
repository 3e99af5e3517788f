"""What the function of a step with several outputs returned, as one value for each: for several
assets, for several partitions of one, or for both."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.metadata import MaterializeResult
from assetgraph.errors import ValueTypeError
from assetgraph.keys import Target
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.run.step_task import StepTask

Targets = Sequence[Target]
_NAMED = 3  # partitions in a message


def values_of_each(task: StepTask, returned: Any) -> Iterable[tuple[Target, Any]]:
    """Each output with its value. Raises `ValueTypeError` if one lacks a value."""
    of_assets: dict[object, list[Target]] = {}
    for target in task.outputs:
        of_assets.setdefault(target.key, []).append(target)
    count = len(of_assets)
    if count == 1:
        return _by_partition(task.outputs, returned)
    if not isinstance(returned, tuple) or len(returned) != count:
        raise ValueTypeError(
            f"{task.computation.name!r} returned {described(returned)}: it must return a tuple of "
            f"{count} values, one for each of its assets."
        )
    if len(task.outputs) == count and not task.computation.makes_several_partitions:
        return zip(task.outputs, returned, strict=True)
    pairs = zip(of_assets.values(), returned, strict=True)
    return (output for targets, of_asset in pairs for output in _by_partition(targets, of_asset))


def _by_partition(targets: Targets, returned: Any) -> Iterator[tuple[Target, Any]]:
    """Several partitions of one asset, each with its value: None or one `MaterializeResult` for
    all, or a mapping by partition, or an iterator of pairs of a partition and its value."""
    if returned is None or (isinstance(returned, MaterializeResult) and returned.value is None):
        for target in targets:
            yield target, returned
    elif isinstance(returned, Mapping):
        _check_known(targets, returned, {target.partition for target in targets})
        _check_complete(targets, returned)
        for target in targets:
            yield target, returned[target.partition]
    elif isinstance(returned, Iterator):
        yield from _yielded(targets, returned)
    else:
        raise _refused(targets, f"returned {described(returned)}")


def _yielded(targets: Targets, pairs: Iterator[Any]) -> Iterator[tuple[Target, Any]]:
    """The partitions in the order in which the function yields them."""
    by_partition = {target.partition: target for target in targets}
    seen: set[object] = set()
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise _refused(targets, f"yielded {described(pair)}")
        partition, value = pair
        _check_known(targets, [partition], by_partition)
        if partition in seen:
            raise _refused(targets, f"yielded the partition {partition!r} twice")
        seen.add(partition)
        yield by_partition[partition], value
    _check_complete(targets, seen)


def _check_known(targets: Targets, given: Iterable[Any], known: Container[Any]) -> None:
    for partition in given:
        if not isinstance(partition, str) or partition not in known:
            keys = [target.partition for target in targets if target.partition is not None]
            meant = did_you_mean(str(partition), keys)
            what = f"gave a value for {partition!r}, which is not one of its partitions"
            raise _refused(targets, what, meant)


def _check_complete(targets: Targets, given: Container[Any]) -> None:
    missing = [repr(one.partition) for one in targets if one.partition not in given]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise _refused(targets, f"gave no value for {', '.join(missing[:_NAMED])}{more}")


def _refused(targets: Targets, what: str, meant: str | None = None) -> ValueTypeError:
    first, last = targets[0].partition, targets[-1].partition
    count = "1 partition" if len(targets) == 1 else f"{len(targets)} partitions"
    keys = first if len(targets) == 1 else f"{first}..{last}"
    hint = (
        "Return None or one MaterializeResult for all of them, return a dict with a value for each "
        "of context.partition_keys, or yield a pair of key and value for each."
    )
    return ValueTypeError(
        f"asset {targets[0].key.text!r} {what}. The step makes {count}: {keys}.",
        hint=f"{meant} {hint}" if meant else hint,
    )
