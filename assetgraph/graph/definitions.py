"""`Definitions`, the set of assets of a project, and loading assets from modules."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.asset import Asset, unchecked_key
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.registry import Modules, current_registry, public_object, values_of
from assetgraph.errors import InvalidDefinitionError, Problem
from assetgraph.keys import AssetKey
from assetgraph.text import did_you_mean, some_of

if TYPE_CHECKING:
    from assetgraph.definitions.automation.job import JobDefinition
    from assetgraph.definitions.automation.schedules import ScheduleDefinition
    from assetgraph.definitions.automation.sensors import SensorDefinition
    from assetgraph.definitions.checks import AssetChecksDefinition
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.graph.automation import Automation


Declared = Asset | AssetSpec


def _checked(resources: Any) -> dict[str, Any]:
    from assetgraph.graph.resource_tables import checked_resources  # few projects have any

    return checked_resources(resources)


def _joined(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not any(tables):
        return {}
    from assetgraph.graph.resource_tables import joined_resources

    return joined_resources(tables)


class Definitions:
    """A set of assets and checks of them, from lists, a `Registry`, or `load_assets_from_modules`
    and `load_asset_checks_from_modules`. An `AssetSpec` among them declares an external asset.
    With them are the jobs, schedules and sensors that are about them.
    `resources` has what the assets work with, by name.

    Nothing is checked here: `graph` connects the assets and knows what is wrong. `load_warnings`
    are about modules that were loaded, such as an asset that a project's own `Definitions` leave
    out.
    """

    def __init__(
        self,
        assets: Iterable[Declared | Iterable[Declared]] = (),
        *,
        asset_checks: Iterable[Asset | Iterable[Asset]] = (),
        jobs: Iterable[JobDefinition] = (),
        schedules: Iterable[ScheduleDefinition] = (),
        sensors: Iterable[SensorDefinition] = (),
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        given = _flat([*_flat(assets), *_flat(asset_checks)])
        self.assets = tuple([one for one in given if not one.is_check])
        self.asset_checks = tuple([one for one in given if one.is_check])
        if jobs or schedules or sensors:
            self.automation = _automation_of(jobs, schedules, sensors)
        self.resources = _checked(resources) if resources else {}
        self.load_warnings: tuple[Problem, ...] = ()

    @classmethod
    def merge(cls, *definitions: Definitions) -> Definitions:
        """One set of all that several define. What is the same object in two counts once."""
        assets = [one for each in definitions for one in (*each.assets, *each.asset_checks)]
        merged = cls(assets, resources=_joined([each.resources for each in definitions]))
        automated = [each.automation for each in definitions if "automation" in vars(each)]
        if automated:
            merged.automation = type(automated[0]).merge(automated)
        return merged

    @cached_property
    def automation(self) -> Automation:
        """The jobs, schedules and sensors: few definitions have any."""
        return _automation_of()

    @property
    def jobs(self) -> tuple[JobDefinition, ...]:
        """The jobs, those of schedules and sensors among them."""
        return self.automation.jobs

    @property
    def schedules(self) -> tuple[ScheduleDefinition, ...]:
        return self.automation.schedules

    @property
    def sensors(self) -> tuple[SensorDefinition, ...]:
        return self.automation.sensors

    def get_job_def(self, name: str) -> JobDefinition:
        """The job of a name, which can run: `get_job_def("trips_job").execute_in_process()`.

        Raises `InvalidDefinitionError`, which suggests similar names.
        """
        return self.automation.job(name).of(self)

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of a name. Raises `InvalidDefinitionError`, which suggests similar names."""
        return self.automation.schedule(name).of(self)

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of a name. Raises `InvalidDefinitionError`, which suggests similar names."""
        return self.automation.sensor(name).of(self)

    def get_assets_def(self, key: str | Sequence[str] | AssetKey) -> Asset:
        """The asset of a key, which a test can call or pass to `materialize`.

        Raises `AssetGraphError`, which suggests similar keys.
        """
        wanted = unchecked_key(key)
        for one in self.assets:
            if any(spec.key is wanted for spec in one.specs):
                return one
        known = [spec.key.text for spec in self.get_all_asset_specs()]
        raise InvalidDefinitionError(
            f"there is no asset {wanted.text!r} in these definitions.",
            hint=did_you_mean(wanted.text, known) or some_of("There are", known),
        )

    def get_all_asset_specs(self) -> list[AssetSpec]:
        """The spec of every asset, in the order of their definition. Each has its `key`."""
        return [spec for one in self.assets for spec in one.specs]

    def map_asset_specs(
        self, *, func: Callable[[AssetSpec], AssetSpec], selection: Any = None
    ) -> Definitions:
        """These definitions, with the specs that `func` makes of those of all assets, or of the
        selected ones.

        Raises `SelectionError`.
        """
        chosen: Container[AssetKey] = self.graph.assets
        if selection is not None:
            from assetgraph.definitions.selection.asset_selection import selection_texts
            from assetgraph.graph.selection import select

            chosen = set(select(selection_texts(selection), self.graph))

        def changed(spec: AssetSpec) -> AssetSpec:
            return func(spec) if spec.key in chosen else spec

        made = copy(self)
        vars(made).pop("graph", None)
        made.assets = tuple([one.map_asset_specs(changed) for one in self.assets])
        return made

    resolve_assets_def = get_assets_def  # later names of Dagster
    resolve_all_asset_specs = get_all_asset_specs
    resolve_job_def = get_job_def
    resolve_schedule_def = get_schedule_def
    resolve_sensor_def = get_sensor_def

    def load_asset_value(
        self,
        asset_key: str | AssetKey,
        *,
        python_type: Any = EMPTY,
        instance: Any = None,
        partition_key: str | None = None,
    ) -> Any:
        """The current value of an asset in the store of `instance`, as `python_type` if given. The
        store is that of the current folder's project unless given.

        Raises `NoValueError` for an asset without a value, and `AssetGraphError` for one that is
        not among these definitions.
        """
        if instance is None:
            instance = public_object("Instance").get()
        return instance.load_asset_value(
            asset_key, python_type, partition_key=partition_key, definitions=self
        )

    @cached_property
    def graph(self) -> AssetGraph:
        """The connected assets. Problems are not raised: see `AssetGraph.validate`."""
        from assetgraph.graph.asset_graph import AssetGraph

        if not self.resources:
            return AssetGraph([*self.assets, *self.asset_checks])
        from assetgraph.graph.resource_tables import graph_of

        return graph_of([*self.assets, *self.asset_checks], self.resources)

    def problems(self) -> tuple[Problem, ...]:
        """Every problem: those of the graph, and those of jobs, schedules and sensors."""
        return (*self.graph.validate(), *sorted(set(self.automation.problems(self.graph))))

    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but may be a mistake."""
        from assetgraph.graph.replaced_assets import replaced_names

        loaded = (*self.load_warnings, *replaced_names(self.assets))
        return (*sorted(loaded), *self.graph.warnings())

    def __repr__(self) -> str:
        return f"Definitions({len(self.assets)} assets)"


