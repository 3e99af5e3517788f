"""`runs logs --follow`: watch a run of another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.exit_codes import CANCELED
from assetgraph.cli.progress.plain_display import PlainLines
from assetgraph.cli.render.run_summary import RunHighlights, summary
from assetgraph.cli.terminal.json_text import json_line
from assetgraph.cli.terminal.output import say, stderr, stdout
from assetgraph.process.garbage_collector import heap_left_alone
from assetgraph.queries.event_text import event_json
from assetgraph.queries.run_tail import follow_run
from assetgraph.queries.run_views import StepLog, find_run, run_details, step_log_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.cli.session import Session


def follow_logs(session: Session, run: str, keys: Sequence[str], *, as_json: bool) -> int:
    """Print what happens in the run `run` until it ends, then its summary on stderr; return the
    exit code. JSON has a line for each event, and for each piece of text that a step prints."""
    out, record = stdout(), find_run(session.store, run)
    lines = PlainLines(record.step_ids)
    try:
        with heap_left_alone():
            for item in follow_run(session.store, record.run_id, keys):
                if as_json:
                    said = step_log_json(item) if isinstance(item, StepLog) else event_json(item)
                    out.write_text(json_line(said) + "\n")
                elif isinstance(item, StepLog):
                    out.write(lines.output(item.step_id, item.stream, item.text))
                else:
                    out.write(lines.event(item))
        if not as_json:
            out.write(lines.rest())
    except KeyboardInterrupt:
        return CANCELED
    details = run_details(session.store, record.run_id)
    say(summary(details.record, RunHighlights(details.events), stderr().width))
    return 0
