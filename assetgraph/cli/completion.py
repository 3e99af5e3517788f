"""What the Tab key offers: the names of assets and runs. It never fails and never prints.

Loading a project takes as long as its imports, so that each command which loads it writes down
the names, in the store's cache. They count until a source file is newer.
"""

from __future__ import annotations

import os
import re
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import click

    from assetgraph.cli.options import Given
    from assetgraph.project.settings import Project

_OPERATORS = re.compile(r"(?:not\s|[\d+(]|key:)*")
_MOST_RUNS = 20


def complete_assets(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Keys, also after the operators of a selection: `+tr` becomes `+trips`."""
    operators = _OPERATORS.match(incomplete)
    start = operators.group() if operators else ""
    wanted = incomplete[len(start) :]
    return [start + key for key in _quietly(_asset_names, ctx) if key.startswith(wanted)]


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in _quietly(_run_names, ctx) if name.startswith(incomplete)]


def remember_assets(project: Project, keys: Sequence[str]) -> None:
    """Write down the names of a project's assets, if it has a store."""
    from assetgraph.errors import StoreError
    from assetgraph.storage.atomic_files import make_folder, write_whole

    if project.store.is_dir():
        with suppress(StoreError):  # a store that cannot be written is no reason to stop
            make_folder(f"{project.store}/cache")
            write_whole(_cache(project), "\n".join([_head(project), *keys]).encode())


def _quietly(names: Callable[[Given], Iterator[str]], ctx: click.Context) -> list[str]:
    from assetgraph.cli.options import Given

    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            return list(names(ctx.ensure_object(Given)))
        except (Exception, SystemExit):
            return []


def _asset_names(given: Given) -> Iterator[str]:
    remembered = _remembered(given.project)
    if remembered is None:
        return (key.text for key in given.graph.order)
    return iter(remembered)


def _run_names(given: Given) -> Iterator[str]:
    from itertools import islice

    yield "latest"
    yield from islice(given.store.runs.ids(), _MOST_RUNS)


def _remembered(project: Project) -> list[str] | None:
    try:
        written = os.stat(_cache(project)).st_mtime_ns
        with open(_cache(project), encoding="utf-8") as file:
            head, *keys = file.read().split("\n")
        newest = max(os.stat(path).st_mtime_ns for path in _sources(project))
    except (OSError, ValueError):
        return None
    return keys if head == _head(project) and newest < written else None


def _sources(project: Project) -> Iterator[str]:
    """The files and folders that define a project's assets."""
    yield str(project.root / "pyproject.toml")
    for module in project.modules:
        path = str(project.root.joinpath(*module.split(".")))
        if not os.path.isdir(path):
            yield path + ".py"
            continue
        for folder, _, names in os.walk(path):
            yield folder
            yield from (f"{folder}/{name}" for name in names if name.endswith(".py"))


def _cache(project: Project) -> str:
    return f"{project.store}/cache/assets.txt"


def _head(project: Project) -> str:
    return " ".join(project.modules)
