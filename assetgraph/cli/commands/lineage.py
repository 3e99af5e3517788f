"""`lineage`: the graph of the assets."""

from __future__ import annotations

import click

from assetgraph.cli.options import (
    Choice,
    WholeNumber,
    json_option,
    project_options,
    selection_argument,
)
from assetgraph.cli.session import Session


@click.command("lineage", short_help="Draw the graph of the assets.")
@selection_argument
@click.option("--upstream", is_flag=True, help="Add everything upstream of the selection.")
@click.option("--downstream", is_flag=True, help="Add everything downstream of the selection.")
@click.option(
    "--depth", metavar="N", type=WholeNumber(1),
    help="How many levels --upstream and --downstream add.",
)  # fmt: skip
@click.option(
    "--format", "form", default="tree", show_default=True, help="The output format.",
    type=Choice(("tree", "mermaid", "dot", "svg", "json")),
)  # fmt: skip
@json_option
@project_options
def lineage_command(
    session: Session,
    selection: tuple[str, ...],
    upstream: bool,
    downstream: bool,
    depth: int | None,
    form: str,
    as_json: bool,
) -> None:
    """Draw the graph of the assets, upstream before downstream.

    \b
    Examples:
      assetgraph lineage
      assetgraph lineage taxi_trips --upstream
      assetgraph lineage --format mermaid
      assetgraph lineage --format svg > lineage.svg
    """
    from assetgraph.cli.render.asset_list import nothing_note
    from assetgraph.cli.render.lineage_lines import lineage
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.queries.asset_views import asset_json, asset_views

    graph = session.graph
    keys = set(session.selected(selection))
    if depth and not (upstream or downstream):
        raise click.UsageError("--depth limits --upstream and --downstream: add one of them.")
    for near, wanted in ((graph.upstream, upstream), (graph.downstream, downstream)):
        if wanted:
            keys = keys.union(*(near(key, depth) for key in keys))
    views = asset_views(session.facts, (graph.asset(key) for key in graph.order if key in keys))
    edges = [(up.text, down.text) for up, down in graph.edges if up in keys and down in keys]
    answer(
        as_json or form == "json",
        data=lambda: [asset_json(view) for view in views],
        lines=lambda width: lineage(views, edges, form, width),
    )
    if not views:
        say(nothing_note(selection))
