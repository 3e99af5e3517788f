"""The frozen records that the store keeps as JSON.

A time is an aware UTC datetime; a duration is in seconds; None means unknown or not applicable.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Literal

import msgspec

from assetgraph.states import JOB_TAG
from assetgraph.states import AssetState as AssetState
from assetgraph.states import RunStatus as RunStatus
from assetgraph.states import StepState as StepState


class EventType(StrEnum):
    """The type of an event, by Dagster's name where Dagster has the event."""

    RUN_START = "RUN_START"
    RUN_SUCCESS = "RUN_SUCCESS"
    RUN_FAILURE = "RUN_FAILURE"
    RUN_CANCELED = "RUN_CANCELED"
    STEP_START = "STEP_START"
    LOADED_INPUT = "LOADED_INPUT"
    STEP_OUTPUT = "STEP_OUTPUT"
    ASSET_MATERIALIZATION = "ASSET_MATERIALIZATION"
    ASSET_CHECK_EVALUATION = "ASSET_CHECK_EVALUATION"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_FAILURE = "STEP_FAILURE"
    STEP_SKIPPED = "STEP_SKIPPED"
    STEP_UNCHANGED = "STEP_UNCHANGED"
    STEP_CANCELED = "STEP_CANCELED"
    STEP_UP_FOR_RETRY = "STEP_UP_FOR_RETRY"
    STEP_RESTARTED = "STEP_RESTARTED"
    LOG = "LOG"


# The state of a step after an event of this type.
STATE_AFTER = {
    EventType.STEP_START: StepState.RUNNING,
    EventType.STEP_RESTARTED: StepState.RUNNING,
    EventType.STEP_UP_FOR_RETRY: StepState.WAITING,
    EventType.STEP_SUCCESS: StepState.SUCCESS,
    EventType.STEP_FAILURE: StepState.FAILURE,
    EventType.STEP_SKIPPED: StepState.SKIPPED,
    EventType.STEP_UNCHANGED: StepState.UNCHANGED,
    EventType.STEP_CANCELED: StepState.CANCELED,
}


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of a run's `events.jsonl`.

    `step` is the id of a step. `target` is the text of the target that the event is about, where
    that is not the step's id: a step with one target is called after it.
    """

    type: EventType
    timestamp: datetime
    step: str | None = None
    level: str = "INFO"
    message: str | None = None
    data: dict[str, Any] = {}
    target: str | None = None


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One frame of a traceback, with the lines around it as they were when the step failed.

    `source` holds consecutive lines; the first one has the number `source_start`.
    """

    file: str
    line: int
    function: str
    source: tuple[str, ...] = ()
    source_start: int = 0


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exception as it is recorded. `frames` are those of the user's code, innermost last.

    `absent` has the paths that it, or an exception before it, says are not there.
    `causes` has a line for each exception that led to it, and for each member of a group.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    trace: str = ""
    hint: str | None = None
    absent: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


# The `format` of a value that an IO manager of the project stored.
IO_MANAGED = "custom"


