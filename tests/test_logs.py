"""Logs: one JSON object a line, with the request and the job it belongs to."""

import asyncio
import io
import json
import logging
import os
import signal
import subprocess
import threading

import httpx
import pytest

from cli.command import COMMAND, ENVIRONMENT
from contract.live import host_children, until
from executor_service import logs
from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.dispatch.submission import Submission
from executor_service.operations import parse_operation


@pytest.fixture
def output():
    """A logger whose lines are collected, formatted as ``configure`` would."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.ContextFilter())
    logger = logging.getLogger("executor_service.test_logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def said(line):
    return {name: line[name] for name in logs.FIELDS if name in line}


def test_a_record_has_the_context_it_was_made_in(output):
    logger, lines = output
    logger.info("before")
    with logs.context(request_id="r", owner="trainer"):
        logger.info("inside")
        with logs.context(job_id="j", worker="w", request_id=None):
            logger.info("further inside")
        with logs.context(request_id="other"):
            logger.info("another")
        logger.info("inside again", extra={"owner": "its own"})
    logger.info("after")
    assert [said(line) for line in lines()] == [
        {},
        {"request_id": "r", "owner": "trainer"},
        {"request_id": "r", "owner": "trainer", "job_id": "j", "worker": "w"},
        {"request_id": "other", "owner": "trainer"},
        {"request_id": "r", "owner": "its own"},
        {},
    ]


def test_tasks_keep_apart_what_they_are_about(output):
    logger, lines = output

    async def work(name):
        with logs.context(request_id=name):
            for _ in range(3):
                await asyncio.sleep(0)
                logger.info("%s", name)

    async def go():
        await asyncio.gather(*[work(name) for name in "abc"])

    asyncio.run(go())
    assert len(lines()) == 9
    assert all(line["request_id"] == line["message"] for line in lines())


def test_a_task_that_serves_many_requests_says_whose_turn_it_is(output):
    logger, lines = output

    class Verifier:
        """Logs, and does nothing else."""

        async def carry_out(self, operation):
            logger.info("%s", operation.program)
            await asyncio.sleep(0)
            return {}

    async def ask(dispatcher, name):
        operation = parse_operation("execute", {"program": name, "inputs": ["1"]})
        with logs.context(owner=f"owner of {name}"):
            submission = Submission([operation] * 3, owner=name, request_id=name)
            async for _ in dispatcher.submit(submission):
                pass

    async def go():
        dispatcher = EmbeddedDispatcher(Verifier(), concurrency=1, queue_size=100)
        await asyncio.gather(*[ask(dispatcher, name) for name in "abc"])

    asyncio.run(go())
    assert len(lines()) == 9
    for line in lines():
        name = line["message"]
        assert said(line) == {"request_id": name, "owner": f"owner of {name}"}


def test_what_is_learnt_later_appears_on_later_records(output):
    logger, lines = output
    state = {"request_id": "r", "token": "secret"}
    with logs.Context(state):
        logger.info("before the key was read")
        state["owner"] = "trainer"
        logger.info("after")
    assert [said(line) for line in lines()] == [
        {"request_id": "r"},
        {"request_id": "r", "owner": "trainer"},
    ]
    assert "secret" not in json.dumps(lines())


def test_no_text_can_forge_a_line(output):
    logger, lines = output
    with logs.context(request_id='x"}\n{"level": "forged'):
        logger.warning("one\n%s", '{"message": "forged"}\r\u2028\x1b[31m')
    (line,) = lines()
    assert line["level"] == "warning"
    assert line["message"].endswith("\x1b[31m")


def test_an_exception_is_part_of_the_line(output):
    logger, lines = output
    try:
        raise ValueError("no\nluck")
    except ValueError:
        logger.exception("failed")
    (line,) = lines()
    assert line["message"] == "failed"
    assert line["exception"].endswith("ValueError: no\nluck")


def test_on_a_terminal_the_context_ends_the_line():
    record = logging.LogRecord("x", logging.INFO, "", 0, "a \x1b[31m message", None, None)
    formatter = logs.TerminalFormatter("%(levelname)s %(message)s")
    assert formatter.format(record) == "INFO a \\x1b[31m message"
    with logs.context(request_id="r", owner="trainer"):
        assert logs.ContextFilter().filter(record)
    assert formatter.format(record).endswith("message  [request_id=r owner=trainer]")


def test_a_service_logs_json_with_the_request_that_each_line_is_about(tmp_path):
    command = [*COMMAND, "serve", "--slots", "1", "--port", "0"]
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(command, stderr=log, env=ENVIRONMENT, text=True)
        try:
            port = listening_port(log, process)
            doom(process.pid, f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        log.seek(0)
        lines = [json.loads(line) for line in log.read().splitlines()]
    failed = [line for line in lines if line["logger"] == "executor_service.sandbox.pool"]
    assert [line["request_id"] for line in failed] == ["doomed"]
    assert failed[0]["owner"] == "anonymous"
    assert "gold-dust" not in json.dumps(lines)


def listening_port(log, process):
    found = []

    def look():
        assert process.poll() is None
        log.seek(0)
        for line in log.read().splitlines():
            message = json.loads(line)["message"]
            if "running on http" in message:
                found.append(int(message.split(":")[-1].split()[0]))
        return bool(found)

    until(look, "the service to listen", 30)
    return found[0]


def doom(pid, url):
    """Have a request whose sandbox dies under it, after one that started the service's task."""
    body = {"program": "def f(): return 'gold-dust'", "inputs": [""]}
    assert httpx.post(f"{url}/v1/execute", json=body).status_code == 200
    slow = {"program": "import time\ndef f():\n    time.sleep(0.8)  # gold-dust", "inputs": [""]}
    headers = {"X-Request-ID": "doomed"}
    answers = []

    def ask():
        answers.append(httpx.post(f"{url}/v1/execute", json=slow, headers=headers, timeout=60))

    client = threading.Thread(target=ask)
    client.start()
    until(lambda: "slots_busy 1.0" in httpx.get(f"{url}/metrics").text, "the run to begin")
    os.kill(host_children(pid, "bwrap")[0], signal.SIGKILL)
    client.join()
    assert answers[0].json()["outcomes"][0]["status"] == "ok"
    assert answers[0].headers["x-request-id"] == "doomed"
