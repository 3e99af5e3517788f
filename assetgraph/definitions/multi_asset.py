"""`@multi_asset`: several assets from one function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import msgspec

from assetgraph.definitions.asset import Asset, AssetDep, AssetIn
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.decorator import (
    function_name,
    read_computation,
    read_spec,
    require_function,
    require_known,
    with_own_checks,
)
from assetgraph.definitions.option_reader import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.signature import local_names
from assetgraph.errors import AssetGraphError
from assetgraph.keys import AssetKey
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.definitions.backfill_policy import BackfillPolicy
    from assetgraph.definitions.check_nodes import AssetCheckSpec
    from assetgraph.definitions.io_manager import IOManager
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.retries import RetryPolicy

KeyText = str | Sequence[str] | AssetKey
_OF_ALL = ("deps", "group_name", "partitions_def")  # said once for every asset


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetOut:
    """One of the assets that a function materializes, in `@multi_asset(outs={name: AssetOut()})`.

    Its key is the name in `outs`, unless `key` is given, under `key_prefix`. A call may leave it
    out if `is_required` is False. A value of another type than `dagster_type` fails the step.
    """

    key: KeyText | None = None
    key_prefix: str | Sequence[str] | None = None
    dagster_type: Any = None
    description: str | None = None
    is_required: bool = True
    group_name: str | None = None
    metadata: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    owners: Sequence[str] | None = None
    kinds: Iterable[str] | None = None
    io_manager: IOManager | None = None


class MultiAssetOptions(TypedDict, total=False):
    """The options of `@multi_asset`. Those that `@asset` has too mean the same for the call."""

    specs: Sequence[AssetSpec] | None  # the assets
    outs: Mapping[str, AssetOut] | None  # the assets, by the names of the outputs
    name: str | None  # of the step, in place of the function's name
    can_subset: bool | None  # whether a call may make some of them: `context.selected_asset_keys`
    ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None
    deps: Iterable[str | Sequence[str] | AssetKey | Asset | AssetSpec | AssetDep] | None  # of all
    group_name: str | None  # of those that say none
    partitions_def: PartitionsDefinition | None  # of all
    check_specs: Iterable[AssetCheckSpec] | None  # checks that the function makes itself
    backfill_policy: BackfillPolicy | None
    code_version: str | None
    retry_policy: RetryPolicy | None
    timeout: float | None
    pool: str | None
    observe_reads: bool | None
    op_tags: Mapping[str, Any] | None


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MultiAsset(Asset):
    """A function that materializes several assets. `@multi_asset` returns it; calling it calls
    the function."""

    names: Mapping[str, AssetKey] = field(default_factory=dict)
    output_types: Mapping[AssetKey, Any] = field(default_factory=dict)
    can_subset: bool = False

    is_multi = True

    @property
    def keys(self) -> frozenset[AssetKey]:
        return frozenset(spec.key for spec in self.specs)

    @property
    def output_names(self) -> Mapping[str, AssetKey]:
        """What each asset may be called in what the function returns."""
        return self.names

    @property
    def asset_spec(self) -> AssetSpec:
        if len(self.specs) == 1:
            return self.specs[0]
        names = listed([spec.key.text for spec in self.specs[:5]])
        raise AssetGraphError(
            f"{self.name!r} materializes {len(self.specs)} assets: {names}"
            f"{' and more' if len(self.specs) > 5 else ''}.",
            hint=f"Name the one that you mean by its key: {self.specs[0].key.text!r}.",
        )

    @property
    def key(self) -> AssetKey:
        """The key of its only asset. Raises `AssetGraphError` if it has several."""
        return self.asset_spec.key

    @property
    def __name__(self) -> str:
        return self.name

    def of_specs(self, specs: tuple[AssetSpec, ...], ins: Mapping[str, AssetKey]) -> Asset:
        moved = {old.key: new.key for old, new in zip(self.specs, specs, strict=True)}
        names = {name: moved[key] for name, key in self.names.items()}
        types = {moved[key]: kind for key, kind in self.output_types.items()}
        return replace(self, specs=specs, ins=ins, names=names, output_types=types)


def multi_asset(
    **options: Unpack[MultiAssetOptions],
) -> Callable[[Callable[..., Any]], MultiAsset]:
    """Declare that a function materializes several assets.

        @multi_asset(specs=[AssetSpec("evens"), AssetSpec("odds")])
        def split(numbers):
            yield MaterializeResult(asset_key="evens", value=numbers[::2])
            yield MaterializeResult(asset_key="odds", value=numbers[1::2])

    A parameter names an upstream of all of them. The function yields a `MaterializeResult` or an
    `Output` for each, and each is committed when it is yielded. It may also return one, a tuple,
    or a dict with the value of each by its name. If it returns None, all of them are materialized
    without a value.

    One call makes all of them. With `can_subset`, it makes those of `context.selected_asset_keys`.
    `MultiAssetOptions` describes the options.

    Raises `TypeError` for an unknown option, without any asset, and for an object that is not a
    function.
    """
    require_known("@multi_asset", options, MultiAssetOptions.__annotations__)
    caller = sys._getframe(1)
    return lambda function: _make(function, options, caller)


def _make(function: Any, options: MultiAssetOptions, caller: FrameType) -> MultiAsset:
    require_function(function, "@multi_asset")
    read = OptionReader()
    given = {name: value for name, value in options.items() if value is not None}
    name = read.text("name", given.get("name")) or function_name(function, read)
    assets = dict(_assets(given, read))
    if not assets:
        wrong = f"{read.mistakes[0][0]}. {read.mistakes[0][1]}" if read.mistakes else ""
        raise TypeError(
            f"@multi_asset of {name!r}: {wrong}"
            if wrong
            else f"@multi_asset of {name!r} names no asset: {_EXAMPLE}"
        )
    if given.get("can_subset") and "check_specs" in given:
        read.note(
            "check_specs= and can_subset= exclude each other",
            "Write the checks as functions of their own, with @asset_check.",
        )
    outs = {} if "specs" in given else read.mapping("outs", given.get("outs"))
    made = MultiAsset(
        name=name,
        function=function,
        specs=with_own_checks(tuple(assets.values()), given, read),
        names={name: spec.key for name, spec in assets.items()},
        output_types={
            assets[name].key: out.dagster_type
            for name, out in outs.items()
            if name in assets and out.dagster_type is not None
        },
        can_subset=bool(read.switch("can_subset", given.get("can_subset"))),
        module=caller.f_globals.get("__name__", ""),
        local_names=local_names(function, caller),
        **read_computation(given, read),
        mistakes=tuple(read.mistakes),
    )
    current_registry().add(made)
    return made


def _assets(given: Mapping[str, Any], read: OptionReader) -> Iterator[tuple[str, AssetSpec]]:
    """Each asset with its name as an output. Wrong ones are noted and left out."""
    if "specs" in given and "outs" in given:
        read.note("specs= and outs= both name the assets", "Give one of the two.")
    given_specs = _of_specs(given, read) if "specs" in given else _of_outs(given, read)
    of_all = {option: given[option] for option in _OF_ALL if option in given}
    if "deps" in of_all:
        of_all["deps"] = read.listed("deps", of_all["deps"])  # once: it may be an iterator
    seen: set[AssetKey] = set()
    for output, key, options in given_specs:
        spec = _spec(key, options, of_all, read)
        if spec.key in seen:
            read.note(f"two of its assets are called {spec.key.text!r}", "Rename one.")
            continue
        seen.add(spec.key)
        skippable = bool(options.get("skippable"))
        yield (
            output or "__".join(spec.key.parts),
            (msgspec.structs.replace(spec, skippable=True) if skippable else spec),
        )


def _spec(
    key: Any, options: Mapping[str, Any], of_all: Mapping[str, Any], read: OptionReader
) -> AssetSpec:
    """The spec of one asset, with what is said of all of them."""
    own = {name: value for name, value in options.items() if name != "skippable"}
    partitions = own.get("partitions_def"), of_all.get("partitions_def")
    if None not in partitions and partitions[0] != partitions[1]:
        read.note(
            f"{key} has other partitions than its function",
            "Give partitions_def= to @multi_asset alone.",
        )
    both = {**of_all, **own}
    if "deps" in of_all and "deps" in own:
        both["deps"] = [*read.listed("deps", own["deps"]), *of_all["deps"]]
    return read_spec(key, both, read)


def _of_specs(
    given: Mapping[str, Any], read: OptionReader
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for spec in read.listed("specs", given["specs"]):
        if not isinstance(spec, AssetSpec):
            wrong = f"specs= takes AssetSpecs, not {spec!r}"
            read.note(wrong, f"Write AssetSpec({str(spec)!r}).")
            continue
        names = [name for name in spec.__struct_fields__ if name != "key"]
        options = {name: getattr(spec, name) for name in names}
        yield "", spec.key, _said({**options, "group_name": _group_of(spec.group_name)})


def _of_outs(
    given: Mapping[str, Any], read: OptionReader
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for name, out in read.mapping("outs", given.get("outs")).items():
        if not isinstance(out, AssetOut):
            read.note(f"outs= takes AssetOuts, not {out!r}", f'Write {{"{name}": AssetOut()}}.')
            continue
        key = AssetIn(key=out.key, key_prefix=out.key_prefix)
        options = {
            option: getattr(out, option)
            for option in ("description", "metadata", "tags", "owners", "kinds", "io_manager")
        }
        options |= {"group_name": out.group_name, "skippable": not out.is_required}
        yield name, read.read("outs", key.resolve, name) or name, _said(options)


def _group_of(given: Any) -> Any:
    return None if given == "default" else given


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something."""
    return {name: one for name, one in options.items() if one not in (None, (), {}, "", False)}


_EXAMPLE = 'write @multi_asset(specs=[AssetSpec("evens"), AssetSpec("odds")])'
