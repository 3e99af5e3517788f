"""Materializations and events by Dagster's names, as tests and scripts of its users read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.metadata import MetadataValue
from assetgraph.errors import InvariantError
from assetgraph.keys import AssetKey, recorded_target
from assetgraph.queries.event_text import event_text
from assetgraph.records import Event, EventType, Materialization, RunRecord

if TYPE_CHECKING:
    from assetgraph.definitions.check_results import AssetCheckEvaluation


class AssetMaterialization(NamedTuple):
    """One asset, or one partition of it, that was materialized. `tags` have its data version and,
    if they are known, its code version and its partition."""

    asset_key: AssetKey
    partition: str | None
    metadata: Mapping[str, MetadataValue]
    tags: Mapping[str, str]


class DagsterEvent(NamedTuple):
    """One event of a run. `asset_key`, `partition` and `materialization` are of a materialization,
    and `error` has the type and the message of what a step raised."""

    event_type_value: str
    step_key: str | None
    message: str
    asset_key: AssetKey | None = None
    partition: str | None = None
    materialization: AssetMaterialization | None = None
    error: str | None = None

    @property
    def is_step_success(self) -> bool:
        return self.event_type_value == EventType.STEP_SUCCESS.value

    @property
    def is_step_failure(self) -> bool:
        return self.event_type_value == EventType.STEP_FAILURE.value

    @property
    def is_step_skipped(self) -> bool:
        return self.event_type_value == EventType.STEP_SKIPPED.value


class EventLogEntry(NamedTuple):
    """A materialization in the history of its asset. `timestamp` is in seconds since 1970."""

    run_id: str
    timestamp: float
    asset_materialization: AssetMaterialization

    @property
    def asset_key(self) -> AssetKey:
        return self.asset_materialization.asset_key

    @property
    def partition_key(self) -> str | None:
        return self.asset_materialization.partition


class RunEvents:
    """What a run did, by Dagster's names, for a class that has `events`, `events_of` and
    `keys_of_node`."""

    __slots__ = ()

    def events_of(self, kind: EventType) -> list[DagsterEvent]:
        raise NotImplementedError

    def keys_of_node(self, node: Any) -> list[AssetKey]:
        raise NotImplementedError

    @property
    def events(self) -> tuple[Event, ...]:
        raise NotImplementedError

    def get_asset_check_evaluations(self) -> list[AssetCheckEvaluation]:
        """What the checks found that ran, in the order in which they ended."""
        from assetgraph.definitions.check_results import evaluation_of

        return [
            evaluation_of(recorded_target(event.target or event.step or ""), event.data)
            for event in self.events
            if event.type is EventType.ASSET_CHECK_EVALUATION
        ]

    @property
    def dagster_run(self) -> RunRecord:
        raise NotImplementedError

    def get_run_success_event(self) -> DagsterEvent:
        """The event of the run's success. Raises `InvariantError` if it did not succeed."""
        return self._end(EventType.RUN_SUCCESS)

    def get_run_failure_event(self) -> DagsterEvent:
        """The event of the run's failure. Raises `InvariantError` if it did not fail."""
        return self._end(EventType.RUN_FAILURE)

    get_job_success_event = get_run_success_event  # Dagster has both names
    get_job_failure_event = get_run_failure_event

    def _end(self, kind: EventType) -> DagsterEvent:
        found = self.events_of(kind)
        if not found:
            raise InvariantError(
                f"the run has no event {kind.value}: its status is {self.dagster_run.status.value}."
            )
        return found[0]._replace(event_type_value=kind.value.replace("RUN", "PIPELINE"))

    def asset_materializations_for_node(self, node: Any) -> list[AssetMaterialization]:
        """What the run materialized of an asset, by the name that its step has in Dagster: `m__x`
        for the key `m/x`. Each has `asset_key`, `partition` and `metadata[name].value`."""
        keys = self.keys_of_node(node)
        found = [event.materialization for event in self.get_asset_materialization_events()]
        return [made for made in found if made is not None and made.asset_key in keys]

    def get_asset_materialization_events(self) -> list[DagsterEvent]:
        """An event for each asset and partition that the run materialized, with `asset_key`,
        `partition`, `step_key` and `materialization`."""
        return self.events_of(EventType.ASSET_MATERIALIZATION)

    def get_step_success_events(self) -> list[DagsterEvent]:
        """An event for each step that succeeded, with its `step_key`."""
        return self.events_of(EventType.STEP_SUCCESS)

    def get_step_skipped_events(self) -> list[DagsterEvent]:
        """An event for each step that was skipped, with its `step_key`."""
        return self.events_of(EventType.STEP_SKIPPED)

    def get_step_failure_events(self) -> list[DagsterEvent]:
        """An event for each step that failed, with its `step_key` and its `error`."""
        return self.events_of(EventType.STEP_FAILURE)


def entry_of(key: AssetKey, made: Materialization) -> EventLogEntry:
    """The last materialization of an asset, from its history."""
    code = {"dagster/code_version": made.code_version} if made.code_version else {}
    versions = {"dagster/data_version": made.data_version, **code}
    found = _materialization(key, made.partition, made.metadata, versions)
    return EventLogEntry(made.run_id, made.timestamp.timestamp(), found)


def dagster_events(
    events: Iterable[Event], kind: EventType, record: RunRecord
) -> Iterator[DagsterEvent]:
    """The events of one type among `events`, which are those of the run `record`."""
    for event in events:
        if event.type is kind:
            yield _event(event, record)


def node_name(key: AssetKey) -> str:
    """What Dagster calls the step of an asset: the parts of its key, joined by `__`."""
    return "__".join(key.parts)


def _event(event: Event, record: RunRecord) -> DagsterEvent:
    made = error = None
    if event.type is EventType.ASSET_MATERIALIZATION and event.step is not None:
        text = event.target or record.targets_of(event.step)[0]
        key, partition = recorded_target(text)
        versions = {"dagster/data_version": event.data["data_version"]}
        made = _materialization(key, partition, event.data.get("metadata", {}), versions)
    if "error" in event.data:
        error = f"{event.data['error']['type']}: {event.data['error']['message']}"
    return DagsterEvent(
        event_type_value=event.type.value,
        step_key=event.step,
        message=event_text(event),
        asset_key=made.asset_key if made else None,
        partition=made.partition if made else None,
        materialization=made,
        error=error,
    )


def _materialization(
    key: AssetKey, partition: str | None, metadata: Mapping[str, Any], tags: Mapping[str, str]
) -> AssetMaterialization:
    shown = {name: MetadataValue.from_json(value) for name, value in metadata.items()}
    own = {} if partition is None else {"dagster/partition": partition}
    return AssetMaterialization(key, partition, shown, {**tags, **own})
