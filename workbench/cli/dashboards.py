"""`workbench dashboards`: serve the pages to a browser."""

from __future__ import annotations

import click

from workbench.cli.options import config_of


@click.command("dashboards", epilog="Example: workbench dashboards --port 8501")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port to serve on.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve on; beyond this machine only with a login."
)
@click.pass_context
def dashboards(ctx: click.Context, port: int, host: str) -> None:
    """Serve the pages where failures are read, data is built and releases are decided, until Ctrl-C.

    They stay on this machine. Any other address needs a login: `[auth]` in .streamlit/secrets.toml and
    `dashboards.roles` in workbench.yaml (docs/dashboards.md).
    """
    from workbench.cli.serving_dashboards import serve

    serve(config_of(ctx), host, port)
