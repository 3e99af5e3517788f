"""What schedules and sensors ask for: runs, or that there is none this time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import GeneratorType
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.run_config import (
    OF_RESOURCE,
    RunConfig,
    of_resources,
    run_config_texts,
)
from assetgraph.errors import InvariantError


@dataclass(frozen=True)
class RunRequest:
    """A run that a schedule or a sensor asks for. `run_key` names it: of one key, a sensor asks for
    one run only."""

    run_key: str | None = None
    run_config: Any = None
    tags: Mapping[str, str] = field(default_factory=dict)
    job_name: str | None = None
    asset_selection: Sequence[Any] | None = None
    partition_key: str | None = None

    def __post_init__(self) -> None:
        given = self.run_config
        if isinstance(given, RunConfig):
            texts = run_config_texts(given)
            given = dict(texts)
            resources = of_resources(given)
            wrapped = {key: {"config": f} for key, f in given.items() if key not in resources}
            given = {"ops": wrapped}
            if resources:
                names = {key.removeprefix(OF_RESOURCE): key for key in resources}
                given["resources"] = {n: {"config": resources[k]} for n, k in names.items()}
        object.__setattr__(self, "run_config", {} if given is None else given)
        object.__setattr__(self, "tags", dict(self.tags or {}))


@dataclass(frozen=True)
class SkipReason:
    """Why a schedule or a sensor asks for no run."""

    skip_message: str | None = None


@dataclass(frozen=True)
class SensorResult:
    """What a sensor found: runs to ask for, or a reason to skip; its next cursor; and partitions to
    add or delete.

    Raises `InvariantError` for runs together with a reason to skip, and for anything else than
    these.
    """

    run_requests: Sequence[RunRequest] | None = None
    skip_reason: SkipReason | str | None = None
    cursor: str | None = None
    dynamic_partitions_requests: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        if self.run_requests and self.skip_reason:
            raise InvariantError(
                "a SensorResult has run_requests and a skip_reason.", hint="Give one of them."
            )
        requests = self.run_requests or []
        if not isinstance(requests, list | tuple):
            raise _wrong("run_requests", requests, "[RunRequest(…)]")
        for one in requests:
            if not isinstance(one, RunRequest):
                raise _wrong("run_requests", one, "RunRequest(…)")
        if not isinstance(self.cursor, str | None):
            raise _wrong("cursor", self.cursor, "text, as with str(…) or json.dumps(…)")
        if not isinstance(self.skip_reason, SkipReason | str | None):
            raise _wrong("skip_reason", self.skip_reason, "SkipReason(…)")
        if isinstance(self.skip_reason, str):
            object.__setattr__(self, "skip_reason", SkipReason(self.skip_reason))


def _wrong(name: str, given: object, wanted: str) -> InvariantError:
    return InvariantError(
        f"{name} of a SensorResult has {described(given)}.", hint=f"Write {wanted}."
    )


@dataclass(frozen=True)
class TickResult:
    """What one evaluation of a schedule or a sensor comes to."""

    run_requests: list[RunRequest]
    skip_message: str | None = None
    cursor: str | None = None
    dynamic_partitions_requests: list[Any] = field(default_factory=list)


def items_of(kind: str, returned: object) -> list[Any]:
    """The requests and reasons in what a function returned or yields. Raises `InvariantError` for
    anything else."""
    known = (RunRequest, SkipReason, SensorResult)
    if returned is None:
        return []
    if isinstance(returned, known):
        return [returned]
    if isinstance(returned, list | tuple | GeneratorType | Iterator):
        items = [item for item in returned if item is not None]
        wrong = next((item for item in items if not isinstance(item, known)), None)
        if wrong is None:
            return items
        returned = wrong
    raise InvariantError(
        f"a {kind} returned {described(returned)}.", hint="Return a RunRequest or a SkipReason."
    )


def result_of(kind: str, items: Sequence[Any], tags: Mapping[str, str], name: str) -> TickResult:
    """The result of a tick from what a function asked for; each run gets the `tags` that it has not
    itself, and the `name` of what asked for it.

    Raises `InvariantError` for things that cannot be asked for together.
    """
    found = [item for item in items if isinstance(item, SensorResult)]
    if found and len(items) > 1:
        raise InvariantError(f"a {kind} gave a SensorResult and more.", hint="Give it alone.")
    own = {f"dagster/{kind}_name": name}
    empty = f"{kind.capitalize()} function returned an empty result"
    if found:
        reason = found[0].skip_reason
        requests = _tagged(found[0].run_requests or (), tags, own)
        message = reason.skip_message if isinstance(reason, SkipReason) else None
        dynamic = list(found[0].dynamic_partitions_requests or ())
        message = message or (None if requests else empty)
        return TickResult(requests, message, found[0].cursor, dynamic)
    requests = [item for item in items if isinstance(item, RunRequest)]
    skips = [item for item in items if isinstance(item, SkipReason)]
    if requests and skips:
        raise InvariantError(
            f"a {kind} asked for a run and gave a SkipReason.", hint="Give one of them."
        )
    if len(skips) > 1:
        raise InvariantError(f"a {kind} gave several SkipReasons.", hint="Give one.")
    if skips:
        return TickResult([], skips[0].skip_message)
    if not requests:
        return TickResult([], empty)
    return TickResult(_tagged(requests, tags, own))


def _tagged(
    requests: Iterable[RunRequest], tags: Mapping[str, str], own: Mapping[str, str]
) -> list[RunRequest]:
    return [replace(one, tags={**tags, **one.tags, **own}) for one in requests]
