"""`Automation`: the jobs, schedules and sensors of a set of definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from assetgraph.definitions.annotations import described
from assetgraph.definitions.registry import Declaration
from assetgraph.errors import AssetGraphError, InvalidDefinitionError, Problem
from assetgraph.text import did_you_mean, place_text, some_of

if TYPE_CHECKING:
    from assetgraph.definitions.automation.job import JobDefinition
    from assetgraph.definitions.automation.schedules import ScheduleDefinition
    from assetgraph.definitions.automation.sensors import SensorDefinition
    from assetgraph.graph.asset_graph import AssetGraph

D = TypeVar("D", bound=Declaration)


class Automation:
    """Jobs, schedules and sensors, each once. Raises `TypeError` for anything else."""

    def __init__(
        self,
        jobs: Iterable[JobDefinition] = (),
        schedules: Iterable[ScheduleDefinition] = (),
        sensors: Iterable[SensorDefinition] = (),
    ) -> None:
        self._jobs = _of_kind("job", jobs)
        self.schedules: tuple[ScheduleDefinition, ...] = _of_kind("schedule", schedules)
        self.sensors: tuple[SensorDefinition, ...] = _of_kind("sensor", sensors)

    @classmethod
    def merge(cls, several: Iterable[Automation]) -> Automation:
        found = list(several)
        return cls(
            [job for one in found for job in one._jobs],
            [schedule for one in found for schedule in one.schedules],
            [sensor for one in found for sensor in one.sensors],
        )

    @classmethod
    def of(cls, declarations: Iterable[Declaration]) -> Automation:
        """Those among what modules declare."""
        found = list(declarations)
        kinds = ("job", "schedule", "sensor")
        return cls(*([one for one in found if one.kind == kind] for kind in kinds))  # type: ignore[arg-type]

    @cached_property
    def jobs(self) -> tuple[JobDefinition, ...]:
        """The jobs, those of schedules and sensors among them."""
        of_schedules = [one.job for one in self.schedules if one.job is not None]
        of_sensors = [job for one in self.sensors for job in one.jobs]
        return _of_kind("job", dict.fromkeys([*self._jobs, *of_schedules, *of_sensors]))

    def job(self, name: str) -> JobDefinition:
        return _named(self.jobs, "job", name)

    def schedule(self, name: str) -> ScheduleDefinition:
        return _named(self.schedules, "schedule", name)

    def sensor(self, name: str) -> SensorDefinition:
        return _named(self.sensors, "sensor", name)

    def left_out(self, declared: Iterable[Any]) -> Iterator[Problem]:
        """A warning for each of what modules declare that is not among these."""
        known = [*self.jobs, *self.schedules, *self.sensors]
        for one in declared:
            if not any(one is other for other in known):
                file, line = one.place
                what = f"the {one.kind} {one.name!r} is not loaded: no Definitions object of its"
                yield Problem(
                    file, line, f"{what} package contains it.", "Add it to one, or remove it."
                )

    def problems(self, graph: AssetGraph) -> Iterator[Problem]:
        """What is wrong with them: two of one name, and what a selection names that is not
        there."""
        for some in (self.jobs, self.schedules, self.sensors):
            yield from _duplicates(some)
        for job in self.jobs:
            try:
                graph.select(job.selection.text)
            except AssetGraphError as error:
                if len(graph):
                    what = f"the selection of the job {job.name!r}: {error.message}"
                    file, line = job.place
                    yield Problem(file, line, what, error.hint or "")


def _of_kind(kind: str, given: Iterable[D]) -> tuple[D, ...]:
    if isinstance(given, Declaration) or not isinstance(given, Iterable):
        raise TypeError(f"{kind}s= takes a list of {kind}s, not {described(given)}")
    found: dict[int, D] = {}
    for one in given:
        if not isinstance(one, Declaration) or one.kind != kind:
            raise TypeError(f"{kind}s= takes {kind}s, not {described(one)}")
        found.setdefault(id(one), one)
    return tuple(found.values())


def _named(several: Sequence[D], kind: str, name: str) -> D:
    found = next((one for one in several if one.name == name), None)
    if found is not None:
        return found
    known = [one.name for one in several]
    raise InvalidDefinitionError(
        f"there is no {kind} {name!r}.",
        hint=did_you_mean(name, known) or some_of("There are", known) or None,
    )


def _duplicates(several: Iterable[Any]) -> Iterator[Problem]:
    known: dict[str, Any] = {}
    for one in several:
        first = known.setdefault(one.name, one)
        if first != one:
            file, line = one.place
            yield Problem(
                file,
                line,
                f"a second {one.kind} is called {one.name!r}: the first is at "
                f"{place_text(*first.place)}.",
                "Rename one of them.",
            )
