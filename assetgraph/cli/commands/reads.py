"""`reads`: what the assets of a project depend on besides their upstreams."""

from __future__ import annotations

import click

from assetgraph.cli.options import json_option, project_options, selection_argument
from assetgraph.cli.session import Session


@click.command("reads", short_help="List what assets read without declaring it.")
@selection_argument
@json_option
@project_options
def reads_command(session: Session, selection: tuple[str, ...], as_json: bool) -> None:
    """List what each asset depends on besides its upstreams.

    These are the files, folders and environment variables that its step read when it last ran, the
    hosts, databases and programs that it used, and in its code the clock, chance, and what cannot
    be followed.

    \b
    Examples:
      assetgraph reads
      assetgraph reads group:raw_files --json
      assetgraph reads taxi_trips@2023-03
    """
    from assetgraph.cli.render.asset_list import nothing_note
    from assetgraph.cli.render.read_lines import project_lines, project_notes
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.observed_views import asset_reads
    from assetgraph.queries.record_json import record_json

    targets = session.targets(selection, each=False)
    if targets is None:
        targets = [session.graph.targets[key] for key in session.selected(selection)]
    found = list(asset_reads(session.facts, targets))
    answer(
        as_json,
        data=lambda: [record_json(one) for one in found],
        lines=lambda width: project_lines(found, width),
    )
    say(project_notes(found, stderr().width) if found else nothing_note(selection))
