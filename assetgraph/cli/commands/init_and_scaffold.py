"""`init` and `scaffold`: new projects and new assets."""

from __future__ import annotations

from pathlib import Path

import click

from assetgraph.cli.commands.command_group import CommandGroup
from assetgraph.cli.options import json_option, project_options
from assetgraph.cli.session import Session
from assetgraph.hints import command


@click.command("init", short_help="Create a new project.")
@click.argument(
    "path", default=".", type=click.Path(file_okay=False, resolve_path=True, path_type=Path)
)
@click.option("--example", is_flag=True, help="With a source file, partitions and a check.")
@json_option
def init_command(path: Path, example: bool, as_json: bool) -> None:
    """Create a new project in the folder PATH, by default the current one.

    \b
    Examples:
      assetgraph init taxi
      assetgraph init weather --example
    """
    from shlex import quote

    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.project.scaffold import create_project, package_name, plain_name, why_not

    here = Path.cwd()
    made = create_project(path, example=example)
    answer(
        as_json,
        data=lambda: [str(file) for file in made],
        lines=lambda _: [Line("Created ", (_relative(file, here), "path")) for file in made],
    )
    package, plain = package_name(path.name), plain_name(path.name)
    if package != plain:
        say([Line(f"The package is called {package}, because {why_not(plain)}.")])
    every = " --all-partitions" if example else ""
    go = f"cd {quote(_relative(path, here))} && " if path != here else ""
    say(
        [
            Line("Next: ", (f"{go}assetgraph materialize --all{every}", "command")),
            Line("Then, in the browser: ", ("assetgraph dev --open", "command")),
        ]
    )


@click.group("scaffold", cls=CommandGroup)
def scaffold_command() -> None:
    """Add a file to the project."""


@scaffold_command.command("asset")
@click.argument("path")
@json_option
@project_options
def asset_command(session: Session, path: str, as_json: bool) -> None:
    """Create a file with an asset. PATH is relative to the package of the project's assets.

    \b
    Example:
      assetgraph scaffold asset assets/trips.py
    """
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.project.scaffold import create_asset

    here = Path.cwd()
    made = create_asset(session.project, path)
    answer(
        as_json,
        data=lambda: [str(file) for file in made],
        lines=lambda _: [Line("Created ", (_relative(file, here), "path")) for file in made],
    )
    key = made[-1].stem
    say([Line("Next: ", (command("materialize", key), "command"))])


def _relative(path: Path, start: Path) -> str:
    return str(path.relative_to(start)) if path.is_relative_to(start) else str(path)
