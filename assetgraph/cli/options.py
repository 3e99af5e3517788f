"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assetgraph.cli.session import Session
from assetgraph.hints import suggest_with
from assetgraph.states import EXECUTORS, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable


F = TypeVar("F", bound="Callable[..., Any]")


class WholeNumber(click.IntRange):
    """A whole number from `least`, up to `most` if that is given."""

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            name = max(param.opts, key=len) if param else "the value"
            least = f", {self.min} or more"
            limits = least if self.max is None else f" from {self.min} to {self.max}"
            raise click.UsageError(
                f"{name} must be a whole number{limits}, not {value!r}.", ctx
            ) from None


class Choice(click.Choice):  # type: ignore[type-arg] # generic from click 8.2 on
    """One of several words. Another is answered with the words that resemble it, or with all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            from assetgraph.text import did_you_mean, listed

            name = max(param.opts, key=len) if param else "the value"
            hint = did_you_mean(str(value), self.choices)
            hint = hint or f"It is {listed(self.choices, 'or')}."
            raise click.UsageError(f"{name} cannot be {value!r}. {hint}", ctx) from None


def complete_assets(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from assetgraph.cli.completion import matching_assets

    return matching_assets(ctx, incomplete)


def complete_runs(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from assetgraph.cli.completion import matching_runs

    return matching_runs(ctx, incomplete)


def complete_statuses(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    return [status for status in RunStatus if status.startswith(incomplete.upper())]


def project_options(command: F) -> F:
    """`-m` and `--store`. The command gets its `Session` as first argument."""
    for option in (
        click.option(
            "--store", "store_folder", metavar="DIR", callback=_keep_project_option,
            expose_value=False,
            type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
            help="Folder of the store, instead of the project's own.",
        ),
        click.option(
            "-m", "--module", "modules", metavar="MODULE", multiple=True, expose_value=False,
            callback=_keep_project_option,
            help="Module with assets, or its file, instead of the project's own. Repeatable.",
        ),
        click.make_pass_decorator(Session, ensure=True),
    ):  # fmt: skip
        command = option(command)  # type: ignore[assignment]
    return command


def config_options(command: F) -> F:
    """`--config` and `--config-file`, which the command gets as `settings` and `config_file`."""
    for option in (
        click.option(
            "--config-file", metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
            help="Config as {asset key: {field: value}} in JSON, TOML or YAML.",
        ),
        click.option(
            "--config", "settings", metavar="KEY.FIELD=VALUE", multiple=True,
            help="One config field of one asset. Repeatable.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def execution_options(command: F) -> F:
    """Where and how steps run; the command's `Session` keeps the values."""
    for option in (
        click.option(
            "-q", "--quiet", is_flag=True, callback=_keep, expose_value=False,
            help="Print nothing unless the run fails.",
        ),
        click.option(
            "--no-wait", is_flag=True, callback=_keep, expose_value=False,
            help="Fail at once (exit code 3) if another run holds an asset.",
        ),
        click.option(
            "--scheduler", hidden=True, callback=_keep_scheduler, expose_value=False,
        ),
        click.option(
            "--dask-scheduler", metavar="ADDRESS", callback=_keep_scheduler, expose_value=False,
            help="Address of a Dask scheduler.  [default: a new cluster on this machine]",
        ),
        click.option(
            "--executor", "executor_name", callback=_keep, expose_value=False,
            type=Choice(EXECUTORS),
            help="Where steps run.  [default: the project's, else serial; with -j, processes]",
        ),
        click.option(
            "-j", "--jobs", metavar="N", type=WholeNumber(1), callback=_keep,
            expose_value=False, help="How many steps run at once.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _keep_stdout(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    """Keep stdout for the JSON alone, before any code of the project runs."""
    if value and not ctx.resilient_parsing:
        from assetgraph.cli.terminal.output import keep_stdout_for_answers

        ctx.call_on_close(keep_stdout_for_answers())
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_keep_stdout,
    help="Print JSON for scripts.",
)  # fmt: skip

selection_argument = click.argument(
    "selection", nargs=-1, shell_complete=complete_assets, metavar="[SELECTION]..."
)

asset_argument = click.argument("key", shell_complete=complete_assets)

run_argument = click.argument("run", metavar="RUN", shell_complete=complete_runs)


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep an option in the command's `Session`, under the option's own name."""
    setattr(ctx.ensure_object(Session), str(parameter.name), value)
    return value


def _keep_project_option(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep an option that says which project, and repeat it in every suggested command."""
    _keep(ctx, parameter, value)
    session = ctx.ensure_object(Session)
    suggest_with(
        [word for module in session.modules for word in ("-m", module)]
        + (["--store", str(session.store_folder)] if session.store_folder else [])
    )
    return value


def _keep_scheduler(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    ctx.ensure_object(Session).dask_scheduler = value
    if parameter.name == "scheduler" and not ctx.resilient_parsing:
        from assetgraph.cli.terminal.output import warn

        warn(["--scheduler is now called --dask-scheduler. The old name still works."])
