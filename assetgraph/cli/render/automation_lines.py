"""What there is of jobs, schedules and sensors, and what cron can do in place of the schedules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, plural
from assetgraph.hints import command
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.definitions.automation.schedules import ScheduleDefinition
    from assetgraph.graph.automation import Automation
    from assetgraph.graph.definitions import Definitions


def automation_lines(definitions: Definitions, root: Path) -> list[Line]:
    """How many jobs, schedules and sensors there are, and the lines of cron that do what the
    schedules say; and how many assets have a condition. Nothing, where there are none."""
    specs = definitions.get_all_asset_specs()
    conditions = sum(spec.automation_condition is not None for spec in specs)
    lines = _counted(definitions.automation, root)
    if conditions:
        have = f"{plural(conditions, 'asset')} {'has' if conditions == 1 else 'have'}"
        lines.append(Line(f"{have} an automation_condition, on which nothing acts."))
        lines.append(Line("A line for cron that keeps all assets up to date (crontab -e):"))
        lines.append(Line("  ", _line("*/10 * * * *", root, "--stale")))
    return lines


def _counted(automation: Automation, root: Path) -> list[Line]:
    counts = [
        plural(len(some), kind)
        for kind, some in (
            ("job", automation.jobs),
            ("schedule", automation.schedules),
            ("sensor", automation.sensors),
        )
        if some
    ]
    if not counts:
        return []
    lines = [Line(f"Loaded {listed(counts)}.")]
    if automation.schedules or automation.sensors:
        lines.append(Line("assetgraph runs no schedules and no sensors."))
    if automation.schedules:
        lines.append(Line("Lines for cron that do what the schedules say (crontab -e):"))
        lines += [Line("  ", text) for text in _cron_lines(automation.schedules, root)]
    return lines


def _cron_lines(schedules: tuple[ScheduleDefinition, ...], root: Path) -> Iterator[str]:
    from assetgraph.definitions.automation.cron import lines_of

    zone = None
    for schedule in schedules:
        if schedule.job is None or not schedule.says_what_is_due:
            yield f"# {schedule.name}: only its function says what is due."
            continue
        if zone != (schedule.execution_timezone or "UTC"):
            zone = schedule.execution_timezone or "UTC"
            yield f"CRON_TZ={zone}"
        options = ["--missing"] if schedule.job.partitions_def is not None else []
        for line in lines_of(schedule.cron_schedule):
            yield _line(line, root, "--job", schedule.job.name, *options)


def _line(moments: str, root: Path, *options: str) -> str:
    words = f"{quote(sys.executable)} -m {command('materialize', *options)}"
    return f"{moments} cd {quote(str(root))} && {words}".replace("%", "\\%")