def _automation_of(*given: Any) -> Automation:
    from assetgraph.graph.automation import Automation

    return Automation(*given)


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    *,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
) -> list[Asset]:
    """Every asset that is a variable of the modules, is in a list there, or was registered by them,
    without checks.

    Assets without a group get `group_name`. `key_prefix` goes before every key, and before the keys
    in `deps` and `ins` that name another of these assets.
    """
    found = [one for one in everything_in(modules) if not one.is_check]
    return [_adopted(item, group_name, key_prefix, found) for item in found]


def load_asset_checks_from_modules(
    modules: Iterable[ModuleType], *, asset_key_prefix: str | Sequence[str] | None = None
) -> list[AssetChecksDefinition]:
    """Every check of assets that is a variable of the modules, is in a list there, or was
    registered by them. `asset_key_prefix` goes before the keys of the assets that they read."""
    from assetgraph.definitions.checks import AssetChecksDefinition, with_prefix

    found = [one for one in everything_in(modules) if isinstance(one, AssetChecksDefinition)]
    if asset_key_prefix is None:
        return found
    return [with_prefix(one, asset_key_prefix) for one in found]


def everything_in(modules: Iterable[ModuleType]) -> list[Asset]:
    """The assets and checks of modules. Raises `TypeError` for what is no module."""
    if isinstance(modules, ModuleType):
        modules = [modules]
    names: dict[str, Mapping[str, Any]] = {}
    for module in modules:
        if not isinstance(module, ModuleType):
            raise TypeError(f"{module!r} is not a module: import it, and pass the module itself")
        names[module.__name__] = vars(module)
    registered = [item for item in current_registry() if item.module in names]
    return assets_of_modules(names, registered)


