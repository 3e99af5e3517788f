"""The scenarios of `faults.py` with a blocking check that fails, and one that passes."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faults import KINDS, Fault, Scenario, graph_of, materialize, may_break, note_run, run_broken
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.records import Materialization
from assetgraph.storage.store import Store


@dataclass(frozen=True)
class CheckScenario(Scenario):
    """A run in which `held` reads `bad`, whose blocking check fails unless it is `mended`."""

    mended: bool = False

    @classmethod
    def random(cls, seed: int, kinds: Sequence[str] = KINDS) -> CheckScenario:
        chance = random.Random(seed)
        executor = chance.choice(["serial", "serial", "threads", "processes"])
        in_worker = executor == "processes" and chance.random() < 0.7
        fault = Fault(chance.choice(kinds), chance.randint(1, 30 if in_worker else 70), in_worker)
        return cls(seed, edges=(), big=frozenset(), executor=executor, fault=fault)

    def plan(self, state: StoreFacts, *, stale_only: bool, number: int) -> Plan:
        return plan_of(state, state.graph.node_order, stale_only=stale_only)

    def assets(self) -> list[dg.Asset]:
        @dg.asset(code_version="1")
        def bad() -> int:
            return self._made("bad", 1)

        @dg.asset(code_version="1")
        def held(bad: int) -> int:
            return self._made("held", bad + 1)

        @dg.asset(code_version="1")
        def good() -> int:
            return self._made("good", 5)

        @dg.asset(code_version="1")
        def kept(good: int) -> int:
            return self._made("kept", good + 1)

        @dg.asset_check(asset=bad, blocking=True, code_version=str(self.mended))
        def fails(bad: int) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self._made("bad:fails", self.mended))

        @dg.asset_check(asset=good, blocking=True, code_version="1")
        def passes(good: int) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self._made("good:passes", good == 5))

        return [bad, held, good, kept, fails, passes]

    def _made(self, name: str, value: Any) -> Any:
        fault = self.fault if self.fault and self.fault.in_worker else None
        raises = self.fault is not None and self.fault.kind == "raise"
        chosen = ("bad", "good:passes", "bad:fails", "kept")[self.seed % 4]
        may_break(fault, raises=raises and name == chosen)
        note_run(name)
        return value


def play_checks(scenario: CheckScenario, folder: Path) -> None:
    """Break a run, resume it twice, mend the check, and see that the hold was never lost."""
    run_broken([scenario], folder)
    os.environ["FAULTS_FOLDER"] = str(folder)
    store = Store(folder / "store")
    _assert_held(store)
    whole = replace(scenario, fault=None, executor="serial")
    for _ in range(2):
        outcome = materialize(whole, folder, stale_only=True)
        assert outcome.errors, "the hold is said nowhere"
        _assert_held(Store(folder / "store"))
    state = StoreFacts(graph_of(whole), Store(folder / "store"))
    assert store.values.load(state.of(Target(AssetKey("kept"))).current.value) == 6  # type: ignore[union-attr]
    looked = state.of(Target(AssetKey.unchecked("bad:fails"))).current
    assert looked is not None
    assert looked.evaluation is not None
    assert looked.evaluation.blocks
    assert not materialize(replace(whole, mended=True), folder, stale_only=True).errors
    made = StoreFacts(graph_of(whole), Store(folder / "store")).of(Target(AssetKey("held")))
    assert made.current is not None


def _assert_held(store: Store) -> None:
    attempts = store.history.attempts(Target(AssetKey("held")))
    assert not any(isinstance(one, Materialization) for one in attempts), "the hold was lost"
