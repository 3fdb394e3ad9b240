"""Bodies over the limit are refused before they are parsed, declared or not."""

import json
import socket

import httpx
import pytest

from executor_service.body_limit import BodyLimit

MAX_BODY = 400_000  # as in conftest.py
JSON = {"content-type": "application/json"}
SMALL = {"program": "def f(x):\n    return x", "inputs": ["1"]}


def padded(size: int) -> bytes:
    """Return an acceptable request of exactly ``size`` bytes."""
    body = json.dumps(SMALL).encode()
    return body + b" " * (size - len(body))


def pieces(data: bytes, size: int = 10_000):
    """Yield ``data`` in pieces, which makes httpx send it chunked."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def check(response: httpx.Response) -> None:
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == 413
    assert document["title"]
    assert document["type"]
    assert str(MAX_BODY) in document["detail"]


def test_a_body_of_exactly_the_limit_is_read(http):
    for content in (padded(MAX_BODY), pieces(padded(MAX_BODY))):
        response = http.post("/v1/execute", content=content, headers=JSON)
        assert response.status_code == 200


def test_a_declared_body_over_the_limit_is_413(http):
    check(http.post("/v1/execute", content=padded(MAX_BODY + 1), headers=JSON))


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/verify", "/v1/batch"])
def test_a_chunked_body_over_the_limit_is_413(http, path):
    check(http.post(path, content=pieces(padded(MAX_BODY + 1)), headers=JSON))


def test_a_declared_length_is_refused_before_a_byte_of_the_body_is_sent(http):
    head = f"POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
    with socket.create_connection((http.base_url.host, http.base_url.port), timeout=10) as raw:
        raw.sendall(head.encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_the_server_answers_others_after_a_refusal(http):
    check(http.post("/v1/execute", content=pieces(padded(MAX_BODY * 2)), headers=JSON))
    assert http.post("/v1/execute", json=SMALL).status_code == 200


def test_what_is_not_http_passes_untouched():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    coroutine = BodyLimit(app, 10)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert seen == ["lifespan"]
