"""The Python interface, for tests, scripts and notebooks: `materialize` and `load`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY, is_understood, of_which_type
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.run_config import RunConfig, run_config_texts, run_tags
from assetgraph.errors import AssetGraphError, NoValueError, PartitionsError, ProjectError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.graph.definitions import Definitions, everything_in
from assetgraph.graph.resource_tables import given_to
from assetgraph.instance import Instance, KeyLike, key_of
from assetgraph.keys import RANGE, AssetKey, Target, recorded_target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, facts_for, plan_run
from assetgraph.planning.upstreams_elsewhere import (
    require_valid,
    value_elsewhere,
    with_upstreams_elsewhere,
)
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.process.reads.current import reads_asset
from assetgraph.project.settings import find_project, working_folder
from assetgraph.queries.dagster_events import (
    DagsterEvent,
    RunEvents,
    dagster_events,
    node_name,
)
from assetgraph.records import EventType, Materialization, RunRecord
from assetgraph.run.executors.base import StepExecutor
from assetgraph.run.launch import launch
from assetgraph.run.load_outside import load_made
from assetgraph.run.outcome import RunOutcome
from assetgraph.storage.store import Store
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.definitions.selection.asset_selection import AssetSelection
    from assetgraph.planning.plan import Plan
    from assetgraph.project.settings import Project
    from assetgraph.records import ErrorInfo, Event
    from assetgraph.run.channel import Observer

Assets = Definitions | AssetGraph | ModuleType | Iterable[Asset | Iterable[Asset]]


@dataclass(frozen=True, slots=True)
class RunResult(RunEvents):
    """The result of `materialize`. `failures` maps the id of each failed step, which is the text of
    its asset's key unless it materializes several assets, to its error."""

    outcome: RunOutcome
    facts: StoreFacts
    instance: Instance

    def __repr__(self) -> str:
        counts = self.outcome.record.step_counts.items()
        steps = ", ".join(f"{count} {state}" for state, count in counts)
        return (
            f"<RunResult {self.run_id} {self.outcome.record.status.value}: {steps or 'no steps'}>"
        )

    @property
    def success(self) -> bool:
        return not self.outcome.errors

    @property
    def run_id(self) -> str:
        return self.outcome.record.run_id

    @property
    def dagster_run(self) -> RunRecord:
        """The record of the run, with its `status`, `tags` and `job_name`."""
        return self.outcome.record

    @property
    def failures(self) -> Mapping[str, ErrorInfo]:
        return dict(self.outcome.errors)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self.instance.store.runs.events(self.run_id))

    def value(self, key: KeyLike, as_type: Any = EMPTY, *, partition_key: str | None = None) -> Any:
        """The value of an asset that the run materialized, or used, as `as_type` if given. Of
        several partitions, `partition_key` says which.

        Raises `NoValueError` if there was none, or if it has since been replaced and pruned.
        """
        _require_type(as_type)
        asset = self.facts.graph.asset(key_of(key))
        made = self.materialization(key, partition_key=partition_key)
        return load_made(self.instance.store, asset, made, as_type)

    def asset_value(self, asset_key: KeyLike) -> Any:
        """Dagster's name for `value`."""
        return self.value(asset_key)

    def output_for_node(self, node: KeyLike, output_name: str | None = None) -> Any:
        """The value of an asset, by the name that its step has in Dagster: `m__x` for the key
        `m/x`. The key will do too. Of a function of several assets, `output_name` says which."""
        keys = self.keys_of_node(node)
        if output_name is not None:
            names = self.facts.graph.computation(keys[0]).output_names
            if output_name != "result" or len(names) > 1:
                keys = [names[output_name]] if output_name in names else []
        if len(keys) == 1:
            return self.value(keys[0])
        given = "gives several outputs" if keys else f"gives no output {output_name!r}"
        remedy = f"Name one of them: {listed([*self._outputs_of(node)][:5])}."
        raise AssetGraphError(f"{node!r} {given}.", hint=remedy)

    def materialization(self, key: KeyLike, *, partition_key: str | None = None) -> Materialization:
        """The record of that value: its versions, its metadata and where it is stored."""
        asset = self.facts.graph.asset(key_of(key))
        partition = self._only_partition(asset.key) if partition_key is None else str(partition_key)
        target = Target(asset.key, partition)
        made = self.facts.of(target).current
        if made is None:
            raise self.instance.store.no_value(target)
        history = self.instance.store.history.attempts(target)
        same = (a for a in history if isinstance(a, Materialization) and a.run_id == made.run_id)
        return next(same, made)  # in the recorded form: JSON has fewer types

    def events_of(self, kind: EventType) -> list[DagsterEvent]:
        """The events of one type."""
        return list(dagster_events(self.events, kind, self.outcome.record))

    def keys_of_node(self, node: KeyLike) -> list[AssetKey]:
        """The assets that a step's name in Dagster means: several, where its function makes
        several. Raises `AssetGraphError`."""
        graph = self.facts.graph
        if isinstance(node, Asset):
            return [spec.key for spec in node.specs]
        if isinstance(node, str) and AssetKey.unchecked(node) not in graph:
            if node in graph.computations:
                return [spec.key for spec in graph.computations[node].specs]
            node = next((key for key in graph.order if node_name(key) == node), node)
        return [graph.asset(key_of(node)).key]

    def _outputs_of(self, node: KeyLike) -> Iterable[str]:
        return self.facts.graph.computation(self.keys_of_node(node)[0]).output_names

    def _only_partition(self, key: AssetKey) -> str | None:
        """The partition of an asset that the run is about; None for an asset without partitions.

        Raises `PartitionsError` if there are several.
        """
        if not self.facts.targets.is_partitioned(key):
            return None
        record = self.outcome.record
        texts = [text for step_id in record.step_ids for text in record.targets_of(step_id)]
        found = [one.partition for one in map(recorded_target, texts) if one.key is key]
        if len(found) == 1:
            return found[0]
        raise PartitionsError(
            f"the run is about {len(found)} partitions of {key.text!r}: say which.",
            hint="Pass partition_key=….",
        )


