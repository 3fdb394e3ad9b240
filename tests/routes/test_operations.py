"""execute, validate and verify over HTTP, line by line of the contract."""

import pytest

from executor_service.operations import LimitsSpec

IDENTITY = "def f(x):\n    return x"
DOUBLE = "def f(n):\n    return n * 2"
UNSTABLE = "def f():\n    return id(object()) + hash('a')"
OUTCOME = {"status", "output", "value", "stdout", "error", "usage"}
USAGE = {"cpu_ms", "wall_ms", "max_rss_kb"}
VERDICT = {
    "status", "correct", "score", "retryable", "message", "expected", "got", "cases", "usage",
}  # fmt: skip
NO_USAGE = {"cpu_ms": 0.0, "wall_ms": 0.0, "max_rss_kb": 0}


def deduction(program=IDENTITY, **fields):
    return {"mode": "deduction", "program": program, **fields}


def abduction(program=IDENTITY, **fields):
    return {"mode": "abduction", "program": program, **fields}


def induction(program, *pairs, **fields):
    cases = [{"input": given, "output": wanted} for given, wanted in pairs]
    return {"mode": "induction", "program": program, "cases": cases, **fields}


# execute


def test_execute_answers_one_outcome_per_input_in_order(ask):
    program = "def f(a, b=1):\n    print('said', a)\n    return [a, b]"
    answer = ask("/v1/execute", {"program": program, "inputs": ["1", "2, b=3", "a=5"]})
    assert set(answer) == {"outcomes"}
    assert [outcome["output"] for outcome in answer["outcomes"]] == ["[1, 1]", "[2, 3]", "[5, 1]"]
    for outcome, said in zip(answer["outcomes"], "125", strict=True):
        assert set(outcome) >= OUTCOME
        assert outcome["status"] == "ok"
        assert outcome["error"] is None
        assert outcome["stdout"] == f"said {said}\n"
        assert outcome["value"]["t"] == "list"
        assert set(outcome["usage"]) == USAGE
        assert outcome["usage"]["cpu_ms"] > 0
        assert outcome["usage"]["wall_ms"] > 0
        assert outcome["usage"]["max_rss_kb"] > 1000


def test_execute_takes_expressions_that_use_the_program(ask):
    body = {"program": f"import math\n{DOUBLE}", "inputs": ["f(4)", "[i for i in range(2)]"]}
    outputs = [outcome["output"] for outcome in ask("/v1/execute", body)["outcomes"]]
    assert outputs == ["16", "[0, 1, 0, 1]"]


def test_execute_reports_what_a_program_raised_and_where(ask):
    body = {"program": "def f(x):\n    y = x\n    return 1 / y", "inputs": ["0"]}
    (outcome,) = ask("/v1/execute", body)["outcomes"]
    assert (outcome["status"], outcome["output"], outcome["value"]) == ("runtime_error", None, None)
    assert outcome["error"] == {
        "type": "ZeroDivisionError", "message": "division by zero", "line": 3,
    }  # fmt: skip


def test_imports_stand_before_the_program_and_do_not_move_its_lines(ask):
    body = {
        "program": "def f(x):\n    return math.factorial(x)",
        "imports": ["import math", "import os"],
        "inputs": ["5", "-1"],
    }
    good, bad = ask("/v1/execute", body)["outcomes"]
    assert good["output"] == "120"
    assert bad["error"]["line"] == 2


def test_the_entry_point_can_be_named(ask):
    body = {"program": "def main():\n    return 7", "inputs": [""], "entry_point": "main"}
    assert ask("/v1/execute", body)["outcomes"][0]["output"] == "7"
    missing = ask("/v1/execute", body | {"entry_point": "f"})["outcomes"][0]
    assert missing["status"] == "invalid_program"
    assert "'f'" in missing["error"]["message"]


