"""The words for the states of assets, steps and runs, and the names of the executors. The command
line needs them as it starts, so this module imports nothing more."""

from __future__ import annotations

from enum import StrEnum


class AssetState(StrEnum):
    """The state of an asset: the first of these that applies."""

    RUNNING = "running"
    FAILED = "failed"
    MISSING = "missing"
    STALE = "stale"
    FRESH = "fresh"
    EXTERNAL = "external"  # something else makes it


class StepState(StrEnum):
    """The state of one step of a run."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"  # an upstream failed
    UNCHANGED = "unchanged"  # spared by early cut-off
    CANCELED = "canceled"


class RunStatus(StrEnum):
    """The status of a run."""

    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"
    INTERRUPTED = "INTERRUPTED"  # never recorded: the run's process died


DagsterRunStatus = RunStatus  # Dagster's name

JOB_TAG = "dagster/job"  # the tag of a run with the name of its job

# The names of the executors.
EXECUTORS = ("serial", "threads", "processes", "dask")

# Every word that a person may type for a state: the record's own, and those of tables and pages.
ASSET_STATE_WORDS = {
    **{state.value: state for state in AssetState},
    "never materialized": AssetState.MISSING,
    "materialized": AssetState.FRESH,
    "success": AssetState.FRESH,
    "succeeded": AssetState.FRESH,
    "failure": AssetState.FAILED,
    "started": AssetState.RUNNING,
}
RUN_STATUS_WORDS = {
    **{status.value.lower(): status for status in RunStatus},
    "running": RunStatus.STARTED,
    "succeeded": RunStatus.SUCCESS,
    "materialized": RunStatus.SUCCESS,
    "failed": RunStatus.FAILURE,
    "cancelled": RunStatus.CANCELED,
}


def state_words(text: str) -> str:
    """A word for a state as the tables above have it: `Never_Materialized` with a blank."""
    return text.strip().casefold().replace("_", " ").replace("-", " ")
