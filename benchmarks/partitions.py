"""What partitions cost, beside as many assets without partitions.

    python benchmarks/partitions.py [--only NAME …] [--repeat 3] [--dagster PYTHON]

- `many`: plan and run of 10,000 partitions of one asset, and of 10,000 assets;
- `one-more`: one more partition of an asset that has 20,000, and one asset beside 20,000 others.
  The first plan of a process reads the history once; the step is what each further one costs;
- `bytes`: what a step adds to the store, with 1 and with 3,000 upstream partitions;
- `memory`: the peak of a run of 10,000 partitions above the imports;
- `status`: the states of 5 assets with 20,000 partitions each, all fresh and after an edit.

With --dagster, another Python, which has Dagster, runs the same definition for a minute at most.
Each measurement runs in its own process and a fresh folder; the best of --repeat is shown. Set
TMPDIR=/dev/shm to measure on a RAM disk.
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
from pathlib import Path
from typing import Any

START = "1960-01-01"  # 20,000 days and more ago
MINUTE_S = 60
MANY, BESIDE, CHAIN, CHAIN_LENGTH, FAN_IN = 10_000, 20_000, 20_000, 5, 3_000

Measured = dict[str, float]


def daily(name: str, *upstream: str, **options: Any) -> Any:
    """An asset with a partition for each day, which depends on others."""
    import assetgraph as dg

    def body() -> int:
        return 1

    return dg.asset(
        name=name,
        partitions_def=dg.DailyPartitionsDefinition(START),
        deps=list(upstream),
        **{"code_version": "1", **options},
    )(body)


def plain(count: int) -> list[Any]:
    """Assets without partitions, all by one function."""
    import assetgraph as dg

    def body() -> int:
        return 1

    with dg.Registry():
        return [dg.asset(name=f"a{n}", code_version="1")(body) for n in range(count)]


class Store:
    """A store in a fresh folder, and runs in it. Each run reads the store anew."""

    def __init__(self, assets: list[Any]) -> None:
        from assetgraph.graph.definitions import Definitions

        self.folder = tempfile.mkdtemp()
        self.graph = Definitions(assets).graph.require_valid()

    def facts(self) -> Any:
        import assetgraph as dg
        from assetgraph.planning.facts import StoreFacts

        return StoreFacts(self.graph, dg.Instance(f"{self.folder}/store").store)

    def run(self, **asked: Any) -> tuple[float, float]:
        """The processor time of the plan of a request and of its run, in seconds."""
        from assetgraph.planning.request import RunRequest, plan_run
        from assetgraph.run.launch import launch

        facts, request = self.facts(), RunRequest(**asked)
        started = time.process_time()
        plan = plan_run(request, facts)
        planned = time.process_time()
        outcome = launch(request, plan, facts)
        ended = time.process_time()
        assert not outcome.errors
        return planned - started, ended - planned

    def size(self) -> int:
        found = [path.stat().st_size for path in Path(self.folder).rglob("*") if path.is_file()]
        return sum(found)


def days(count: int, first: int = 0) -> str:
    """The range of so many days, for a request."""
    from datetime import date, timedelta

    start = date.fromisoformat(START) + timedelta(days=first)
    return f"{start}..{start + timedelta(days=count - 1)}"


def many_partitions() -> Measured:
    planned, ran = Store([daily("trips")]).run(partitions=(days(MANY),))
    return {"plan": planned / MANY * 1e6, "run": ran / MANY * 1e6}


def many_assets() -> Measured:
    planned, ran = Store(plain(MANY)).run()
    return {"plan": planned / MANY * 1e6, "run": ran / MANY * 1e6}


def one_more_partition() -> Measured:
    store = Store([daily("trips")])
    store.run(partitions=(days(BESIDE),))
    planned, one = store.run(partitions=(days(1, BESIDE),))
    _, more = store.run(partitions=(days(1001, BESIDE + 1),))
    return {"plan": planned * 1e3, "run": one * 1e3, "step": (more - one) * 1e3}


def one_more_asset() -> Measured:
    store = Store(plain(BESIDE + 1002))
    store.run(selection=tuple(f"a{n}" for n in range(BESIDE)))
    planned, one = store.run(selection=(f"a{BESIDE}",))
    names = tuple(f"a{n}" for n in range(BESIDE + 1, BESIDE + 1002))
    _, more = store.run(selection=names)
    return {"plan": planned * 1e3, "run": one * 1e3, "step": (more - one) * 1e3}


def bytes_with_fan_in() -> Measured:
    import assetgraph as dg

    count = 200
    found = {}
    for fan_in in (1, FAN_IN):
        mapping = dg.TimeWindowPartitionMapping(1 - fan_in, 0)
        with dg.Registry():
            above, below = daily("trips"), daily("by_day", dg.AssetDep("trips", mapping))  # type: ignore[arg-type]
        store = Store([above, below])
        store.run(selection=("trips",), partitions=(days(FAN_IN + count),))
        before = store.size()
        planned, ran = store.run(selection=("by_day",), partitions=(days(count, FAN_IN),))
        found[f"bytes of {fan_in}"] = (store.size() - before) / count
        found[f"ms of {fan_in}"] = (planned + ran) / count * 1e3
    return found


def memory() -> Measured:
    import resource

    Store([daily("first")]).run(partitions=(days(1),))  # what it imports
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Store([daily("trips")]).run(partitions=(days(MANY),))
    return {"MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def status() -> Measured:
    def chain(version: str) -> list[Any]:
        import assetgraph as dg

        with dg.Registry():
            first = daily("s0", code_version=version)
            return [first, *(daily(f"s{n}", f"s{n - 1}") for n in range(1, CHAIN_LENGTH))]

    store = Store(chain("1"))
    store.run(partitions=(days(CHAIN),))
    found = {}
    for name, version in (("fresh", "1"), ("stale", "2")):
        edited = Store(chain(version))
        edited.folder = store.folder
        started = time.process_time()
        facts = edited.facts()
        facts.states(facts.graph.order)
        found[name] = time.process_time() - started
    return found


MEASURES: dict[str, Callable[[], Measured]] = {
    "many_partitions": many_partitions,
    "many_assets": many_assets,
    "one_more_partition": one_more_partition,
    "one_more_asset": one_more_asset,
    "bytes": bytes_with_fan_in,
    "memory": memory,
    "status": status,
}

DAGSTER = """
import sys, time, dagster as dg
@dg.asset(partitions_def=dg.DailyPartitionsDefinition({start!r}))
def trips(): return 1
begun, count = time.perf_counter(), 0
with dg.DagsterInstance.local_temp() as instance:
    for key in trips.partitions_def.get_partition_keys()[:1000]:
        dg.materialize([trips], partition_key=key, instance=instance)
        count += 1
        if time.perf_counter() - begun > {limit}:
            break