LIMITED = {
    "timeout": ("while True: pass", {"cpu_seconds": 0.2}),
    "memory_limit": ("return len('x' * 500_000_000)", {"memory_mb": 64}),
    "output_limit": ("return 'x' * 2000", {"output_bytes": 1000}),
    "process_limit": ("import os; os.fork()", {}),
    "security_violation": ("import socket; socket.socket()", {}),
    "unsupported_value": ("return object()", {}),
    "invalid_program": ("return (", {}),
    "runtime_error": ("raise KeyError(1)", {}),
}


@pytest.mark.parametrize("status", LIMITED)
def test_every_way_to_fail_has_its_status(ask, status):
    line, limits = LIMITED[status]
    body = {"program": f"def f():\n    {line}", "inputs": [""], "limits": limits}
    (outcome,) = ask("/v1/execute", body)["outcomes"]
    assert outcome["status"] == status
    assert outcome["value"] is None
    assert outcome["error"]["type"] or outcome["error"]["message"]


def test_a_sleeper_is_stopped_by_the_wall_limit(ask):
    body = {"program": "import time\ndef f():\n    time.sleep(60)", "inputs": [""]}
    (outcome,) = ask("/v1/execute", body | {"limits": {"wall_seconds": 0.3}})["outcomes"]
    assert outcome["status"] == "timeout"
    assert 250 < outcome["usage"]["wall_ms"] < 20_000


def test_too_much_stdout_is_a_limit_of_its_own(ask):
    body = {"program": "def f():\n    print('x' * 5000)", "inputs": [""]}
    (outcome,) = ask("/v1/execute", body | {"limits": {"stdout_bytes": 100}})["outcomes"]
    assert outcome["status"] == "output_limit"
    assert len(outcome["stdout"]) <= 100


def test_a_bad_input_fails_alone(ask):
    outcomes = ask("/v1/execute", {"program": IDENTITY, "inputs": ["1", "((", "3"]})["outcomes"]
    assert [outcome["status"] for outcome in outcomes] == ["ok", "invalid_input", "ok"]


def test_replicas_of_execute_say_whether_they_agree(ask):
    stable = ask("/v1/execute", {"program": IDENTITY, "inputs": ["{'a'}"], "replicas": 3})
    assert stable["outcomes"][0]["agree"] is True
    loose = ask("/v1/execute", {"program": UNSTABLE, "inputs": [""], "replicas": 2})
    assert loose["outcomes"][0]["agree"] is False


def test_text_may_hold_lone_surrogates_and_nul_both_ways(ask):
    body = {"program": "def f(x):\n    print(x == '\\ud800\\0')\n    return x + 'é'"}
    (outcome,) = ask("/v1/execute", body | {"inputs": [r"'\ud800\0'"]})["outcomes"]
    assert outcome["value"] == {"t": "str", "v": "\ud800\0é"}
    assert outcome["output"] == r"'\ud800\x00é'"
    assert outcome["stdout"] == "True\n"
    raw = ask("/v1/execute", body | {"inputs": ["'\ud800'", "'\0'"]})["outcomes"]
    assert [outcome["status"] for outcome in raw] == ["invalid_input", "invalid_input"]


# validate


def test_a_good_task_is_valid(ask):
    program = "def f(words):\n    return sorted(set(words))"
    answer = ask("/v1/validate", {"program": program, "input": "['b', 'a', 'b']"})
    assert answer["valid"] is True
    assert answer["reason"] is None
    assert answer["message"] == ""
    assert answer["output"] == "['a', 'b']"
    assert answer["value"]["t"] == "list"
    assert set(answer["usage"]) == USAGE
    found = answer["determinism"]
    assert found["agree"] is True
    assert found["runs"] == 4  # a program with a set is tried under four hash seeds
    assert found["broken_by"] is None
    assert found["observations"] == ["['a', 'b']"] * 6
    assert set(found["varied"]) <= {"hash_seed", "process", "clock", "environment", "call"}
    assert set(found["varied"]) >= {"hash_seed", "process", "environment", "call"}