class StoredValue(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where and how an asset's value is stored.

    `format` is a name from `storage/formats/format_registry.py`. `type` is the type of the returned
    value. `path` is relative to the value storage; for a returned path it is relative to the
    project's folder. `inline` is a small value itself, as text (bytes in base64). `size` is in
    bytes.

    A returned path has the `digest` of its content. Its `stamp` is taken when the content is read:
    the modification time of a file in nanoseconds, or for a folder a digest of all names, sizes and
    times in it.

    A file of the value storage has the `checksum` of its bytes: their hash where the data version
    needs that too, and else a CRC-32 of 8 digits. Its `stamp` is the one that it has since it was
    written: see `storage/value_places.py`. The `checksum` of a value in its record is the first 8
    digits of its hash. Records of the first version have no checksum.

    A pickle that names classes of the project lists them in `classes`, as `module:qualname`. It
    then has the `digest` of its content, and `class_digest` is a digest of the classes' versions;
    those that a person accepted since are in `earlier_class_digests`.
    """

    format: str
    type: str = ""
    path: str | None = None
    inline: str | None = None
    size: int | None = None
    stamp: int | None = None
    digest: str | None = None
    checksum: str | None = None
    classes: tuple[str, ...] = ()
    class_digest: str | None = msgspec.field(default=None, name="meaning")
    earlier_class_digests: tuple[str, ...] = ()

    def has_class_digest(self, digest: str | None) -> bool:
        """Whether the value counts as one of classes with this digest."""
        return digest == self.class_digest or digest in self.earlier_class_digests

    @property
    def by_io_manager(self) -> bool:
        """Whether the asset's IO manager stored the value, so that nothing else can load it."""
        return self.format == IO_MANAGED


class ReadKind(StrEnum):
    """What a step read while it ran. From `WRITTEN` on, it cannot be compared later.

    `EXISTENCE` and `STATUS` are of a path that it did not open: whether it is there, or its size
    and time. `FILES` are those of a folder of which it opened very many. `WRITTEN` is a file that
    it also wrote, and `ENVIRONMENT` a copy of all variables.
    """

    FILE = "file"
    EXISTENCE = "existence"
    STATUS = "status"
    FOLDER = "folder"
    FILES = "files"
    PATTERN = "pattern"
    VARIABLE = "variable"
    ASSET = "asset"
    WRITTEN = "written"
    ENVIRONMENT = "environment"
    PROGRAM = "program"
    HOST = "host"
    DATABASE = "database"


class ObservedRead(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that a step read while it ran, without declaring it.

    `name` is a path, relative to the project's folder if it is inside; or a pattern, the name of an
    environment variable, the text of a target, a program, a host, a database. `digest` is that of a
    file's content, of the names that a folder or a pattern had, a salted one of a variable's value,
    or the data version of an asset; "" if nothing was there, or if a `note` says why nothing can be
    compared. `stamp` is (size, mtime, ctime, inode), which are compared first.
    """

    kind: ReadKind
    name: str
    digest: str = ""
    stamp: tuple[int, ...] | None = None
    note: str = ""


# How a stored value compares with its record: see `ValueStore.check`.
ValueCondition = Literal["intact", "changed", "gone", "damaged", "unreadable"]


class PartitionsRead(msgspec.Struct, frozen=True, omit_defaults=True):
    """Several partitions of one asset that a step read, in as many bytes as one.

    `keys` is a digest of their keys, and `data` of their keys with the data versions, in order.
    `first` and `last` are the keys at the ends. `position` says how many bytes of the asset's
    history were known then: what is behind them is newer.
    """

    count: int
    keys: str
    data: str
    position: int
    first: str
    last: str


class Evaluation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a check found. `blocking` says whether the check was blocking then."""

    passed: bool
    severity: Literal["WARN", "ERROR"] = "ERROR"
    description: str | None = None
    blocking: bool = False

    @property
    def blocks(self) -> bool:
        """Whether it keeps what reads the asset from running."""
        return self.blocking and not self.passed and self.severity == "ERROR"


class Materialization(
    msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="materialization"
):
    """One successful computation of a value; its line in `assets/<key>.jsonl` commits it.

    `inputs` maps the text of each upstream target to the data version that was read. A record with
    `accepted_at` repeats the one before it, with the code version that a person accepted; those
    before count too, as `earlier_code`. Data that something else made has an `origin`. `observed`
    is the digest of what the step read without declaring it, if anything. `partitions_read` has the
    upstream assets of which it read several partitions, by text, `resources` what counts of those
    that it took, `tags` those that its function gave, and `evaluation` what a check found.
    """

    run_id: str
    timestamp: datetime
    value: StoredValue
    data_version: str
    code_version: str | None = None
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    duration_s: float | None = None
    partition: str | None = None
    accepted_at: datetime | None = None
    earlier_code: tuple[str, ...] = ()
    origin: Literal["", "observed", "reported"] = ""
    observed: str | None = None
    partitions_read: dict[str, PartitionsRead] = {}
    evaluation: Evaluation | None = None
    resources: dict[str, dict[str, Any]] = {}
    tags: dict[str, str] = {}

    def is_of_code(self, version: str | None) -> bool:
        """Whether the value counts as made by code of this version."""
        return version == self.code_version or version in self.earlier_code


class FailedAttempt(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="failure"):
    """A failed step, recorded in the asset's history with the circumstances in which it failed.

    `absent` has the files that were not there, as paths relative to the project's folder if they
    are inside. `file_version` is the data version of the file that the asset returned before, or ""
    if that file was gone; None if its value is no file. `observed`, `partitions_read` and
    `resources` are as in a materialization.
    """

    run_id: str
    timestamp: datetime
    error: str
    code_version: str | None = None
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    duration_s: float | None = None
    partition: str | None = None
    absent: tuple[str, ...] = ()
    file_version: str | None = None
    observed: str | None = None
    partitions_read: dict[str, PartitionsRead] = {}
    resources: dict[str, dict[str, Any]] = {}


class PartitionsWiped(msgspec.Struct, frozen=True, tag="wiped"):
    """A line of a history after which what it says of `partitions` before does not count.

    Nothing in a history moves, so that a position in it keeps its meaning.
    """

    timestamp: datetime
    partitions: tuple[str, ...]


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run's summary, `run.json`.

    `selection` is what was asked for, and `assets` the keys of what was planned. `steps` has the
    ids of the planned steps, where they are not just those keys, and `outputs` the targets of each
    step that is not called after its only target. `config` and `failed_steps` go by the ids of
    steps. `failure` says in a line what failed first, and why. `project` is the project's folder,
    and `store` the store's, as they were then.
    """

    run_id: str
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    root_run_id: str | None = None
    parent_run_id: str | None = None
    selection: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    outputs: dict[str, tuple[str, ...]] = {}
    tags: dict[str, str] = {}
    config: dict[str, dict[str, Any]] = {}
    step_counts: dict[str, int] = {}
    failed_steps: tuple[str, ...] = ()
    failure: str = ""
    warnings: tuple[str, ...] = ()
    project: str = ""
    store: str = ""
    launched_by: str = ""
    pid: int | None = None
    host: str = ""
    python_version: str = ""
    assetgraph_version: str = ""

    @property
    def step_ids(self) -> tuple[str, ...]:
        return self.steps or self.assets

    @property
    def job_name(self) -> str:  # or ""
        return self.tags.get(JOB_TAG, "")

    def targets_of(self, step_id: str) -> tuple[str, ...]:
        return self.outputs.get(step_id, (step_id,))

    def steps_of(self, targets: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The steps that materialize any of `targets`, if they are in the run, each with which."""
        steps: dict[str, tuple[str, ...]] = {t: (t,) for t in targets if t not in self.outputs}
        for step_id, outputs in self.outputs.items():
            made = tuple([target for target in outputs if target in targets])
            if made:
                steps[step_id] = made
        return steps

    @property
    def duration_s(self) -> float | None:
        if self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one step of a run, read from the run's events.

    `step_id` is the text of the step's target, as in `trips` or `trips@2023-03`. A step with
    several targets has an id of its own, and their texts in `outputs`.
    """

    step_id: str
    state: StepState
    attempt: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: ErrorInfo | None = None
    reason: str | None = None
    outputs: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        return self.outputs or (self.step_id,)

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


now = partial(datetime.now, UTC)  # each step takes several times: a Python function costs more


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_lock = threading.Lock()


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The JSON decoder for `kind`, created once.

    msgspec prepares a class when the first decoder for it is created. A thread that uses the class
    at that moment crashes the process.
    """
    if (found := _decoders.get(kind)) is None:
        with _lock:
            found = _decoders[kind] = _decoders.get(kind) or msgspec.json.Decoder(kind)
    return found