# Long: its parameters and docstring are the public interface.
def materialize(
    assets: Assets,
    run_config: RunConfig | Mapping[str, Any] | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    instance: Instance | None = None,
    selection: KeyLike | Sequence[KeyLike] | AssetSelection | None = None,
    partition_key: str | None = None,
    partitions: str | Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    raise_on_error: bool = True,
    executor: str | StepExecutor | None = None,
    jobs: int | None = None,
) -> RunResult:
    """Materialize assets, upstream before downstream.

    Runs all of `assets`, or only `selection` with any upstream that has no value yet. An upstream
    that is not among `assets` is read from the store of `instance`. `partition_key` is the
    partition that is meant of the assets that have any; `partitions` are several: keys, ranges such
    as "2023-01..2023-03", or "*" for all. `jobs` is how many steps run at once. `executor` is
    "serial", "threads", "processes", "dask" or an executor from `executors.make`; by default, steps
    run in this process, or in worker processes if `jobs` is 2 or more. Leaves nothing behind unless
    `instance` says where to record.

    Raises `DefinitionsError`, `SelectionError`, `PartitionsError` or `ConfigError` before anything
    runs, and `TypeError` for an argument of a wrong type. Once the run is recorded, raises the
    exception of the first asset that failed, unless `raise_on_error=False`.
    """
    _require_fit(instance, executor, jobs)
    with paused_collector():
        given = as_graph(assets, resources)
        graph = with_upstreams_elsewhere(given, instance.store if instance else None)
        require_valid(graph, has_store=instance is not None)
        instance = instance or Instance.ephemeral()
        instance.store.forget_code()  # a notebook may have redefined its functions
        facts = StoreFacts(graph, instance.store)
        if isinstance(partition_key, str):
            _require_one_partition(facts, partition_key)
        if selection is None and graph is not given:
            selection = given.order
        request = RunRequest(
            selection=_selection_texts(selection),
            partitions=_partition_texts(partition_key, partitions),
            config=run_config_texts(run_config),
            tags=run_tags(tags),
            executor=executor if isinstance(executor, str) else None,
            jobs=jobs,
            launched_by="python",
        )
        facts = facts_for(request, facts)
        plan = plan_run(request, facts)
        where = None if executor is None or isinstance(executor, str) else executor
        seen_by = _notebook_observer(plan)
        outcome = launch(request, plan, facts, executor=where, observer=seen_by)
        result = RunResult(outcome, facts, instance)
    if raise_on_error and not result.success:
        raise result.outcome.first_exception()
    return result


