"""A resource whose fields change makes what takes it stale, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

import assetgraph as dg
from assetgraph.graph.resource_tables import graph_of
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.planning.reasons import stale_reasons


class Part(dg.ConfigurableResource):
    size: int = 1


class Client(dg.ConfigurableResource):
    url: str = "here"
    share: float = 0.5
    part: Part = Part()
    password: dg.Secret[str] = "one"
    user: str = "me"
    unversioned: ClassVar[tuple[str, ...]] = ("url",)


def definitions() -> list[dg.Asset]:
    with dg.Registry():

        @dg.asset
        def source() -> int:
            return 1

        @dg.asset
        def user(source: int, client: Client) -> int:
            return source

        @dg.multi_asset(
            specs=[dg.AssetSpec("left"), dg.AssetSpec("right")],
            check_specs=[dg.AssetCheckSpec("own", asset="left")],
        )
        def several(client: Client):
            for key in ("left", "right"):
                yield dg.MaterializeResult(asset_key=key, value=1)
            yield dg.AssetCheckResult(passed=True, asset_key="left", check_name="own")

        @dg.asset_check(asset=source)
        def sane(source: int, client: Client) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        @dg.asset_check(asset=source)
        def apart(source: int) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=True)

        return [source, user, several, sane, apart]


USERS = {"user", "left", "right", "left:own", "source:sane"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"share": 1.0}, USERS),
        ({"part": Part(size=2)}, USERS),
        ({"url": "there"}, set()),
        ({"password": "another"}, set()),
        ({"user": dg.EnvVar("CLIENT_USER")}, set()),
    ],
)
def test_a_changed_field_makes_stale_what_takes_the_resource(
    changed: dict[str, object], expected: set[str], tmp_path: Path
) -> None:
    assets, instance = definitions(), dg.Instance(tmp_path / "store")
    assert dg.materialize(assets, instance=instance, resources={"client": Client()}).success
    graph = graph_of(assets, {"client": Client(**changed)})
    facts = StoreFacts(graph, instance.store)
    reasons = stale_reasons(facts.targets, facts, facts.targets.of([*graph.order, *graph.checks]))
    stale = {
        target.text
        for target, found in reasons.items()
        if ReasonKind.RESOURCE_CHANGED in {one.kind for one in found}
    }
    assert stale == expected
