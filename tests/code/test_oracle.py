"""A sample of `benchmarks/oracle.py`: edited projects brought up to date equal those from scratch."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from oracle.idioms import libraries_of, read_idioms
from oracle.places import LIMITS, PLACES
from oracle.server import Answer
from oracle.trial import Bench, Trial, Verdict, judge, projects

VERSIONS = Path(__file__).parents[2] / "docs" / "versions.md"
EDITS = 60
SEED = 13


def sample(folder: Path) -> list[Trial]:
    idioms = [idiom for idiom in read_idioms() if set(idiom.needs) <= {"numpy"}]
    bench = Bench(folder, SEED, libraries_of(idioms))
    chance, trials = random.Random(SEED), list[Trial]()
    for idiom, place in projects(idioms, list(PLACES), SEED):
        trials += bench.trials(idiom, place, chance, (1, 1))
        if len(trials) >= EDITS:
            break
    bench.close()
    return trials


def test_an_edited_project_brought_up_to_date_equals_one_from_scratch(tmp_path: Path) -> None:
    trials = sample(tmp_path)

    assert [trial for trial in trials if trial.is_bad] == []
    counts = Counter(trial.verdict for trial in trials)
    assert counts[Verdict.SEEN] > EDITS / 4
    assert counts[Verdict.KEPT] > EDITS / 4


@pytest.mark.parametrize(
    ("now", "scratch", "ran", "neutral", "verdict"),
    [
        ("1", "1", (), True, Verdict.KEPT),
        ("1", "1", ("x",), True, Verdict.NEEDLESS),
        ("1", "1", ("x",), False, Verdict.CAUTIOUS),
        ("2", "2", ("x",), False, Verdict.SEEN),
        ("1", "2", (), False, Verdict.MISSED),
        ("1", "2", ("x",), False, Verdict.WRONG),
        ("1", "failed", (), False, Verdict.MISSED),
        ("failed", "failed", ("x",), False, Verdict.BROKEN),
    ],
)
def test_a_verdict_compares_with_the_value_from_scratch(
    now: str, scratch: str, ran: tuple[str, ...], neutral: bool, verdict: Verdict
) -> None:
    first, after, anew = (
        Answer(made, {"x": value}, (), "")
        for made, value in ((("x",), "1"), (ran, now), (("x",), scratch))
    )

    assert judge(first, after, anew, neutral, "")[0] is verdict


def test_what_differs_is_said_only_where_it_is_noted_or_documented() -> None:
    first, now, noted = (Answer((), {"x": "1"}, notes, "") for notes in ((), (), ("line 2: eval",)))
    scratch = Answer(("x",), {"x": "2"}, (), "")

    assert judge(first, now, scratch, False, "")[0] is Verdict.MISSED
    assert judge(first, noted, scratch, False, "")[0] is Verdict.SAID
    assert judge(first, now, scratch, False, "a limit")[0] is Verdict.SAID


def test_each_limit_of_an_idiom_stands_in_the_documentation() -> None:
    documented = " ".join(VERSIONS.read_text(encoding="utf-8").split())
    limits = {*LIMITS.values(), *(idiom.limit for idiom in read_idioms() if idiom.limit)}

    assert [limit for limit in limits if limit not in documented] == []
