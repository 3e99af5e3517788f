"""`CommandGroup`: a group of commands that suggests the right name for a mistyped one."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            from assetgraph.text import did_you_mean

            hint = did_you_mean(args[0], known) or ""
            ctx.fail(f"there is no command {args[0]!r}. {hint}".rstrip())
        return super().resolve_command(ctx, args)
