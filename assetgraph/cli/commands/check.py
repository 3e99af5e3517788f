"""`check`: the problems of the definitions."""

from __future__ import annotations

import click

from assetgraph.cli.options import json_option, project_options
from assetgraph.cli.session import Session


@click.command("check", short_help="Find problems in the definitions.")
@json_option
@project_options
def check_command(session: Session, as_json: bool) -> int:
    """Load the definitions and list all their problems, each with its place and a remedy.

    Exit code 2 if there is any.

    \b
    Example:
      assetgraph check
    """
    from assetgraph.cli.exit_codes import WRONG_USE
    from assetgraph.cli.render.automation_lines import automation_lines
    from assetgraph.cli.render.problem_lines import problem_lines, warning_lines
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.cli.terminal.styled_text import Line

    definitions = session.project.load()
    problems = definitions.problems()
    if not problems and any(job.config for job in definitions.jobs):
        from assetgraph.planning.job_config import job_config_problems

        problems = tuple(sorted(job_config_problems(definitions)))
    say(warning_lines(definitions.warnings(), stderr().width))
    names = ("file", "line", "key", "message", "remedy")
    well = [
        Line(("All definitions loaded successfully.", "success")),
        *automation_lines(definitions, session.project.root),
    ]
    answer(
        as_json,
        data=lambda: [{name: getattr(problem, name) for name in names} for problem in problems],
        lines=lambda width: problem_lines(problems, width) if problems else well,
    )
    return WRONG_USE if problems else 0
