"""What a person should know of the values that a plan uses as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.keys import Target
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.planning.reasons import Facts
    from assetgraph.planning.target_graph import TargetGraph

Reasons = Mapping[Target, tuple["Reason", ...]]
_MOST_NAMES = 3


def stale_inputs(
    graph: TargetGraph, facts: Facts, used: Iterable[Target], reasons: Reasons
) -> Iterator[str]:
    """Warnings about upstreams that are used as they are although they are not up to date."""
    alike: dict[tuple[str, str, str], list[Target]] = {}
    for target in graph.in_order(used):
        why = " and ".join(reason.of_many for reason in reasons[target])
        if why:
            check = _held_by(graph, facts, target, reasons)
            alike.setdefault((target.key.text, why, check), []).append(target)
    for (_, _, check), targets in alike.items():
        names = graph.range_texts(targets)
        first = reasons[targets[0]]
        why = " and ".join(reason.of_many if len(targets) > 1 else reason.text for reason in first)
        it = "it" if len(targets) == 1 else "them"
        update = f"To bring {it} up to date first: {command('materialize', '--stale', *names)}"
        if check:
            update = (
                f"The check {check} failed, and holds {it}: correct the data or the check. "
                f"{update} --ignore-checks"
            )
        yield f"{listed(names)} {_are_used(targets)}, though {why}. {update}"


def _held_by(graph: TargetGraph, facts: Facts, target: Target, reasons: Reasons) -> str:
    """The failed check that holds a target which is not up to date, or something upstream of it,
    and will not look again unless something is changed; "" without one."""
    if not graph.graph.checks.gates:
        return ""
    from assetgraph.planning.gates import held_reason

    stale = [one for one in walk([target], graph.upstream_or_none) if reasons.get(one)]
    held = (held_reason(graph, facts, [one], stale) for one in stale)
    return next((str(why[0].facts["check"]) for why in held if why), "")


def bypassed(
    graph: TargetGraph, running: Iterable[Target], used: Iterable[Target]
) -> Iterator[str]:
    """Warnings about targets that a step reads and that do not run, although one of their upstreams
    does."""
    runs = set(running)
    below = walk({target.key for target in runs}, graph.graph.children)
    alike: dict[tuple[str, ...], list[Target]] = {}
    for target in graph.in_order(one for one in used if one.key in below):
        above = walk([target], graph.upstream_or_none).keys() & runs
        if above:
            which = graph.range_texts(graph.in_order(above))
            alike.setdefault((target.key.text, *which), []).append(target)
    for (_, *above_names), targets in alike.items():
        readers = {
            child.text
            for target in targets
            for child in graph.graph.children(target.key)
            if any(one.key is child for one in runs)
        }
        names = graph.range_texts(targets)
        few = len(above_names) <= _MOST_NAMES
        upstream = listed(above_names) if few else str(len(above_names))
        rerun = command("materialize", "--stale", *sorted(readers))
        yield (
            f"{listed(names)} {_are_used(targets)}, though its upstream {upstream} "
            f"will run. Select it too, or run this afterwards: {rerun}"
        )


def _are_used(targets: Sequence[Target]) -> str:
    return "is used as it is" if len(targets) == 1 else "are used as they are"
