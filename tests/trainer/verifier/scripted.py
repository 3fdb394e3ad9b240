"""A verifier that fails as it is told: what no real one does on demand."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from trainer_client.config.run import VerifierConfig
from trainer_client.verifier import AsyncVerifier, Backoff, Verifier

QUICK = Backoff(base=0.01, longest=0.05)
Items = list[dict[str, Any]]
Reply = list[Any] | httpx.Response | Exception | float
"""Results, a whole response, an exception of the connection, or seconds of silence."""


def item(number: int, **fields: Any) -> dict[str, Any]:
    """Return a verification that differs from those of other numbers."""
    return {"op": "verify", "mode": "deduction", "program": "p", "answer": str(number), **fields}


def items(count: int) -> Items:
    return [item(number) for number in range(count)]


def verdict(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a right verdict that shows which item it is for."""
    usage = {"cpu_ms": 1.0, "wall_ms": 1.0, "max_rss_kb": 1}
    return {
        "status": "correct", "correct": True, "score": 1.0, "retryable": False, "message": "",
        "expected": None, "got": asked["answer"], "cases": None, "usage": usage,
    }  # fmt: skip


def infra_error(asked: dict[str, Any]) -> dict[str, Any]:
    return verdict(asked) | {
        "status": "infra_error", "correct": None, "score": None, "retryable": True,
    }  # fmt: skip


def verdicts(asked: Items) -> list[Any]:
    return [verdict(one) for one in asked]


def problem(status: int, detail: str = "no", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "detail": detail}, headers=headers)


def answers_of(results: Items) -> list[int]:
    """Return the numbers of the items that results are for."""
    return [int(result["got"]) for result in results]


class Scripted(httpx.MockTransport):
    """Replies to each request by its number, from 1, and its items; remembers all of them."""

    def __init__(self, reply: Callable[[int, Items], Reply]) -> None:
        super().__init__(self._answer)
        self._reply = reply
        self.asked: list[Items] = []
        self.headers: list[httpx.Headers] = []
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def sizes(self) -> list[int]:
        """How many items each request had."""
        return [len(one) for one in self.asked]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/v1/batch")
        asked = json.loads(request.content)["items"]
        self.asked.append(asked)
        self.headers.append(request.headers)
        number = len(self.asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0.002)
            reply = self._reply(number, asked)
            if isinstance(reply, float):
                await asyncio.sleep(reply)
                reply = verdicts(asked)
        finally:
            self.in_flight -= 1
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            return reply
        return httpx.Response(200, json={"results": reply})


def config(**changes: Any) -> VerifierConfig:
    usual = {"url": "http://127.0.0.1:9", "patience_seconds": 5.0, "request_seconds": 5.0}
    return VerifierConfig(**{**usual, **changes})


def session(script: Scripted, **changes: Any) -> Verifier:
    """Return a session whose requests are answered by the script."""
    return Verifier(config(**changes), backoff=QUICK, transport=script)


def client(script: Scripted, **changes: Any) -> AsyncVerifier:
    return AsyncVerifier(config(**changes), backoff=QUICK, transport=script)


def question(asked: Items) -> bool:
    """Tell whether a request only asks whether the verifier is well."""
    return len(asked) == 1 and asked[0]["program"] == ""
