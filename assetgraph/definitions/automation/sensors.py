"""Sensors: functions that look whether a job should run. Nothing runs them: a test asks for a
tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.automation.calls import call, call_directly, require_function
from assetgraph.definitions.automation.contexts import SensorEvaluationContext
from assetgraph.definitions.automation.job import JobDefinition, job_of
from assetgraph.definitions.automation.naming import calling_place, checked_name
from assetgraph.definitions.automation.requests import (
    RunRequest,
    SensorResult,
    TickResult,
    items_of,
    result_of,
)
from assetgraph.definitions.registry import Declaration
from assetgraph.errors import InvalidDefinitionError, InvariantError

_INTERVAL_S = 30


class DefaultSensorStatus(Enum):
    """Whether a sensor is on as long as nobody switched it. Nothing runs sensors, so this only says
    what is meant."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class SensorDefinition(Declaration):
    """A function that is asked every `minimum_interval_seconds` which of `jobs` should run.
    `@sensor` makes one."""

    name: str
    function: Callable[..., Any]
    jobs: tuple[JobDefinition, ...] = ()
    minimum_interval_seconds: int = _INTERVAL_S
    description: str | None = None
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED
    tags: Mapping[str, str] = field(default_factory=dict)
    place: tuple[str, int] = field(default_factory=calling_place, compare=False, repr=False)

    kind = "sensor"

    def __post_init__(self) -> None:
        checked_name("sensor", self.name)
        object.__setattr__(self, "tags", dict(self.tags or {}))
        interval = self.minimum_interval_seconds
        if isinstance(interval, bool) or not isinstance(interval, int) or interval < 0:
            raise InvalidDefinitionError(
                f"{self.name}: minimum_interval_seconds is {interval!r}.",
                hint="Write a whole number of seconds.",
            )
        if not isinstance(self.default_status, DefaultSensorStatus):
            raise InvalidDefinitionError(
                f"{self.name}: default_status is {self.default_status!r}.",
                hint="Write DefaultSensorStatus.RUNNING or .STOPPED.",
            )

    def __hash__(self) -> int:
        return hash(self.name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function that was decorated, with a context."""
        return call_directly(self.function, args, named)

    @property
    def job(self) -> JobDefinition:
        """Its only job. Raises `InvariantError` if there is none, or if there are several."""
        if len(self.jobs) != 1:
            raise InvariantError(f"the sensor {self.name!r} has {len(self.jobs)} jobs.")
        return self.jobs[0]

    @property
    def job_name(self) -> str | None:
        return self.jobs[0].name if len(self.jobs) == 1 else None

    def of(self, definitions: Any) -> SensorDefinition:
        """This sensor, whose jobs can run assets of `definitions`."""
        return replace(self, jobs=tuple(job.of(definitions) for job in self.jobs))

    def evaluate_tick(self, context: SensorEvaluationContext) -> TickResult:
        """The runs that the sensor asks for, as `run_requests`, or why there is none, as
        `skip_message`; its next `cursor`; and `dynamic_partitions_requests`. Nothing is run.

        Raises what its function raises, and `InvariantError` for what it may not return.
        """
        items = items_of("sensor", self.returned(context))
        found = result_of("sensor", items, self.tags, self.name)
        for request in found.run_requests:
            self._require_job(request)
        if found.cursor is not None and context.has_new_cursor:
            raise InvariantError(
                f"the sensor {self.name!r} sets its cursor twice.",
                hint="Return SensorResult(cursor=…), or call context.update_cursor(…).",
            )
        return found if found.cursor is not None else replace(found, cursor=context.cursor)

    def returned(self, context: SensorEvaluationContext) -> Any:
        """What the function returns for a tick."""
        return call(self.function, context)

    def _require_job(self, request: RunRequest) -> None:
        names = [job.name for job in self.jobs]
        if request.job_name is None:
            if len(names) < 2:
                return
            what = "asks for a run and does not say of which job"
        elif request.job_name in names or not names:
            return
        else:
            what = f"asks for a run of {request.job_name!r}, which is not among its jobs"
        raise InvariantError(
            f"the sensor {self.name!r} {what}.",
            hint=f"Write RunRequest(job_name={names[0]!r}).",
        )


@dataclass(frozen=True)
class AssetSensorDefinition(SensorDefinition):
    """A sensor that is asked when an asset was materialized since it last was."""

    asset_key: Any = None

    __hash__ = SensorDefinition.__hash__

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function with a context alone, which looks for the materialization, or with
        all that it takes."""
        if len(args) == 1 and isinstance(args[0], SensorEvaluationContext) and not named:
            return self.returned(args[0])
        return self.function(*args, **named)

    def returned(self, context: SensorEvaluationContext) -> Any:
        """What the function returns for the newest materialization, if it is new."""
        event = context.instance.get_latest_materialization_event(self.asset_key)
        own = None if event is None else f"{event.run_id} {event.timestamp}"
        if own is None or own == context.cursor:
            return SensorResult(
                skip_reason="No new materialization events found for asset key "
                f"{self.asset_key.text}",
                cursor=context.cursor,
            )
        before = context.cursor
        items = items_of("sensor", call(self.function, context, [event]))
        results = [item for item in items if isinstance(item, SensorResult)]
        if context.cursor != before or any(one.cursor is not None for one in results):
            raise InvariantError(
                f"the sensor {self.name!r} sets its cursor.",
                hint="Leave it: it says which materialization was the last.",
            )
        found = result_of("sensor", items, {}, self.name)
        return SensorResult(
            found.run_requests, found.skip_message, own, found.dynamic_partitions_requests
        )


@dataclass(frozen=True)
class RunStatusSensorDefinition(SensorDefinition):
    """A sensor that is asked when a run reached a status."""

    run_status: Any = None
    monitored_jobs: tuple[JobDefinition, ...] = ()

    __hash__ = SensorDefinition.__hash__


def sensor(
    job: JobDefinition | None = None,
    *,
    jobs: Sequence[JobDefinition] | None = None,
    target: Any = None,
    name: str | None = None,
    minimum_interval_seconds: int = _INTERVAL_S,
    description: str | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    tags: Mapping[str, str] | None = None,
) -> Any:
    """Declare a sensor by a function that says which runs are due.

        @sensor(job=request_job)
        def new_requests(context):
            found = sorted(Path("data/requests").glob("*.json"))
            return SensorResult([RunRequest(run_key=file.name) for file in found])

    It returns or yields `RunRequest`s, or it returns a `SkipReason` or a `SensorResult`. `target`
    may be a selection of assets in place of `job`.
    """
    if callable(job) and not isinstance(job, JobDefinition):
        return sensor()(job)
    return _decorator(
        SensorDefinition,
        "sensor",
        {},
        job=job,
        jobs=jobs,
        target=target,
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        description=description,
        default_status=default_status,
        tags=tags,
    )


def asset_sensor(
    asset_key: Any,
    *,
    job: JobDefinition | None = None,
    jobs: Sequence[JobDefinition] | None = None,
    target: Any = None,
    name: str | None = None,
    minimum_interval_seconds: int = _INTERVAL_S,
    description: str | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    tags: Mapping[str, str] | None = None,
) -> Any:
    """Declare a sensor that gets the newest materialization of an asset, once.

        @asset_sensor(asset_key=AssetKey("orders"), job=report_job)
        def new_orders(context, asset_event):
            return RunRequest(run_key=context.cursor)

    The other arguments are those of `sensor`. Its cursor says which materialization was the last.
    """
    from assetgraph.definitions.asset import unchecked_key

    return _decorator(
        AssetSensorDefinition,
        "asset_sensor",
        {"asset_key": unchecked_key(asset_key)},
        job=job,
        jobs=jobs,
        target=target,
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        description=description,
        default_status=default_status,
        tags=tags,
    )


def run_status_sensor(
    run_status: Any,
    *,
    name: str | None = None,
    monitored_jobs: Sequence[JobDefinition] | None = None,
    request_job: JobDefinition | None = None,
    request_jobs: Sequence[JobDefinition] | None = None,
    minimum_interval_seconds: int = _INTERVAL_S,
    description: str | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
) -> Any:
    """Declare a sensor that is told of each run that reached a status, of `monitored_jobs` if they
    are given. Its context has `dagster_run` and `dagster_event`."""
    return _decorator(
        RunStatusSensorDefinition,
        "run_status_sensor",
        {"run_status": run_status, "monitored_jobs": tuple(monitored_jobs or ())},
        job=request_job,
        jobs=request_jobs,
        target=None,
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        description=description,
        default_status=default_status,
        tags=None,
    )


def run_failure_sensor(
    name: Any = None,
    *,
    monitored_jobs: Sequence[JobDefinition] | None = None,
    request_job: JobDefinition | None = None,
    request_jobs: Sequence[JobDefinition] | None = None,
    minimum_interval_seconds: int = _INTERVAL_S,
    description: str | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
) -> Any:
    """Declare a sensor that is told of each run that failed. Its context also has
    `failure_event` and `get_step_failure_events()`."""
    from assetgraph.states import RunStatus

    if callable(name):
        return run_failure_sensor()(name)
    return run_status_sensor(
        RunStatus.FAILURE,
        name=name,
        monitored_jobs=monitored_jobs,
        request_job=request_job,
        request_jobs=request_jobs,
        minimum_interval_seconds=minimum_interval_seconds,
        description=description,
        default_status=default_status,
    )


def _decorator(
    kind: type[SensorDefinition],
    decorator: str,
    more: Mapping[str, Any],
    **options: Any,
) -> Callable[[Callable[..., Any]], SensorDefinition]:
    def decorated(function: Callable[..., Any]) -> SensorDefinition:
        require_function(decorator, function)
        given = dict(options)
        name = given.pop("name") or function.__name__
        job, jobs, target = given.pop("job"), given.pop("jobs"), given.pop("target")
        return kind(
            name=name,
            function=function,
            jobs=_jobs(name, job, jobs, target),
            **{**given, "description": given["description"] or function.__doc__},
            **more,
        )

    return decorated


def _jobs(name: str, job: Any, jobs: Any, target: Any) -> tuple[JobDefinition, ...]:
    if jobs is None:
        one = job_of(name, job, target)
        return () if one is None else (one,)
    if job is not None or target is not None:
        raise InvalidDefinitionError(
            f"{name!r} has jobs= beside job= or target=.", hint="Give one."
        )
    wrong = next((one for one in jobs if not isinstance(one, JobDefinition)), None)
    if wrong is not None:
        raise InvalidDefinitionError(f"{name!r}: {described(wrong)} is not a job.")
    return tuple(jobs)
