"""`CommandGroup`: a group of commands that suggests the right name for a mistyped one."""

from __future__ import annotations

from typing import Any

import click


class CommandGroup(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            name = ctx.invoked_subcommand
            command = self.get_command(ctx, name) if name and error.ctx is None else None
            if command is not None:  # click does not always say whose arguments are wrong
                error.ctx = click.Context(command, parent=ctx, info_name=name)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            from assetgraph.text import did_you_mean

            hint = did_you_mean(args[0], known) or ""
            ctx.fail(f"there is no command {args[0]!r}. {hint}".rstrip())
        return super().resolve_command(ctx, args)
