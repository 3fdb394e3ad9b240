"""The runs of a validation differ in every factor, and the factor that breaks a task is named."""

import time

import pytest

from contract.live import LiveService, request
from executor_service.sandbox.runner.variants import CLOCK_SHIFT_SECONDS, OTHER, REPEAT, USUAL
from executor_service.typed.render import render

LIFTED = {"banned_modules": [], "banned_names": []}


def validate(service: LiveService, program: str, text: str = "") -> dict[str, object]:
    """Validate a task without static rules."""
    return service.carry_out("validate", {"program": program, "input": text, "policy": LIFTED})


def values(service: LiveService, source: str, *variants: int) -> list[str]:
    """Return the value under each variant."""
    requests = [request(source, variant=variant) for variant in variants]
    return [render(result.values[0]) for result in service.sequence(*requests)]


def clock_shifted(service: LiveService) -> bool:
    return any(p.name == "clock_shift" and p.active for p in service.service.protections())


def test_hash_seeds_differ_between_variants_and_stay_within_one(service: LiveService) -> None:
    source = "def f(): return hash('text')"
    usual, again, other, repeat = values(service, source, USUAL, USUAL, OTHER, REPEAT)
    assert usual == again == repeat != other


def test_processes_differ_between_runs_and_addresses_between_zygotes(
    service: LiveService,
) -> None:
    pids = values(service, "import os\ndef f(): return os.getpid()", USUAL, USUAL, OTHER, REPEAT)
    assert len(set(pids)) == 4
    assert len(set(values(service, "def f(): return id(len)", USUAL, OTHER, REPEAT))) == 3


def test_environment_and_time_zone_differ_between_variants(service: LiveService) -> None:
    source = "import os, time\ndef f(): return dict(os.environ), time.localtime(0)[:6]"
    usual, other = values(service, source, USUAL, OTHER)
    assert "(1970, 1, 1, 0, 0, 0)" in usual
    assert "(1970, 1, 1, 12, 45, 0)" in other
    assert "'USER': 'sandbox'" in usual
    assert "'USER': 'nobody'" in other


def test_the_other_clock_is_shifted_where_the_protection_says_so(service: LiveService) -> None:
    source = "import time\ndef f(): return int(time.time())"
    usual, other = map(int, values(service, source, USUAL, OTHER))
    shift = CLOCK_SHIFT_SECONDS if clock_shifted(service) else 0
    assert abs(usual - time.time()) < 30
    assert abs(other - usual - shift) < 30


def test_the_monotonic_clock_is_never_shifted(service: LiveService) -> None:
    source = "import time\ndef f(): return int(time.monotonic())"
    usual, other = map(int, values(service, source, USUAL, OTHER))
    assert abs(usual - other) < 30


@pytest.mark.parametrize(
    ("program", "factor"),
    [
        ("def f(): return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})", "hash_seed"),
        ("def f(): return hash('a')", "hash_seed"),
        ("def f(): return id(len)", "process"),
        ("def f(): return repr(object)[-1] + repr(f)", "process"),
        ("import os\ndef f(): return os.getpid()", "process"),
        ("import os\nTOKEN = os.urandom(8)\ndef f(): return TOKEN", "process"),
        ("import random\nN = random.random()\ndef f(): return N", "process"),
        ("import os\ndef f(): return os.environ['USER']", "environment"),
        ("import time\ndef f(): return time.localtime(0).tm_hour", "environment"),
        ("import os\ndef f(): return os.path.expanduser('~')", "environment"),
        ("n = 0\ndef f():\n    global n\n    n += 1\n    return n", "call"),
        ("def f(x=[]):\n    x.append(1)\n    return len(x)", "call"),
        ("import random\ndef f(): return random.random()", "call"),
        ("import uuid\ndef f(): return str(uuid.uuid4())", "call"),
        ("import time\ndef f(): return time.perf_counter()", "call"),
    ],
)
def test_the_factor_that_breaks_a_task_is_named(
    service: LiveService, program: str, factor: str
) -> None:
    result = validate(service, program)
    assert (result["valid"], result["reason"]) == (False, "nondeterministic")
    found = result["determinism"]
    assert isinstance(found, dict)
    assert (found["agree"], found["broken_by"]) == (False, factor)
    assert len(set(found["observations"])) > 1


