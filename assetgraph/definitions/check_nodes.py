"""`AssetCheckSpec`, the description of a check, and `CheckNode`, a check in the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.asset import AssetDep, unchecked_key
from assetgraph.definitions.check_results import AssetLike
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.metadata import metadata_json
from assetgraph.keys import AssetKey, check_key

if TYPE_CHECKING:
    from assetgraph.definitions.option_reader import OptionReader
    from assetgraph.definitions.partitions.definition import PartitionsDefinition


@dataclass(frozen=True, init=False)
class AssetCheckSpec:
    """The description of one check: its `name`, and the `asset` that it is about.

    If it is `blocking`, what reads the asset waits for it, and does not run while it fails.
    `additional_deps` are further upstreams, which no parameter loads. A check with the
    `partitions_def` of its asset looks at each partition by itself.
    """

    name: str
    asset: AssetLike
    description: str | None
    additional_deps: tuple[Any, ...]
    blocking: bool
    metadata: Mapping[str, Any]
    partitions_def: PartitionsDefinition | None

    def __init__(
        self,
        name: str,
        asset: AssetLike,
        *,
        description: str | None = None,
        additional_deps: Iterable[AssetLike | AssetDep] | None = None,
        blocking: bool = False,
        metadata: Mapping[str, Any] | None = None,
        partitions_def: PartitionsDefinition | None = None,
    ) -> None:
        given = {
            "name": name,
            "asset": asset,
            "description": description,
            "additional_deps": tuple(additional_deps or ()),
            "blocking": blocking,
            "metadata": dict(metadata or {}),
            "partitions_def": partitions_def,
        }
        for attribute, value in given.items():
            object.__setattr__(self, attribute, value)

    @property
    def asset_key(self) -> AssetKey:
        return unchecked_key(self.asset)


class CheckNode(AssetSpec, frozen=True, eq=False, kw_only=True):
    """A check as a node of the graph: a spec without a value. `checks` is its asset."""

    checks: AssetKey
    check_name: str
    blocking: bool = False
    always: bool = False  # whether `--stale` runs it even if nothing changed: it looks at the time


def nodes_of(given: Any, assets: Sequence[AssetSpec], read: OptionReader) -> Iterator[CheckNode]:
    """The checks that the function of `assets` makes itself, as `check_specs=` says. Wrong ones are
    noted and left out."""
    by_key = {spec.key: spec for spec in assets}
    for one in read.listed("check_specs", given):
        if not isinstance(one, AssetCheckSpec):
            read.note(
                f"check_specs= takes AssetCheckSpecs, not {one!r}",
                "Write AssetCheckSpec(name=…, asset=…).",
            )
            continue
        key = read.read("asset", unchecked_key, one.asset)
        spec = by_key.get(key) if key is not None else None
        if spec is None:
            read.note(
                f"check_specs= has a check of {str(one.asset)!r}, which the function does not make",
                f"Say of which asset it is: asset={assets[0].key.text!r}, or write the check as a "
                "function of its own, with @asset_check.",
            )
            continue
        if one.additional_deps:
            read.note(
                f"the check {one.name!r} in check_specs= has additional_deps",
                "Leave them out: it reads what the function reads.",
            )
        yield CheckNode(
            key=check_key(spec.key, one.name),
            checks=spec.key,
            check_name=one.name,
            blocking=one.blocking,
            description=one.description,
            metadata=read.read("metadata", metadata_json, one.metadata) or {},
            partitions_def=spec.partitions_def,
        )
