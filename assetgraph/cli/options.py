"""What several commands take, defined once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assetgraph.cli.completion import complete_assets, complete_runs
from assetgraph.hints import command, suggest_with

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assetgraph.errors import AssetGraphError
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest
    from assetgraph.project.settings import Project
    from assetgraph.storage.store import Store

F = TypeVar("F", bound="Callable[..., Any]")


class Given:
    """The project that a command works on, as the person gave it; each part is made when it is
    asked for, so that a command pays for what it uses."""

    def __init__(self) -> None:
        import assetgraph.cli.lean_imports  # noqa: F401 - before all else that imports msgspec

        self.modules: tuple[str, ...] = ()
        self.store_folder: Path | None = None
        self.executor_name: str | None = None
        self.jobs: int | None = None
        self.scheduler: str | None = None
        self.no_wait = False

    @cached_property
    def project(self) -> Project:
        from assetgraph.project.settings import find_project

        return find_project(modules=self.modules, store=self.store_folder)

    @cached_property
    def store(self) -> Store:
        return self.project.open_store()

    @cached_property
    def graph(self) -> AssetGraph:
        """The valid graph. Raises `ProjectError` and `DefinitionsError`."""
        graph = self.project.load().graph.require_valid()
        self.remember_assets(graph)
        return graph

    def request(self, **asked: Any) -> RunRequest:
        """A request for a run, with what the command's options say of how it is executed."""
        from assetgraph.planning.request import RunRequest

        return self.placed(RunRequest(**asked))

    def placed(self, request: RunRequest) -> RunRequest:
        """`request` with what the command's options say of how it is executed."""
        import msgspec

        return msgspec.structs.replace(
            request,
            executor=self.executor_name,
            jobs=self.jobs,
            dask_scheduler=self.scheduler,
            wait=not self.no_wait,
        )

    def plan(self, request: RunRequest) -> Plan:
        """Raises `ProjectError`, `DefinitionsError`, `SelectionError` and `ConfigError`."""
        from assetgraph.planning.request import plan_run

        if request.selection and not self.graph.order:
            raise self.no_assets()
        return plan_run(request, self.state)

    def remember_assets(self, graph: AssetGraph) -> None:
        """Write down the names for the Tab key, if there is a store to write them in."""
        from assetgraph.cli.completion import remember_assets

        remember_assets(self.project, [key.text for key in graph.order])

    @cached_property
    def state(self) -> StoreFacts:
        from assetgraph.planning.facts import StoreFacts

        return StoreFacts(self.graph, self.store)

    def selected(self, selection: Sequence[str]) -> tuple[AssetKey, ...]:
        """The keys that a selection means; all of them where there is none."""
        from assetgraph.graph.selection import select

        if selection and not self.graph.order:
            raise self.no_assets()
        return select(selection, self.graph, self.state.state) if selection else self.graph.order

    def no_assets(self) -> AssetGraphError:
        """What to say of a selection where there is nothing to select."""
        from assetgraph.errors import AssetGraphError
        from assetgraph.text import listed

        named = listed(repr(module) for module in self.project.modules)
        word = "module" if len(self.project.modules) == 1 else "modules"
        return AssetGraphError(
            f"there are no assets in the {word} {named}.",
            hint="Decorate a function there with @assetgraph.asset, or make a first one in a "
            f"package with: {command('scaffold', 'asset', 'NAME.py')}",
        )


def _gather(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The callback of options that are kept in the command's `Given`, under their own names."""
    setattr(ctx.ensure_object(Given), str(parameter.name), value)
    return value


def _gather_project(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The same for what says which project: commands that messages suggest are on it too."""
    _gather(ctx, parameter, value)
    given = ctx.ensure_object(Given)
    suggest_with(
        [word for module in given.modules for word in ("-m", module)]
        + (["--store", str(given.store_folder)] if given.store_folder else [])
    )
    return value


def project_options(command: F) -> F:
    """`-m` and `--store`, given to the command as `given`."""
    for option in (
        click.option(
            "--store", "store_folder", metavar="DIR", callback=_gather_project,
            expose_value=False,
            type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
            help="Where the records are, in place of the project's own folder for them.",
        ),
        click.option(
            "-m", "--module", "modules", metavar="MODULE", multiple=True, callback=_gather_project,
            expose_value=False, help="A module with assets, in place of the project's.",
        ),
        click.make_pass_decorator(Given, ensure=True),
    ):  # fmt: skip
        command = option(command)  # type: ignore[assignment]
    return command


def execution_options(command: F) -> F:
    """Where and how the steps of a run are executed, kept in `given`."""
    for option in (
        click.option(
            "--no-wait", is_flag=True, callback=_gather, expose_value=False,
            help="Fail at once (exit code 3) where another run holds an asset.",
        ),
        click.option(
            "--scheduler", metavar="ADDRESS", callback=_gather, expose_value=False,
            help="Of a Dask cluster; without it one is made on this machine.",
        ),
        click.option(
            "--executor", "executor_name", callback=_gather, expose_value=False,
            type=click.Choice(("serial", "threads", "processes", "dask")),
            help="Where steps run.  [default: serial, or processes with -j]",
        ),
        click.option(
            "-j", "--jobs", metavar="N", type=click.IntRange(1), callback=_gather,
            expose_value=False, help="How many steps run at once.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")

selection_argument = click.argument(
    "selection", nargs=-1, shell_complete=complete_assets, metavar="[SELECTION]..."
)

asset_argument = click.argument("key", shell_complete=complete_assets)

run_argument = click.argument("run", metavar="RUN", shell_complete=complete_runs)