@pytest.mark.parametrize(
    "program",
    [
        "import datetime\ndef f(): return datetime.date.today().isoformat()",
        # Moved by the time zone as well, at every hour of the day.
        "import datetime\ndef f(): return datetime.datetime.now().strftime('%H:%M')",
        "import time\nSTART = int(time.time())\ndef f(): return START // 3600",
        "import time\ndef f(): return time.time()",
        "import datetime\ndef f(): return datetime.datetime.now(datetime.timezone.utc).year",
    ],
)
def test_the_clock_is_named_where_it_can_be_shifted(service: LiveService, program: str) -> None:
    result = validate(service, program)
    found = result["determinism"]
    assert isinstance(found, dict)
    if clock_shifted(service):
        assert "clock" in found["varied"]
        assert found["broken_by"] == "clock"
    else:
        assert "clock" not in found["varied"]
        assert found["broken_by"] != "clock"


@pytest.mark.parametrize(
    ("program", "text", "output"),
    [
        ("def f(words): return sorted(set(words))", "['b', 'a', 'b']", "['a', 'b']"),
        ("def f(words): return set(words)", "['b', 'a']", "{'a', 'b'}"),
        ("import random\ndef f(seed): return random.Random(seed).randint(0, 9)", "3", None),
        ("def f(x):\n    x.append(1)\n    return x", "[0]", "[0, 1]"),
        ("import math\ndef f(x): return math.sin(x)", "1e300", None),
        ("def f(): return float('nan')", "", "nan"),
    ],
)
def test_a_deterministic_task_is_valid(
    service: LiveService, program: str, text: str, output: str | None
) -> None:
    result = validate(service, program, text)
    found = result["determinism"]
    assert isinstance(found, dict)
    assert (result["valid"], result["reason"], found["agree"]) == (True, None, True)
    assert found["runs"] == (4 if "set(" in program else 2)
    assert set(found["varied"]) >= {"hash_seed", "process", "environment", "call"}
    assert output is None or result["output"] == output


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(): return 1 / 0", "runtime_error"),
        ("def f(): return object()", "unsupported_value"),
        ("def f(): return 'x' * 10**9", "memory_limit"),
        ("def f(): return 'x' * 2_000_000", "output_limit"),
        ("import os\ndef f(): return os.fork()", "process_limit"),
        ("import socket\ndef f(): return socket.socket()", "security_violation"),
        ("def g(): return 1", "invalid_program"),
    ],
)
def test_a_task_that_fails_the_same_way_each_time_has_that_reason(
    service: LiveService, program: str, reason: str
) -> None:
    result = validate(service, program)
    assert (result["valid"], result["reason"]) == (False, reason)
    found = result["determinism"]
    assert isinstance(found, dict)
    assert found["broken_by"] is None


def test_replicas_that_agree_give_a_verdict_and_others_do_not(service: LiveService) -> None:
    def verify(program: str, output: str) -> dict[str, object]:
        case = {"input": "", "output": output}
        return service.carry_out(
            "verify", {"mode": "induction", "program": program, "cases": [case], "replicas": 4}
        )

    assert verify("def f(): return 3", "3")["status"] == "correct"
    assert verify("def f(): return 3", "4")["status"] == "wrong"
    assert verify("def f(): return hash('a')", "4")["status"] == "nondeterministic"
    assert verify("def f(): return 1 // (hash('a') % 2)", "4")["status"] != "correct"
    assert verify("def f(): return 1 / 0", "4")["status"] == "runtime_error"


def test_an_order_that_two_hash_seeds_share_is_caught_by_further_seeds(
    service: LiveService,
) -> None:
    program = "def f(x):\n    return list({x, x + 'q'})\n"
    result = service.carry_out("validate", {"program": program, "input": "'ao'"})
    # The first two seeds agree on it: what follows would be accepted without the others.
    assert len(set(result["determinism"]["observations"][:4])) == 1
    assert result["reason"] == "nondeterministic"
    assert result["determinism"]["broken_by"] == "hash_seed"


def test_a_sorted_set_is_deterministic_under_all_seeds(service: LiveService) -> None:
    program = "def f(words):\n    return sorted(set(words))\n"
    result = service.carry_out("validate", {"program": program, "input": "['b', 'a']"})
    assert result["valid"]
    assert result["determinism"]["runs"] == 4
