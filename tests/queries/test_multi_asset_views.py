"""How plans and pages show a step that makes several assets."""

from __future__ import annotations

import assetgraph as dg
from assetgraph.cli.render.plan_lines import plan_lines, plan_notes
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.asset_views import asset_details, asset_details_json
from assetgraph.queries.plan_groups import group_json, plan_json, step_groups

NAMES = [f"a_rather_long_name_{number}" for number in range(3)]


def planned(instance: dg.Instance, selection: str) -> tuple[RunRequest, Plan, StoreFacts]:
    @dg.multi_asset(specs=[dg.AssetSpec(name) for name in NAMES])
    def split() -> tuple[int, int, int]:
        return 1, 2, 3

    facts = StoreFacts(AssetGraph([split]), instance.store)
    request = RunRequest(selection=(selection,))
    return request, plan_run(request, facts), facts


def test_a_plan_shows_one_step_with_its_assets_at_any_width(instance: dg.Instance) -> None:
    request, plan, _ = planned(instance, "*")
    wide = [line.plain.rstrip() for line in plan_lines(request, plan, 160)]
    assert wide[1] == f"1  split → {', '.join(NAMES)}  requested  never materialized"
    narrow = [line.plain for line in plan_lines(request, plan, 80)]
    assert max(map(len, narrow)) <= 80
    said = " ".join(" ".join(narrow).split())
    assert f"1 split requested makes {', '.join(NAMES)} never materialized" in said


def test_a_plan_says_what_a_call_makes_besides_what_was_selected(instance: dg.Instance) -> None:
    _, plan, facts = planned(instance, NAMES[1])
    (note,) = plan_notes(plan, facts.targets)
    assert note.plain == (
        f"split makes all its assets in one call, so it also makes: {NAMES[0]}, {NAMES[2]}"
    )
    _, whole, facts = planned(instance, "*")
    assert plan_notes(whole, facts.targets) == []


def test_json_has_the_step_of_each_asset_and_the_assets_of_each_step(
    instance: dg.Instance,
) -> None:
    _, plan, facts = planned(instance, "*")
    assert [(row["key"], row["step"]) for row in plan_json(plan)] == [
        (name, "split") for name in NAMES
    ]
    (group,) = step_groups(plan, facts.targets)
    shown = group_json(group)
    assert (shown["names"], shown["makes"], shown["count"]) == (["split"], NAMES, 1)
    details = asset_details(facts, Target(dg.AssetKey(NAMES[1])))
    assert asset_details_json(details)["made_with"] == [NAMES[0], NAMES[2]]