def load(
    key: KeyLike,
    as_type: Any = EMPTY,
    *,
    partition_key: str | None = None,
    run_id: str | None = None,
    project: str | Path | None = None,
) -> Any:
    """The value of an asset in the current folder's project, as `as_type` if given.

    For example, `load("taxi_trips", pa.Table)`. `partition_key` is the partition, of an asset that
    has any. It is the current value, or the one that the run
    `run_id` made: an id, any unique part of it, or "latest". `project` is the folder of another
    project, or of a store.

    Raises `NoValueError` for an asset without a value, and `AssetGraphError`, which suggests
    similar keys, for an asset that is not defined.
    """
    _require_type(as_type)
    found, named = _project_at(project), key_of(key)
    partition = None if partition_key is None else str(partition_key)
    store, target = found.open_store(), Target(named, partition)
    made = _made_by(store, target, run_id) if run_id else store.history.current(target)[0]
    if made is None or made.origin:
        graph = _require_known(found, store, named, elsewhere=project is not None)
        if graph is None or named not in graph.externals:
            raise store.no_value(target)
        made = value_elsewhere(graph, store, named)
    if not run_id and project is None:
        reads_asset(target.text, made.data_version)
    if not made.value.by_io_manager:
        return store.values.load_made(named, made, as_type)
    if project is not None:
        raise NoValueError(
            f"the value of {named.text!r} is stored by the IO manager of another project.",
            hint=f"Load it in a program that runs in {found.root}.",
        )
    return load_made(store, found.load().graph.asset(named), made, as_type)


def as_graph(assets: Assets, resources: Mapping[str, Any] | None = None) -> AssetGraph:
    if isinstance(assets, ModuleType):
        assets = Definitions(everything_in([assets]))
    if not isinstance(assets, Definitions | AssetGraph):
        assets = Definitions(assets)
    graph = assets.graph if isinstance(assets, Definitions) else assets
    return given_to(graph, resources) if resources else graph


def _notebook_observer(plan: Plan) -> Observer | None:
    """What shows the run in a notebook, if this process belongs to one."""
    if "IPython" not in sys.modules:
        return None
    from assetgraph.run.notebook_progress import notebook_progress

    return notebook_progress([step.id for step in plan.steps])


def _require_type(as_type: object) -> None:
    """Raise `TypeError` for an `as_type` that says no type, and would have no effect."""
    if not is_understood(as_type):
        what = repr(as_type) if isinstance(as_type, str) else of_which_type(as_type)
        raise TypeError(f"as_type must be a type such as pd.DataFrame or list, not {what}")


def _require_fit(instance: object, executor: object, jobs: int | None) -> None:
    """Raise `TypeError` or `AssetGraphError` for arguments of `materialize` that cannot be used."""
    if instance is not None and not isinstance(instance, Instance):
        raise TypeError(f"instance must be an Instance: write instance=Instance({instance!r})")
    if jobs is not None and not (executor is None or isinstance(executor, str)):
        raise AssetGraphError(
            "jobs= can be used only with the name of an executor, not with an executor object.",
            hint="Pass jobs to executors.make instead.",
        )