BROKEN = {
    "hash_seed": "def f():\n    return list({'a', 'b', 'c', 'd', 'e', 'f'})",
    "process": "def f():\n    return id(f)",
    "environment": "import os\ndef f():\n    return os.getenv('USER')",
    "call": "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)",
}


@pytest.mark.parametrize("factor", BROKEN)
def test_a_nondeterministic_task_is_refused_by_the_factor_that_breaks_it(ask, factor):
    answer = ask("/v1/validate", {"program": BROKEN[factor], "input": ""})
    assert answer["valid"] is False
    assert answer["reason"] == "nondeterministic"
    assert answer["output"] is None
    assert answer["value"] is None
    found = answer["determinism"]
    assert found["agree"] is False
    assert found["broken_by"] == factor
    assert len(set(found["observations"])) > 1


INVALID = {
    "invalid_program": ({"program": "import random\ndef f():\n    return 1", "input": ""}, 0),
    "invalid_input": ({"program": IDENTITY, "input": "__import__('os')"}, 0),
    "runtime_error": ({"program": "def f():\n    raise ValueError('no')", "input": ""}, 1),
}


@pytest.mark.parametrize("reason", INVALID)
def test_a_task_that_cannot_be_posed_says_why(ask, reason):
    body, runs = INVALID[reason]
    answer = ask("/v1/validate", body)
    assert (answer["valid"], answer["reason"]) == (False, reason)
    assert answer["message"]
    assert answer["determinism"]["runs"] == runs
    assert type(answer["determinism"]["agree"]) is bool
    assert answer["determinism"]["broken_by"] is None


def test_the_policy_of_a_request_replaces_the_default(ask):
    body = {"program": "import random\ndef f():\n    return len('ab')", "input": ""}
    assert ask("/v1/validate", body)["reason"] == "invalid_program"
    assert ask("/v1/validate", body | {"policy": {"banned_modules": []}})["valid"] is True
    for policy, word in [
        ({"banned_modules": [], "banned_names": ["len"]}, "len"),
        ({"banned_modules": [], "allow_imports": False}, "import"),
        ({"banned_modules": [], "max_program_chars": 10}, "characters"),
    ]:
        answer = ask("/v1/validate", body | {"policy": policy})
        assert answer["reason"] == "invalid_program"
        assert word in answer["message"]


# verify


def test_deduction_computes_the_gold_when_it_is_not_given(ask):
    right = ask("/v1/verify", deduction(DOUBLE, input="21", answer="42"))
    assert set(right) == VERDICT
    assert (right["status"], right["correct"], right["score"]) == ("correct", True, 1.0)
    assert (right["expected"], right["got"]) == ("42", "42")
    assert right["retryable"] is False
    assert right["cases"] is None
    assert right["usage"]["cpu_ms"] > 0
    wrong = ask("/v1/verify", deduction(DOUBLE, input="21", answer="43"))
    assert (wrong["status"], wrong["correct"], wrong["score"]) == ("wrong", False, 0.0)
    assert (wrong["expected"], wrong["got"]) == ("42", "43")


def test_deduction_with_the_gold_runs_nothing(ask):
    forever = "while True:\n    pass"
    verdict = ask("/v1/verify", deduction(forever, output="[1, 2]", answer="[1,2]"))
    assert verdict["status"] == "correct"
    assert verdict["usage"] == NO_USAGE
    wrong = ask("/v1/verify", deduction(forever, output="1", answer="2"))
    assert (wrong["status"], wrong["usage"]) == ("wrong", NO_USAGE)


def test_an_answer_that_is_code_is_no_answer_and_gets_no_gold_back(ask):
    verdict = ask("/v1/verify", deduction(DOUBLE, input="2", answer="2 if 1 else f(2)"))
    assert (verdict["status"], verdict["correct"], verdict["score"]) == ("invalid_answer", False, 0)
    assert (verdict["expected"], verdict["got"], verdict["usage"]) == (None, None, NO_USAGE)


