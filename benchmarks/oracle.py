"""Edit thousands of small projects and compare `--stale` with a run from scratch; see
tests/support/oracle.

    python benchmarks/oracle.py [--edits 4000] [--seed 0] [--jobs 2] [--idiom TEXT …]
                                [--place TEXT …] [--json]

The table has a row for each idiom. `edits` are those whose project still runs. Of these, `seen`,
`kept` and `cautious` are right: the value is another and was made anew; nothing changed and nothing
ran; the code says something else, so the asset ran, and its value came out the same. `needless` is
counted among the neutral edits, which change nothing that docs/versions.md says counts. What is
`missed`, `wrong`, `needless` or `said` is listed below the table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import local

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from oracle.idioms import Idiom, libraries_of, read_idioms
from oracle.places import PLACES
from oracle.trial import Bench, Trial, Verdict, projects

EACH = (4, 2)  # mutations and neutral edits of one project
COLUMNS = [Verdict.SEEN, Verdict.KEPT, Verdict.CAUTIOUS, Verdict.NEEDLESS, Verdict.MISSED]
COLUMNS += [Verdict.WRONG, Verdict.SAID]


class Benches:
    """A bench for each thread."""

    def __init__(self, folder: Path, seed: int, libraries: tuple[str, ...]) -> None:
        self.folder, self.seed, self.libraries = folder, seed, libraries
        self._mine = local()
        self._numbers = count()
        self._all: list[Bench] = []

    def trials(self, project: tuple[Idiom, str]) -> list[Trial]:
        bench = getattr(self._mine, "bench", None)
        if bench is None:
            home = self.folder / str(next(self._numbers))
            bench = self._mine.bench = Bench(home, self.seed, self.libraries)
            self._all.append(bench)
        idiom, place = project
        chance = random.Random(f"{self.seed} {idiom.title} {place}")
        return list(bench.trials(idiom, place, chance, EACH))

    def close(self) -> None:
        for bench in self._all:
            bench.close()


def tried(given: argparse.Namespace) -> Iterator[Trial]:
    idioms = [i for i in read_idioms() if any(text in i.title for text in given.idiom)]
    places = [place for place in PLACES if any(text in place for text in given.place)]
    waiting = projects(idioms, places, given.seed)
    done = 0
    with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
        benches = Benches(Path(folder), given.seed, libraries_of(idioms))
        with ThreadPoolExecutor(given.jobs) as pool:
            while waiting and done < given.edits:
                some, waiting = waiting[: 8 * given.jobs], waiting[8 * given.jobs :]
                for trials in pool.map(benches.trials, some):
                    for trial in trials:
                        done += trial.verdict is not Verdict.BROKEN
                        if trial.is_bad:
                            print(line(trial), file=sys.stderr, flush=True)
                        yield trial
        benches.close()


def line(trial: Trial) -> str:
    return f"{trial.verdict}: {trial.idiom} | {trial.place} | {trial.edit} | {trial.detail}"


def row(title: str, trials: list[Trial]) -> str:
    counts = Counter(trial.verdict for trial in trials)
    edits = len(trials) - counts[Verdict.BROKEN]
    return f"{title:<42} {edits:>6}" + "".join(f" {counts[verdict]:>8}" for verdict in COLUMNS)


def report(trials: list[Trial], seconds: float) -> None:
    print(f"{'idiom':<42} {'edits':>6}" + "".join(f" {verdict:>8}" for verdict in COLUMNS))
    for title in dict.fromkeys(trial.idiom for trial in trials):
        print(row(title, [trial for trial in trials if trial.idiom == title]))
    print(row("all", trials))
    neutral = [trial for trial in trials if trial.neutral and trial.verdict is not Verdict.BROKEN]
    needless = sum(trial.verdict is Verdict.NEEDLESS for trial in neutral)
    idioms = len({trial.idiom for trial in trials})
    places = len({trial.place for trial in trials})
    print(
        f"{idioms} idioms in {places} places, {len(neutral)} neutral edits, "
        f"{needless} needless ({needless / max(len(neutral), 1):.1%}), {seconds:.0f} s"
    )
    for verdict in (Verdict.SAID, Verdict.NEEDLESS, Verdict.MISSED, Verdict.WRONG):
        for trial in trials:
            if trial.verdict is verdict:
                print(line(trial))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--idiom", nargs="+", default=[""], help="only idioms with this text")
    parser.add_argument("--place", nargs="+", default=[""], help="only places with this text")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    started = time.monotonic()
    trials = list(tried(given))
    if not trials:
        sys.exit("No project ran.")
    if given.json:
        print(json.dumps([trial._asdict() for trial in trials], indent=1))
    else:
        report(trials, time.monotonic() - started)
    sys.exit(any(trial.is_bad for trial in trials))


if __name__ == "__main__":
    main()
