"""Schedules: the moments at which a job is due. Nothing runs them: a test asks for a tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from assetgraph.definitions.automation.calls import call, call_directly, require_function
from assetgraph.definitions.automation.contexts import ScheduleEvaluationContext
from assetgraph.definitions.automation.cron import checked_cron
from assetgraph.definitions.automation.job import JobDefinition, job_of
from assetgraph.definitions.automation.naming import calling_place, checked_name
from assetgraph.definitions.automation.requests import (
    RunRequest,
    TickResult,
    items_of,
    result_of,
)
from assetgraph.definitions.registry import Declaration
from assetgraph.errors import InvalidDefinitionError, InvariantError


class DefaultScheduleStatus(Enum):
    """Whether a schedule is on as long as nobody switched it. Nothing runs schedules, so this only
    says what is meant."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class ScheduleDefinition(Declaration):
    """When a job is due: `cron_schedule` is a line of cron, or several, in `execution_timezone`,
    which is UTC unless given.

        ScheduleDefinition(job=trips_job, cron_schedule="0 5 * * *")

    `target` may be a selection of assets in place of `job`; the schedule then needs a `name`.
    `run_config` and `tags` are those of its runs. The name is `<job>_schedule` unless given.

    Raises `InvalidDefinitionError`, also for a line of cron or a time zone that is wrong.
    """

    name: str = ""
    cron_schedule: str | Sequence[str] = ""
    job: JobDefinition | None = None
    target: Any = field(default=None, compare=False, repr=False)
    run_config: Any = None
    tags: Mapping[str, str] = field(default_factory=dict)
    execution_timezone: str | None = None
    description: str | None = None
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED
    function: Callable[..., Any] | None = None
    place: tuple[str, int] = field(default_factory=calling_place, compare=False, repr=False)

    kind = "schedule"

    def __post_init__(self) -> None:
        owner = self.name or getattr(self.job, "name", "") or "a schedule"
        if not self.name and self.job is None:
            has = "neither a name nor a job" if self.target is None else "a target, but no name"
            what = "job=…" if self.target is None else "name=…"
            raise InvalidDefinitionError(f"a schedule has {has}.", hint=f"Give it {what}.")
        job = job_of(owner, self.job, self.target)
        name = self.name or f"{job.name if job else ''}_schedule"
        object.__setattr__(self, "name", checked_name("schedule", name))
        object.__setattr__(self, "job", job)
        object.__setattr__(self, "tags", dict(self.tags or {}))
        if not isinstance(self.default_status, DefaultScheduleStatus):
            raise InvalidDefinitionError(
                f"{name}: default_status is {self.default_status!r}.",
                hint="Write DefaultScheduleStatus.RUNNING or .STOPPED.",
            )
        cron = checked_cron(name, self.cron_schedule, self.execution_timezone)
        object.__setattr__(self, "cron_schedule", cron)

    def __hash__(self) -> int:
        return hash((self.name, str(self.cron_schedule)))

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function that `@schedule` decorated, with a context."""
        if self.function is None:
            raise InvariantError(
                f"the schedule {self.name!r} has no function.", hint="Call evaluate_tick(context)."
            )
        return call_directly(self.function, args, named)

    @property
    def job_name(self) -> str | None:
        return self.job.name if self.job else None

    @property
    def says_what_is_due(self) -> bool:
        """Whether its lines of cron say all: that its job is due, or the newest partition of it."""
        return self.function is None or hasattr(self.function, "partitions_def")

    def of(self, definitions: Any) -> ScheduleDefinition:
        """This schedule, whose job can run assets of `definitions`."""
        return replace(self, job=self.job.of(definitions), target=None) if self.job else self

    def evaluate_tick(self, context: ScheduleEvaluationContext) -> TickResult:
        """The runs that the schedule asks for, as `run_requests`, or why there is none, as
        `skip_message`. Nothing is run.

        Raises what its function raises, and `InvariantError` for what it may not return.
        """
        items = [RunRequest(run_config=self.run_config)]
        if self.function is not None:
            returned = call(self.function, context)
            if isinstance(returned, Mapping):
                returned = RunRequest(run_config=returned)
            items = items_of("schedule", returned)
        several = [item for item in items if isinstance(item, RunRequest)]
        if len(several) > 1 and not all(one.run_key for one in several):
            raise InvariantError(
                f"the schedule {self.name!r} asks for several runs, and one has no run_key.",
                hint='Give each a run_key of its own: RunRequest(run_key="…").',
            )
        return result_of("schedule", items, self.tags, self.name)


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job: JobDefinition | None = None,
    target: Any = None,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
) -> Callable[[Callable[..., Any]], ScheduleDefinition]:
    """Declare a schedule by a function that says which runs are due.

        @schedule(job=report_job, cron_schedule="0 0 * * 1")
        def weekly_report(context):
            day = context.scheduled_execution_time.strftime("%Y-%m-%d")
            return RunRequest(run_config={"ops": {"report": {"config": {"day": day}}}})

    It returns a `RunRequest`, several, each with a `run_key`, a mapping, which is the config of one
    run, a `SkipReason`, or None. The other arguments are those of `ScheduleDefinition`.
    """

    def decorated(function: Callable[..., Any]) -> ScheduleDefinition:
        require_function("schedule", function)
        return ScheduleDefinition(
            name=name or function.__name__,
            cron_schedule=cron_schedule,
            job=job,
            target=target,
            tags=tags or {},
            execution_timezone=execution_timezone,
            description=description or function.__doc__,
            default_status=default_status,
            function=function,
        )

    return decorated
