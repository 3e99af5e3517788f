"""The plan: which steps, in which order, and why. No disk, no clock: the facts are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from small_assets import asset_named, graph_of

from assetgraph import AssetKey
from assetgraph.errors import ConfigError
from assetgraph.keys import Target
from assetgraph.planning.plan import Cause, make_plan
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import (
    TargetFacts,
    direct_reasons,
    past_failure,
    stale_reasons,
    target_state,
)
from assetgraph.planning.target_graph import TargetGraph
from assetgraph.records import AssetState, FailedAttempt, Materialization, StoredValue, now


@dataclass
class Known:
    """Facts from a mapping. A target that is not in it was never materialized."""

    facts: dict[Target, TargetFacts] = field(default_factory=dict)

    def of(self, target: Target) -> TargetFacts:
        return self.facts.get(target, TargetFacts(code_version="c1"))

    def code_changes(self, target: Target) -> tuple[str, ...]:
        return ("helper() changed",)

    def versions_at(self, key: AssetKey, position: int) -> dict[str | None, str]:
        raise AssertionError("these assets have no partitions")

    def partition_keys(self, key: AssetKey) -> tuple[str, ...]:
        raise AssertionError("these assets have no partitions")


def made(
    *, version: str = "v1", inputs: dict[str, str] | None = None, **options: Any
) -> TargetFacts:
    """A materialization by the code `c1` in run `1`."""
    config = options.pop("config", {})
    current = Materialization(
        "1",
        now(),
        StoredValue("json", path="values/x"),
        version,
        code_version="c1",
        config=config,
        inputs=inputs or {},
    )
    given = {"data_version": version, "code_version": "c1", **options}
    return TargetFacts(current=current, **given)


FAILED = FailedAttempt("run9", now(), "ValueError: no", code_version="c1")
A, B, C, D = (Target(AssetKey(name)) for name in "abcd")


def line() -> TargetGraph:
    """a -> b -> c, and d alone"""
    return TargetGraph(
        graph_of(asset_named("a"), asset_named("b", "a"), asset_named("c", "b"), asset_named("d"))
    )


def fresh() -> Known:
    return Known(
        {
            A: made(version="va"),
            B: made(version="vb", inputs={"a": "va"}),
            C: made(version="vc", inputs={"b": "vb"}),
            D: made(version="vd"),
        }
    )


def steps(plan: Any) -> list[tuple[str, str]]:
    return [(step.id, step.cause.value) for step in plan.steps]


def test_selected_assets_run_even_if_fresh() -> None:
    assert steps(make_plan(line(), fresh(), [C, A])) == [("a", "requested"), ("c", "requested")]


def test_upstreams_without_a_value_run_too() -> None:
    facts = fresh()
    del facts.facts[A]
    facts.facts[B] = replace(facts.facts[B], value="gone")
    plan = make_plan(line(), facts, [C])
    assert steps(plan) == [("a", "missing"), ("b", "missing"), ("c", "requested")]
    assert plan.warnings == ()


def test_a_stale_upstream_is_used_as_it_is_with_a_warning_that_says_what_to_type() -> None:
    facts = fresh()
    facts.facts[B] = replace(facts.facts[B], code_version="c2")
    plan = make_plan(line(), facts, [C])
    assert steps(plan) == [("c", "requested")]
    assert plan.warnings == (
        "b is used as it is, though helper() changed. "
        "To bring it up to date first: assetgraph materialize --stale b",
    )


def test_an_asset_between_two_selected_ones_that_does_not_run_is_a_warning() -> None:
    plan = make_plan(line(), fresh(), [A, C])
    assert plan.warnings == (
        "b is used as it is, though its upstream a will run. "
        "Select it too, or run this afterwards: assetgraph materialize --stale c",
    )
    assert make_plan(line(), fresh(), [A, B, C]).warnings == ()
    assert make_plan(line(), fresh(), [A, D]).warnings == ()


def test_stale_only_runs_what_is_not_fresh_among_the_selected_and_their_upstreams() -> None:
    facts = fresh()
    assert make_plan(line(), facts, [A, B, C, D], stale_only=True).steps == ()
    facts.facts[A] = replace(facts.facts[A], code_version="c2")
    del facts.facts[D]
    plan = make_plan(line(), facts, [C], stale_only=True)
    assert steps(plan) == [("a", "stale"), ("b", "stale"), ("c", "stale")]
    assert steps(make_plan(line(), facts, [D], stale_only=True)) == [("d", "missing")]


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"value": "gone"}, ReasonKind.VALUE_GONE, "its value is gone: values/x"),
        ({"value": "damaged"}, ReasonKind.VALUE_DAMAGED, "values/x"),
        ({"value": "unreadable"}, ReasonKind.VALUE_UNREADABLE, "values/x"),
        ({"value": "changed"}, ReasonKind.FILE_CHANGED, "changed from outside: values/x"),
        ({"code_version": "c2"}, ReasonKind.CODE_CHANGED, "helper() changed"),
    ],
)
def test_each_fact_about_an_asset_is_a_reason(
    change: dict[str, Any], kind: ReasonKind, text: str
) -> None:
    facts = fresh()
    facts.facts[D] = replace(facts.facts[D], **change)
    (reason,) = stale_reasons(line(), facts, [D])[D]
    assert reason.kind is kind
    assert text in reason.text


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"a": "old_version"}, ["upstream a has new data (old_vers to va)"]),
        ({}, ["upstream a was added"]),
        ({"a": "va", "x": "v"}, ["upstream x was removed"]),
    ],
)
def test_each_fact_about_its_inputs_is_a_reason(
    inputs: dict[str, str], expected: list[str]
) -> None:
    facts = fresh()
    facts.facts[B] = made(version="vb", inputs=inputs)
    assert [reason.text for reason in stale_reasons(line(), facts, [B])[B]] == expected


def test_a_failed_attempt_is_a_reason_besides_never_materialized() -> None:
    facts = fresh()
    facts.facts[D] = TargetFacts(failed=FAILED, code_version="c1")
    reasons = stale_reasons(line(), facts, [D])[D]
    assert [r.text for r in reasons] == [
        "never materialized",
        "its last attempt failed (run run9)",
    ]
    assert target_state(facts.of(D), reasons) is AssetState.FAILED


def test_a_failed_attempt_counts_though_the_value_is_current_and_says_that_it_stays_in_use() -> (
    None
):
    facts = fresh()
    facts.facts[D] = replace(facts.facts[D], failed=FAILED)
    (reason,) = stale_reasons(line(), facts, [D])[D]
    assert reason.kind is ReasonKind.ATTEMPT_FAILED
    assert reason.text == "its last attempt failed (run run9), and the value of run 1 stays in use"
    assert past_failure(line(), facts, D) is None


def test_a_failed_attempt_of_the_code_of_now_counts_beside_what_changed_since_the_value() -> None:
    facts = fresh()
    failed = replace(FAILED, code_version="c2")
    facts.facts[D] = replace(facts.facts[D], failed=failed, code_version="c2")
    kinds = [reason.kind for reason in stale_reasons(line(), facts, [D])[D]]
    assert kinds == [ReasonKind.CODE_CHANGED, ReasonKind.ATTEMPT_FAILED]


@pytest.mark.parametrize(
    ("failed", "now_there", "text"),
    [
        ({"code_version": "c0"}, (), "with other code"),
        ({"config": {"month": 2}}, (), "with another config"),
        ({"inputs": {"a": "v0"}}, (), "with other upstream data"),
        ({}, (), "with other upstream data"),
        (
            {"inputs": {"a": "va"}, "absent": ("in.csv",)},
            ("in.csv",),
            "while `in.csv` was not there",
        ),
        (
            {"inputs": {"a": "va"}, "absent": ("in.csv", "x")},
            ("in.csv", "x"),
            "while `in.csv` and `x` were not there",
        ),
        ({"inputs": {"a": "va"}, "file_version": ""}, (), "before its file was changed"),
        (
            {"inputs": {"a": "va"}, "code_version": "c0", "config": {"month": 2}},
            (),
            "with other code and with another config",
        ),
    ],
)
def test_a_failure_under_other_circumstances_is_no_reason_and_is_shown_beside_the_state(
    failed: dict[str, Any], now_there: tuple[str, ...], text: str
) -> None:
    facts = fresh()
    given = (
        {"inputs": {"a": "va"}, **failed}
        if "config" in failed or "code_version" in failed
        else failed
    )
    facts.facts[B] = replace(facts.facts[B], failed=replace(FAILED, **given), appeared=now_there)
    reasons = stale_reasons(line(), facts, [B])[B]
    assert reasons == ()
    assert target_state(facts.of(B), reasons) is AssetState.FRESH
    beside = past_failure(line(), facts, B)
    assert beside is not None
    assert beside.text == f"its last attempt failed {text} (run run9)"


def test_a_reader_of_a_failed_asset_is_stale_until_the_asset_succeeds_with_the_same_data() -> None:
    facts = fresh()
    facts.facts[A] = replace(facts.facts[A], failed=FAILED)
    assert [r.text for r in stale_reasons(line(), facts, [B])[B]] == ["upstream a failed"]
    plan = make_plan(line(), facts, [C], stale_only=True)
    assert steps(plan) == [("a", "stale"), ("b", "stale"), ("c", "stale")]
    upstream: dict[Target, str | None] = {A: "va"}
    assert direct_reasons(B, facts, upstream) == ()  # what the runner asks once `a` succeeded


def test_a_history_that_cannot_be_read_is_a_reason_and_its_readers_wait_for_it() -> None:
    facts = fresh()
    facts.facts[A] = TargetFacts(code_version="c1", damage="line 2 of a.jsonl is damaged")
    found = stale_reasons(line(), facts, [C, D])
    assert [r.text for r in found[A]] == [
        "its history cannot be read: line 2 of a.jsonl is damaged"
    ]
    assert [r.text for r in found[B]] == ["upstream a is missing"]
    assert found[D] == ()


def test_config_that_differs_is_a_reason_and_is_kept_when_none_is_given() -> None:
    facts = fresh()
    facts.facts[D] = made(config={"month": "2023-03"}, code_version="c2")
    given: dict[AssetKey, dict[str, Any]] = {D.key: {"month": "2023-04"}}
    reasons = stale_reasons(line(), facts, [D], given)[D]
    assert "its config changed: month from '2023-03' to '2023-04'" in [r.text for r in reasons]
    assert len(stale_reasons(line(), facts, [D], {D.key: {"month": "2023-03"}})[D]) == 1
    (kept,) = make_plan(line(), facts, [D], stale_only=True).steps
    assert kept.config == {"month": "2023-03"}
    (changed,) = make_plan(line(), facts, [D], stale_only=True, config=given).steps
    assert changed.config == {"month": "2023-04"}
    (requested,) = make_plan(line(), facts, [D]).steps
    assert requested.config == {}


def test_versions_that_start_alike_are_shown_in_full() -> None:
    facts = {"upstream": "a", "old": "20261122-160837-482-4f2a", "new": "20261122-170000-000-0001"}
    assert Reason(ReasonKind.UPSTREAM_DATA, facts).text == (
        "upstream a has new data (20261122-160837-482-4f2a to 20261122-170000-000-0001)"
    )


def test_several_changes_are_cut_to_the_first_three() -> None:
    reason = Reason(ReasonKind.CODE_CHANGED, {"changes": ["one", "two", "three", "four", "five"]})
    assert reason.text == "one; two; three (and 2 more)"
    assert Reason(ReasonKind.CODE_CHANGED, {"changes": []}).text == "its code changed"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"running": True, "failed": FAILED, "code_version": "c2"}, AssetState.RUNNING),
        ({"failed": FAILED}, AssetState.FAILED),
        ({"failed": FAILED, "code_version": "c2"}, AssetState.STALE),
        ({"value": "gone", "code_version": "c2"}, AssetState.MISSING),
        ({"code_version": "c2"}, AssetState.STALE),
        ({}, AssetState.FRESH),
    ],
)
def test_an_asset_has_the_first_state_that_applies(
    change: dict[str, Any], state: AssetState
) -> None:
    facts = fresh()
    facts.facts[D] = replace(facts.facts[D], **change)
    assert target_state(facts.of(D), stale_reasons(line(), facts, [D])[D]) is state


def test_a_stale_upstream_is_a_reason_with_its_state() -> None:
    facts = fresh()
    facts.facts[A] = replace(facts.facts[A], code_version="c2")
    found = stale_reasons(line(), facts, [C])
    assert [r.text for r in found[B]] == ["upstream a is stale"]
    assert [r.text for r in found[C]] == ["upstream b is stale"]
    del facts.facts[A]
    assert [r.text for r in stale_reasons(line(), facts, [B])[B]] == ["upstream a is missing"]


# A model: each asset of a generated graph is fresh, missing, made by old code or from old input.

Case = tuple[dict[str, tuple[str, ...]], dict[str, str], frozenset[str]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 9))
    names = [f"n{number}" for number in range(count)]
    upstream = {
        name: tuple(sorted(draw(st.sets(st.sampled_from(names[:at]), max_size=3)))) if at else ()
        for at, name in enumerate(names)
    }
    kinds = {
        n: draw(st.sampled_from(["fresh", "fresh", "missing", "code", "input"])) for n in names
    }
    selected = draw(st.frozensets(st.sampled_from(names), min_size=1))
    return upstream, kinds, selected


def facts_of(upstream: dict[str, tuple[str, ...]], kinds: dict[str, str]) -> Known:
    known = Known()
    for name, kind in kinds.items():
        if kind == "missing":
            continue
        version = "old" if kind == "input" else "v"
        known.facts[Target(AssetKey(name))] = made(
            version="v",
            inputs=dict.fromkeys(upstream[name], version),
            code_version="c2" if kind == "code" else "c1",
        )
    return known


@given(cases())
def test_on_any_graph_the_plan_follows_a_plain_reading_of_the_rules(case: Case) -> None:
    upstream, kinds, selected = case
    graph = TargetGraph(
        graph_of(*(asset_named(name, *parents) for name, parents in upstream.items()))
    )
    facts = facts_of(upstream, kinds)
    targets = [Target(AssetKey(name)) for name in selected]

    stale = set()
    for name, parents in upstream.items():  # upstream comes first
        own = kinds[name] in ("missing", "code") or (
            kinds[name] == "input" and any(kinds[parent] != "missing" for parent in parents)
        )
        if own or stale & set(parents):
            stale.add(name)
    above = set(selected)
    for name in reversed(upstream):
        if name in above:
            above |= set(upstream[name])
    needed = set(selected)
    for name in reversed(upstream):
        if name in needed:
            needed |= {parent for parent in upstream[name] if kinds[parent] == "missing"}

    found = stale_reasons(graph, facts, targets)
    assert {target.text for target, reasons in found.items() if reasons} == stale & above
    only_stale = make_plan(graph, facts, targets, stale_only=True)
    assert {step.id for step in only_stale.steps} == stale & above
    assert all(step.reasons for step in only_stale.steps)
    asked = make_plan(graph, facts, targets)
    assert {step.id for step in asked.steps} == needed
    assert {s.id for s in asked.steps if s.cause is Cause.REQUESTED} == selected
    for plan in (only_stale, asked):
        places = [graph.graph.positions[step.outputs[0].key] for step in plan.steps]
        assert places == sorted(places)
    warned = {warning.split(" ")[0] for warning in asked.warnings}
    used = {p for name in needed for p in upstream[name]} - needed
    reached = set(needed)
    for name, parents in upstream.items():
        if reached & set(parents):
            reached.add(name)
    assert warned == used & (stale | reached)


def test_config_for_an_asset_that_would_not_run_is_refused() -> None:
    facts = Known()
    facts.facts[D] = TargetFacts(current=made(), data_version="v1", code_version="c1")
    graph = line()
    others = [Target(key) for key in graph.graph.order if key is not D.key]
    with pytest.raises(ConfigError, match=r"config is given for .*, which would not run"):
        make_plan(graph, facts, others[:1], config={D.key: {"month": "2023-04"}})
