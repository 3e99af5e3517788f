"""`AssetSpec`, a node of the graph, and `Computation`, a function that materializes such nodes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.resource_marks import is_resource_type
from assetgraph.definitions.signature import (
    BY_NAME,
    Parameter,
    Signature,
    is_context,
    plain_function,
    resolved,
    signature_of,
)
from assetgraph.keys import AssetKey, checked_asset
from assetgraph.text import place_text

if TYPE_CHECKING:
    from functools import cached_property

    from assetgraph.definitions.backfill_policy import BackfillPolicy
    from assetgraph.definitions.io_manager import IOManager
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.mapping import PartitionMapping
    from assetgraph.definitions.retries import RetryPolicy
else:

    class cached_property:  # noqa: N801 - as in functools, where Python 3.11 takes a lock for each
        """An attribute that is computed when it is first asked for."""

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute = compute
            self._name = compute.__name__
            self.__doc__ = compute.__doc__

        def __get__(self, instance: Any, owner: type) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self._name] = self._compute(instance)
            return value


class _Named(msgspec.Struct, frozen=True, eq=False):
    key: AssetKey


class AssetSpec(_Named, frozen=True, eq=False, kw_only=True):
    """The description of one asset, whatever materializes it.

        orders = AssetSpec("orders", group_name="warehouse")

    In `Definitions(assets=[…])`, or as a variable of a module of assets, it declares an external
    asset, which something else makes. `key` may then be text or a list of its parts, and `deps`
    may hold text, keys and assets.

    `deps` are the upstreams that no parameter loads. `io_manager` stores and loads the value; None
    means the project's value store. `io_manager_key` names it among the resources instead.
    `partitions_def` says which partitions the asset has; None means that it has none.
    `partition_mappings` has the mappings that are given for `deps`. A call that materializes
    several assets may leave out those that are `skippable`. Nothing acts on an
    `automation_condition`.
    """

    deps: tuple[AssetKey, ...] = ()
    group_name: str = "default"
    description: str | None = None
    tags: Mapping[str, str] = {}
    owners: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = {}
    io_manager: IOManager | None = None
    io_manager_key: str | None = None
    partitions_def: PartitionsDefinition | None = None
    partition_mappings: Mapping[AssetKey, PartitionMapping] = {}
    skippable: bool = False
    automation_condition: Any = None  # an AutomationCondition, which knows assets itself

    def __post_init__(self) -> None:
        key: Any = self.key
        if type(key) is not AssetKey and _is_key_text(key):
            msgspec.structs.force_setattr(self, "key", AssetKey.unchecked(key))

    def __repr__(self) -> str:
        return f"<AssetSpec {self.key}>"

    def replace_attributes(self, **attributes: Any) -> Self:
        """The spec with other attributes: `spec.replace_attributes(group_name="raw")`.

        Raises `TypeError` for what is no attribute of a spec.
        """
        return msgspec.structs.replace(self, **attributes)

    def merge_attributes(
        self,
        *,
        deps: Iterable[Any] = (),
        metadata: Mapping[str, Any] = {},
        owners: Iterable[str] = (),
        tags: Mapping[str, str] = {},
        kinds: Iterable[str] = (),
    ) -> Self:
        """The spec with these attributes added to those that it has."""
        return msgspec.structs.replace(
            self,
            deps=(*self.deps, *deps) if deps else self.deps,
            metadata={**self.metadata, **metadata} if metadata else self.metadata,
            owners=(*self.owners, *owners) if owners else self.owners,
            tags={**self.tags, **tags} if tags else self.tags,
            kinds={*self.kinds, *kinds} if kinds else self.kinds,
        )


def _is_key_text(given: Any) -> bool:
    if isinstance(given, str):
        return True
    return isinstance(given, list | tuple) and all(isinstance(part, str) for part in given)


@dataclass(frozen=True, eq=False, kw_only=True)
class Computation:
    """One function, and the assets that a call of it materializes. Calling it calls the
    function, and checks what it gets and gives.

    `name` is unique in a graph. `ins` has the upstream of each parameter that does not name it
    itself, and `partition_mappings` the mappings that are given for parameters. `timeout` is in
    seconds. `backfill_policy` says how many partitions one call materializes; one, unless given.
    `observe_reads` says whether what a call reads is recorded. `required_resource_keys` names the
    resources that it takes from its context, and `named_resources` the parameters that take the
    resource of their name, as the graph finds them.
    `module` is where the function was decorated. `mistakes` holds the options that are wrong and
    were left out, each as a message and a remedy. `local_names` holds the local variables of an
    enclosing function that the annotations name. `partition_columns` has, for a parameter that gets
    several partitions as one table, the name of a column for their keys.

    A function of one asset returns its value. What a function of several assets may return is in
    `run/named_outputs.py`.
    """

    name: str
    function: Callable[..., Any]
    specs: tuple[AssetSpec, ...]
    ins: Mapping[str, AssetKey] = field(default_factory=dict)
    partition_mappings: Mapping[str, PartitionMapping] = field(default_factory=dict)
    partition_columns: Mapping[str, str] = field(default_factory=dict)
    backfill_policy: BackfillPolicy | None = None
    code_version: str | None = None
    retry_policy: RetryPolicy | None = None
    timeout: float | None = None
    pool: str | None = None
    observe_reads: bool = True
    op_tags: Mapping[str, Any] = field(default_factory=dict)
    required_resource_keys: frozenset[str] = frozenset()
    named_resources: frozenset[str] = frozenset()
    module: str = ""
    mistakes: tuple[tuple[str, str], ...] = ()
    local_names: Mapping[str, Any] = field(default_factory=dict)

    is_external = False  # whether something else makes the assets
    is_check = False  # whether its nodes are checks of assets, which have no value
    can_subset = False  # whether a call may be for some of the assets
    is_multi = False  # whether what a call returns is named, even if it is for one asset

    def __post_init__(self) -> None:
        # On the instance: a property would hide the docstring of the class.
        object.__setattr__(self, "__doc__", self.function.__doc__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from assetgraph.definitions.direct_call import call

        return call(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at {self.place}>"

    def __getstate__(self) -> dict[str, Any]:
        """The state to pickle, with annotations as objects.

        A function that is pickled by value loses the names that only its annotations use.
        """
        fields = {name: self.__dict__[name] for name in self.__dataclass_fields__}
        fields["local_names"] = {}
        return {**fields, "signature": self.signature}

    @cached_property
    def makes_checks(self) -> bool:
        """Whether a call makes checks of its assets beside them."""
        return (
            len(self.specs) > 1
            and not self.is_check
            and any(checked_asset(spec.key) is not None for spec in self.specs)
        )

    @property
    def label(self) -> str:
        """What the computation is called in messages."""
        return f"{'check' if self.is_check else 'asset'} {self.name!r}"

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.function

    @cached_property
    def plain_function(self) -> FunctionType | None:
        """The function inside partials and wrappers, or None for a callable object."""
        return plain_function(self.function)

    @property
    def file(self) -> str:
        bottom = self.plain_function
        return bottom.__code__.co_filename if bottom else "<unknown>"

    @property
    def line(self) -> int:
        bottom = self.plain_function
        return bottom.__code__.co_firstlineno if bottom else 0

    @property
    def place(self) -> str:
        return place_text(self.file, self.line)

    @cached_property
    def signature(self) -> Signature:
        """The function's signature, with annotations resolved where possible."""
        return resolved(signature_of(self.function), self.function, self.local_names)

    @property
    def has_value(self) -> bool:
        """Whether a parameter can load what it materializes."""
        return True

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.signature.parameters

    @property
    def returns(self) -> Any:
        """The return annotation, or `EMPTY`."""
        return self.signature.returns

    @property
    def makes_several_partitions(self) -> bool:
        """Whether one call may materialize several partitions, so that it always returns each with
        its key."""
        policy = self.backfill_policy
        return policy is not None and policy.max_partitions_per_run != 1

    @cached_property
    def context_parameter(self) -> str | None:
        for parameter in () if self.signature.only_names else self.parameters:
            if is_context(parameter):
                return parameter.name
        return None

    @cached_property
    def config_parameter(self) -> Parameter | None:
        """The parameter that takes config: its annotation is a subclass of `Config`, or it is
        called `config`, and its annotation is another pydantic model or a dataclass."""
        return next(filter(self.takes_config, self.parameters), None)

    def takes_config(self, parameter: Parameter) -> bool:
        annotation = parameter.annotation
        if annotation is EMPTY:
            return False
        if parameter.name != "config" or is_config_type(annotation) or "config" in self.ins:
            return is_config_type(annotation)
        from assetgraph.definitions.config_fields import has_fields

        return has_fields(annotation)

    @property
    def config_type(self) -> Any:
        return self.config_parameter.annotation if self.config_parameter else None

    @cached_property
    def resource_parameters(self) -> tuple[str, ...]:
        """The parameters that take a resource, by their annotation or their name."""
        if self.signature.only_names:
            return tuple(self.named_resources)
        return tuple(
            parameter.name
            for parameter in self.parameters
            if parameter.name in self.named_resources
            or (parameter.annotation is not EMPTY and is_resource_type(parameter.annotation))
        )

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that name an upstream.

        The context, the config and resources are not among them. A parameter with a default counts
        only if `ins` or `deps` names it.
        """
        if self.signature.only_names and not self.named_resources:
            return self.parameters
        named = set(self.ins)
        for spec in self.specs:
            if spec.deps:
                named.update(dep.name for dep in spec.deps)
        others = {self.context_parameter, *self.resource_parameters}
        found = [
            p
            for p in self.parameters
            if p.name not in others
            and (p.annotation is EMPTY or not self.takes_config(p))
            and p.kind in BY_NAME
            and (not p.has_default or p.name in named)
        ]
        return tuple(found)

    def spec(self, key: AssetKey) -> AssetSpec:
        """The spec of one of the assets that the computation materializes."""
        return self.specs[0] if len(self.specs) == 1 else self._specs_by_key[key]

    @cached_property
    def _specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        return {spec.key: spec for spec in self.specs}

    @cached_property
    def output_names(self) -> Mapping[str, AssetKey]:
        """What a function of several assets may call each in what it returns."""
        return {"__".join(spec.key.parts): spec.key for spec in self.specs}


def is_config_type(annotation: Any) -> bool:
    module = sys.modules.get("assetgraph.definitions.config")  # nothing imports it without need
    return (
        module is not None
        and isinstance(annotation, type)
        and issubclass(annotation, module.Config)
    )
