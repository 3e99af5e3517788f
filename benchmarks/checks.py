"""What checks cost: 1000 assets with three checks each, beside the same assets without.

    python benchmarks/checks.py [assets] [checks of each]

Prints how long a run, a plan with nothing to do and `status` take, each the least of five in one
process, and the processor time of a step of an asset and of a check.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable

import assetgraph as dg
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.asset_views import asset_views
from assetgraph.run.launch import launch

PASSED = dg.AssetCheckResult(passed=True)


def definitions(assets: int, checks: int) -> AssetGraph:
    """Assets that read the one ten before, each with checks that read its value."""
    with dg.Registry():
        made: list[dg.Asset] = []
        for number in range(assets):
            above = f"a{number - 10}" if number >= 10 else ""
            scope: dict[str, object] = {}
            exec(f"def a{number}({above}): return {number}", scope)
            made.append(dg.asset(code_version="1")(scope[f"a{number}"]))  # type: ignore[arg-type]
            for name in [f"check_{one}" for one in range(checks)]:
                exec(f"def {name}(value): return PASSED", {"PASSED": PASSED}, scope)
                decorate = dg.asset_check(asset=f"a{number}", code_version="1")
                made.append(decorate(scope[name]))  # type: ignore[arg-type]
        return dg.Definitions(made).graph


def least(action: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return min(taken)


def measured(assets: int, checks: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        store = dg.Instance(folder).store
        began = time.perf_counter()
        graph = definitions(assets, checks)
        found = {"define": time.perf_counter() - began}
        request = RunRequest(stale=True)
        facts = StoreFacts(graph, store)
        plan = plan_run(request, facts)
        began = time.process_time()
        outcome = launch(request, plan, facts)
        assert not outcome.errors
        found["run, processor"] = time.process_time() - began
        found["plan"] = least(lambda: plan_run(request, StoreFacts(graph, store)))
        found["plan of all"] = least(lambda: plan_run(RunRequest(), StoreFacts(graph, store)))
        specs = list(graph.assets.values())
        found["status"] = least(lambda: asset_views(StoreFacts(graph, store), specs))
        return found


def main() -> None:
    assets, checks = [*map(int, sys.argv[1:]), 1000, 3][:2]
    without, with_checks = measured(assets, 0), measured(assets, checks)
    for name, alone in without.items():
        both = with_checks[name]
        print(f"{name:16} {alone:7.3f} s alone, {both:7.3f} s with checks: {both / alone:.2f} x")
    name = "run, processor"
    step = without[name] / assets
    check = (with_checks[name] - without[name]) / (assets * checks)
    print(f"a step {step * 1e3:.3f} ms, a check {check * 1e3:.3f} ms: {check / step:.2f} x")


if __name__ == "__main__":
    main()
