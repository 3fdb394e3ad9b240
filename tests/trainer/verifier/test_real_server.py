"""The client against the real service: what it is for."""

import asyncio
import logging
import socket
import threading
import time

import pytest

from executor_service.access.keys import new_token, token_digest
from executor_service.app import create_app
from executor_service.http_server import HttpServer
from executor_service.local_server import local_server
from executor_service.settings import Settings
from trainer.verifier.scripted import QUICK
from trainer_client.config.run import VerifierConfig
from trainer_client.errors import VerifierError
from trainer_client.verifier import REFUSED, AsyncVerifier, Verifier

DOUBLE = "def f(x):\n    return x * 2"


def mixed(number: int) -> tuple[dict, str]:
    """Return an item and the status (or reason) that it must end with."""
    base = {"op": "verify", "program": DOUBLE}
    match number % 8:
        case 0:
            right = {"mode": "deduction", "input": str(number), "answer": str(2 * number)}
            return base | right, "correct"
        case 1:
            known = {"mode": "deduction", "input": "1", "output": "2", "answer": str(number + 9)}
            return base | known, "wrong"
        case 2:
            inverse = {"mode": "abduction", "output": str(2 * number), "answer": str(number)}
            return base | inverse, "correct"
        case 3:
            code = {"mode": "abduction", "output": "4", "answer": f"open({number})"}
            return base | code, "invalid_answer"
        case 4:
            cases = [{"input": str(number), "output": str(2 * number)}]
            return base | {"mode": "induction", "cases": cases}, "correct"
        case 5:
            return {"op": "validate", "program": DOUBLE, "input": str(number)}, "valid"
        case 6:
            return {"op": "execute", "program": DOUBLE, "inputs": [str(number)]}, str(2 * number)
        case _:
            cases = [{"input": "1", "output": f"<no literal {number}>"}]
            return base | {"mode": "induction", "cases": cases}, REFUSED


def ending(result: dict) -> str:
    if "outcomes" in result:
        return result["outcomes"][0]["output"]
    if "valid" in result:
        return "valid" if result["valid"] else result["reason"]
    return result["status"]


def test_a_thousand_mixed_items_come_back_in_order(url):
    asked = [mixed(number) for number in range(1000)]
    with Verifier(VerifierConfig(url=url, batch_items=64)) as verifier:
        results = verifier.results([item for item, _ in asked])
        assert [ending(result) for result in results] == [status for _, status in asked]
        assert 0 < verifier.waited < 60
        assert set(verifier.latencies()) == {"p50_ms", "p95_ms", "p99_ms"}


def test_typed_calls_of_many_tasks_get_their_own_answers(url):
    async def ask():
        async with AsyncVerifier(VerifierConfig(url=url)) as verifier:
            return await asyncio.gather(
                *(
                    verifier.verify("deduction", DOUBLE, input=str(n), answer=str(n + 3))
                    for n in range(50)
                ),
                verifier.validate(DOUBLE, "'ab'"),
                verifier.execute(DOUBLE, ["4", "None"]),
            )

    *verdicts, validation, execution = asyncio.run(ask())
    assert [verdict.correct for verdict in verdicts] == [n == 3 for n in range(50)]
    assert (validation.valid, validation.output) == (True, "'abab'")
    assert validation.determinism.agree
    right, failing = execution.outcomes
    assert (right.status, right.output, right.value) == ("ok", "8", {"t": "int", "v": "8"})
    assert (failing.status, failing.error.type) == ("runtime_error", "TypeError")


def test_a_mistake_of_ours_is_an_error_that_names_the_field(url):
    good = {"op": "execute", "program": DOUBLE, "inputs": ["1"]}
    with Verifier(VerifierConfig(url=url)) as verifier:
        with pytest.raises(VerifierError, match=r"limits\.cpu_seconds"):
            verifier.results([good, good | {"limits": {"cpu_seconds": 1e6}}])
        with pytest.raises(VerifierError, match="anwser"):
            verifier.verify("deduction", DOUBLE, input="1", anwser="2")
        assert ending(verifier.results([good])[0]) == "2"


def test_a_text_that_the_service_does_not_take_is_a_refusal(url):
    long = "#" * 250_000
    cases = [{"input": "1", "output": "2"}]
    with Verifier(VerifierConfig(url=url)) as verifier:
        validation, answer, execution = verifier.results(
            [
                {"op": "validate", "program": long, "input": "1"},
                {"op": "verify", "mode": "induction", "program": long, "cases": cases},
                {"op": "execute", "program": long, "inputs": ["1", "2"]},
            ]
        )
    assert (validation["valid"], validation["reason"]) == (False, REFUSED)
    assert "200000" in validation["message"]
    assert (answer["status"], answer["correct"], answer["score"]) == (REFUSED, False, 0.0)
    assert [outcome["status"] for outcome in execution["outcomes"]] == [REFUSED] * 2


def test_lone_surrogates_reach_the_service(url):
    with Verifier(VerifierConfig(url=url)) as verifier:
        execution = verifier.execute("def f(x):\n    return len(x)", [r"'\ud800'"])
        assert execution.outcomes[0].output == "1"
        raw = verifier.validate(DOUBLE, "'\ud800'")
        assert raw.reason == "invalid_input"


def test_the_body_limit_of_the_service_splits_a_piece():
    items = [
        {"op": "verify", "mode": "deduction", "program": "#" * 30_000, "output": "1",
         "answer": str(number)}
        for number in range(10)
    ] + [{"op": "validate", "program": "#" * 150_000, "input": "1"}]  # fmt: skip
    with (
        local_server(Settings(slots=1, max_body_bytes=100_000)) as url,
        Verifier(VerifierConfig(url=url), backoff=QUICK) as verifier,
    ):
        *verdicts, too_large = verifier.results(items)
    assert [verdict["correct"] for verdict in verdicts] == [n == 1 for n in range(10)]
    assert (too_large["valid"], too_large["reason"]) == (False, REFUSED)


def test_a_service_that_starts_late_and_wants_a_key_is_waited_for(caplog, monkeypatch):
    key, another = new_token(), new_token()
    item = {"op": "verify", "mode": "deduction", "program": "", "output": "1", "answer": "1"}
    monkeypatch.setenv("VERIFIER_KEY", key)
    with caplog.at_level(logging.INFO, "trainer_client"), socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # without listening: connections are refused
        config = VerifierConfig(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with Verifier(config, backoff=QUICK) as verifier:
            pending = verifier.submit([item])
            time.sleep(0.2)
            assert not pending.done
            server = HttpServer(
                create_app(Settings(slots=1, keys=f"me:{token_digest(key)}")), ws="none"
            )
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                assert pending.results()[0]["status"] == "correct"
                with (
                    Verifier(config, key=another) as stranger,
                    pytest.raises(VerifierError, match=r"401 .*VERIFIER_KEY") as refusal,
                ):
                    stranger.results([item])
                assert another not in str(refusal.value)
            finally:
                server.should_exit = True
                thread.join(20)
    lines = [r.message for r in caplog.records if r.name.startswith("trainer_client")]
    assert len(lines) == 2, lines
    assert "is away" in lines[0]
    assert "is back after" in lines[1]
    assert key not in caplog.text
