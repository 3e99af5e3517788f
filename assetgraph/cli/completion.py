"""Completions for the Tab key: names of assets, their partitions, and runs. They never fail and
never print."""

from __future__ import annotations

import os
import re
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from assetgraph.cli.remembered_assets import remembered_assets
from assetgraph.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import click

_OPERATORS = re.compile(r"(?:not\s|[\d+(]|key:)*")
_MOST_RUNS = 20
_MOST_PARTITIONS = 200
_MOST_SEARCHED = 100_000  # partitions


def matching_assets(ctx: click.Context, incomplete: str) -> list[str]:
    """The keys that complete `incomplete`, also after selection operators: `+tr` gives `+trips`."""
    operators = _OPERATORS.match(incomplete)
    start = operators.group() if operators else ""
    wanted = incomplete[len(start) :]
    if "@" in wanted:
        name, _, partition = wanted.partition("@")
        found = _quietly(lambda session: _partition_names(session, name, partition), ctx)
        return [f"{start}{name}@{text}" for text in found]
    return [start + key for key in _quietly(_asset_names, ctx) if key.startswith(wanted)]


def matching_runs(ctx: click.Context, incomplete: str) -> list[str]:
    """`latest` and the ids of the newest runs that start with `incomplete`."""
    return [name for name in _quietly(_run_names, ctx) if name.startswith(incomplete)]


def _quietly(names: Callable[[Session], Iterator[str]], ctx: click.Context) -> list[str]:
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            return list(names(ctx.ensure_object(Session)))
        except (Exception, SystemExit):
            return []


def _asset_names(session: Session) -> Iterator[str]:
    remembered = remembered_assets(session.project)
    if remembered is None:
        return (key.text for key in session.graph.order)
    return iter(remembered)


def _partition_names(session: Session, name: str, incomplete: str) -> Iterator[str]:
    """The partitions of an asset that complete a text, which may be the second end of a range."""
    from itertools import islice

    from assetgraph.keys import RANGE, AssetKey

    first, dots, start = incomplete.rpartition(RANGE)
    every = session.facts.targets.keys(AssetKey(name)) or ()
    fitting = (str(key) for key in islice(every, _MOST_SEARCHED) if key.startswith(start))
    return (f"{first}{dots}{key}" for key in islice(fitting, _MOST_PARTITIONS))


def _run_names(session: Session) -> Iterator[str]:
    from itertools import islice

    yield "latest"
    yield from islice(session.store.runs.ids(), _MOST_RUNS)
