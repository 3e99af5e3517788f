"""Checks of assets as lines: a glyph, a word and a colour together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from assetgraph.cli.render.metadata_lines import metadata_lines, metadata_text
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, joined, plural
from assetgraph.cli.terminal.table import Column, table
from assetgraph.hints import command
from assetgraph.planning.reason_kinds import ReasonKind, some_ranges
from assetgraph.queries.check_views import CheckOutcome, counts_of, outcome_of
from assetgraph.records import Evaluation, EventType, Materialization
from assetgraph.text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assetgraph.queries.asset_views import AssetView
    from assetgraph.queries.check_views import CheckView
    from assetgraph.records import Event, FailedAttempt

_LOOKS = {
    CheckOutcome.PASSED: ("✓", "success"),
    CheckOutcome.WARNED: ("!", "warning"),
    CheckOutcome.FAILED: ("✕", "failure"),
    CheckOutcome.ERROR: ("✕", "failure"),
    CheckOutcome.NEVER: ("–", "muted"),
}
_WORDS = {
    CheckOutcome.PASSED: "passed",
    CheckOutcome.WARNED: "failed, as a warning",
    CheckOutcome.FAILED: "failed",
    CheckOutcome.ERROR: "raised an error",
    CheckOutcome.NEVER: "never ran",
}
_BAD = (CheckOutcome.FAILED, CheckOutcome.ERROR)
_HISTORY = (
    Column("PARTITION", least=10),
    Column("WHEN"),
    Column("RUN", drop=1),
    Column("TIME", right=True),
    Column("OUTCOME", least=16),
)


def outcome_line(outcome: CheckOutcome, *, blocking: bool = False) -> Line:
    mark, style = _LOOKS[outcome]
    word = _WORDS[outcome]
    if blocking and outcome is CheckOutcome.FAILED:
        word += ", blocking"
    return Line((f"{mark} {word}", style))


def counts_line(checks: Sequence[CheckView]) -> Line:
    """How many checks have each outcome, as in `✕ 1  ✓ 2`; "" without any."""
    return joined(
        [Line((f"{_LOOKS[o][0]} {n}", _LOOKS[o][1])) for o, n in counts_of(checks).items()], "  "
    )


def reasons_of(view: CheckView) -> list[str]:
    """Why a check must look again, what it said when it failed, and where."""
    why = [r.text for r in view.reasons if r.kind is not ReasonKind.NEVER_CHECKED]
    return why + _found(view)


def _found(view: CheckView) -> list[str]:
    """What a check said when it failed, and for which partitions."""
    why = []
    if view.failed_partitions:
        why.append(f"it failed for {some_ranges(view.failed_partitions)}")
    found = view.evaluation
    if view.outcome is CheckOutcome.ERROR and view.failure is not None:
        why.append(first_line(view.failure.error))
    elif found is not None and not found.passed and found.description:
        why.append(found.description)
    return why


def status_rows(view: AssetView) -> list[tuple[Line, Line, list[str]]]:
    """The checks of an asset that need attention: name, outcome and why."""
    return [
        (
            Line("  ", (f":{one.check.check_name}", "")),
            outcome_line(one.outcome, blocking=one.check.blocking),
            reasons_of(one),
        )
        for one in view.checks
        if one.needs_attention or one.outcome is CheckOutcome.WARNED
    ]


def check_notes(views: Iterable[AssetView]) -> list[Line]:
    """How many checks failed, how many others must look again, and what to type next."""
    checks = [check for view in views for check in view.checks]
    bad = [one for one in checks if one.outcome in _BAD]
    other = [one for one in checks if one.outcome not in _BAD]
    unsettled = sum(not one.is_current and not one.is_running for one in other)
    lines = []
    if bad:
        again = any(not one.is_current and not one.is_running for one in bad)
        line = Line((f"{plural(len(bad), 'check')} failed.", "failure"))
        run = Line(line, " To run again: ", (command("check-assets"), "command"))
        lines.append(run if again else line)
    if unsettled:
        verb = "has" if unsettled == 1 else "have"
        text = f"{plural(unsettled, 'check')} {verb} not looked at what is there now. To run: "
        lines.append(Line(text, (command("check-assets"), "command")))
    return lines


def failed_before(checks: Iterable[CheckView]) -> list[Line]:
    """The checks that failed when they last looked, and did not look again."""
    return [
        Line(
            outcome_line(one.outcome, blocking=one.check.blocking),
            (f" in run {_run_of(one)}: ", "muted"),
            (one.check.key.text, "name"),
            *([f" ({said})"] if (said := "; ".join(_found(one))) else []),
        )
        for one in checks
    ]


def _run_of(view: CheckView) -> str:
    newest = view.failure or view.materialization
    return newest.run_id if newest is not None else ""


def check_section(checks: Sequence[CheckView], width: int | None) -> list[Line]:
    """The checks of an asset on its page."""
    if not checks:
        return []
    lines = [Line(), Line(("Checks", "heading"))]
    for one in checks:
        name = Line("  ", (one.check.check_name, "name"), "  ")
        when = units.local_time(one.looked_at) if one.looked_at else ""
        state = outcome_line(one.outcome, blocking=one.check.blocking)
        lines.append(Line(name, state, (f"  {when}" if when else "", "muted")).cut(width))
        lines += [Line("    ", (text, "muted")).cut(width) for text in reasons_of(one)]
        metadata = one.materialization.metadata if one.materialization else {}
        if metadata:
            lines.append(Line("    ", metadata_text(metadata)).cut(width))
    return lines


def run_checks(events: Sequence[Event], width: int | None, most: int | None) -> list[Line]:
    """What the checks of a run found: those that failed first, in at most `most` lines."""
    found = [one for one in events if one.type is EventType.ASSET_CHECK_EVALUATION]
    found.sort(key=lambda one: (bool(one.data["passed"]), one.level != "ERROR"))
    shown = found[:most]
    lines = [Line(), Line(("Checks", "heading")), *(_evaluated(one).cut(width) for one in shown)]
    if len(found) > len(shown):
        left = plural(len(found) - len(shown), "more evaluation")
        lines.append(Line((f"  … {left} not shown: add --all", "muted")))
    return lines


def _evaluated(event: Event) -> Line:
    found = msgspec.convert(event.data, Evaluation)
    outcome = outcome_line(outcome_of(found), blocking=found.blocking)
    said = (found.description or "", metadata_text(event.data.get("metadata", {})))
    texts = [Line(text) for text in said if text]
    return joined([Line("  ", (event.target or event.step or "", "name")), outcome, *texts], "  ")


def check_page(
    view: CheckView, history: Sequence[Materialization | FailedAttempt], width: int | None
) -> list[Line]:
    """The page of one check: its definition, what it last found, and its history."""
    node = view.check
    lines = [
        Line((node.key.text, "name"), "  ", outcome_line(view.outcome, blocking=node.blocking)),
        *(Line("  ", (text, "muted")).cut(width) for text in reasons_of(view)),
    ]
    if node.description:
        lines += [Line(), Line("  ", node.description).cut(width)]
    facts = {
        "Checks": node.checks.text,
        "Blocking": "yes: what reads the asset waits for it" if node.blocking else "no",
        "Defined at": view.computation.place,
        **({"Metadata": metadata_text(node.metadata)} if node.metadata else {}),
        "Looked": units.local_time(view.looked_at) if view.looked_at else "never",
    }
    shown_facts = [Line("  ", (f"{name:10}", "muted"), "  ", text) for name, text in facts.items()]
    lines += [Line(), *shown_facts]
    made = view.materialization
    if made is not None and made.metadata:
        lines += [Line(), Line(("Metadata", "heading")), *metadata_lines(made.metadata, width)]
    if history:
        rows = [_attempt(one) for one in history]
        shown = table(_HISTORY, rows, width and width - 2)
        lines += [Line(), Line(("History", "heading")), *(Line("  ", line) for line in shown)]
    return lines


def _attempt(attempt: Materialization | FailedAttempt) -> list[Line]:
    if isinstance(attempt, Materialization):
        found: Evaluation | None = attempt.evaluation
        outcome = outcome_line(CheckOutcome.NEVER if found is None else outcome_of(found))
    else:
        outcome = Line(("✕ ", "failure"), first_line(attempt.error))
    return [
        Line(attempt.partition or ""), Line(units.local_time(attempt.timestamp)),
        Line(attempt.run_id), Line(units.duration(attempt.duration_s)), outcome,
    ]  # fmt: skip
