"""`observe` and `report`: what is known of assets that something else makes."""

from __future__ import annotations

import click

from assetgraph.cli.options import complete_assets, json_option, project_options, selection_argument
from assetgraph.cli.session import Session
from assetgraph.process.garbage_collector import heap_left_alone


@click.command("observe", short_help="Look which version assets have that something else makes.")
@selection_argument
@json_option
@project_options
def observe_command(session: Session, selection: tuple[str, ...], as_json: bool) -> None:
    """Call the functions of observable source assets, and record which versions they found.

    What reads an asset with a new version is stale. `materialize --stale` does this first.

    \b
    Examples:
      assetgraph observe
      assetgraph observe feed && assetgraph plan
    """
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.queries.record_json import record_json
    from assetgraph.run.observe import Observation, observables, observe

    def line(one: Observation) -> Line:
        what = "new data" if one.is_new else "unchanged"
        return Line((one.key, "name"), f"  {what}, version {one.data_version[:40]}")

    session.may_create_store = True
    keys = observables(session.graph, session.selected(selection))
    with heap_left_alone():
        found = observe(session.facts, keys)
    answer(
        as_json,
        data=lambda: [{**record_json(one), "is_new": one.is_new} for one in found],
        lines=lambda _: map(line, found),
    )
    if not found:
        say([Line("Nothing to observe: an @observable_source_asset has a function for that.")])


@click.command("report", short_help="Record that something outside made an asset.")
@click.argument("key", shell_complete=complete_assets)
@click.option(
    "--data-version",
    metavar="TEXT",
    help="The version of the data. By default, it counts as new.",
)
@click.option(
    "--metadata",
    metavar="NAME=VALUE",
    multiple=True,
    help="Record this with it. Repeatable.",
)
@json_option
@project_options
def report_command(
    session: Session, key: str, data_version: str | None, metadata: tuple[str, ...], as_json: bool
) -> None:
    """Record that something outside made the asset KEY, such as a job that loads a table.

    What reads the asset is then stale.

    \b
    Example:
      assetgraph report orders --metadata rows=120000
    """  # fmt: skip
    from assetgraph.cli.config_and_tags import parse_pairs
    from assetgraph.cli.terminal.output import answer
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.keys import AssetKey
    from assetgraph.queries.record_json import record_json
    from assetgraph.run.observe import report, require_reportable

    session.may_create_store = True
    found = AssetKey.unchecked(key)
    with session.renamed([key]):
        require_reportable(session.graph, found)
    pairs = parse_pairs("--metadata", metadata)
    made = report(session.store, found, data_version=data_version, metadata=pairs)
    answer(
        as_json,
        data=lambda: record_json(made),
        lines=lambda _: [Line("Reported ", (key, "name"), f", version {made.data_version[:40]}")],
    )
