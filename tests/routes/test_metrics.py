"""``GET /metrics`` of the real server: after known requests, the counters have known values."""

import json
import os
import signal
import threading

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from contract.live import main_process, until
from executor_service.access.keys import new_token, token_digest
from executor_service.app import create_app
from executor_service.local_server import local_server
from executor_service.settings import Settings
from telemetry.scrape import scrape

ADD = "def f(a, b):\n    return a + b"
KILLERS = [
    ("cpu_time", "def f():\n    while True: pass", {"cpu_seconds": 0.1}),
    ("wall_time", "import time\ndef f():\n    time.sleep(60)", {"wall_seconds": 0.1}),
    ("memory", "def f(): return len(bytearray(10**9))", {"memory_mb": 64}),
    ("output", "def f(): return 'x' * 2000", {"output_bytes": 1000}),
    ("security_violation", "import ctypes\ndef f(): ctypes.CDLL(None).ptrace(0, 0, 0, 0)", {}),
    ("crash", "import ctypes\ndef f(): ctypes.string_at(0)", {}),
    ("runtime_error", "def f(): return 1 / 0", {}),
    ("unsupported_value", "def f(): return f", {}),
]


@pytest.fixture
def apps(monkeypatch):
    """The applications that are served in this process from now on, for a look inside."""
    found = []

    def noted(settings):
        found.append(create_app(settings))
        return found[-1]

    monkeypatch.setattr("executor_service.local_server.create_app", noted)
    return found


@pytest.fixture
def server(apps):
    """A server that nobody else asks."""
    settings = Settings(slots=2, queue_size=1024, max_replicas=4, cache_bytes=0)
    with local_server(settings) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client


def verify(mode, **fields):
    return {"op": "verify", "mode": mode, "program": ADD} | fields


def test_known_operations_give_known_counts(server):
    deduction = [
        verify("deduction", input="1, 2", answer=answer) for answer in ("3", "3", "4", "(")
    ]
    abduction = [verify("abduction", output="3", answer="2, 1")]
    cases = [{"input": "1, 2", "output": "3"}, {"input": "1, 1", "output": "3"}]
    induction = [verify("induction", cases=cases, score="fraction")]
    validate = [
        {"op": "validate", "program": ADD, "input": "1, 2"},
        {"op": "validate", "program": "import os\ndef f(x): return x", "input": "1",
         "policy": {"banned_modules": ["os"]}},
        {"op": "validate", "program": "import os\ndef f(): return os.getpid()", "input": "",
         "policy": {"banned_modules": []}},
    ]  # fmt: skip
    execute = [
        {"op": "execute", "program": ADD, "inputs": ["1, 2", "3, 4"]},
        {"op": "execute", "program": ADD, "inputs": ["1, 2", "3, ''"]},
        {"op": "execute", "program": ADD, "inputs": ["1, 2"], "limits": {"cpu_seconds": 1e6}},
    ]
    items = [*deduction, *abduction, *induction, *validate, *execute]
    answers = server.post("/v1/batch", json={"items": items}).json()["results"]
    seen = scrape(server)
    assert seen.values("operations_total") == {
        "deduction,verify,correct": 2,
        "deduction,verify,wrong": 1,
        "deduction,verify,invalid_answer": 1,
        "abduction,verify,correct": 1,
        "induction,verify,wrong": 1,
        "validate,valid": 1,
        "validate,invalid_program": 1,
        "validate,nondeterministic": 1,
        "execute,ok": 1,
        "execute,mixed": 1,
        "execute,unacceptable": 1,
    }
    assert seen.values("operation_seconds_count") == {"verify": 6, "validate": 3, "execute": 3}
    assert seen("queue_wait_seconds_count") == len(items)
    # Told by the answers themselves: three deductions, one abduction, two cases, the validations'
    # own figures and two inputs twice.
    runs = 3 + 1 + 2 + sum(one["determinism"]["runs"] for one in answers[6:9]) + 4
    assert seen("runs_total") == seen("run_wall_seconds_count") == runs
    assert seen.values("run_endings_total") == {"ok": runs - 1, "runtime_error": 1}
    assert seen("queue_depth", state="waiting") == seen("queue_depth", state="running") == 0
    assert seen.values("http_requests_total") == {"POST,/v1/batch,200": 1}


def test_every_kill_has_its_reason(server):
    for _, program, limits in KILLERS:
        body = {"program": program, "inputs": [""], "limits": limits}
        assert server.post("/v1/execute", json=body).status_code == 200
    seen = scrape(server)
    assert seen.values("run_endings_total") == {ending: 1 for ending, _, _ in KILLERS}
    assert seen("sandboxes_replaced_total", reason="security_violation") == 1
    assert 0.1 <= seen("run_cpu_seconds_sum") < 20


def test_gauges_show_what_is_under_way(server):
    body = {"program": "import time\ndef f(): time.sleep(60)", "inputs": [""] * 3}
    body["limits"] = {"wall_seconds": 100}

    def leave():
        with pytest.raises(httpx.ReadTimeout):
            server.post("/v1/execute", json=body, timeout=1)

    client = threading.Thread(target=leave)
    client.start()
    until(lambda: scrape(server)("slots_busy") == 2, "both sandboxes to be at work")
    assert scrape(server)("queue_depth", state="running") == 1
    client.join()
    until(
        lambda: scrape(server)("runs_cancelled_total") == 2,
        "the runs of a client that left to be ended",
    )
    seen = scrape(server)
    assert seen.values("sandboxes_replaced_total") == {}
    assert seen("slots_busy") == seen("queue_depth", state="running") == 0
    assert seen.values("operations_total") == {"execute,cancelled": 1}
    assert seen("http_requests_total", route="/v1/execute", method="POST", status="499") == 1


