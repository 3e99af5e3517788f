"""What crosses an executor: the task of one step, its result, and the channel it reports to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from assetgraph.definitions.asset import Asset
from assetgraph.records import ErrorInfo, Event, Materialization, StepState, StoredValue


class Limits(msgspec.Struct, frozen=True):
    """How much of what one step says is kept: printed bytes a stream, and log events."""

    output_bytes: int = 16_000_000
    log_events: int = 10_000


class Input(msgspec.Struct, frozen=True):
    """An upstream of a step: `parameter` is None for one that is not loaded. `maker` is the asset
    where its own IO manager stored the value in the run `run_id`."""

    key: str
    parameter: str | None
    data_version: str
    stored: StoredValue
    maker: Asset | None = None
    run_id: str = ""


class StepTask(msgspec.Struct, frozen=True):
    """All that a worker needs. `known_run_id` is the run that made the current value when the
    step was planned; `handed` holds input values that need no loading."""

    asset: Asset
    run_id: str
    attempt: int
    inputs: tuple[Input, ...]
    config: Mapping[str, Any]
    code_version: str | None
    known_run_id: str | None
    wait: bool = True
    limits: Limits = Limits()
    handed: Mapping[str, Any] = {}

    @property
    def timeout_s(self) -> float | None:
        return self.asset.timeout


@dataclass(slots=True)
class StepResult:
    """What became of a step. `value` and `exception` are only there in the process that ran it;
    `retry_in_s` is given where it failed and is to run again."""

    state: StepState
    events: list[Event]
    materialization: Materialization | None = None
    error: ErrorInfo | None = None
    retry_in_s: float | None = None
    value: Any = None
    exception: BaseException | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        kept = (self.state, self.events, self.materialization, self.error, self.retry_in_s)
        return _received, (kept, _pickled(self.exception))


class Channel(Protocol):
    """Where one step reports to while it runs: the runner, in this process or another."""

    def started(self) -> None:
        """The step has its asset's lock, and its worker begins: its time runs."""

    def events(self, events: Sequence[Event]) -> None: ...

    def output(self, stream: str, text: str) -> None: ...

    def progress(self, done: float, total: float | None, unit: str) -> None: ...

    def canceled(self) -> bool:
        """Whether the run is ending: a step that waits for a lock gives up."""

    def wanted(self) -> bool:
        """Asked before the step saves what it made: False where nobody waits for it any more."""

    def may_commit(self) -> bool:
        """Asked once, before the step records anything: False for a step that was given up."""


def _received(kept: tuple[Any, ...], exception: bytes | None) -> StepResult:
    """The result in another process: without the exception where that cannot be made again, since
    its class is not here or asks for more than it kept."""
    import pickle

    result = StepResult(*kept)
    try:
        found = pickle.loads(exception) if exception is not None else None
        result.exception = found if isinstance(found, BaseException) else None
    except Exception:
        pass  # `error` says what it was
    return result


def _pickled(error: BaseException | None) -> bytes | None:
    if error is None:
        return None
    import pickle

    try:
        return pickle.dumps(error)
    except Exception:
        return None
