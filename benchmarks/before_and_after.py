"""Compare the cost of two checkouts of assetgraph, such as main before and after a change.

    python benchmarks/before_and_after.py OLD NEW [--repeat 30]

OLD and NEW are folders that contain the package `assetgraph`. Only the command line and public
names are used, so the two may differ inside. Every case runs in its own process, OLD and NEW take
turns, and the least processor time (user and system) of all repeats counts, because other work on
the machine only adds to it. Give the same folder twice to see how much two equal sides differ.

A step is measured in both forms of `benchmarks/steps.py`. In a project, its cost is the time of the
command for 1000 assets less that for one asset, divided by 999; this includes the import of the
assets and the lines that the command prints. In a script, it is the time of `materialize` alone,
divided by 1000. Memory is the peak of a run of 10,000 assets. Set TMPDIR=/dev/shm to keep the
stores on a RAM disk; `chrt -f 50` in front of the command keeps other processes off the processor.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from steps import source

SIZE = 1000
LARGE = 10_000
MEMORY_REPEATS = 3
RUN = "from assetgraph.cli import main; main()"
SCRIPT = """
import tempfile, time
import assetgraph as dg
import pipeline
defs = dg.Definitions(dg.load_assets_from_modules([pipeline]))
@dg.asset
def first(): ...
with tempfile.TemporaryDirectory() as folder:
    dg.materialize([first], instance=dg.Instance(folder))
started = time.process_time()
dg.materialize(defs, instance=dg.Instance(".assetgraph"))
print(time.process_time() - started)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time, and the peak of memory in MB, of one process."""

    seconds: float
    mb: float


@dataclass(frozen=True)
class Case:
    """A command in a project of `size` assets in the graph `shape`. Whatever `forget` names is
    deleted from the project's folder before each run; the rest stays from the run before it. A case
    that is `timed_inside` prints its seconds itself."""

    name: str
    command: tuple[str, ...]
    shape: str = "layered"
    size: int = 10
    forget: tuple[str, ...] = ()
    timed_inside: bool = False


def cli(words: str) -> tuple[str, ...]:
    """Start the command line as the installed script does."""
    return ("-c", RUN, *words.split())


STORE = (".assetgraph",)
STEPS = (
    Case(f"project, {SIZE}", cli("materialize --all"), size=SIZE, forget=STORE),
    Case("project, one", cli("materialize --all"), size=1, forget=STORE),
    Case("script", ("-c", SCRIPT), shape="script", size=SIZE, forget=STORE, timed_inside=True),
)
CASES = (
    *STEPS,
    Case("--help", cli("--help")),
    Case("runs list", cli("runs list")),
    Case("lineage", cli("lineage")),
    Case("plan", cli("plan")),
    Case("status", cli("status")),
    Case("materialize n0", cli("materialize n0")),
    Case("nothing to do, warm", cli("materialize --stale"), size=SIZE),
    Case("nothing to do, cold", cli("materialize --stale"), size=SIZE,
         forget=(".assetgraph/cache",)),
)  # fmt: skip
MEMORY = Case("memory", cli("materialize --all"), size=LARGE, forget=STORE)


def milliseconds(seconds: dict[str, float]) -> dict[str, float]:
    """The rows of the table, from the seconds of each case."""
    project = seconds[f"project, {SIZE}"] - seconds["project, one"]
    steps = {
        "a step in layers, project": project / (SIZE - 1),
        "a step in layers, script": seconds["script"] / SIZE,
    }
    rows = steps | {case.name: seconds[case.name] for case in CASES if case not in STEPS}
    return {name: value * 1000 for name, value in rows.items()}


class Side:
    """One checkout, with a project of its own for each graph it is measured on."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout = checkout
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.environment = {**os.environ, "PYTHONPATH": str(checkout)}
        compileall.compile_dir(checkout / "assetgraph", quiet=1)
        found = self._python("-c", "import assetgraph; print(assetgraph.__file__)").strip()
        if Path(found) != checkout / "assetgraph" / "__init__.py":
            sys.exit(f"{checkout} is not what Python imports, but {found}")

    def prepare(self, case: Case) -> None:
        """Make the case's project, with everything in it materialized once."""
        project = self._project(case)
        if project.exists():
            return
        project.mkdir(parents=True)
        text = "import assetgraph as dg\n" + source(case.shape, case.size, "@dg.asset")
        (project / "pipeline.py").write_text(text)
        (project / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
        self._python(*cli("materialize --all"), cwd=project)
        self._python("-c", "import pipeline", cwd=project)  # leaves its bytecode

    def measure(self, case: Case) -> Cost:
        project = self._project(case)
        for name in case.forget:
            shutil.rmtree(project / name, ignore_errors=True)
        process = subprocess.Popen(
            [sys.executable, *case.command],
            cwd=project,
            env=self.environment,
            stdout=subprocess.PIPE if case.timed_inside else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.checkout}: {case.name} failed with exit code {process.returncode}")
        seconds = float(printed) if case.timed_inside else usage.ru_utime + usage.ru_stime
        return Cost(seconds, usage.ru_maxrss / 1024)

    def _project(self, case: Case) -> Path:
        """A case that deletes the store has a project to itself."""
        own = case.name.replace(" ", "_") if case.forget else "kept"
        return self.folder / f"{own}_{case.shape}_{case.size}"

    def _python(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{self.checkout}: {done.stderr}")
        return done.stdout


def least(case: Case, sides: tuple[Side, ...], repeat: int) -> tuple[Cost, ...]:
    """The least seconds and the least peak of each side, which take turns to go first."""
    for side in sides:
        side.prepare(case)
        side.measure(case)  # fills the caches
    found: dict[Side, list[Cost]] = {side: [] for side in sides}
    for turn in range(repeat):
        for side in sides if turn % 2 else reversed(sides):
            found[side].append(side.measure(case))
    return tuple(
        Cost(min(cost.seconds for cost in costs), min(cost.mb for cost in costs))
        for costs in found.values()
    )


def row(name: str, old: float, new: float, unit: str) -> None:
    print(f"{name:28} {old:9.3f} {new:9.3f} {unit:3} {new / old:6.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--repeat", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkouts = (options.old.resolve(), options.new.resolve())
        sides = tuple(Side(checkout, Path(folder)) for checkout in checkouts)
        costs = {case.name: least(case, sides, options.repeat) for case in CASES}
        print(f"{'processor time, least of ' + str(options.repeat):28} {'old':>9} {'new':>9} "
              f"{'':3} {'ratio':>6}")  # fmt: skip
        old, new = (
            milliseconds({name: pair[side].seconds for name, pair in costs.items()})
            for side in (0, 1)
        )
        for name in old:
            row(name, old[name], new[name], "ms")
        peaks = least(MEMORY, sides, MEMORY_REPEATS)
        row(f"peak memory, {LARGE} steps", peaks[0].mb, peaks[1].mb, "MB")


if __name__ == "__main__":
    main()