def test_a_sandbox_killed_from_outside_is_counted_as_replaced_and_not_as_leaked(apps, server):
    before = scrape(server)
    # Other services of this process have sandboxes too, and may be starting new ones just now.
    sandbox = list(apps[-1].state.service.pool._all)[-1]
    os.kill(main_process(sandbox), signal.SIGKILL)
    body = {"program": ADD, "inputs": ["1, 2"] * 4}
    for _ in range(4):
        assert server.post("/v1/execute", json=body).status_code == 200
    until(
        lambda: scrape(server)("sandbox_starts_total") == 3 and scrape(server)("slots_warm") == 2,
        "the sandbox to be replaced",
    )
    seen = scrape(server)
    assert before.values("sandboxes_replaced_total") == {}
    assert sum(seen.values("sandboxes_replaced_total").values()) == 1
    assert seen("sandbox_starts_total") == 3
    assert seen("leaked_processes") == 0
    assert seen.values("operations_total") == {"execute,ok": 4}


def test_refusals_are_counted_in_operations_by_their_reason():
    settings = Settings(slots=1, queue_size=1024, rate_limit=1.0, rate_burst=1024)
    with local_server(settings) as url, httpx.Client(base_url=url, timeout=120) as http:
        item = {"op": "execute", "program": ADD, "inputs": ["1, 2"]}
        late = {"X-Request-Timeout": "0.001"}
        assert http.post("/v1/batch", json={"items": [item] * 7}, headers=late).status_code == 429
        answer = http.post("/v1/batch", json={"items": [item] * 1024})
        assert answer.status_code == 429
        seen = scrape(http)
        assert seen.values("operations_refused_total") == {"deadline": 7, "rate": 1024}
        assert seen("http_requests_total", route="/v1/batch", method="POST", status="429") == 2


def test_a_client_cannot_add_a_label(server):
    for path in ("/nonsense", "/v1/verify/x", "/v1/../etc/passwd", "/%00", '/"} 1\nx{a="'):
        for method in ("GET", "POST", "BREW", "PROPFIND", "get"):
            server.request(method, path.replace("\n", "%0a"))
    server.request("PROPFIND", "/v1/verify")
    seen = scrape(server)
    assert seen.labels("http_requests_total", "route") <= {"unrouted", "/v1/verify"}
    assert seen.labels("http_requests_total", "method") <= {"GET", "POST", "other"}
    assert seen("http_requests_total", route="/v1/verify", method="other", status="405") == 1


def test_refusals_before_routing_are_counted_together():
    token = new_token()
    settings = Settings(slots=1, max_body_bytes=2000, keys=f"trainer:{token_digest(token)}")
    key = {"authorization": f"Bearer {token}"}
    with local_server(settings) as url, httpx.Client(base_url=url, timeout=120) as http:
        assert http.get("/metrics").status_code == 401
        assert http.post("/v1/verify", content=b"x" * 5000).status_code == 401
        assert http.post("/v1/verify", content=b"x" * 5000, headers=key).status_code == 413
        http.headers.update(key)
        seen = scrape(http)
    assert seen.values("http_requests_total") == {
        "GET,unrouted,401": 1, "POST,unrouted,401": 1, "POST,unrouted,413": 1,
    }  # fmt: skip


def test_what_the_cache_spares_is_shown():
    body = {"program": "def f(x): return x * 3", "inputs": ["14"]}
    with local_server(Settings(slots=1)) as url, httpx.Client(base_url=url, timeout=120) as http:
        for _ in range(5):
            assert http.post("/v1/execute", json=body).status_code == 200
        seen = scrape(http)
    asked = sum(seen(f"cache_{name}_total") for name in ("hits", "misses", "coalesced"))
    carried_out = seen("cache_misses_total") + seen("cache_confirmations_total")
    assert asked == 5
    assert seen("cache_hits_total") > 0
    assert seen("cache_entries") > 0
    assert seen("runs_total") == seen("run_endings_total", ending="ok") == carried_out
    assert seen.values("operations_total") == {"execute,ok": 5}


def test_openmetrics_is_there_for_who_accepts_it(http):
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    response = http.get("/metrics", headers=accept)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {"azr_executor_operations", "azr_executor_run_cpu_seconds"} <= names
    plain = http.get("/metrics", headers={"accept": "*/*"})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_the_process_and_the_build_are_shown(http):
    seen = scrape(http)
    info = http.get("/v1/info").json()
    assert seen("process_open_fds") > 0
    assert seen("process_resident_memory_bytes") > 1 << 20
    assert seen("build_info", version=info["version"], runner=info["runner"]) == 1
    assert seen("sandbox_info", backend="bubblewrap", python=info["python"]) == 1


def test_two_services_in_one_process_do_not_mix(http, server):
    assert http.post("/v1/execute", json={"program": ADD, "inputs": ["1, 2"]}).status_code == 200
    assert scrape(http)("operation_seconds_count", op="execute") > 0
    assert scrape(server)("operation_seconds_count", op="execute") == 0


def test_metrics_are_documented(http):
    operation = http.get("/openapi.json").json()["paths"]["/metrics"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/plain"]
    assert json.dumps(operation).count("OpenMetrics") == 1