print(count, time.perf_counter() - begun)
"""


def best_of(name: str, repeat: int) -> Measured:
    found: list[Measured] = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--measure", name]
            place = {**os.environ, "TMPDIR": folder}
            output = subprocess.run(command, env=place, check=True, capture_output=True, text=True)
        found.append(json.loads(output.stdout.splitlines()[-1]))
    return {one: min(each[one] for each in found) for one in found[0]}


def show_many(repeat: int) -> None:
    ours, assets = best_of("many_partitions", repeat), best_of("many_assets", repeat)
    ratio = sum(ours.values()) / sum(assets.values())
    for what, one in ((f"{MANY:,} partitions", ours), (f"{MANY:,} assets", assets)):
        print(f"{what}: plan {one['plan']:.0f} µs a step, run {one['run']:.0f}")
    print(f"  plan and run: {ratio:.2f} × (goal 1.3)")


def show_one_more(repeat: int) -> None:
    ours, asset = best_of("one_more_partition", repeat), best_of("one_more_asset", repeat)
    for what, one in ((f"one more of {BESIDE:,} partitions", ours), ("one more asset", asset)):
        print(
            f"{what}: first plan {one['plan']:.1f} ms, its run {one['run']:.1f} ms, "
            f"each further step {one['step']:.0f} µs"
        )
    print(f"  a step: {ours['step'] / asset['step']:.2f} × (goal 1.3)")


def show_bytes(repeat: int) -> None:
    found = best_of("bytes", min(repeat, 1))
    for fan_in in (1, FAN_IN):
        size, took = found[f"bytes of {fan_in}"], found[f"ms of {fan_in}"]
        print(f"a step that reads {fan_in:,}: {size:.0f} bytes (goal 1500), {took:.2f} ms")


def show_memory(repeat: int) -> None:
    print(
        f"a run of {MANY:,} partitions: {best_of('memory', repeat)['MB']:.0f} MB above the imports"
    )


def show_status(repeat: int) -> None:
    found = best_of("status", min(repeat, 1))
    count = CHAIN_LENGTH * CHAIN
    print(
        f"states of {count:,} targets: fresh {found['fresh']:.2f} s, edited {found['stale']:.2f} s"
    )


def show_dagster(python: str) -> None:
    source = DAGSTER.format(start=START, limit=MINUTE_S)
    output = subprocess.run([python, "-c", source], check=True, capture_output=True, text=True)
    count, took = map(float, output.stdout.split()[-2:])
    print(f"Dagster: {count:.0f} partitions in {took:.0f} s, {took / count * 1e3:.0f} ms each")


SHOWN: dict[str, Callable[[int], None]] = {
    "many": show_many,
    "one-more": show_one_more,
    "bytes": show_bytes,
    "memory": show_memory,
    "status": show_status,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SHOWN, default=list(SHOWN))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dagster", metavar="PYTHON")
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(MEASURES[given.measure]()))
        return
    for name in given.only:
        SHOWN[name](given.repeat)
    if given.dagster:
        show_dagster(given.dagster)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
