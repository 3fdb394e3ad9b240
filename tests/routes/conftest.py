"""The real service over HTTP: uvicorn on a loopback port, bubblewrap sandboxes, two slots."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from executor_service.local_server import local_server
from executor_service.settings import Settings

MAX_BODY = 400_000


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    settings = Settings(
        slots=2, queue_size=1024, max_body_bytes=MAX_BODY, max_replicas=4, max_inputs=64
    )
    with local_server(settings) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def post(http):
    """Post any Python data as pure ASCII JSON, lone surrogates included; return the response."""

    def send(path: str, body: Any, **headers: str) -> httpx.Response:
        return http.post(
            path,
            content=json.dumps(body).encode("ascii"),
            headers={"content-type": "application/json", **headers},
        )

    return send


@pytest.fixture(scope="session")
def ask(post):
    """Post and return the JSON of an answer that must be 200."""

    def send(path: str, body: Any) -> Any:
        response = post(path, body)
        assert response.status_code == 200, response.text
        return response.json()

    return send


@pytest.fixture(scope="session")
def refused(post):
    """Post and return the problem of an answer that must be 422."""

    def send(path: str, body: Any) -> Any:
        response = post(path, body)
        assert response.status_code == 422, response.text
        assert response.headers["content-type"] == "application/problem+json"
        return response.json()

    return send
