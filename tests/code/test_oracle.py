"""A sample of `benchmarks/oracle.py`: edited projects brought up to date equal those from scratch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from oracle.idioms import libraries_of, read_idioms
from oracle.places import LIMITS, PLACES
from oracle.server import Answer
from oracle.trial import Bench, Trial, Verdict, judge, projects

VERSIONS = Path(__file__).parents[2] / "docs" / "versions.md"
IDIOMS = [idiom for idiom in read_idioms() if set(idiom.needs) <= {"numpy"}]
SLICES, EDITS = 8, 8  # the edits are those of a slice
SEED = 13


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("bench"), SEED, libraries_of(IDIOMS))
    yield made
    made.close()


@pytest.mark.parametrize("number", range(SLICES))
def test_an_edited_project_brought_up_to_date_equals_one_from_scratch(
    bench: Bench, number: int
) -> None:
    chance, trials = random.Random(SEED + number), list[Trial]()
    for idiom, place in projects(IDIOMS, list(PLACES), SEED)[number::SLICES]:
        trials += bench.trials(idiom, place, chance, (1, 1))
        if len(trials) >= EDITS:
            break

    assert [trial for trial in trials if trial.is_bad] == []
    assert {Verdict.SEEN, Verdict.KEPT} <= {trial.verdict for trial in trials}


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
