"""The rule for a failed attempt, against a plain reading of it. After any sequence of edits, configs,
files that change, go and come back, accepted code and runs, an asset is failed only if its next attempt
would meet just what its last one met; else the failure is shown beside its state."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.accept import accept
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.queries.asset_views import AssetView, asset_views
from assetgraph.records import EventType
from assetgraph.run.runner import run_plan
from assetgraph.storage.store import Store

EXAMPLES = int(os.environ.get("ASSETGRAPH_EXAMPLES", "15"))
KEYS = ("source", "middle", "sink")
PARENTS = {"source": (), "middle": ("source",), "sink": ("middle",)}
FILE = Path("input.txt")
UNREAD = "not read"


def text_of_file() -> str | None:
    return FILE.read_text() if FILE.exists() else None


class Mode(dg.Config):
    mode: int = 0


@dataclass(frozen=True)
class World:
    """What decides how an attempt ends: the code of each asset, and what is broken."""

    code: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    broken: frozenset[tuple[int, int, str]] = frozenset()  # code, config and input of `middle`

    def graph(self) -> AssetGraph:
        code, broken = self.code, self.broken

        @dg.asset(code_version=str(code["source"]))
        def source() -> str:
            return str(code["source"] // 2)  # two versions of the code make the same data

        @dg.asset(code_version=str(code["middle"]))
        def middle(source: str, config: Mode) -> str:
            if (code["middle"], config.mode, source) in broken:
                raise ValueError("broken")
            return FILE.read_text() + str(code["middle"] // 2)

        @dg.asset(code_version=str(code["sink"]))
        def sink(middle: str) -> str:
            return middle

        return dg.Definitions([source, middle, sink]).graph.require_valid()


@dataclass(frozen=True)
class Attempt:
    """What an attempt met, and the value that it made, or None if it failed. `codes` are those that
    count as the code of the value. `file` is the text of the file that it read, or None if that was
    not there."""

    codes: frozenset[int]
    config: dict[str, int]
    inputs: dict[str, str]
    value: str | None
    file: str | None = UNREAD

    @property
    def met_this_file(self) -> bool:
        return self.file in (UNREAD, text_of_file())


class Reading:
    """The rules, read plainly from all attempts at each asset."""

    def __init__(self, world: World, attempts: dict[str, list[Attempt]]) -> None:
        self.world = world
        self.attempts = attempts
        self.states = dict.fromkeys(KEYS, "")
        for key in KEYS:
            self.states[key] = self.state(key)

    def current(self, key: str) -> Attempt | None:
        made = [attempt for attempt in self.attempts[key] if attempt.value is not None]
        return made[-1] if made else None

    def inputs(self, key: str) -> dict[str, str | None]:
        made = {parent: self.current(parent) for parent in PARENTS[key]}
        return {parent: one and one.value for parent, one in made.items()}

    def has_failed(self, key: str) -> bool:
        return bool(self.attempts[key]) and self.attempts[key][-1].value is None

    def state(self, key: str) -> str:
        current = self.current(key)
        if self.has_failed(key) and self.would_meet_the_same(key):
            return "failed"
        if current is None:
            return "missing"
        fresh = (
            self.world.code[key] in current.codes
            and current.inputs == self.inputs(key)
            and current.met_this_file
            and all(self.states[parent] == "fresh" for parent in PARENTS[key])
        )
        return "fresh" if fresh else "stale"

    def would_meet_the_same(self, key: str) -> bool:
        failed, current = self.attempts[key][-1], self.current(key)
        return (
            failed.codes == {self.world.code[key]}
            and failed.inputs == self.inputs(key)
            and (current is None or current.config == failed.config)
            and failed.met_this_file
        )


class Project:
    """A store, and what happened in it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.world = World()
        self.attempts: dict[str, list[Attempt]] = {key: [] for key in KEYS}

    def facts(self) -> StoreFacts:
        return StoreFacts(self.world.graph(), Store(f"{self.folder}/store"))

    def reading(self) -> Reading:
        return Reading(self.world, self.attempts)

    def plan(self, wanted: set[str], *, stale: bool, mode: int | None = None) -> Plan:
        facts = self.facts()
        keys = [key for key in facts.graph.order if key.text in wanted]
        config: dict[dg.AssetKey, Any] = {}
        if mode is not None:
            config = {dg.AssetKey("middle"): {"mode": mode}}
        return plan_of(facts, keys, stale_only=stale, config=config)

    def run(self, plan: Plan) -> dict[str, str]:
        """Run `plan`, note every attempt, and return how each step ended."""
        facts = self.facts()
        record = run_plan(plan, facts).record
        ends = {
            EventType.STEP_SUCCESS: "success",
            EventType.STEP_FAILURE: "failure",
            EventType.STEP_SKIPPED: "skipped",
            EventType.STEP_UNCHANGED: "unchanged",
        }
        ended = {}
        for event in facts.store.runs.events(record.run_id):
            if event.type in ends:
                assert event.step
                ended[event.step] = ends[event.type]
                if ended[event.step] in ("success", "failure"):
                    self.note(event.step, record.config.get(event.step, {}), ended[event.step])
        return ended

    def note(self, key: str, config: dict[str, int], end: str) -> None:
        code, inputs = self.world.code[key], self.reading().inputs(key)
        read = {parent: value for parent, value in inputs.items() if value is not None}
        value, file = None, UNREAD
        if key == "middle":
            broken = (code, config.get("mode", 0), read["source"]) in self.world.broken
            file = UNREAD if broken else text_of_file()
            assert (end == "failure") == (broken or file is None)
        if end == "success":
            made = {
                "source": lambda: str(code // 2),
                "middle": lambda: FILE.read_text() + str(code // 2),
                "sink": lambda: read["middle"],
            }
            value = made[key]()
        attempt = Attempt(frozenset({code}), config, read, value, file)
        self.attempts[key].append(attempt)

    def accept(self, key: str) -> None:
        current = self.reading().current(key)
        if current is not None:
            file = current.file if current.met_this_file else text_of_file()
            known = replace(current, codes=current.codes | {self.world.code[key]}, file=file)
            accepted = accept(self.facts(), [Target(dg.AssetKey(key))])
            same = self.world.code[key] in current.codes and current.met_this_file
            same = same and not self.reading().has_failed(key)
            assert bool(accepted) == (not same)
            self.attempts[key].append(known)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_an_asset_is_failed_only_while_its_next_attempt_would_meet_what_its_last_one_met(
    data: st.DataObject,
) -> None:
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            FILE.write_text("x")
            project = Project(folder)
            project.run(project.plan(set(KEYS), stale=False))
            for _ in range(12):
                happens(project, data)
                agree(project)
        finally:
            os.chdir(before)


def happens(project: Project, data: st.DataObject) -> None:
    kind = data.draw(
        st.sampled_from(
            ["code", "data", "broken", "file", "ask", "ask", "stale", "stale", "accept"]
        )
    )
    world = project.world
    if kind == "code":
        key, version = data.draw(st.sampled_from(KEYS)), data.draw(st.integers(0, 3))
        project.world = replace(world, code={**world.code, key: version})
    elif kind == "data":  # the source has new data, and its reader does not run
        version = (world.code["source"] + 2) % 4
        project.world = replace(world, code={**world.code, "source": version})
        project.run(project.plan({"source"}, stale=False))
    elif kind == "broken":
        what = st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from(["0", "1"]))
        project.world = replace(world, broken=data.draw(st.frozensets(what, max_size=12)))
    elif kind == "file":
        text = data.draw(st.sampled_from([None, "x", "y"]))
        if text is None:
            FILE.unlink(missing_ok=True)
        else:
            FILE.write_text(text)
    elif kind == "accept":
        project.accept(data.draw(st.sampled_from(KEYS)))
    elif kind == "ask":
        wanted = data.draw(st.sets(st.sampled_from(KEYS), min_size=1))
        mode = data.draw(st.sampled_from([None, 0, 1])) if "middle" in wanted else None
        project.run(project.plan(wanted, stale=False, mode=mode))
    else:
        stale(project)


def stale(project: Project) -> None:
    """`--stale` tries again what is failed, and spares what then has the inputs of its value."""
    before = project.reading()
    plan = project.plan(set(KEYS), stale=True)
    assert {step.id for step in plan.steps} == {
        key for key in KEYS if before.states[key] != "fresh"
    }
    ended = project.run(plan)
    for key in KEYS:
        if before.states[key] == "failed" and "failure" not in map(ended.get, PARENTS[key]):
            assert ended[key] in ("success", "failure", "skipped", "unchanged")
            if not PARENTS[key] or before.states[PARENTS[key][0]] == "fresh":
                assert ended[key] in ("success", "failure")
    if "failure" not in ended.values():
        assert set(project.reading().states.values()) == {"fresh"}


def agree(project: Project) -> None:
    reading, facts = project.reading(), project.facts()
    views = {
        v.asset.key.text: v
        for v in asset_views(facts, map(facts.spec, facts.graph.targets.values()))
    }
    assert {key: view.state.value for key, view in views.items()} == reading.states
    for key, view in views.items():
        shown_as_failed = any(reason.kind == "attempt_failed" for reason in view.reasons)
        assert shown_as_failed == (view.state == "failed")
        past = reading.has_failed(key) and reading.states[key] != "failed"
        assert (view.past_failure is not None) == past
        assert usable(facts, view) == (reading.current(key) and reading.current(key).value)  # type: ignore[union-attr]
        for parent in PARENTS[key]:
            if reading.states[parent] == "failed" and view.materialization is not None:
                assert f"upstream {parent} failed" in [reason.text for reason in view.reasons]


def usable(facts: StoreFacts, view: AssetView) -> Any:
    """The value that a reader of the asset would get."""
    made = view.materialization
    return made and facts.store.values.load(made.value)
