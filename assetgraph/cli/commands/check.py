"""`check`: everything that is wrong with the definitions."""

from __future__ import annotations

import click

from assetgraph.cli.options import Given, json_option, project_options


@click.command("check", short_help="Find what is wrong with the definitions.")
@json_option
@project_options
def check_command(given: Given, as_json: bool) -> int:
    """Load the definitions and list everything that is wrong with them.

    Each problem comes with its place and a remedy. Exit code 2 if there are any.

    \b
    Example:
      assetgraph check
    """
    from assetgraph.cli.error_messages import WRONG_USE, problem_lines, warning_lines
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.cli.terminal.cells import Line
    from assetgraph.cli.terminal.output import stderr

    definitions = given.project.load()
    problems = definitions.graph.validate()
    say(warning_lines(definitions.warnings(), stderr().width))
    names = ("file", "line", "key", "message", "remedy")
    well = [Line(("All definitions loaded successfully.", "success"))]
    answer(
        as_json,
        data=lambda: [{name: getattr(problem, name) for name in names} for problem in problems],
        lines=lambda width: problem_lines(problems, width) if problems else well,
    )
    return WRONG_USE if problems else 0
