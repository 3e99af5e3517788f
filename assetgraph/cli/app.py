"""The table of commands, each imported on use, and the run of one from arguments to exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import click

from assetgraph.cli.commands.command_group import CommandGroup
from assetgraph.hints import suggest_with

if TYPE_CHECKING:
    from collections.abc import Sequence


class LazyGroup(CommandGroup):
    """The commands with the modules that define them, in the order in which a person needs them."""

    modules: ClassVar = {
        "init": "init_and_scaffold",
        "scaffold": "init_and_scaffold",
        "check": "check",
        "list": "list_and_show",
        "status": "status_and_accept",
        "show": "list_and_show",
        "lineage": "lineage",
        "reads": "reads",
        "plan": "materialize_and_plan",
        "materialize": "materialize_and_plan",
        "check-assets": "check_assets",
        "accept": "status_and_accept",
        "reproduce": "reproduce",
        "observe": "observe_and_report",
        "report": "observe_and_report",
        "mv": "mv_and_wipe",
        "wipe": "mv_and_wipe",
        "partitions": "partitions",
        "runs": "runs",
        "dev": "dev",
        "prune": "prune_and_doctor",
        "doctor": "prune_and_doctor",
    }

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module = import_module(f"assetgraph.cli.commands.{self.modules[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from assetgraph.version import __version__

        click.echo(f"assetgraph {__version__}")
        ctx.exit()


def _set_debug(_ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ["ASSETGRAPH_DEBUG"] = "1"


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="To start a project: assetgraph init\n\n\b\n"
    "To complete names with the Tab key, add this to ~/.bashrc (for zsh and fish,\n"
    "to the shell's own file, with its name in place of bash):\n"
    '  eval "$(_ASSETGRAPH_COMPLETE=bash_source assetgraph)"',
)
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set_debug,
    help="Show the full trace of an error (or set ASSETGRAPH_DEBUG=1).",
)  # fmt: skip
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Print the version.",
)  # fmt: skip
def assetgraph() -> None:
    """Functions become assets, parameters become lineage, runs become records."""


def _as_utf8(argument: str) -> str:
    """`argument` as UTF-8 where a broken locale left the bytes of its letters undecoded."""
    if argument.isascii():
        return argument
    try:
        return argument.encode("ascii", "surrogateescape").decode()
    except UnicodeError:
        return argument


def _refuse_empty(arguments: Sequence[str]) -> None:
    """Raise `UsageError` for an empty argument, which no command takes. It usually comes from a
    shell variable without a value, and `--store ""` would be the current folder."""
    for before, argument in zip(("assetgraph", *arguments), arguments, strict=False):
        option, sign, value = argument.partition("=")
        if not argument or (option.startswith("--") and sign and not value):
            where = option if argument else f"the argument after {before}"
            raise click.UsageError(f"{where} is empty. Does a shell variable have no value?")


def run(arguments: Sequence[str]) -> int:
    """Run the command in `arguments` and return its exit code. Errors are reported, not raised."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # text must never make a command fail
    try:
        _refuse_empty(arguments)
        code: Any = assetgraph.main(
            list(map(_as_utf8, arguments)), "assetgraph", standalone_mode=False
        )
    except BaseException as error:
        from assetgraph.cli.error_messages import report

        return report(error)
    finally:
        suggest_with(())
    return code if isinstance(code, int) else 0
