"""`reproduce`: whether a step makes the same value again."""

from __future__ import annotations

import click

from assetgraph.cli.exit_codes import RUN_FAILED
from assetgraph.cli.options import asset_argument, json_option, project_options
from assetgraph.cli.session import Session


@click.command("reproduce", short_help="Run an asset again, and compare the values.")
@asset_argument
@json_option
@project_options
def reproduce_command(session: Session, key: str, as_json: bool) -> int:
    """Run the function of an asset again, and compare what it returns with the value on record.

    Of an asset with partitions, it is one of them.

    Nothing is recorded, and the value on record stays. A file that the function returns is put
    back; whatever else it writes is written. Exit code 1 if the value is another, or the function
    failed.

    \b
    Examples:
      assetgraph reproduce taxi_trips
      assetgraph reproduce taxi_trips@2023-03
    """
    from assetgraph.cli.render.reproduction_lines import reproduction_lines
    from assetgraph.cli.terminal.output import answer
    from assetgraph.queries.observed_views import asset_reads
    from assetgraph.queries.record_json import record_json
    from assetgraph.run.reproduce import reproduce

    target = session.target(key)
    found = reproduce(session.facts, target)
    (uses,) = asset_reads(session.facts, [target])
    answer(
        as_json,
        data=lambda: record_json(found),
        lines=lambda width: reproduction_lines(found, uses, width),
    )
    return 0 if found.same else RUN_FAILED
