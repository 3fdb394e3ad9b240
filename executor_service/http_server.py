"""The HTTP server: uvicorn, which does not wait for those who only watch when it is to stop."""

import socket
from typing import Any

import uvicorn
from fastapi import FastAPI


class HttpServer(uvicorn.Server):
    """Serves an application of ``create_app``.

    Told to stop, uvicorn waits for every response to end, and an event stream may have hours to
    go. Here the streams end first; their clients come back to whoever serves next.
    """

    def __init__(self, app: FastAPI, **options: Any) -> None:
        """Prepare to serve ``app``; ``options`` are those of ``uvicorn.Config``."""
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, server_header=False, **options)
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to serve."""
        service = getattr(self._app.state, "service", None)
        if service is not None:
            service.jobs.store.watchers.dismiss()
        await super().shutdown(sockets)
