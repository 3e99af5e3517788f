"""`runs logs --follow`: a run watched from another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.error_messages import CANCELED
from assetgraph.cli.render.event_lines import RunLines
from assetgraph.cli.render.run_summary import summary
from assetgraph.cli.terminal.answer import say
from assetgraph.cli.terminal.json_text import json_line
from assetgraph.cli.terminal.output import stderr, stdout
from assetgraph.queries.event_text import event_json
from assetgraph.queries.run_tail import follow_run
from assetgraph.queries.run_views import StepLog, find_run, run_details, step_log_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.cli.options import Given


def follow_logs(given: Given, run: str, keys: Sequence[str], *, as_json: bool) -> int:
    """Print what the run `run` does until it has ended, and then how on stderr; the exit code.
    As JSON it is a line for each event, and for each piece of what a step printed."""
    out, record = stdout(), find_run(given.store, run)
    lines = RunLines(record.step_ids)
    try:
        for item in follow_run(given.store, record.run_id, keys):
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
    say(summary(run_details(given.store, record.run_id), stderr().width))
    return 0
