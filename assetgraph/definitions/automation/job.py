"""Jobs: a selection of assets under a name, with config and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.automation.naming import calling_place, checked_name
from assetgraph.definitions.registry import Declaration, public_object
from assetgraph.definitions.run_config import run_tags
from assetgraph.definitions.selection.asset_selection import AssetSelection
from assetgraph.errors import InvalidDefinitionError
from assetgraph.states import JOB_TAG

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.definition import PartitionsDefinition


@dataclass(frozen=True)
class JobDefinition(Declaration):
    """A selection of assets under a name, with the config and the tags of its runs.

    `define_asset_job` makes one, and `Definitions.get_job_def` gives one that can run: it knows the
    `definitions` that it selects from.
    """

    name: str
    selection: AssetSelection
    config: Any = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    partitions_def: PartitionsDefinition | None = None
    place: tuple[str, int] = field(default_factory=calling_place, compare=False, repr=False)
    definitions: Any = field(default=None, compare=False, repr=False)

    kind = "job"

    def __post_init__(self) -> None:
        checked_name("job", self.name)
        run_tags(self.tags)

    def __hash__(self) -> int:
        return hash((self.name, self.selection))

    def of(self, definitions: Any) -> JobDefinition:
        """This job, able to run assets of `definitions`."""
        return replace(self, definitions=definitions)

    def execute_in_process(
        self,
        *,
        run_config: Any = None,
        resources: Mapping[str, Any] | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        tags: Mapping[str, str] | None = None,
        raise_on_error: bool = True,
    ) -> Any:
        """Run the job as `materialize` runs assets, and return its `RunResult`.

        `run_config` takes the place of the job's own config, and `resources` of those of the same
        names. Raises what `materialize` raises, and `InvalidDefinitionError` for a job that is not
        from `Definitions`.
        """
        if self.definitions is None:
            raise InvalidDefinitionError(
                f"the job {self.name!r} does not know the assets that it selects from.",
                hint=f"Run Definitions(assets=[…], jobs=[…]).get_job_def({self.name!r}).",
            )
        return public_object("materialize")(
            self.definitions,
            self.config if run_config is None else run_config,
            resources=resources,
            selection=self.selection,
            instance=instance,
            partition_key=partition_key,
            tags={**self.tags, JOB_TAG: self.name, **(tags or {})},
            raise_on_error=raise_on_error,
        )


def define_asset_job(
    name: str,
    selection: Any = None,
    *,
    config: Any = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    partitions_def: PartitionsDefinition | None = None,
) -> JobDefinition:
    """Give a selection of assets a name: every asset, unless `selection` says which.

        trips_job = define_asset_job("trips_job", selection=AssetSelection.groups("raw"))

    `selection` is an `AssetSelection`, a text of the selection language, or a list of assets, keys
    and texts of keys. `config` and `tags` are those of its runs. `partitions_def` is that of its
    assets: it need not be given.

    Raises `InvalidDefinitionError`, and `TypeError` for a selection that is none of these and for
    tags that are no text.
    """
    chosen = AssetSelection.all() if selection is None else selection
    return JobDefinition(
        name,
        AssetSelection.from_coercible(chosen),
        config,
        description,
        run_tags(tags),
        partitions_def or _shared_partitions(chosen),
    )


def _shared_partitions(selection: Any) -> PartitionsDefinition | None:
    """The partitions of the assets in a list or in `AssetSelection.assets(…)`, if all of them have
    the same."""
    given = selection.given if isinstance(selection, AssetSelection) else selection
    if not isinstance(given, list | tuple):
        return None
    found = {getattr(one, "partitions_def", None) for one in given}
    return found.pop() if len(found) == 1 else None


def anonymous_job(owner: str, target: Any) -> JobDefinition:
    """The job of a schedule or a sensor whose `target` is a selection of assets; or `target`, if
    that is a job."""
    if isinstance(target, JobDefinition):
        return target
    return define_asset_job(f"__anonymous_asset_job_{owner}", target)


def job_of(owner: str, job: Any, target: Any) -> JobDefinition | None:
    """The job that `job=` or `target=` of a schedule or a sensor says. Raises
    `InvalidDefinitionError`."""
    if job is not None and target is not None:
        raise InvalidDefinitionError(f"{owner!r} has both job= and target=.", hint="Give one.")
    if job is not None and not isinstance(job, JobDefinition):
        raise InvalidDefinitionError(
            f"job= of {owner!r} is not a job: {job!r}.", hint="Pass what define_asset_job returned."
        )
    return job if target is None else anonymous_job(owner, target)
