"""Changes of specs: of one by itself, and of those of assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import msgspec

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.decorator import read_spec
from assetgraph.definitions.option_reader import OptionReader

Change = Callable[[AssetSpec], AssetSpec]
T = TypeVar("T", Asset, AssetSpec)
_READ_BEFORE = ("key", "partition_mappings", "skippable")  # they need no reader


def map_asset_specs(func: Change, iterable: Iterable[T]) -> list[T]:
    """The specs that `func` makes of some, and the same assets with such specs.

        assets = map_asset_specs(lambda spec: spec.merge_attributes(tags={"team": "taxi"}), assets)

    Raises `TypeError` if `func` returns no spec.
    """
    return [
        with_changed_specs(one, func) if isinstance(one, Asset) else _changed(func, one)
        for one in iterable
    ]


def with_changed_specs(asset: Asset, func: Change) -> Asset:
    """The asset, with what `func` makes of its specs. Wrong ones become mistakes, which the graph
    reports."""
    read = OptionReader()
    specs = tuple([_declared(_changed(func, spec), spec, read) for spec in asset.specs])
    made = asset.of_specs(specs, asset.ins)
    return replace(made, mistakes=(*made.mistakes, *read.mistakes)) if read.mistakes else made


def _changed(func: Change, spec: AssetSpec) -> AssetSpec:
    changed = func(spec)
    if not isinstance(changed, AssetSpec):
        what = f"the function returned {described(changed)} for {spec.key}"
        raise TypeError(f"{what}: it must return an AssetSpec")
    return changed


def _declared(spec: AssetSpec, before: AssetSpec, read: OptionReader) -> AssetSpec:
    """The spec, with what is not as `before` as an asset has it."""
    names = [name for name in spec.__struct_fields__ if name not in _READ_BEFORE]
    given = {
        name: getattr(spec, name)
        for name in names
        if getattr(spec, name) is not getattr(before, name)
    }
    kept = {name: getattr(before, name) for name in names if name not in given}
    if "metadata" in given:  # what is recorded already is not read again
        old = {k: v for k, v in before.metadata.items() if spec.metadata.get(k) is v}
        given["metadata"] = {k: v for k, v in spec.metadata.items() if k not in old}
    said = {name: one for name, one in given.items() if one is not None}
    found = read_spec(spec.key, said, read)
    if "metadata" in given:
        kept["metadata"] = {**old, **found.metadata}
    mappings, skippable = spec.partition_mappings, spec.skippable
    return msgspec.structs.replace(found, partition_mappings=mappings, skippable=skippable, **kept)
