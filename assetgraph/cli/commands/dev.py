"""`dev`: the project as a page in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.options import WholeNumber, project_options
from assetgraph.cli.session import Session
from assetgraph.errors import AssetGraphError
from assetgraph.process.garbage_collector import heap_left_alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetgraph.web.http.server import Address


@click.command("dev", short_help="Show the project in the browser.")
@click.option(
    "-p", "--port", default=3000, show_default=True, type=WholeNumber(0, 65535),
    help="The port of the page, or the next free one.",
)  # fmt: skip
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="The address to listen on. Outside this machine the page asks for a token.",
)  # fmt: skip
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@click.option("--watch", is_flag=True, help="Reload the definitions when a file changes.")
@project_options
def dev_command(session: Session, port: int, host: str, open_browser: bool, watch: bool) -> None:
    """Serve a page with the assets, their lineage and their runs, until Ctrl-C.

    The page needs an extra: pip install 'assetgraph[ui]'

    \b
    Examples:
      assetgraph dev --open
      assetgraph dev --port 8080 --watch
    """
    serve = _serve()

    def ready(address: Address) -> None:
        if port and address.port != port:
            click.echo(f"Port {port} is in use. Using {address.port} instead.", err=True)
        click.echo(f"{session.project.root.name} is at {address.url}  (Ctrl-C stops it)")
        if open_browser:
            click.launch(address.url)

    with heap_left_alone():
        serve(session.project, port=port, host=host, watch=watch, ready=ready)


def _serve() -> Callable[..., None]:
    try:
        from assetgraph.web.http.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "assetgraph":
            raise
        raise AssetGraphError(
            "the page needs packages that are not installed.",
            hint="Install them with: pip install 'assetgraph[ui]'",
        ) from error
    return serve
