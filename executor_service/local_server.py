"""The real HTTP service in a thread of this process, on a loopback port of its own.

For the demonstration, the benchmarks and the tests: the same application, the same server, no
mock of either.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator

from executor_service.app import create_app
from executor_service.errors import InfrastructureError
from executor_service.http_server import HttpServer
from executor_service.settings import Settings


@contextlib.contextmanager
def local_server(settings: Settings, *, start_timeout: float = 120.0) -> Iterator[str]:
    """Serve on a free loopback port; yield the base URL; leave nothing behind.

    Raises:
        InfrastructureError: The service did not become ready; the log says why.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = HttpServer(create_app(settings), ws="none", timeout_graceful_shutdown=5)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            waited = threading.Event()
            for _ in range(int(start_timeout / 0.02)):
                if server.started or not thread.is_alive():
                    break
                waited.wait(0.02)
            if not server.started:
                raise InfrastructureError("the service did not start; its log says why")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(30)
