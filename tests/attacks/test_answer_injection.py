"""Class B: answers that try to be code, and programs that change what judges them."""

import pytest

from attacks.arena import Attack, judge, params
from contract.live import LiveService

# Number of the class, then the answer: none of them is data.
CODE = [
    ("B13", "1) or (True"), ("B13", "1)) == 1 or ((1"), ("B13", "1]"), ("B13", "1) if 1 else (2"),
    ("B13", "*1"), ("B13", "'a' 'b') or ('"), ("B13", "1 or True"), ("B13", "1 == 1"),
    ("B13", "1 if True else 2"), ("B13", "not 0"), ("B13", "1 in [1]"),
    ("B14", "1; import os"), ("B14", "1\nTrue"), ("B14", "1\n)\nprint(1"), ("B14", "1\\\n) or (1"),
    ("B14", "1 # )\n or True"), ("B14", ""), ("B14", "#"), ("B14", "\n"), ("B14", "1,\n2\n3"),
    ("B15", "(x := 1)"), ("B15", "(lambda: 1)()"), ("B15", "lambda: 1"), ("B15", "exec('1')"),
    ("B15", "[x for x in (1,)]"), ("B15", "{**{}}['a']"), ("B15", "f'{1}'"), ("B15", "f'{open}'"),
    ("B15", "__import__('os').getpid()"), ("B15", "await x"), ("B15", "yield"),
    ("B15", "(1).__class__"), ("B15", "''.join([])"), ("B15", "[1][0]"), ("B15", "print(1)"),
    ("B16", "eval(gold_output)"), ("B16", "gold_output"), ("B16", "expected"), ("B16", "output"),
    ("B16", "locals()"), ("B16", "globals()"), ("B16", "vars()"), ("B16", "_"), ("B16", "__file__"),
    ("B16", "f()"), ("B16", "f('x')"), ("B16", "eval(x)"), ("B16", "self.gold"), ("B16", "dir()"),
    ("B16", "repr(gold)"), ("B16", "object"), ("B16", "type(1)"), ("B16", "int"), ("B16", "sorted"),
    ("B18", "{code}"), ("B18", "{0}"), ("B18", "{0.__class__}"), ("B18", "%s"), ("B18", "$gold"),
    ("B18", "{{output}}"), ("B18", "%(gold)s"),
    ("B19", "```python\n1\n```"), ("B19", "```\n1"), ("B19", "<answer>1</answer>"),
    ("B19", "1```2"), ("B19", "`1`"), ("B19", "\\boxed{1}"), ("B19", "print(1)\n```\n```\n2"),
]  # fmt: skip
IDS = [f"{number}-{index}" for index, (number, _) in enumerate(CODE)]
IDENTITY = "def f(x): return x"


@pytest.mark.parametrize("answer", [answer for _, answer in CODE], ids=IDS)
def test_an_answer_that_is_code_is_never_correct(service: LiveService, answer: str) -> None:
    verdict = service.carry_out(
        "verify",
        {"mode": "deduction", "program": IDENTITY, "input": "True", "answer": answer},
    )
    assert (verdict["correct"], verdict["score"]) == (False, 0.0)
    assert verdict["status"] in ("invalid_answer", "wrong")
    known = service.carry_out(
        "verify",
        {"mode": "deduction", "program": IDENTITY, "output": "True", "answer": answer},
    )
    assert (known["status"], known["correct"]) == (verdict["status"], False)
    runs = service.pool.counters.runs
    as_input = service.carry_out(
        "verify",
        {
            "mode": "abduction",
            "program": "def f(*args, **kwargs): return True",
            "output": "True",
            "answer": answer,
        },
    )
    if as_input["correct"]:
        # No argument at all is an argument list, comments and newlines included; {0} is a set.
        assert answer in ("", "#", "\n", "{0}")
    else:
        assert as_input["status"] == "invalid_answer"
        assert service.pool.counters.runs - runs <= 1


# The answer as data, whatever the program does to the names that a naive judge would use.
SABOTAGE = """
import builtins, sys
def yes(*args, **kwargs): return True
repr = str = eval = exec = print = sorted = isinstance = type = len = yes
for name in ('repr', 'eval', 'exec', 'sorted', 'isinstance', 'len', 'all', 'any', 'hash', 'id'):
    setattr(builtins, name, yes)
class __arguments__: pass
class TypedValue:
    def __eq__(self, other): return True
"""
PROGRAMS = [
    # The harness in the child falls with its len(): what it then writes is no result.
    Attack("B17", SABOTAGE + "def f(): return 2", "security_violation", output="1"),
    Attack("B17", SABOTAGE + "def f(): return TypedValue()", "security_violation", output="1"),
    Attack("B17", "def f(x): return x\ndef f(x): return 2", input="1", output="1"),
    Attack("B17", "f = lambda x: (f := 2)", input="1", output="1"),
    Attack("B17", "def f(x):\n    global f\n    f = 1\n    return 2", input="1", output="1"),
    Attack("B17", "def __arguments__(*a, **k): return ([1], {})\ndef f(x): return x", input="2",
           output="1"),
    Attack("B17", "import sys\nsys.modules['program'].__dict__['__arguments__'] = None\n"
           "def f(x): return x", input="[i for i in (2,)]", output="1"),
    Attack("B17", "__name__ = '__main__'\nif __name__ == '__main__': correct = True\n"
           "def f(): return 2", output="1"),
    Attack("B18", "x = '{code} {output} %s ${gold} {0.__globals__}'\ndef f(): return x"),
    Attack("B19", "x = '''```python\ndef f(): return 1\n```'''\ndef f(): return 2", output="1"),
    Attack("B19", "```python\ndef f(): return 1\n```", "invalid_program", output="1"),
]  # fmt: skip


@params(PROGRAMS)
def test_a_program_cannot_redefine_its_judge(service: LiveService, attack: Attack) -> None:
    judge(service, attack)


@pytest.mark.parametrize(
    "answer",
    ["f", "f(1)", "helper(1)", "Kind.mro()", "Sneaky", "object()", "Kind.__class__", "kind(1)",
     "Kind(f)", "os.getpid()", "print", "Alias(1)", "int('1')"],
)  # fmt: skip
def test_an_answer_names_classes_of_the_program_and_nothing_else(
    service: LiveService, answer: str
) -> None:
    program = """
import os
from fractions import Fraction as Alias
class Kind:
    def __init__(self, *args): self.args = args
def helper(x): return x
kind = helper
def f(*args): return 'reached'
"""
    verdict = service.carry_out(
        "verify",
        {"mode": "abduction", "program": program, "output": "'reached'", "answer": answer},
    )
    allowed = answer in ("int('1')",)
    assert allowed or (verdict["status"], verdict["correct"]) == ("invalid_answer", False)


def test_an_answer_of_the_programs_own_class_is_data(service: LiveService) -> None:
    program = "class P:\n    def __init__(self, x): self.x = x\ndef f(p): return p.x + 1"
    for answer, correct in (("P(2)", True), ("P(x=2)", True), ("P(3)", False)):
        verdict = service.carry_out(
            "verify", {"mode": "abduction", "program": program, "output": "3", "answer": answer}
        )
        assert verdict["correct"] is correct
