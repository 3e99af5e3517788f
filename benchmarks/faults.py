"""Break thousands of runs and check what they leave behind; see tests/support/faults.py.

    python benchmarks/faults.py [--runs 1000] [--first 0] [--kinds kill torn EIO …] [--together]
                                [--partitions] [--multi]

With --together, two, four or eight processes materialize the same assets in one store at once.
With --partitions, the assets have partitions, and those processes make ranges that overlap. With
--multi, a function makes several of the assets.
The output counts how the runs ended for each kind of fault, and names every seed whose run broke a
promise.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import EXIT_BROKEN, EXIT_FAILED, KINDS, Scenario, play, play_together
from multi_faults import MultiScenario
from partition_faults import PartitionedScenario

ENDS = {0: "success", EXIT_FAILED: "failed step", EXIT_BROKEN: "error", -9: "killed"}


def play_one(
    seed: int, kinds: tuple[str, ...], together: bool, chosen: type[Scenario]
) -> tuple[str, str, str | None]:
    """The kind of fault, how the run ended, and the promise it broke, if any."""
    scenario = chosen.random(seed, kinds)
    assert scenario.fault is not None
    where = "worker" if scenario.fault.in_worker else "coordinator"
    kind = f"{scenario.fault.kind} in the {where}, {scenario.executor}"
    folder = tempfile.mkdtemp(prefix="faults-")
    code = 0
    try:
        if together:
            processes = (2, 4, 8)[seed % 3]
            kind = f"{processes} processes, {kind}"
            play_together(scenario, processes, Path(folder))
        else:
            code = play(scenario, Path(folder))
    except Exception as error:
        return kind, "?", f"seed {seed}: {type(error).__name__}: {error} ({folder})"
    shutil.rmtree(folder)
    return kind, ENDS[code], None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--partitions", action="store_true")
    parser.add_argument("--multi", action="store_true")
    given = parser.parse_args()
    chosen: type[Scenario] = MultiScenario if given.multi else Scenario
    if given.partitions:
        chosen = PartitionedScenario
    started = time.monotonic()
    seeds = range(given.first, given.first + given.runs)
    ends: Counter[tuple[str, str]] = Counter()
    broken = []
    with ProcessPoolExecutor(2) as pool:
        play_each = partial(
            play_one,
            kinds=tuple(given.kinds),
            together=given.together,
            chosen=chosen,
        )
        for done, (kind, end, problem) in enumerate(pool.map(play_each, seeds), 1):
            ends[kind, end] += 1
            if done % 100 == 0:
                print(f"{done} of {given.runs}, {len(broken)} broken promises", file=sys.stderr)
            if problem:
                broken.append(problem)
                print(problem, flush=True)
    for (kind, end), count in sorted(ends.items()):
        print(f"{count:6}  {kind}: {end}")
    print(f"{given.runs} runs, {len(broken)} broken promises, {time.monotonic() - started:.0f} s")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
