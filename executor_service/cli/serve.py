"""``azr-executor serve``: the HTTP service in this process."""

import contextlib
import os
import sys
import threading
from typing import Annotated

import typer

from executor_service import logs
from executor_service.access.binding import check_binding
from executor_service.app import create_app
from executor_service.cli.options import load_settings, plain_errors
from executor_service.errors import ConfigurationError
from executor_service.http_server import HttpServer

EXAMPLES = """
[bold]Examples[/]

azr-executor serve

azr-executor serve --port 8080 --slots 8

EXECUTOR_BACKEND=docker azr-executor serve
"""


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")
    ] = None,
    port: Annotated[int | None, typer.Option(help="TCP port (default 8000).")] = None,
    slots: Annotated[
        int | None, typer.Option(help="Warm sandboxes (default: the usable CPUs).")
    ] = None,
    backend: Annotated[str | None, typer.Option(help="bubblewrap (default) or docker.")] = None,
    until_stdin_ends: Annotated[
        bool,
        typer.Option(help="End with standard input: the service never outlives whoever holds it."),
    ] = False,
) -> None:
    """Serve the HTTP API with embedded sandboxes; every setting is an EXECUTOR_* variable too."""
    settings = load_settings(host=host, port=port, slots=slots, backend=backend)
    with plain_errors():
        check_binding(settings)
        logs.configure(settings.log_level)
        app = create_app(settings)
        server = HttpServer(
            app, host=settings.host, port=settings.port, timeout_graceful_shutdown=10
        )
        if until_stdin_ends:
            threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
        with contextlib.suppress(SystemExit):
            server.run()
        if not server.started:
            unknown = ConfigurationError("the service did not start; the log above says why")
            raise getattr(app.state, "startup_error", unknown)


def _stop_at_end_of_stdin(server: HttpServer) -> None:
    """Stop serving once nobody holds the other end: also after a SIGKILL, which none can handle."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    server.should_exit = True