def _project_at(folder: str | Path | None) -> Project:
    """The current folder's project, or the one in `folder`, which may also be a store itself."""
    if folder is None:
        return find_project()
    path = (working_folder() / Path(folder).expanduser()).resolve()  # `..` must not lead back here
    if not path.is_dir():
        raise ProjectError(
            f"there is no folder {path}.", hint="Give the folder of a project, or of its store."
        )
    if (path / "store.json").is_file():
        return find_project(path.parent, store=path)
    return find_project(path)


def _require_one_partition(facts: StoreFacts, text: str) -> None:
    """Raise `PartitionsError` for a `partition_key` that is written as a range."""
    for key in sorted(facts.graph.partitioned) if RANGE in text else ():
        keys = facts.targets.keys(key)
        if keys is not None:
            keys.require(text)


def _partition_texts(key: str | None, several: str | Sequence[str]) -> tuple[str, ...]:
    """The partitions that `materialize` is asked for. Raises `PartitionsError` if both say some."""
    named = (several,) if isinstance(several, str) else tuple(several)
    named = tuple(map(str, named))  # a `MultiPartitionKey` is more than its text
    if key is None:
        return named
    if named:
        raise PartitionsError("partition_key= and partitions= cannot be combined.")
    if not isinstance(key, str):
        raise TypeError(f"partition_key must be text, not {of_which_type(key)}")
    return (str(key),)  # it may be a MultiPartitionKey


def _made_by(store: Store, target: Target, text: str) -> Materialization:
    """What a run made of a target. Raises `UnknownRunError` and `NoValueError`."""
    history = store.history.attempts(target)
    made = [attempt for attempt in history if isinstance(attempt, Materialization)]
    ids = {one.run_id for one in made if text in one.run_id}
    if len(ids) != 1:  # not told by the asset's own history: ask the runs
        ids = {store.runs.find(text)}
    kept = [one for one in made if one.value.by_io_manager or _is_kept(store, one)]
    found = next((one for one in made if one.run_id in ids), None)
    if found in kept:
        return found
    run = ids.pop()
    raise NoValueError(
        f"the run {run} made no value of {target.text!r}."
        if found is None
        else f"the value of {target.text!r} that the run {run} made is not kept: it was replaced.",
        hint="Values of these runs are kept, newest first: "
        f"{', '.join(dict.fromkeys(one.run_id for one in kept[:5]))}."
        if kept
        else None,
    )


def _is_kept(store: Store, made: Materialization) -> bool:
    """Whether what a run made is still there. A returned file may since have another content."""
    return store.values.check(made.value) not in ("gone", "changed")


def _require_known(
    project: Project, store: Store, key: AssetKey, *, elsewhere: bool
) -> AssetGraph | None:
    """The project's graph. Raises `AssetGraphError` if it defines no asset `key`. The modules of a
    project that is `elsewhere` are not imported into this process."""
    graph = project.load().graph if project.modules and not elsewhere else None
    present = store.names.present_name(key)
    if present != key and (graph is None or key not in graph):
        raise AssetGraphError(
            f"{key.text!r} was renamed.", hint=f"Load it by its new name: {present.text!r}."
        )
    if graph is not None:
        graph.asset(key)
    if elsewhere:
        known = store.history.keys()
        similar = None if key.text in known else did_you_mean(key.text, known)
        raise NoValueError(
            f"the store in {store.folder} has no value of {key.text!r}.",
            hint=similar or "Materialize it there.",
        )
    return graph


def _selection_texts(
    selection: KeyLike | Sequence[KeyLike] | AssetSelection | None,
) -> tuple[str, ...]:
    if selection is None:
        return ()
    from assetgraph.definitions.selection.asset_selection import selection_texts

    return selection_texts(selection)
