"""`build_schedule_from_partitioned_job`: a schedule that asks for the partition that just ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assetgraph.definitions.automation.contexts import ScheduleEvaluationContext
from assetgraph.definitions.automation.job import JobDefinition
from assetgraph.definitions.automation.requests import RunRequest, SkipReason
from assetgraph.definitions.automation.schedules import (
    DefaultScheduleStatus,
    ScheduleDefinition,
)
from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import MultiPartitionKey
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import InvalidDefinitionError

# The fields of a line of cron, each with the option that may set it.
_FIELDS = {"minute_of_hour": 0, "hour_of_day": 1, "day_of_month": 2, "day_of_week": 4}


@dataclass(frozen=True)
class PartitionedScheduleFunction:
    """Asks for the partitions of `partitions_def` that are the newest at a moment."""

    partitions_def: PartitionsDefinition

    __name__ = "partitioned_schedule"

    def __call__(self, context: ScheduleEvaluationContext) -> Any:
        found = list(_newest(self.partitions_def, context.scheduled_execution_time))
        if not found:
            return SkipReason("The job's partitions definition has no partitions yet.")
        return [
            RunRequest(run_key=key, partition_key=key, tags={"dagster/partition": str(key)})
            for key in found
        ]


# Long: its parameters and docstring are the public interface.
def build_schedule_from_partitioned_job(
    job: JobDefinition,
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    minute_of_hour: int | None = None,
    hour_of_day: int | None = None,
    day_of_week: int | None = None,
    day_of_month: int | None = None,
    cron_schedule: str | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
) -> ScheduleDefinition:
    """A schedule that asks for a partition of a job when its time is over.

    It is due at the end of each window, or later in the hour, day, week or month as the options
    say, in the time zone of the partitions. Partitions that are a list need a `cron_schedule`; all
    of them are asked for each time.

    Raises `InvalidDefinitionError`, also for a job without a `partitions_def`.
    """
    definition = job.partitions_def if isinstance(job, JobDefinition) else None
    if definition is None:
        what = f"the job {job.name!r}" if isinstance(job, JobDefinition) else repr(job)
        raise InvalidDefinitionError(
            f"{what} has no partitions.", hint="Pass partitions_def=… to define_asset_job."
        )
    offsets = {
        "minute_of_hour": minute_of_hour,
        "hour_of_day": hour_of_day,
        "day_of_week": day_of_week,
        "day_of_month": day_of_month,
    }
    time = time_of(definition)
    given = {option: value for option, value in offsets.items() if value is not None}
    if cron_schedule is None:
        cron_schedule = _line(job.name, time, given)
    elif given:
        raise InvalidDefinitionError(
            f"{job.name}: {min(given)} and cron_schedule cannot be combined.", hint="Give one."
        )
    return ScheduleDefinition(
        name=name or f"{job.name}_schedule",
        cron_schedule=cron_schedule,
        job=job,
        tags=tags or {},
        execution_timezone=time.timezone if time else None,
        description=description,
        default_status=default_status,
        function=PartitionedScheduleFunction(definition),
    )


def time_of(definition: PartitionsDefinition) -> TimeWindowPartitionsDefinition | None:
    """The definition of time that a definition is, or has as a dimension."""
    if isinstance(definition, MultiPartitionsDefinition) and definition.time_dimension:
        definition = definition.partitions_defs[definition.time_dimension]
    return definition if isinstance(definition, TimeWindowPartitionsDefinition) else None


def _line(owner: str, time: TimeWindowPartitionsDefinition | None, given: Mapping[str, int]) -> str:
    if time is None:
        raise InvalidDefinitionError(
            f"the partitions of {owner!r} are not of time.", hint="Give cron_schedule=…."
        )
    fields = time.cron_schedule.split()
    for option, value in given.items():
        if fields[_FIELDS[option]] == "*":
            raise InvalidDefinitionError(
                f"{owner}: {option} does not fit partitions that begin at {time.cron_schedule!r}.",
                hint="Leave it out, or give cron_schedule=….",
            )
        fields[_FIELDS[option]] = str(value)
    return " ".join(fields)


def _newest(definition: PartitionsDefinition, moment: Any) -> Iterator[str]:
    """The partitions whose time ended last at a moment; all, where they have no time."""
    time = time_of(definition)
    keys = definition.keys(moment)
    if time is None:
        yield from keys if isinstance(definition, StaticPartitionsDefinition) else ()
        return
    windows = time.keys(moment)
    newest = windows[len(windows) - 1 :]
    if isinstance(definition, MultiPartitionsDefinition):
        name = definition.time_dimension or ""
        for key in keys:
            if isinstance(key, MultiPartitionKey) and key.keys_by_dimension[name] in newest:
                yield key
    else:
        yield from newest
