"""The state of each asset, and why it is not up to date."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from assetgraph.cli.render.asset_list import damage_notes
from assetgraph.cli.render.by_asset import names_text
from assetgraph.cli.render.state_style import asset_state_line
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, first_few, plural, stacked
from assetgraph.cli.terminal.table import Column, room_beside, table
from assetgraph.hints import command
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.records import AssetState
from assetgraph.text import first_line, listed, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assetgraph.keys import AssetKey
    from assetgraph.queries.asset_views import AssetView, ExternalData

_COLUMNS = (Column("ASSET", least=16), Column("STATE"), Column("WHY", least=20))
_LONGEST_ERROR = 200
_NO_HEAD = (Line(), Line())
_MOST_ORPHANED = 5


def status_table(views: Sequence[AssetView], width: int | None) -> list[Line]:
    """A line for each asset. On a terminal each reason has lines of its own, uncut, and the error
    of a failed attempt has one."""
    checks = [_checks(view) for view in views]
    heads = [[Line(view.asset.key.text), asset_state_line(view)] for view in views]
    heads_of_checks = [list(head) for rows in checks for *head, _ in rows]
    room = room_beside(_COLUMNS, heads + heads_of_checks, width)
    rows: list[list[Line]] = []
    for head, view, own in zip(heads, views, checks, strict=True):
        rows += _rows(head, _why(view, room))
        for name, outcome, why in own:
            rows += _rows([name, outcome], [Line((text, "muted")) for text in stacked(why, room)])
    return table(_COLUMNS, rows, width)


def _rows(head: Sequence[Line], why: Sequence[Line]) -> list[list[Line]]:
    return [[*(head if number == 0 else _NO_HEAD), reason] for number, reason in enumerate(why)]


def _checks(view: AssetView) -> Sequence[tuple[Line, Line, list[str]]]:
    """The rows of the checks of an asset, if it has any."""
    if not view.checks:
        return ()
    from assetgraph.cli.render.check_lines import status_rows

    return status_rows(view)


def _why(view: AssetView, room: int | None) -> list[Line]:
    lines = [Line((reason, "muted")) for reason in stacked(shown_reasons(view), room)]
    if view.failure is None or (view.partitions and AssetState.FAILED not in view.partitions):
        return lines
    about = "" if view.failure.partition is None else f"{view.failure.partition}: "
    text = about + first_line(view.failure.error)
    error = (shorten(text, room or _LONGEST_ERROR), "failure")
    return [*lines, Line(error)] if room else [Line(*lines, ("; ", "muted"), error)]


def shown_reasons(view: AssetView) -> list[str]:
    """Why the asset is not up to date, beyond what its state says; first, the run that
    materializes it now, and last, a failure that no longer counts."""
    why = [r.text for r in view.reasons if r.kind is not ReasonKind.NEVER_MATERIALIZED]
    is_gone = any(r.kind is ReasonKind.SOURCE_MISSING for r in view.reasons)  # that names the file
    if view.external is not None and not is_gone:
        why.append(external_text(view.external))
    if view.state is AssetState.RUNNING:
        run_id = view.running_run_id
        why.insert(0, f"being materialized by {f'run {run_id}' if run_id else 'another process'}")
    return why if view.past_failure is None else [*why, view.past_failure.text]


def status_notes(
    views: Sequence[AssetView],
    remedy: str,
    width: int | None,
    held: Mapping[AssetKey, str] | None = None,
) -> list[Line]:
    """How many assets are being materialized or are not up to date, and what to type next;
    `remedy` is the command that updates them, except those that a failed check holds: `held` has
    the check of each."""
    held = held or {}
    running = [view for view in views if view.state is AssetState.RUNNING]
    own = [view for view in views if view.external is None]
    behind = [held[view.asset.key] for view in own if view.asset.key in held]
    stale = sum(view.state is not AssetState.FRESH for view in own) - len(running) - len(behind)
    lines = [_running_note(run_id, count) for run_id, count in Counter(
        view.running_run_id for view in running).items()]  # fmt: skip
    if stale:
        lines.append(Line(f"{_are(stale)} not up to date. To update: ", (remedy, "command")))
    if behind:
        checks = list(dict.fromkeys(behind))
        names = f"the failed check{'' if len(checks) == 1 else 's'} {listed(first_few(checks))}"
        them = "it" if len(behind) == 1 else "them"
        lines += [
            Line(f"{_are(len(behind))} held by {names}: correct the data or the check."),
            Line(f"To update {them} nevertheless: ", (f"{remedy} --ignore-checks", "command")),
        ]
    elif not stale and not running and own:
        all_of_them = f"All {len(own)} assets are up to date." if len(own) > 1 else "Up to date."
        lines.append(Line((all_of_them, "success")))
    if any(view.checks for view in views):
        from assetgraph.cli.render.check_lines import check_notes

        lines += check_notes(views)
    lines += damage_notes(views)
    return [part for line in lines for part in line.broken(width, indent=2)]


def external_text(data: ExternalData) -> str:
    """Where an external asset's data is, and when that was last changed, observed or reported."""
    when = f" {units.local_time(data.at)}" if data.at else ""
    if data.source is not None:
        return f"{data.source}{f', changed{when}' if when else ''}"
    if data.origin:
        return f"last {data.origin}{when}: version {(data.data_version or '')[:8]}"
    if data.observable:
        return "never observed"
    return "made elsewhere"


def orphaned_partition_notes(orphans: Mapping[AssetKey, Sequence[str]]) -> list[Line]:
    """The partitions on record that no longer exist, and what to type next."""
    if not orphans:
        return []
    lines = []
    for key, partitions in list(orphans.items())[:_MOST_ORPHANED]:
        some = names_text(partitions)
        have = (
            "1 partition on record does"
            if len(partitions) == 1
            else (f"{len(partitions):,} partitions on record do")
        )
        lines.append(Line((key.text, "name"), f": {have} not exist any more: {some}."))
    if len(orphans) > _MOST_ORPHANED:
        lines.append(Line(f"So it is with {plural(len(orphans) - _MOST_ORPHANED, 'more asset')}."))
    return [*lines, Line("To remove: ", (command("prune", "--orphaned"), "command"))]


def orphan_notes(orphans: Sequence[str]) -> list[Line]:
    """The assets with a history that the project does not define, and what to type next."""
    if not orphans:
        return []
    some = listed(orphans) if len(orphans) <= 3 else ", ".join([*orphans[:3], "…"])
    have = "1 asset has" if len(orphans) == 1 else f"{len(orphans)} assets have"
    return [
        Line(f"{have} a history, but no definition: {some}."),
        Line("If renamed: ", (command("mv", orphans[0], "NEW"), "command")),
        Line("If removed: ", (command("prune", "--orphaned"), "command")),
    ]


def _running_note(run_id: str | None, count: int) -> Line:
    if run_id is None:
        return Line(f"{_are(count)} being materialized by another process.")
    watch = command("runs", "logs", run_id, "--follow")
    return Line(f"{_are(count)} being materialized. To watch: ", (watch, "command"))


def _are(count: int) -> str:
    return plural(count, "asset") + (" is" if count == 1 else " are")
