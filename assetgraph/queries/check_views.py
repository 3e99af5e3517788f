"""The checks of assets with what they last found, as records and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import msgspec

from assetgraph.errors import AssetGraphError
from assetgraph.keys import Target
from assetgraph.planning.gates import held_reason, reasons_of_check
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.queries.reason_json import reason_json
from assetgraph.queries.record_json import record_json
from assetgraph.records import AssetState, Materialization

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.definitions.check_nodes import CheckNode
    from assetgraph.definitions.computation import Computation
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.planning.reasons import AssetStates
    from assetgraph.planning.request import RunRequest
    from assetgraph.records import Evaluation, FailedAttempt

HISTORY = 20
_MOST_HELD = 20  # partitions, of which one that is held is looked for


class CheckOutcome(StrEnum):
    """What a check last found, by its most recent attempt."""

    PASSED = "passed"
    WARNED = "warned"  # it failed, and that is only a warning
    FAILED = "failed"
    ERROR = "error"  # its function raised
    NEVER = "never"


class CheckView(msgspec.Struct, frozen=True):
    """One check, what it last found, and why it must look again: no reason means that this is about
    the current value. Of a check with partitions, `failed_partitions` are those whose last
    evaluation failed, and the rest is about the newest evaluation."""

    check: CheckNode
    computation: Computation
    outcome: CheckOutcome
    reasons: tuple[Reason, ...]
    materialization: Materialization | None
    failure: FailedAttempt | None = None
    is_running: bool = False
    failed_partitions: tuple[str, ...] = ()

    @property
    def evaluation(self) -> Evaluation | None:
        return self.materialization.evaluation if self.materialization else None

    @property
    def is_current(self) -> bool:
        """Whether it has looked at the current value, with the code that it has now."""
        return not self.reasons and not self.is_running

    @property
    def needs_attention(self) -> bool:
        """Whether it is not up to date, or failed as more than a warning."""
        return not self.is_current or self.has_failed

    @property
    def has_failed(self) -> bool:
        """Whether it failed, as more than a warning, or raised."""
        return self.outcome in (CheckOutcome.FAILED, CheckOutcome.ERROR)

    @property
    def json(self) -> dict[str, Any]:
        return check_json(self)

    @property
    def looked_at(self) -> datetime | None:
        return self.materialization.timestamp if self.materialization else None


def check_views(
    facts: StoreFacts, key: AssetKey, states: Mapping[AssetKey, AssetStates]
) -> tuple[CheckView, ...]:
    """The checks of an asset, given the states of all of them."""
    return tuple(check_view(facts, check, states[check]) for check in facts.graph.checks.of(key))


def check_view(facts: StoreFacts, key: AssetKey, states: AssetStates) -> CheckView:
    node, target = facts.graph.checks[key], facts.graph.targets[key]
    if states.counts is None:
        known = facts.of(target)
        current, failure = known.current, known.failed
        failing: tuple[str, ...] = ()
    else:
        current, failure, failing = _of_partitions(facts, key)
    return CheckView(
        check=node,
        computation=facts.graph.computation(key),
        outcome=_outcome(current, failure, bool(failing)),
        reasons=reasons_of_check(states.reasons),
        materialization=current,
        failure=failure,
        is_running=states.state is AssetState.RUNNING,
        failed_partitions=failing,
    )


def _of_partitions(
    facts: StoreFacts, key: AssetKey
) -> tuple[Materialization | None, FailedAttempt | None, tuple[str, ...]]:
    """The newest evaluation of any partition, the newest attempt if it failed, and the partitions
    whose last evaluation failed."""
    newest: dict[str | None, Materialization | FailedAttempt] = {}
    for attempt in facts.store.history.readable(key):
        if facts.targets.exists(Target(key, attempt.partition)):
            newest.setdefault(attempt.partition, attempt)
    attempts = list(newest.values())
    made = [one for one in attempts if isinstance(one, Materialization)]
    failing = [str(one.partition) for one in made if one.evaluation and _is_bad(one.evaluation)]
    first = attempts[0] if attempts else None
    failure = first if first is not None and not isinstance(first, Materialization) else None
    return made[0] if made else None, failure, tuple(sorted(failing))


def held_partitions(facts: StoreFacts, reader: AssetKey) -> tuple[Reason, ...]:
    """The reason for an asset with partitions of which a blocking check holds one that is not up to
    date, looked for among the first that it may hold."""
    targets = facts.targets
    for upstream in facts.graph.parents(reader):
        for gate in facts.graph.checks.gates.get(upstream, ()):
            near = (
                down
                for one in _stopped_by(facts, upstream, gate)
                for down in targets.downstream(one)
                if down.key is reader
            )
            states = facts.target_states(dict.fromkeys(islice(near, _MOST_HELD)))
            held = held_reason(targets, facts, [one for one in states if states[one].reasons])
            if held:
                return held
    return ()


def _stopped_by(facts: StoreFacts, upstream: AssetKey, gate: AssetKey) -> Sequence[Target]:
    """The targets of an asset for which a blocking check of it has failed."""
    if facts.targets.is_partitioned(gate):
        return [Target(upstream, partition) for partition in _of_partitions(facts, gate)[2]]
    current = facts.of(facts.graph.targets[gate]).current
    found = current.evaluation if current is not None else None
    return facts.targets.targets(upstream) if found is not None and found.blocks else ()


def _is_bad(found: Evaluation) -> bool:
    return not found.passed and found.severity == "ERROR"


def _outcome(
    current: Materialization | None, failure: FailedAttempt | None, has_failing: bool
) -> CheckOutcome:
    if failure is not None:
        return CheckOutcome.ERROR
    if has_failing:
        return CheckOutcome.FAILED
    found = current.evaluation if current is not None else None
    return outcome_of(found) if found is not None else CheckOutcome.NEVER


def outcome_of(found: Evaluation) -> CheckOutcome:
    if found.passed:
        return CheckOutcome.PASSED
    return CheckOutcome.FAILED if found.severity == "ERROR" else CheckOutcome.WARNED


def failed_checks(facts: StoreFacts, keys: Iterable[AssetKey]) -> list[CheckView]:
    """The checks of these assets, or among them, that failed when they last ran."""
    own = [key for key in facts.graph.checks.along(keys) if key in facts.graph.checks]
    states = facts.states(own)
    views = [check_view(facts, key, states[key]) for key in own]
    return [one for one in views if one.has_failed]


def held_by_checks(facts: StoreFacts, request: RunRequest) -> dict[AssetKey, str]:
    """The assets of which a request for what is not up to date would make nothing, because a
    failed check holds them or something upstream, each with that check."""
    from assetgraph.planning.request import plan_run

    gates = (gate for row in facts.graph.checks.gates.values() for gate in row)
    if not any(_may_hold(facts, gate) for gate in gates):
        return {}
    try:
        steps = plan_run(request, facts).steps
    except AssetGraphError:  # `plan` says so
        return {}
    held: dict[str, str] = {}  # by step
    found: dict[AssetKey, str] = {}
    free: set[AssetKey] = set()
    for step in steps:
        own = (why.facts["check"] for why in step.reasons if why.kind is ReasonKind.HELD)
        check = next(own, None) or next((held[one] for one in step.after if one in held), None)
        keys = {output.key for output in step.outputs}
        if check is None:
            free |= keys
        else:
            held[step.id] = check
            found |= dict.fromkeys(keys, check)
    return {key: check for key, check in found.items() if key not in free}


def _may_hold(facts: StoreFacts, gate: AssetKey) -> bool:
    """Whether the last result of a blocking check is that it failed. Of one with partitions, only a
    plan says so."""
    if facts.targets.is_partitioned(gate):
        return True
    current = facts.of(facts.graph.targets[gate]).current
    return bool(current and current.evaluation and current.evaluation.blocks)


def check_history(facts: StoreFacts, key: AssetKey) -> tuple[Materialization | FailedAttempt, ...]:
    """The last attempts of a check, newest first."""
    return tuple(islice(facts.store.history.readable(key), HISTORY))


def counts_of(checks: Iterable[CheckView]) -> dict[CheckOutcome, int]:
    """How many checks have each outcome, the worst first."""
    found = dict.fromkeys(_BY_WEIGHT, 0)
    for check in checks:
        found[check.outcome] += 1
    return {outcome: count for outcome, count in found.items() if count}


_BY_WEIGHT = (
    CheckOutcome.FAILED,
    CheckOutcome.ERROR,
    CheckOutcome.WARNED,
    CheckOutcome.NEVER,
    CheckOutcome.PASSED,
)


def check_json(view: CheckView) -> dict[str, Any]:
    found, node = view.evaluation, view.check
    return {
        "key": node.key.text,
        "asset": node.checks.text,
        "name": node.check_name,
        "description": node.description,
        "metadata": dict(node.metadata),
        "blocking": node.blocking,
        "outcome": view.outcome.value,
        "is_current": view.is_current,
        "reasons": [reason_json(reason) for reason in view.reasons],
        "evaluation": None
        if found is None or view.materialization is None
        else {
            "passed": found.passed,
            "severity": found.severity,
            "description": found.description,
            "metadata": dict(view.materialization.metadata),
            "run_id": view.materialization.run_id,
            "timestamp": view.materialization.timestamp.isoformat(),
            "partition": view.materialization.partition,
        },
        "failed_partitions": list(view.failed_partitions),
        "failure": cast("Any", record_json(view.failure)) if view.failure else None,
    }