def assets_of_modules(modules: Modules, registered: Iterable[Asset]) -> list[Asset]:
    """Every asset or check that is a variable of the modules, is in a list there, or is in
    `registered`.

    `modules` has each module's variables by its name. An asset that another object calls in its
    place has a mistake.
    """
    found: dict[int, Asset] = {}
    declared: dict[int, tuple[AssetSpec, str]] = {}
    for name, item in values_of(modules):
        if issubclass(type(item), Asset):  # isinstance would ask a proxy for its target
            found.setdefault(id(item), item)
        elif type(item) is AssetSpec:
            declared.setdefault(id(item), (item, name))
    if declared:
        found.update(_declared(declared, (*found.values(), *registered)))
    hidden = list({id(item): item for item in registered if id(item) not in found}.values())
    if not hidden:
        return list(found.values())
    from assetgraph.graph.replaced_assets import with_wrapped_ones_marked

    return [*found.values(), *with_wrapped_ones_marked(hidden, modules)]


def _declared(
    specs: Mapping[int, tuple[AssetSpec, str]], assets: Iterable[Asset]
) -> Iterator[tuple[int, Asset]]:
    """The external assets that specs declare, without the specs of functions that make several."""
    made = {spec.key for one in assets if one.is_multi for spec in one.specs}
    for number, (spec, module) in specs.items():
        external = _external(spec, module)
        if external.key not in made:
            yield number, external


def _external(spec: AssetSpec, module: str = "") -> Asset:
    from assetgraph.definitions.external import external_asset

    return external_asset(spec, module)


def _flat(assets: Iterable[Declared | Iterable[Declared]]) -> list[Asset]:
    if isinstance(assets, Asset):
        raise TypeError(f"assets must be a list of assets: write [{assets.__name__}]")
    if not isinstance(assets, Iterable) or isinstance(assets, str | Mapping):
        raise TypeError(f"assets must be a list of assets, not {assets!r}")
    found: dict[int, Asset] = {}
    for item in assets:
        if isinstance(item, Asset):
            found.setdefault(id(item), item)
        elif isinstance(item, AssetSpec):
            if id(item) not in found:
                found[id(item)] = _external(item)
        elif isinstance(item, Iterable) and not isinstance(item, str | Mapping):
            for inner in _flat(item):
                found.setdefault(id(inner), inner)
        else:
            from assetgraph.graph.replaced_assets import not_an_asset

            raise TypeError(not_an_asset(item))
    return list(found.values())


def _adopted(
    item: Asset,
    group_name: str | None,
    key_prefix: str | Sequence[str] | None,
    together: Iterable[Asset],
) -> Asset:
    if group_name is None and key_prefix is None:
        return item
    prefix = unchecked_key(key_prefix).parts if key_prefix is not None else ()
    own = {spec.key for other in together for spec in other.specs}

    def moved(key: AssetKey) -> AssetKey:
        return AssetKey.unchecked([*prefix, *key.parts]) if prefix and key in own else key

    def adopted(spec: AssetSpec) -> AssetSpec:
        grouped = group_name is not None and spec.group_name == "default"
        return msgspec.structs.replace(
            spec,
            key=moved(spec.key),
            **_moved_check(spec, moved),
            deps=tuple(map(moved, spec.deps)),
            partition_mappings={
                moved(key): mapping for key, mapping in spec.partition_mappings.items()
            },
            group_name=group_name if grouped else spec.group_name,
        )

    specs = tuple(map(adopted, item.specs))
    return item.of_specs(specs, {name: moved(key) for name, key in item.ins.items()})


def _moved_check(spec: AssetSpec, moved: Callable[[AssetKey], AssetKey]) -> dict[str, AssetKey]:
    """The asset of a check under its new key; nothing for an asset."""
    asset = getattr(spec, "checks", None)
    return {} if asset is None else {"checks": moved(asset)}
