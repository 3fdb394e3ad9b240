"""The typed methods: what they send, what they return, and whom they call."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainer.verifier.scripted import QUICK, Scripted, client, infra_error, session, verdicts
from trainer_client.config.run import VerifierConfig
from trainer_client.errors import VerifierError
from trainer_client.verifier import AsyncVerifier, Verdict, Verifier, deduction
from trainer_client.verifier.address import resolved
from trainer_client.verifier.operations import AsyncOperations, Operations

CASES = [{"input": "1", "output": "2"}]
CALLS = {
    "deduction": {"answer": "1", "input": "2", "equality": "python"},
    "abduction": {"answer": "1", "output": "2", "replicas": 2},
    "induction": {"cases": CASES, "score": "fraction", "answer": ""},
}


def right() -> Scripted:
    return Scripted(lambda _, asked: verdicts([{"answer": "", **item} for item in asked]))


@pytest.mark.parametrize("mode", CALLS)
def test_a_call_sends_its_fields_as_an_item(mode):
    script, other = right(), right()

    async def ask():
        async with client(other) as verifier:
            return await getattr(verifier, mode)("p", **CALLS[mode])

    with session(script) as verifier:
        found = getattr(verifier, mode)("p", **CALLS[mode])
    assert found == asyncio.run(ask())
    assert isinstance(found, Verdict)
    expected = {"op": "verify", "mode": mode, "program": "p", **CALLS[mode]}
    assert script.asked == other.asked == [[expected]]


def test_both_clients_have_the_same_methods():
    names = [name for name in vars(AsyncOperations) if not name.startswith("_")]
    assert names == [name for name in vars(Operations) if not name.startswith("_")]
    for name in names:
        ours, theirs = (getattr(kind, name) for kind in (Operations, AsyncOperations))
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__ == theirs.__doc__
    public = {name for name in dir(AsyncVerifier) if not name.startswith("_")}
    assert public - set(dir(Verifier)) == {"aclose", "batch", "deliver"}


def test_trouble_of_the_service_has_no_score():
    script = Scripted(lambda _, asked: [infra_error(item) for item in asked])
    with session(script, retries=0) as verifier:
        found = verifier.deduction("p", answer="1", output="1")
    assert (found.status, found.score, found.correct, found.retryable) == (
        "infra_error", None, None, True,
    )  # fmt: skip


def test_a_score_for_trouble_is_refused_as_no_answer_of_the_contract():
    def invented(_, asked):
        return [infra_error(item) | {"correct": False, "score": 0.0} for item in asked]

    with (
        session(Scripted(invented), retries=0) as verifier,
        pytest.raises(VerifierError, match="contradict"),
    ):
        verifier.deduction("p", answer="1", output="1")


def test_gathered_items_of_many_threads_travel_in_few_requests():
    script = right()
    with session(script) as verifier, ThreadPoolExecutor(20) as threads:
        pending = list(
            threads.map(
                lambda number: verifier.gather([deduction("p", answer=str(number), output="1")]),
                range(20),
            )
        )
        assert [one.results()[0]["got"] for one in pending] == [str(n) for n in range(20)]
    assert len(script.asked) < 20


def test_what_is_pending_can_be_awaited():
    async def main():
        with session(right()) as verifier:
            found = await verifier.submit([deduction("p", answer="7", output="1")])
            assert found[0]["got"] == "7"
        late = session(Scripted(lambda _, asked: 30.0), request_seconds=60)
        pending = late.gather([deduction("p", answer="7", output="1")])
        waiting = asyncio.create_task(awaited(pending))
        await asyncio.sleep(0.05)
        late.close()
        with pytest.raises(VerifierError, match="the session was closed"):
            await waiting

    async def awaited(pending):
        return await pending

    asyncio.run(main())


def test_a_url_is_enough_and_the_environment_has_one(monkeypatch):
    monkeypatch.delenv("VERIFIER_URL", raising=False)
    assert resolved(None) == VerifierConfig()
    assert resolved("http://a:1").url == "http://a:1"
    monkeypatch.setenv("VERIFIER_URL", "http://b:2")
    assert resolved(None).url == "http://b:2"
    own = VerifierConfig(url="http://c:3", retries=9)
    assert resolved(own) is own
    assert QUICK.longest < 1
