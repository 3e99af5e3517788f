"""Completions for the Tab key: names of assets and runs. They never fail and never print."""

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


def matching_assets(ctx: click.Context, incomplete: str) -> list[str]:
    """The keys that complete `incomplete`, also after selection operators: `+tr` gives `+trips`."""
    operators = _OPERATORS.match(incomplete)
    start = operators.group() if operators else ""
    wanted = incomplete[len(start) :]
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


def _run_names(session: Session) -> Iterator[str]:
    from itertools import islice

    yield "latest"
    yield from islice(session.store.runs.ids(), _MOST_RUNS)
