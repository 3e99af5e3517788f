"""The contexts of schedules and sensors, which a test builds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Self

from assetgraph.errors import InvariantError

_LOG = logging.getLogger("assetgraph.automation")


class Resources:
    """Resources by name, as attributes."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        vars(self).update(given)

    def __getattr__(self, name: str) -> Any:
        raise InvariantError(
            f"there is no resource {name!r}.",
            hint=f"Build the context with resources={{{name!r}: …}}.",
        )


class TickContext:
    """What schedules and sensors are told alike. Raises `InvariantError` where something is asked
    for that was not given."""

    def __init__(self, instance: Any = None, resources: Mapping[str, Any] | None = None) -> None:
        self._instance = instance
        self.given_resources: Mapping[str, Any] = dict(resources or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open that would have to be closed."""

    @property
    def instance(self) -> Any:
        """The store that runs are recorded in."""
        if self._instance is None:
            raise self._missing("instance", "instance=Instance.ephemeral()")
        return self._instance

    @property
    def resources(self) -> Any:
        """The resources, as attributes."""
        return Resources(self.given_resources)

    @property
    def log(self) -> logging.Logger:
        return _LOG

    def _missing(self, name: str, example: str) -> InvariantError:
        return InvariantError(f"the context has no {name}.", hint=f"Build it with {example}.")


class ScheduleEvaluationContext(TickContext):
    """What a schedule is told when it is asked for runs."""

    def __init__(
        self,
        instance: Any = None,
        scheduled_execution_time: Any = None,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(instance, resources)
        self._time = scheduled_execution_time

    @property
    def scheduled_execution_time(self) -> Any:
        """The moment of the schedule's line that is now due."""
        if self._time is None:
            raise self._missing("scheduled_execution_time", "scheduled_execution_time=datetime(…)")
        return self._time


class SensorEvaluationContext(TickContext):
    """What a sensor is told when it is asked for runs: its `cursor`, which is what it last set."""

    def __init__(
        self,
        instance: Any = None,
        cursor: str | None = None,
        resources: Mapping[str, Any] | None = None,
        sensor_name: str | None = None,
        definitions: Any = None,
    ) -> None:
        super().__init__(instance, resources)
        self.cursor = cursor
        self.sensor_name = sensor_name
        self.definitions = definitions
        self.has_new_cursor = False

    def update_cursor(self, cursor: str | None) -> None:
        """Set what `cursor` is at the next evaluation."""
        self.cursor = cursor
        self.has_new_cursor = True


class RunStatusSensorContext(TickContext):
    """What a sensor of runs is told: `dagster_run`, the run that reached its status, and
    `dagster_event`, the event by which it did."""

    def __init__(
        self,
        sensor_name: str,
        dagster_event: Any,
        dagster_instance: Any,
        dagster_run: Any,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(dagster_instance, resources)
        self.sensor_name = sensor_name
        self.dagster_event = dagster_event
        self.dagster_run = dagster_run

    @property
    def partition_key(self) -> str | None:
        """The partition that the run is about, if it is one."""
        found: str | None = self.dagster_run.tags.get("dagster/partition")
        return found

    def for_run_failure(self) -> RunFailureSensorContext:
        """The same for a sensor of failures."""
        return RunFailureSensorContext(
            self.sensor_name,
            self.dagster_event,
            self._instance,
            self.dagster_run,
            self.given_resources,
        )


class RunFailureSensorContext(RunStatusSensorContext):
    """What a sensor of failures is told."""

    @property
    def failure_event(self) -> Any:
        """The event by which the run failed."""
        return self.dagster_event

    def get_step_failure_events(self) -> list[Any]:
        """An event for each step of the run that failed."""
        found: list[Any] = self.instance.get_step_failure_events(self.dagster_run.run_id)
        return found


def build_schedule_context(
    instance: Any = None,
    scheduled_execution_time: Any = None,
    resources: Mapping[str, Any] | None = None,
) -> ScheduleEvaluationContext:
    """The context of a schedule, for a test."""
    return ScheduleEvaluationContext(instance, scheduled_execution_time, resources)


def build_sensor_context(
    instance: Any = None,
    cursor: str | None = None,
    *,
    definitions: Any = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
) -> SensorEvaluationContext:
    """The context of a sensor, for a test."""
    return SensorEvaluationContext(instance, cursor, resources, sensor_name, definitions)


def build_run_status_sensor_context(
    sensor_name: str,
    dagster_event: Any,
    dagster_instance: Any,
    dagster_run: Any,
    *,
    resources: Mapping[str, Any] | None = None,
) -> RunStatusSensorContext:
    """The context of a sensor of runs, for a test: with the event and the run of a `RunResult`,
    `result.get_run_failure_event()` and `result.dagster_run`."""
    return RunStatusSensorContext(
        sensor_name, dagster_event, dagster_instance, dagster_run, resources
    )