def test_abduction_accepts_any_input_that_reaches_the_output(ask):
    program = "def f(a, b):\n    return a * b"
    for answer in ("3, 4", "6, b=2", "-3, -4"):
        assert ask("/v1/verify", abduction(program, output="12", answer=answer))["correct"] is True
    wrong = ask("/v1/verify", abduction(program, output="12", answer="3, 5"))
    assert (wrong["status"], wrong["expected"], wrong["got"]) == ("wrong", "12", "15")
    failed = ask("/v1/verify", abduction(program, output="12", answer="3"))
    assert (failed["status"], failed["correct"], failed["score"]) == ("runtime_error", False, 0.0)


def test_an_abduced_input_may_use_the_programs_own_classes_and_nothing_else(ask):
    program = (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
        "def f(p):\n    return p.x"
    )
    assert ask("/v1/verify", abduction(program, output="3", answer="P(x=3)"))["correct"] is True
    for answer in ("Q(3)", "f(P(3))", "__import__('os')", "open('/etc/passwd')", "3) or (4"):
        verdict = ask("/v1/verify", abduction(program, output="3", answer=answer))
        assert (verdict["status"], verdict["correct"]) == ("invalid_answer", False)


def test_induction_judges_every_case(ask):
    good = ask("/v1/verify", induction(DOUBLE, ("3", "6"), ("'a'", "'aa'")))
    assert (good["status"], good["correct"], good["score"]) == ("correct", True, 1.0)
    assert good["cases"] == [{"status": "correct", "correct": True}] * 2
    mixed = induction("def f(x):\n    return 6 // x", ("1", "6"), ("0", "1"), ("2", "4"))
    verdict = ask("/v1/verify", mixed)
    assert [case["status"] for case in verdict["cases"]] == ["correct", "runtime_error", "wrong"]
    assert [case["correct"] for case in verdict["cases"]] == [True, False, False]
    assert (verdict["status"], verdict["correct"], verdict["score"]) == ("runtime_error", False, 0)
    part = ask("/v1/verify", mixed | {"score": "fraction"})
    assert part["score"] == pytest.approx(1 / 3)
    assert part["correct"] is False


def test_a_program_that_does_not_parse_induces_nothing(ask):
    verdict = ask("/v1/verify", induction("def f(:", ("1", "1")))
    assert (verdict["status"], verdict["correct"], verdict["score"]) == (
        "invalid_program", False, 0.0,
    )  # fmt: skip


EQUALITIES = [
    # gold, answer, and under which equalities they are equal
    ("1", "1", {"typed", "python", "approx"}),
    ("1", "1.0", {"python", "approx"}),
    ("1", "True", {"python"}),
    ("[1]", "(1,)", set()),
    ("0.1", "0.10000000001", {"approx"}),
    ("float('nan')", "float('nan')", {"typed", "approx"}),
    ("0.0", "-0.0", {"typed", "python", "approx"}),
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", {"typed", "python", "approx"}),
    ("{1, 2}", "frozenset({1, 2})", {"python"}),
]


@pytest.mark.parametrize("equality", ["typed", "python", "approx"])
def test_each_equality_is_what_the_contract_says(ask, equality):
    for gold, answer, equal_under in EQUALITIES:
        verdict = ask("/v1/verify", deduction(output=gold, answer=answer, equality=equality))
        assert verdict["correct"] is (equality in equal_under), (gold, answer)


def test_typed_equality_is_the_default_and_tolerances_belong_to_approx(ask):
    assert ask("/v1/verify", deduction(output="1", answer="1.0"))["correct"] is False
    near = deduction(output="100.0", answer="101.0", equality="approx")
    assert ask("/v1/verify", near)["correct"] is False
    assert ask("/v1/verify", near | {"rtol": 0.02})["correct"] is True
    assert ask("/v1/verify", near | {"atol": 1.5})["correct"] is True


