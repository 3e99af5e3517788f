"""What the function of a step with several outputs returned, as one value for each: for several
assets, for several partitions of one, or for both."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.metadata import RESULTS, MaterializeResult, Output
from assetgraph.errors import ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.run.step_task import StepTask

Targets = Sequence[Target]
_NAMED = 3  # partitions in a message


def values_of_each(task: StepTask, returned: Any) -> tuple[Iterable[tuple[Target, Any]], bool]:
    """Each output with its value, and whether they come one by one, as the function yields them.

    Raises `ValueTypeError` if one lacks a value, or is not an output.
    """
    of_assets: dict[AssetKey, list[Target]] = {}
    for target in task.outputs:
        of_assets.setdefault(target.key, []).append(target)
    if len(of_assets) == 1 and not task.computation.is_multi:
        return _by_partition(task.outputs, returned), isinstance(returned, Iterator)
    from assetgraph.run.named_outputs import NamedOutputs, iterated

    returned, named = iterated(returned), NamedOutputs(task)
    yields = isinstance(returned, Iterator)
    pairs = named.yielded(returned) if yields else named.returned(returned)
    if len(task.outputs) == len(of_assets) and not task.computation.makes_several_partitions:
        return ((of_assets[key][0], one) for key, one in pairs), yields
    return (
        output for key, one in pairs for output in _by_partition(of_assets[key], _plain(one))
    ), yields


def _plain(one: Any) -> Any:
    """What is given for several partitions of an asset. A result with a value, and nothing else to
    say, is that value."""
    if isinstance(one, RESULTS) and one.value is not None and not one.metadata:
        return one.value if one.data_version is None else one
    return one if not isinstance(one, Output) or one.value is not None else None


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
