"""Checks of assets: `@asset_check`, `@multi_asset_check`, and what they return.

A check is a computation of nodes that have no value. Each is called after its asset and itself, as
in `trips:no_nulls`, which no asset can be called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, cast

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset, AssetDep, AssetIn, unchecked_key
from assetgraph.definitions.check_nodes import AssetCheckSpec, CheckNode
from assetgraph.definitions.check_results import AssetLike
from assetgraph.definitions.computation import Computation
from assetgraph.definitions.decorator import (
    COMPUTATION_OPTIONS,
    docstring,
    function_name,
    input_options,
    read_options,
    require_known,
)
from assetgraph.definitions.option_reader import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.signature import local_names, require_signature
from assetgraph.keys import AssetKey, check_key

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.retries import RetryPolicy

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AssetChecksDefinition(Asset):
    """A function that checks assets. `@asset_check` and `@multi_asset_check` return it; calling it
    calls the function."""

    place_given: tuple[str, int] | None = None  # where a ready-made one is declared

    is_check = True

    @property
    def file(self) -> str:
        return self.place_given[0] if self.place_given else super().file

    @property
    def line(self) -> int:
        return self.place_given[1] if self.place_given else super().line

    @property
    def has_value(self) -> bool:
        return False

    @property
    def nodes(self) -> tuple[CheckNode, ...]:
        return tuple(spec for spec in self.specs if isinstance(spec, CheckNode))

    @property
    def __name__(self) -> str:
        return self.nodes[0].check_name

    @property
    def check_keys(self) -> tuple[AssetKey, ...]:
        """The keys of the checks as nodes of the graph, such as `trips:no_nulls`."""
        return tuple(node.key for node in self.nodes)

    @property
    def check_specs(self) -> tuple[AssetCheckSpec, ...]:
        return tuple(
            AssetCheckSpec(
                node.check_name,
                node.checks,
                description=node.description,
                additional_deps=[dep for dep in node.deps if dep is not node.checks],
                blocking=node.blocking,
                metadata=node.metadata,
                partitions_def=node.partitions_def,
            )
            for node in self.nodes
        )


class CheckOptions(TypedDict, total=False):
    """The options of checks that say how the function runs. They are those of `@asset`."""

    code_version: str | None
    retry_policy: RetryPolicy | None
    timeout: float | None
    pool: str | None
    observe_reads: bool | None
    op_tags: Mapping[str, Any] | None


class OneCheckOptions(CheckOptions, total=False):
    """The options of `@asset_check`."""

    name: str | None  # in place of the function's name
    description: str | None  # the docstring unless given
    blocking: bool | None  # whether what reads the asset waits until the check has passed
    # Further upstreams, loaded by parameters or not.
    additional_ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None
    additional_deps: Iterable[AssetLike | AssetDep] | None
    metadata: Mapping[str, Any] | None
    partitions_def: PartitionsDefinition | None  # that of the asset, or none


def _with_options(required: str, example: str) -> Callable[[F], F]:
    """Let a decorator without parentheses, or without its required option, say what to write."""

    def decorate(decorator: F) -> F:
        @wraps(decorator)
        def decorator_of_checks(*given: Any, **options: Any) -> Any:
            if given or required not in options:
                name = decorator.__name__
                without = "parentheses" if given else f"{required}="
                raise TypeError(f"@{name} is written without {without}: write @{name}({example})")
            return decorator(**options)

        return cast("F", decorator_of_checks)

    return decorate


@_with_options("asset", "asset=…")
def asset_check(
    *, asset: AssetLike, **options: Unpack[OneCheckOptions]
) -> Callable[[Callable[..., Any]], AssetChecksDefinition]:
    """Declare that a function checks an asset.

        @asset_check(asset=trips)
        def no_negative_fares(trips):
            return AssetCheckResult(passed=min(trips.fare) >= 0)

    It runs after its asset. The first parameter that is not otherwise known gets the asset's value,
    whatever it is called; without one, nothing is loaded. A check that fails stops nothing, unless
    it is `blocking` and fails with `AssetCheckSeverity.ERROR`: then what reads the asset does not
    run, in this run or a later one, until the asset or the check is another.

    A check with the `partitions_def` of its asset looks at each partition by itself. The graph
    reports all wrong options together. Raises `TypeError` for an unknown one, and without `asset`.
    """
    require_known("@asset_check", options, ("asset", *OneCheckOptions.__annotations__))
    caller = sys._getframe(2)  # behind the wrapper
    given: dict[str, Any]
    given = {name: value for name, value in options.items() if value is not None}
    ins = given.pop("additional_ins", None)
    own = {name: given.pop(name) for name in OF_SPEC if name in given}
    spec = AssetCheckSpec(given.pop("name", ""), asset, **own)

    def decorate(function: Callable[..., Any]) -> AssetChecksDefinition:
        made = check_of(function, [spec], caller, ins=ins, options=given)
        current_registry().add(made)
        return made

    return decorate


# The options of `@asset_check` that the spec of its check has.
OF_SPEC = ("description", "blocking", "additional_deps", "metadata", "partitions_def")


@_with_options("specs", "specs=[AssetCheckSpec(…)]")
def multi_asset_check(
    *,
    specs: Sequence[AssetCheckSpec],
    name: str | None = None,
    additional_ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None = None,
    **options: Unpack[CheckOptions],
) -> Callable[[Callable[..., Any]], AssetChecksDefinition]:
    """Declare that a function makes several checks, and yields a result for each of `specs`.

        @multi_asset_check(specs=[
            AssetCheckSpec("not_empty", asset="trips"),
            AssetCheckSpec("no_negative_fares", asset="trips", blocking=True),
        ])
        def trips_checks(trips):
            yield AssetCheckResult(check_name="not_empty", passed=len(trips) > 0)
            yield AssetCheckResult(check_name="no_negative_fares", passed=min(trips.fare) >= 0)

    A parameter gets the value of the asset of its name. The step fails if a spec has no result.
    Raises `TypeError` if `specs` are no specs.
    """
    known = ("specs", "name", "additional_ins", *CheckOptions.__annotations__)
    require_known("@multi_asset_check", options, known)
    caller = sys._getframe(2)  # behind the wrapper
    specs = list(specs)
    if not specs or not all(isinstance(spec, AssetCheckSpec) for spec in specs):
        raise TypeError("specs= of @multi_asset_check takes a list of AssetCheckSpec")

    def decorate(function: Callable[..., Any]) -> AssetChecksDefinition:
        made = check_of(
            function, specs, caller, name=name, ins=additional_ins, options=options, several=True
        )
        current_registry().add(made)
        return made

    return decorate


def check_of(
    function: Callable[..., Any],
    specs: Sequence[AssetCheckSpec],
    caller: FrameType,
    *,
    name: str | None = None,
    ins: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    several: bool = False,
    always: bool = False,
    place: tuple[str, int] | None = None,
) -> AssetChecksDefinition:
    """The checks that a function makes, which no registry knows yet. Raises `TypeError` for any
    other object."""
    if isinstance(function, Computation | type) or not callable(function):
        raise TypeError(f"@asset_check decorates a function, not {described(function)}")
    require_signature(function)
    given = {key: value for key, value in (options or {}).items() if value is not None}
    read = OptionReader()
    nodes = tuple(_node(spec, function, read, always) for spec in specs)
    more = read_options(COMPUTATION_OPTIONS, {**given, **({"ins": ins} if ins else {})}, read)
    if ins:
        more |= input_options(read, ins)
    own_name = nodes[0].key.text
    if several:
        own_name = read.text("name", name) or function_name(function, read)
    made = AssetChecksDefinition(
        name=own_name,
        function=function,
        specs=nodes,
        module=caller.f_globals.get("__name__", ""),
        mistakes=tuple(read.mistakes),
        local_names=local_names(function, caller),
        place_given=place,
        **more,
    )
    return _reading_its_asset(made)


def _reading_its_asset(made: AssetChecksDefinition) -> AssetChecksDefinition:
    """`made` with the parameter that gets the value of its asset, and a dependency on each asset
    that no parameter loads."""
    checked = tuple(dict.fromkeys(node.checks for node in made.nodes))
    given, free = dict(made.ins), [one.name for one in made.inputs if one.name not in made.ins]
    for key in checked:
        taken = key.name if key.name in free else None
        if taken is None and len(checked) == 1 and key not in given.values() and free:
            taken = free[0]
        if taken is not None:
            given[taken] = key
            free.remove(taken)
    loaded = set(given.values())
    nodes = [
        node
        if node.checks in loaded and len(checked) == 1
        else _replaced(node, deps=tuple(dict.fromkeys([*node.deps, node.checks])))
        for node in made.nodes
    ]
    return replace(made, ins=given, specs=tuple(nodes))


def with_prefix(made: AssetChecksDefinition, prefix: str | Sequence[str]) -> AssetChecksDefinition:
    """The same checks of the assets under a prefix."""
    parts = unchecked_key(prefix).parts

    def moved(key: AssetKey) -> AssetKey:
        return AssetKey.unchecked([*parts, *key.parts])

    nodes = tuple(
        _replaced(
            node,
            key=moved(node.key),
            checks=moved(node.checks),
            deps=tuple(map(moved, node.deps)),
            partition_mappings={moved(k): one for k, one in node.partition_mappings.items()},
        )
        for node in made.nodes
    )
    name = nodes[0].key.text if made.name == made.nodes[0].key.text else made.name
    ins = {parameter: moved(key) for parameter, key in made.ins.items()}
    return replace(made, name=name, specs=nodes, ins=ins)


def _replaced(node: CheckNode, **fields: Any) -> CheckNode:
    import msgspec

    return msgspec.structs.replace(node, **fields)


def _node(
    spec: AssetCheckSpec, function: Callable[..., Any], read: OptionReader, always: bool
) -> CheckNode:
    name = read.text("name", spec.name) or function_name(function, read)
    asset = read.read("asset", unchecked_key, spec.asset) or AssetKey.unchecked(["unknown"])
    if not name.replace("-", "_").replace(".", "_").isidentifier():
        read.note(
            f"the name {name!r} of a check is not valid",
            "Use letters, digits, '_', '-' and '.', and give it with name=.",
        )
    options = {
        "description": spec.description,
        "metadata": spec.metadata or None,
        "partitions_def": spec.partitions_def,
        "deps": spec.additional_deps or None,
    }
    given = {key: value for key, value in options.items() if value is not None}
    found = read_options(None, given, read)
    found.setdefault("description", docstring(function))
    return CheckNode(
        key=check_key(asset, name),
        checks=asset,
        check_name=name,
        blocking=bool(read.switch("blocking", spec.blocking)),
        always=always,
        **found,
    )