def test_disagreeing_replicas_are_nondeterministic(ask):
    one = deduction(UNSTABLE, input="", answer="1")
    assert ask("/v1/verify", one)["status"] == "wrong"
    several = ask("/v1/verify", one | {"replicas": 2})
    assert (several["status"], several["correct"], several["score"]) == (
        "nondeterministic", False, 0.0,
    )  # fmt: skip
    cases = induction(UNSTABLE, ("", "1"), replicas=2)
    assert ask("/v1/verify", cases)["cases"][0]["status"] == "nondeterministic"
    reached = abduction("def f(x):\n    return hash('a')", output="1", answer="1", replicas=2)
    assert ask("/v1/verify", reached)["status"] == "nondeterministic"


# what is refused


@pytest.mark.parametrize("name", LimitsSpec.model_fields)
def test_a_limit_above_the_maximum_is_refused_by_name_and_maximum(http, refused, name):
    most = http.get("/v1/info").json()["limits"]["max"][name]
    body = {"program": IDENTITY, "inputs": ["1"], "limits": {name: int(most) + 1}}
    problem = refused("/v1/execute", body)
    assert problem["field"] == f"limits.{name}"
    assert str(most) in problem["detail"]


def test_counts_above_the_maximum_are_refused(refused, ask):
    many = {"program": IDENTITY, "inputs": ["1"] * 65}
    assert "64" in refused("/v1/execute", many)["detail"]
    ask("/v1/execute", {"program": IDENTITY, "inputs": ["1"], "replicas": 4})
    assert refused("/v1/execute", many | {"inputs": ["1"], "replicas": 5})["field"] == "replicas"
    cases = induction(IDENTITY, *[("1", "1")] * 65)
    assert refused("/v1/verify", cases)["field"] == "cases"


UNKNOWN = [
    ("/v1/execute", {"program": IDENTITY, "inputs": ["1"], "timeout": 3}, "timeout"),
    ("/v1/execute", {"program": "", "inputs": ["1"], "limits": {"cpu": 1}}, "limits.cpu"),
    ("/v1/validate", {"program": "", "input": "", "policy": {"ban": []}}, "policy.ban"),
    ("/v1/verify", deduction(output="1", answer="1", gold="1"), "gold"),
    ("/v1/verify", induction("", ("1", "1")) | {"cases": [{"inputs": ""}]}, "cases.0.input"),
]


@pytest.mark.parametrize(("path", "body", "field"), UNKNOWN)
def test_an_unknown_field_is_refused_by_name(refused, path, body, field):
    problem = refused(path, body)
    assert problem["field"] == field
    assert field in problem["detail"]


WRONG = [
    ("/v1/execute", {"program": IDENTITY}, "inputs"),
    ("/v1/execute", {"program": IDENTITY, "inputs": []}, "inputs"),
    ("/v1/execute", {"program": 3, "inputs": ["1"]}, "program"),
    ("/v1/execute", {"program": "", "inputs": ["1"], "limits": {"memory_mb": 0}},
     "limits.memory_mb"),
    ("/v1/verify", {"mode": "guess"}, "mode"),
    ("/v1/verify", {"program": ""}, "mode"),
    ("/v1/verify", deduction(answer="1"), "input"),
    ("/v1/verify", deduction(output="f(", answer="1"), "output"),
    ("/v1/verify", abduction(output="nonsense", answer="1"), "output"),
    ("/v1/verify", induction(IDENTITY, ("1", "1"), ("1", "x")), "cases.1.output"),
    ("/v1/verify", deduction(output="1", answer="1", equality="loose"), "equality"),
    ("/v1/verify", deduction(output="1", answer="1", rtol=-1), "rtol"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field"), WRONG)
def test_a_wrong_field_is_refused_by_name(refused, path, body, field):
    assert refused(path, body)["field"] == field


def test_the_default_policy_is_published(http):
    policy = http.get("/v1/policy").json()
    assert set(policy) == {"banned_modules", "banned_names", "allow_imports", "max_program_chars"}
    assert {"random", "os.environ", "time"} <= set(policy["banned_modules"])
    assert policy["allow_imports"] is True
