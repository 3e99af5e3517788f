"""`check-assets`: run the checks of assets, and nothing else."""

from __future__ import annotations

import click

from assetgraph.cli.exit_codes import RUN_FAILED
from assetgraph.cli.options import (
    execution_options,
    json_option,
    project_options,
    selection_argument,
)
from assetgraph.cli.session import Session


@click.command("check-assets", short_help="Run the checks of assets, and nothing else.")
@selection_argument
@click.option("--all", "every", is_flag=True, help="Also checks that have looked at what is there.")
@click.option("--dry-run", is_flag=True, help="Print the plan, and run nothing.")
@json_option
@execution_options
@project_options
def check_assets_command(
    session: Session, selection: tuple[str, ...], every: bool, dry_run: bool, as_json: bool
) -> int:
    """Run the checks that have not looked at the current values of the selected assets, or that
    were changed since. No asset is materialized.

    Exit code 1 if any check of them fails with severity ERROR, now or when it last looked.

    \b
    Examples:
      assetgraph check-assets
      assetgraph check-assets taxi_trips --all
    """
    from assetgraph.cli.execute_plan import execute
    from assetgraph.cli.render.check_lines import failed_before
    from assetgraph.cli.render.plan_lines import plan_lines
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.check_views import failed_checks
    from assetgraph.queries.plan_groups import plan_json

    session.may_create_store = True
    request = session.request(selection=selection or ("*",), checks_only=True, stale=not every)
    plan = session.plan(request)
    if dry_run:
        lines = plan_lines(request, plan, None, session.facts.targets)
        answer(as_json, data=lambda: plan_json(plan), lines=lambda _: lines)
        return 0
    code = execute(session, request, plan, as_json=as_json)
    failed = failed_checks(session.facts, session.selected(selection))
    ran = {output.key for step in plan.steps for output in step.outputs}
    before = failed_before(one for one in failed if one.check.key not in ran)
    say([part for line in before for part in line.broken(stderr().width, indent=2)])
    return code or (RUN_FAILED if failed else 0)
