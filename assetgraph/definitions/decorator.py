"""The `@asset` decorator."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset, AssetDep, AssetIn, unchecked_key
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.metadata import metadata_json
from assetgraph.definitions.option_reader import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.signature import local_names, plain_function, require_signature
from assetgraph.keys import AssetKey
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.definitions.automation.conditions import AutomationCondition
    from assetgraph.definitions.backfill_policy import BackfillPolicy
    from assetgraph.definitions.check_nodes import AssetCheckSpec
    from assetgraph.definitions.io_manager import IOManager
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.mapping import PartitionMapping
    from assetgraph.definitions.retries import RetryPolicy


class AssetOptions(TypedDict, total=False):
    """The options of `@asset`."""

    name: str | None  # in place of the function's name
    key: str | Sequence[str] | AssetKey | None  # in place of name and prefix
    key_prefix: str | Sequence[str] | None
    # Upstreams that are not loaded.
    deps: Iterable[str | Sequence[str] | AssetKey | Asset | AssetSpec | AssetDep] | None
    ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None  # the upstream of a parameter
    group_name: str | None  # "default" unless given
    description: str | None  # the docstring unless given
    tags: Mapping[str, str] | None
    owners: Sequence[str] | None  # e-mail addresses, or "team:name"
    kinds: Iterable[str] | None  # what the asset is made with or of: "parquet"
    compute_kind: str | None  # one more of `kinds`, by an earlier name of Dagster's
    metadata: Mapping[str, Any] | None
    code_version: str | None  # in place of the hash of the code
    io_manager: IOManager | None  # stores and loads the value, in place of the value store
    io_manager_key: str | None  # the resource that does: "io_manager" unless given, if there is one
    required_resource_keys: Iterable[str] | None  # the resources that it takes from its context
    retry_policy: RetryPolicy | None  # whether and when a failed step runs again
    # In seconds. A step that runs longer fails. A process is killed; a thread is abandoned.
    timeout: float | None
    pool: str | None  # a pool limits how many of its assets run at once
    # Whether the files, folders and variables that it reads are recorded: yes, unless False.
    observe_reads: bool | None
    # Hints for the executor: {"dagster-dask/resource_requirements": {"GPU": 1}} asks for a Dask
    # worker that has a GPU.
    op_tags: Mapping[str, Any] | None
    partitions_def: PartitionsDefinition | None  # which partitions the asset has: none unless given
    backfill_policy: BackfillPolicy | None  # how many partitions one call makes: one unless given
    check_specs: Iterable[AssetCheckSpec] | None  # checks that the function makes itself
    automation_condition: AutomationCondition | None  # kept with the asset; nothing acts on it


@overload
def asset(function: Callable[..., Any], /) -> Asset: ...


@overload
def asset(**options: Unpack[AssetOptions]) -> Callable[[Callable[..., Any]], Asset]: ...


def asset(
    function: Callable[..., Any] | None = None, /, **options: Unpack[AssetOptions]
) -> Asset | Callable[[Callable[..., Any]], Asset]:
    """Declare that a function materializes an asset.

        @asset
        def trips(raw_trips): ...

    A parameter names its upstream: the asset of that name under the same prefix, else without a
    prefix, else the only asset whose key ends in that name. A parameter annotated with a `Config`
    class takes config. A parameter named `context`, or annotated with `AssetExecutionContext`,
    takes the context. A parameter annotated with a `ConfigurableResource` class, or with the name
    of a resource and of no asset, takes that resource. A parameter with a default keeps it.
    `AssetOptions` describes the options.

    The graph reports all wrong options and definitions together. Raises `TypeError` for an unknown
    option, and for an object that is not a function.
    """
    require_known("@asset", options, AssetOptions.__annotations__)
    caller = sys._getframe(1)
    if function is not None:
        return _make_asset(function, options, caller)
    return lambda function: _make_asset(function, options, caller)


def _signature() -> inspect.Signature:
    """The signature of `asset` with each option as a keyword, for `help()` and notebooks."""
    function = inspect.Parameter("function", inspect.Parameter.POSITIONAL_ONLY, default=None)
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind.__forward_arg__
        )
        for name, kind in AssetOptions.__annotations__.items()
    ]
    return inspect.Signature([function, *options])


vars(asset)["__signature__"] = _signature()


def require_known(maker: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise `TypeError` for an option that a decorator, or a function like one, does not have."""
    unknown = set(given).difference(known)
    if unknown:
        name = min(unknown)
        guess = did_you_mean(name, known) or f"Its options are {listed(known)}."
        raise TypeError(f"{maker} has no option {name!r}. {guess}")


def _make_asset(function: Callable[..., Any], options: AssetOptions, caller: FrameType) -> Asset:
    made = asset_of(function, options, caller)
    current_registry().add(made)
    return made


