"""What a chain of assets with a million targets costs: 5 assets with 200,000 partitions each.

    python benchmarks/million.py [--partitions 200000] [--repeat 5]

The histories are written as runs would have written them, which would take minutes. Then, each in
a process of its own, without the imports:

- `cold`: the states of all targets, where no index is kept;
- `fresh`: the same, with an index;
- `edited`: the outline of the plan, in ranges, after the code of every asset was changed;
- `scattered`: the states where every tenth partition of the first asset has new data;
- `one more`: the processor time of a run of one partition, beside a store with a tenth as many.

The least processor time of `--repeat` is shown, and the peak of the memory of the whole process.
Set TMPDIR=/dev/shm to measure on a RAM disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

ASSETS = 5
FORM = "%Y-%m-%d-%H:%M"
START = datetime(2000, 1, 1)


def chain(count: int, code: str) -> Any:
    """The graph: hourly assets, each reading the one before it."""
    import assetgraph as dg
    from assetgraph.graph.definitions import Definitions

    hours = dg.HourlyPartitionsDefinition(
        START.strftime(FORM), end_date=(START + timedelta(hours=count)).strftime(FORM)
    )

    def one(number: int) -> Any:
        def body() -> int:
            return 1

        deps = [f"s{number - 1}"] if number else []
        return dg.asset(name=f"s{number}", partitions_def=hours, deps=deps, code_version=code)(body)

    with dg.Registry():
        return Definitions([one(number) for number in range(ASSETS)]).graph.require_valid()


def facts(folder: str, count: int, code: str = "1") -> Any:
    import assetgraph as dg
    from assetgraph.planning.facts import StoreFacts

    return StoreFacts(chain(count, code), dg.Instance(f"{folder}/store").store)


def version(*of: object) -> str:
    return blake2b(repr(of).encode(), digest_size=16).hexdigest()


def write(folder: str, count: int) -> None:
    """The histories of runs that made every partition once."""
    known = facts(folder, count)
    known.store.prepare()
    for number, key in enumerate(known.graph.order):
        made = [(one, version(number, one)) for one in known.targets.keys(key)]
        above = f"s{number - 1}" if number else ""
        append(
            known,
            key,
            [(p, v, above and {f"{above}@{p}": version(number - 1, p)}) for p, v in made],
        )


def append(known: Any, key: Any, lines: list[Any]) -> None:
    from assetgraph.records import Materialization, StoredValue, now

    value = StoredValue("json", type="int", inline="1", size=1)
    shown = {"note": {"type": "text", "raw_value": "as much as a record of a run has" * 4}}
    Path(known.store.history.path(key)).parent.mkdir(parents=True, exist_ok=True)
    with open(known.store.history.path(key), "ab") as file:
        for partition, data, inputs in lines:
            made = Materialization(
                "20260101-000000-000000", now(), value, data, code_version="1",
                inputs=inputs or {}, metadata=shown, duration_s=0.001, partition=partition,
            )  # fmt: skip
            file.write(known.store.history.line(made))


def scatter(folder: str, count: int) -> None:
    """New data in every tenth partition of the first asset."""
    known = facts(folder, count)
    first = known.graph.order[0]
    append(
        known, first, [(one, version("new", one), None) for one in known.targets.keys(first)[::10]]
    )


def states(folder: str, count: int) -> dict[str, float]:
    known = facts(folder, count)
    started = time.process_time()
    found = known.states(known.graph.order)
    took = time.process_time() - started
    stale = sum(len(reason.facts["partitions"]) for one in found.values() for reason in one.reasons)
    return {"s": took, "ranges": stale}


def outline(folder: str, count: int) -> dict[str, float]:
    from assetgraph.planning.request import RunRequest
    from assetgraph.queries.plan_groups import stale_outline

    known = facts(folder, count, code="2")
    started = time.process_time()
    found = stale_outline(RunRequest(stale=True), known)
    assert found is not None
    return {
        "s": time.process_time() - started,
        "ranges": sum(len(group.names) for group in found.groups),
    }


def one_more(folder: str, count: int) -> dict[str, float]:
    from assetgraph.planning.request import RunRequest, plan_run
    from assetgraph.run.launch import launch

    took = []
    for number in range(20):
        known = facts(folder, count)
        partition = known.targets.keys(known.graph.order[0])[number * 7]
        request = RunRequest(selection=("s0",), partitions=(partition,))
        started = time.process_time()
        outcome = launch(request, plan_run(request, known), known)
        took.append(time.process_time() - started)
        assert not outcome.errors
    return {"s": min(took)}


MEASURES: dict[str, Callable[[str, int], dict[str, float]]] = {
    "states": states,
    "outline": outline,
    "one more": one_more,
}


def measured(name: str, folder: str, count: int, repeat: int = 1) -> dict[str, float]:
    """The best of several processes, which import what they need before."""
    found = []
    for _ in range(repeat):
        command = [sys.executable, __file__, "--measure", name, folder, "--partitions", str(count)]
        output = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(output.stdout.splitlines()[-1]))
    return {one: min(each[one] for each in found) for one in found[0]}


def report(what: str, goal: str, found: dict[str, float]) -> None:
    ranges = f", {found['ranges']:,.0f} ranges" if found.get("ranges") else ""
    print(f"{what}: {found['s']:.3f} s (goal {goal}), {found['MB']:.0f} MB{ranges}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--partitions", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    count, repeat = given.partitions, given.repeat
    if given.measure:
        name, folder = given.measure
        with tempfile.TemporaryDirectory() as small:  # what it imports
            write(small, 2)
            outline(small, 2)
            states(small, 2)
        found = MEASURES[name](folder, count)
        status = Path("/proc/self/status").read_text()
        found["MB"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as small:
        write(folder, count)
        write(small, count // 10)
        report("cold", "7 s", measured("states", folder, count))
        report("fresh", "0.06 s", measured("states", folder, count, repeat))
        report("edited, plan in ranges", "0.15 s", measured("outline", folder, count, repeat))
        many = measured("one more", folder, count, repeat)["s"]
        few = measured("one more", small, count // 10, repeat)["s"]
        print(f"one more: {many * 1e3:.2f} ms, among a tenth {few * 1e3:.2f} ms", flush=True)
        scatter(folder, count)
        measured("states", folder, count)
        report("scattered", "0.15 s", measured("states", folder, count, repeat))


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
