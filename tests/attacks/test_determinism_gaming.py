"""Class F: a proposer's tricks to pass off a task that is no function, or is worth nothing."""

from typing import Any

import pytest

from contract.live import LiveService

LIFTED = {"banned_modules": [], "banned_names": []}
BROKEN = [
    ("F52", "def f(): return list({'a', 'b', 'c', 'd', 'e', 'f'})", "hash_seed"),
    ("F52", "def f(): return str({'x': {'p', 'q', 'r', 's', 't'}})", "hash_seed"),
    ("F52", "def f(): return sorted(['ab', 'cd', 'ef', 'gh', 'ij', 'kl', 'mn'], key=hash)",
     "hash_seed"),
    ("F53", "import os\ndef f(): return os.getpid() % 1000", "process"),
    ("F53", "def f(): return id(f)", "process"),
    ("F53", "class A: pass\nA = A()\ndef f(): return str(A)", "process"),
    ("F53", "class A: pass\nA = A()\ndef f(): return hash(A)", "process"),
    ("F53", "import os\ndef f(): return sorted(os.environ)", "environment"),
    ("F53", "import os\ndef f(): return os.path.expanduser('~')", "environment"),
    ("F53", "import time\ndef f(): return time.perf_counter_ns()", "call"),
    ("F54", "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)", "call"),
    ("F54", "import itertools\nc = itertools.count()\ndef f(): return next(c)", "call"),
    ("F54", "import functools\n@functools.lru_cache\ndef g(): return object()\n"
     "def f():\n    f.n = getattr(f, 'n', 0) + 1\n    return f.n > 1", "call"),
    ("F54", "import sys\ndef f():\n    first = 'been_here' not in sys.modules\n"
     "    sys.modules['been_here'] = sys\n    return first", "call"),
    ("F55", "import random\ndef f(): return random.random()", "call"),
    ("F55", "import secrets\ndef f(): return secrets.token_hex(4)", "call"),
    ("F55", "def f(): return open('/dev/urandom', 'rb').read(4)", "call"),
    ("F55", "import uuid\ndef f(): return str(uuid.uuid4())", "call"),
    ("F55", "import random\nrandom.seed()\nN = random.getrandbits(64)\ndef f(): return N",
     "process"),
    ("F56", "import time\ndef f(): return time.strftime('%H', time.localtime(10**9))",
     "environment"),
    ("F56", "import os\ndef f(): return os.environ.get('LANG')", "environment"),
    ("F57", "import os\nT = os.urandom(4).hex()\ndef f(): return 'x' * 5000 + T", "process"),
]  # fmt: skip


def validate(service: LiveService, program: str, **more: Any) -> dict[str, Any]:
    return service.carry_out("validate", {"program": program, "input": "", **more})


@pytest.mark.parametrize(
    ("number", "program", "factor"), BROKEN, ids=[f"{b[0]}-{i}" for i, b in enumerate(BROKEN)]
)
def test_a_program_that_is_no_function_is_no_task(
    service: LiveService, number: str, program: str, factor: str
) -> None:
    result = validate(service, program, policy=LIFTED)
    assert (result["valid"], result["reason"]) == (False, "nondeterministic"), number
    assert result["determinism"]["broken_by"] == factor
    assert (result["output"], result["value"]) == (None, None)


@pytest.mark.parametrize(
    ("number", "program"),
    [
        ("F53", "import datetime\ndef f(): return datetime.datetime.now().isoformat()"),
        ("F53", "import time\ndef f(): return time.time()"),
        ("F55", "import random, time\nrandom.seed(time.time())\ndef f(): return random.random()"),
    ],
)
def test_the_clock_makes_no_task_whatever_is_blamed(
    service: LiveService, number: str, program: str
) -> None:
    result = validate(service, program, policy=LIFTED)
    assert (result["valid"], result["reason"]) == (False, "nondeterministic"), number


@pytest.mark.parametrize(
    ("number", "program", "reason", "limits"),
    [
        ("F57", "def f():\n    n = 0\n    while True: n += 1", "timeout", {"cpu_seconds": 0.2}),
        ("F57", "import time\ndef f(): time.sleep(50)", "timeout", {"wall_seconds": 0.2}),
        ("F57", "def f(): return 'x' * 10**6 * 2", "output_limit", {}),
        ("F60", "def f(): return 1 / 0", "runtime_error", {}),
        ("F60", "import sys\ndef f():\n    print('gold', file=sys.stderr)\n    sys.exit('gold')",
         "runtime_error", {}),
        ("F54", "def f():\n    open('/tmp/state', 'a').write('x')", "runtime_error", {}),
    ],
)  # fmt: skip
def test_a_task_without_a_value_has_the_status_of_its_run(
    service: LiveService, number: str, program: str, reason: str, limits: dict[str, float]
) -> None:
    result = validate(service, program, policy=LIFTED, limits=limits)
    assert (result["valid"], result["reason"]) == (False, reason), number


@pytest.mark.parametrize(
    ("number", "program"),
    [
        ("F53", "import time\ndef f(): return time.time()"),
        ("F55", "import random\ndef f(): return random.random()"),
        ("F55", "from random import random as f"),
        ("F53", "def f(): return getattr(__builtins__, 'ev' + 'al')('1')"),
        ("F54", "def f(): return f.__globals__"),
    ],
)
def test_the_published_policy_refuses_it_before_anything_runs(
    service: LiveService, number: str, program: str
) -> None:
    runs = service.pool.counters.runs
    result = validate(service, program)
    assert (result["valid"], result["reason"]) == (False, "invalid_program"), number
    assert service.pool.counters.runs == runs


def test_a_gold_that_depends_on_the_process_is_no_gold(service: LiveService) -> None:
    body = {
        "mode": "deduction",
        "program": "def f(): return sorted({'a', 'b', 'c', 'd'}, key=hash)",
        "input": "",
        "answer": "['a', 'b', 'c', 'd']",
        "replicas": 4,
    }
    verdict = service.carry_out("verify", body)
    assert (verdict["status"], verdict["correct"]) == ("nondeterministic", False)