def asset_of(function: Callable[..., Any], options: AssetOptions, caller: FrameType) -> Asset:
    """The asset of a function, which no registry knows yet. Raises `TypeError` for any other
    object."""
    require_function(function)
    read = OptionReader()
    given: dict[str, Any] = {name: one for name, one in options.items() if one is not None}
    if "compute_kind" in given:
        kind = read.text("compute_kind", given.pop("compute_kind"))
        given["kinds"] = [*read.texts("kinds", given.get("kinds", ())), *([kind] if kind else [])]
    spec = _spec(function, given, read)
    found = read_computation(given, read)
    return Asset(
        name=spec.key.text,
        function=function,
        specs=with_own_checks((spec,), given, read),
        module=caller.f_globals.get("__name__", ""),
        mistakes=tuple(read.mistakes),
        local_names=local_names(function, caller),
        **found,
    )


def with_own_checks(
    specs: tuple[AssetSpec, ...], given: Mapping[str, Any], read: OptionReader
) -> tuple[AssetSpec, ...]:
    """The specs, and the checks of them that the same function makes."""
    if "check_specs" not in given:
        return specs
    from assetgraph.definitions.check_nodes import nodes_of

    policy = given.get("backfill_policy")
    if policy is not None and getattr(policy, "max_partitions_per_run", 1) != 1:
        read.note(
            "check_specs= and a backfill_policy= of several partitions exclude each other",
            "Write the checks as functions of their own, with @asset_check.",
        )
    return (*specs, *nodes_of(given["check_specs"], specs, read))


def read_computation(given: Mapping[str, Any], read: OptionReader) -> dict[str, Any]:
    """The options that say how a computation runs, and what its parameters load."""
    found = read_options(COMPUTATION_OPTIONS, given, read)
    return found | input_options(read, given["ins"]) if "ins" in given else found


def read_spec(key: Any, given: Mapping[str, Any], read: OptionReader) -> AssetSpec:
    """The spec of an asset without a function, from its key and its options as a person gives
    them. Wrong ones are noted and left out."""
    unknown = [name for name in given if name not in _SPEC_OPTIONS]
    if unknown:
        known = listed(_SPEC_OPTIONS)
        read.note(f"an external asset has no option {unknown[0]!r}", f"Its options are {known}.")
    whole = read.read("key", unchecked_key, key) or AssetKey.unchecked([str(key)])
    return AssetSpec(key=whole, **_read_spec(given, read))


def read_options(
    readers: Mapping[str, Reader] | None, given: Mapping[str, Any], read: OptionReader
) -> dict[str, Any]:
    """The given options that `readers` names: those of a spec, if None. Wrong ones are noted and
    left out."""
    return _read_spec(given, read) if readers is None else _read(readers, given, read)


def _read_spec(given: Mapping[str, Any], read: OptionReader) -> dict[str, Any]:
    deps = given.get("deps")
    if deps is None:
        return _read(_SPEC_OPTIONS, given, read)
    listed_deps = read.listed("deps", deps)  # once: it may be an iterator
    found = _read(_SPEC_OPTIONS, {**given, "deps": listed_deps}, read)
    mappings = {}
    for dep in listed_deps:
        if isinstance(dep, AssetDep) and dep.partition_mapping is not None:
            key = read.read("deps", unchecked_key, dep.asset)
            mapping = read.partition_mapping(dep.partition_mapping)
            if key is not None and mapping is not None:
                mappings[key] = mapping
    return {**found, "partition_mappings": mappings} if mappings else found


def _read(
    readers: Mapping[str, Reader], given: Mapping[str, Any], read: OptionReader
) -> dict[str, Any]:
    """The given options that `readers` names. Wrong ones are noted and left out."""
    if not given:
        return {}
    found = {name: reader(read, given[name]) for name, reader in readers.items() if name in given}
    return {name: value for name, value in found.items() if value is not None}


def require_function(function: Any, decorator: str = "@asset") -> None:
    """Raise `TypeError` for what a decorator cannot make an asset of."""
    if isinstance(function, Asset):
        raise TypeError(f"{function!r} is already an asset: use {decorator} only once")
    if isinstance(function, type):
        raise TypeError(f"{decorator} decorates a function, not the class {function.__name__}")
    if not callable(function):
        raise TypeError(f"{decorator} decorates a function, not {described(function)}")
    require_signature(function)


def _spec(function: Callable[..., Any], given: Mapping[str, Any], read: OptionReader) -> AssetSpec:
    options = _read_spec(given, read)
    if "io_manager_key" in given and "io_manager" in given:
        read.note("it has both io_manager= and io_manager_key=", "Give one of the two.")
    options.setdefault("description", docstring(function))
    return AssetSpec(key=_key(function, given, read), **options)


