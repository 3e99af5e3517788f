"""`partitions`: list the partitions of an asset, and add or remove dynamic ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.commands.command_group import CommandGroup
from assetgraph.cli.options import Choice, asset_argument, json_option, project_options
from assetgraph.cli.session import Session
from assetgraph.hints import command
from assetgraph.states import ASSET_STATE_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.keys import Target


@click.group("partitions", cls=CommandGroup)
def partitions_command() -> None:
    """List partitions, and add or remove dynamic ones."""


@partitions_command.command("list")
@asset_argument
@click.option(
    "--state", "states", metavar="STATE", multiple=True, type=Choice(list(ASSET_STATE_WORDS)),
    help="Only partitions in this state. Repeatable.",
)  # fmt: skip
@json_option
@project_options
def list_command(session: Session, key: str, states: tuple[str, ...], as_json: bool) -> None:
    """List the partitions of an asset with their states.

    \b
    Examples:
      assetgraph partitions list taxi_trips
      assetgraph partitions list taxi_trips --state missing
      assetgraph partitions list taxi_trips@2023-01..2023-02 --json
    """
    from assetgraph.cli.render.target_table import target_table
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.queries.target_views import target_json, target_views
    from assetgraph.records import now

    wanted = {ASSET_STATE_WORDS[word] for word in states}
    views = target_views(session.facts, _targets(session, key))
    shown = [view for view in views if not wanted or view.state in wanted]
    answer(
        as_json,
        data=lambda: [target_json(view) for view in shown],
        lines=lambda width: target_table(shown, now(), width),
    )
    if not shown:
        say([Line("No partition is in that state." if views else "There are no partitions yet.")])


@partitions_command.command("add")
@click.argument("name")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@json_option
@project_options
def add_command(session: Session, name: str, keys: tuple[str, ...], as_json: bool) -> None:
    """Add partitions to the dynamic definition NAME. Those that are there already stay.

    \b
    Example:
      assetgraph partitions add customers acme globex
    """
    _require_name(session, name)
    session.may_create_store = True
    added = session.store.dynamic_partitions.add(name, keys)
    _tell(added, keys, as_json, "Added", "was there already")


@partitions_command.command("remove")
@click.argument("name")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@json_option
@project_options
def remove_command(session: Session, name: str, keys: tuple[str, ...], as_json: bool) -> None:
    """Remove partitions from the dynamic definition NAME. What was materialized of them stays in
    the store, until `assetgraph prune --orphaned`.

    \b
    Example:
      assetgraph partitions remove customers acme
    """
    _require_name(session, name)
    removed = session.store.dynamic_partitions.delete(name, keys)
    _tell(removed, keys, as_json, "Removed", "was not there")


def _targets(session: Session, text: str) -> Sequence[Target]:
    from assetgraph.planning.selected_targets import no_partitions, partitions_named

    name, at, partition = text.partition("@")
    with session.renamed([name]):
        key = session.asset(name)
    if not session.facts.targets.is_partitioned(key):
        raise no_partitions([key])
    return partitions_named(session.facts.targets, key, partition if at else "*")


def _require_name(session: Session, name: str) -> None:
    """Raise `PartitionsError` if no asset has dynamic partitions of this name."""
    from assetgraph.errors import PartitionsError
    from assetgraph.planning.target_graph import dynamic_names
    from assetgraph.text import did_you_mean, some_of

    names = dynamic_names(session.graph)
    if name not in names:
        raise PartitionsError(
            f"no asset has dynamic partitions called {name!r}.",
            hint=did_you_mean(name, names)
            or some_of("There are", names)
            or f"See the assets with: {command('list')}",
        )


def _tell(
    changed: Sequence[str], asked: Sequence[str], as_json: bool, verb: str, unchanged: str
) -> None:
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line

    answer(
        as_json,
        data=lambda: list(changed),
        lines=lambda _: [Line(f"{verb} {key}") for key in changed],
    )
    say([Line(f"{key} {unchanged}.") for key in dict.fromkeys(asked) if key not in changed])
