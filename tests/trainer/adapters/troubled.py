"""A verifier in trouble over some items: the real one, with infra_error in their place."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from trainer_client.config.run import VerifierConfig
from trainer_client.verifier.standins import failed

Trouble = Callable[[dict[str, Any]], bool]


@contextlib.contextmanager
def troubled(url: str, trouble: Trouble) -> Iterator[VerifierConfig]:
    """Serve on a free port what `url` answers, but for the items over which there is trouble."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.post(url + self.path, content=body, timeout=60).json()
            pairs = zip(json.loads(body)["items"], answer["results"], strict=True)
            results = [failed(item, "broken") if trouble(item) else found for item, found in pairs]
            content = json.dumps({"results": results}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            port = server.server_address[1]
            yield VerifierConfig(url=f"http://127.0.0.1:{port}", retries=0)
        finally:
            server.shutdown()
            thread.join()