def _key(function: Callable[..., Any], given: Mapping[str, Any], read: OptionReader) -> AssetKey:
    if not given:
        return AssetKey.unchecked([function_name(function, read)])
    key, name, key_prefix = (given.get(option) for option in ("key", "name", "key_prefix"))
    if key is not None and (name is not None or key_prefix is not None):
        read.note("key= replaces name= and key_prefix=", "Give key= alone, or the other two.")
    whole = None if key is None else read.read("key", unchecked_key, key)
    if whole is not None:
        return whole
    prefix = read.read("key_prefix", unchecked_key, key_prefix) if key_prefix else None
    last = read.text("name", name)
    if last is None:
        last = function_name(function, read)
    return AssetKey.unchecked([*(prefix.parts if prefix else ()), last])


def function_name(function: Callable[..., Any], read: OptionReader) -> str:
    """What an asset or a computation is called after."""
    bottom = plain_function(function)
    if bottom is not None and bottom.__name__ != "__call__":
        return bottom.__name__
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):  # a callable object: all objects of its class would share a key
        name = type(function).__name__
        read.note(f"a {name} has no name to use as the asset's name", "Give it one with name=.")
    return name


def _deps(read: OptionReader, given: Any) -> tuple[AssetKey, ...]:
    found: dict[AssetKey, None] = {}
    for dep in read.listed("deps", given):
        found.update(dict.fromkeys(read.read("deps", _dep_keys, dep) or ()))
    return tuple(found)


def _dep_keys(given: AssetDep | str | AssetKey | Asset) -> list[AssetKey]:
    if isinstance(given, Asset) and len(given.specs) > 1:
        return [spec.key for spec in given.specs]
    return [unchecked_key(given.asset if isinstance(given, AssetDep) else given)]


def _ins(read: OptionReader, given: Any) -> dict[str, AssetKey]:
    keys = {
        parameter: read.read("ins", _input_key, parameter, one)
        for parameter, one in read.mapping("ins", given).items()
    }
    return {parameter: key for parameter, key in keys.items() if key is not None}


def input_options(read: OptionReader, given: Any) -> dict[str, Any]:
    """What the `AssetIn`s say beside the key."""
    mappings: dict[str, PartitionMapping] = {}
    columns: dict[str, str] = {}
    for parameter, one in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(one, AssetIn):
            continue
        if one.partition_mapping is not None:
            mapping = read.partition_mapping(one.partition_mapping)
            if mapping is not None:
                mappings[parameter] = mapping
        column = read.text("partition_column", one.partition_column)
        if column is not None:
            columns[parameter] = column
    return {"partition_mappings": mappings, "partition_columns": columns}


def _input_key(parameter: str, given: AssetIn | str | AssetKey | Asset) -> AssetKey:
    return given.resolve(parameter) if isinstance(given, AssetIn) else unchecked_key(given)


def docstring(function: Callable[..., Any]) -> str | None:
    bottom = plain_function(function)
    return inspect.cleandoc(bottom.__doc__) if bottom and bottom.__doc__ else None


def _tags(read: OptionReader, given: Any) -> dict[str, str]:
    return {name: str(value) for name, value in read.mapping("tags", given).items()}


def _metadata(read: OptionReader, given: Any) -> dict[str, Any] | None:
    return read.read("metadata", metadata_json, read.mapping("metadata", given))


Reader = Callable[[OptionReader, Any], Any]

# How each option is read: what one asset is, and how its computation runs. `_key` reads the rest.
_SPEC_OPTIONS: Mapping[str, Reader] = {
    "deps": _deps,
    "group_name": lambda read, given: read.text("group_name", given) or None,
    "description": lambda read, given: read.text("description", given) or None,
    "tags": _tags,
    "owners": lambda read, given: tuple(read.texts("owners", given)),
    "kinds": lambda read, given: frozenset(read.texts("kinds", given)),
    "metadata": _metadata,
    "io_manager": lambda read, given: read.manager(given),
    "io_manager_key": lambda read, given: read.text("io_manager_key", given) or None,
    "partitions_def": lambda read, given: read.partitions_def(given),
    "automation_condition": lambda read, given: read.automation_condition(given),
}
COMPUTATION_OPTIONS: Mapping[str, Reader] = {
    "ins": _ins,
    "code_version": lambda read, given: read.text("code_version", given),
    "retry_policy": lambda read, given: read.policy(given),
    "timeout": lambda read, given: read.seconds("timeout", given),
    "pool": lambda read, given: read.text("pool", given),
    "observe_reads": lambda read, given: read.switch("observe_reads", given),
    "op_tags": lambda read, given: read.mapping("op_tags", given),
    "required_resource_keys": lambda read, given: frozenset(
        read.texts("required_resource_keys", given)
    ),
    "backfill_policy": lambda read, given: read.backfill_policy(given),
}
