"""Bans hold however a program spells what is banned, and leave the rest alone."""

import json
from dataclasses import replace
from time import process_time

import pytest

from executor_service.verifier.policy import (
    AZR_BANNED_MODULES,
    DEFAULT_POLICY,
    Policy,
    check_expression,
    check_program,
    describe,
)

BREAKS = [
    "import random",
    "import random as r",
    "import math, random",
    "from random import randint",
    "from random import *",
    "import random.foo",
    "from threading import Thread",
    "def f():\n    import time as t\n    return t.time()",
    "if True: import calendar",
    "import os; os.environ",
    "import os; os . environ",
    "import os as o; o.environ",
    "from os import environ",
    "from os import environ as e",
    "from os import *\nenviron",
    "import os.path",
    "from os import path",
    "from os.path import join",
    "import os; os.path.join",
    "import os; os.environ.x.y.z.a.b.c.d.e.f.g.h.i.j",
    "import sys; sys.exit(0)",
    "from sys import exit",
    "from sys import *",
    "import os\nx = f'{os.environ}'",
    "import os; o = os",
    "import os; g(os)",
    "import os; [os][0].environ",
    "import os; getattr(os, 'environ')",
    "import os; getattr(os, 'env' + 'iron')",
    "import os; vars(os)['env' + 'iron']",
    "import os; os.__dict__['env' + 'iron']",
    "import os; os.__getattribute__('env' + 'iron')",
    "import glob; glob.os.environ",
    "__import__('random')",
    "__import__('ran' + 'dom')",
    "__import__(name='random')",
    "__import__('os').environ",
    "o = __import__('os'); o.environ",
    "x = __import__",
    "__import__.__call__('x')",
    "import importlib; importlib.import_module('random')",
    "import importlib as i; i.import_module('os').environ",
    "from importlib import import_module as g; g('random')",
    "from importlib import import_module as g; h = g",
    "from importlib import *; import_module('ran' + 'dom')",
    "import importlib; importlib.import_module('ran' + 'dom')",
    "import importlib; importlib.reload(x)",
    "import importlib; x = importlib",
    "__import__('importlib').import_module('x')",
    "import builtins",
    "import runpy",
    "import statistics; statistics.random",
    "from statistics import random",
    "import numpy.random",
    "import numpy as np; np.random.rand()",
    "import statistics; getattr(statistics, 'ran' + 'dom')",
    "import statistics; g = getattr; g(statistics, 'ran' + 'dom')",
    "import statistics, operator; operator.attrgetter('ran' + 'dom')(statistics)",
    "from operator import attrgetter as a; import statistics; a('ran' + 'dom')(statistics)",
    "import sys; sys.modules['ran' + 'dom']",
    "from sys import modules",
    "eval('1')",
    "exec(x)",
    "compile(x, '', 'exec')",
    "map(eval, x)",
    "globals()['x']",
    "locals()",
    "vars()",
    "__builtins__",
    "().__class__.__base__.__subclasses__()",
    "f.__globals__",
    "from \uff52andom import x",
    "import \uff52andom",
    "\u00e9 = 1\nimport random",
]

KEEPS = [
    "def f(x):\n    return x",
    "import math; math.sqrt(2)",
    "from collections import Counter, defaultdict",
    "import re; re.compile('x')",
    "def f(time, random):\n    return time.environ + random.path",
    "import os; os.getcwd()",
    "import os; hasattr(os, 'getcwd')",
    "import sys; sys.setrecursionlimit(10)",
    "x.random = 1",
    "import string\ndef f(string):\n    return len(string)",
    "class A:\n    def compile(self):\n        return self.eval()",
    "__import__('math').sqrt(2)",
    "import importlib; importlib.import_module('math')",
    "getattr(x, y)",
    "vars(self)",
    "'random time os.environ'",
    "# import random",
    "randomly = 1",
    "\u00e9 = 'random'",
]


@pytest.mark.parametrize("program", BREAKS)
def test_a_ban_holds_however_it_is_spelt(program):
    assert check_program(program)


@pytest.mark.parametrize("program", KEEPS)
def test_other_programs_are_left_alone(program):
    assert check_program(program) is None


def test_the_reason_names_the_ban_and_the_line():
    assert check_program("x = 1\nimport random") == "'random' is banned (line 2)"
    assert check_program("import os\n\nos.environ") == "'os.environ' is banned (line 3)"


@pytest.mark.parametrize("program", ["import random def", "def f(:", "\0 import random", "\ud800"])
def test_text_that_does_not_parse_is_left_to_the_sandbox(program):
    assert check_program(program) is None


def test_imports_can_be_forbidden_altogether():
    policy = Policy(frozenset(), frozenset(), allow_imports=False)
    for program in ("import math", "from math import sqrt", "__import__('math')"):
        assert "imports are not allowed" in check_program(program, policy)
    assert check_program("x = 1", policy) is None
    assert check_program("x = __import__", policy)


def test_without_bans_everything_passes():
    policy = Policy(frozenset(), frozenset())
    for program in BREAKS:
        assert check_program(program, policy) is None


def test_names_and_statements_can_be_banned():
    policy = Policy(frozenset(), frozenset({"raise", "sum", "math.sqrt", "factorial"}))
    for program in (
        "def f():\n    raise ValueError",
        "sum([1])",
        "import math; math.sqrt(2)",
        "from math import sqrt",
        "from math import factorial as g",
        "from math import *\nfactorial(3)",
    ):
        assert check_program(program, policy)
    for program in ("import math; math.floor(2)", "x.sum()", "praise = 1"):
        assert check_program(program, policy) is None


def test_a_program_too_long_or_too_deep_is_refused_quickly():
    assert "more than" in check_program("x" * 100_001)
    assert check_program("x" * 11, replace(DEFAULT_POLICY, max_program_chars=10))
    start = process_time()
    for program in (
        "-" * 90_000 + "1 # random",
        "random" + ".x" * 40_000,
        "random" + "+a" * 40_000,
        "random = " + "not " * 20_000 + "x",
        "random" + "(x)" * 10_000,
    ):
        assert "too deeply nested" in check_program(program)
    assert process_time() - start < 3


@pytest.mark.parametrize(
    "source",
    [
        "",
        "1, x=2",
        "f('hello')",
        "f(3) + f(33)",
        "f",
        "[x * 2 for x in range(3)]",
        "'test'.upper(), 10",
        "{'k': lambda x: x * 2}",
        "*[1, 2], **{'a': 1}",
        "list(map(lambda v: -v, [1]))",
        "Counter('abc'), collections.deque([1])",
        "'{}'.format(3)",
        "1 # comment",
        "(1,\n 2)",
        "ValueError('x')",
    ],
)
def test_an_input_may_be_a_harmless_expression(source):
    assert check_expression(source, DEFAULT_POLICY, "f") is None


@pytest.mark.parametrize(
    "source",
    [
        "1) or (True",
        "0), (1",
        "0)\nTrue #",
        "0)(1",
        "0).x(1",
        "0) if 1 else f(1",
        "0);g(",
        "0)\n#",
        "0) #",
        "0)\n_(1",
        "1 +",
        "\0",
        "eval('1')",
        "map(eval, ['1'])",
        "[eval for eval in [1]]",
        "open('a')",
        "print(1)",
        "type(1)",
        "getattr",
        "g(1)",
        "x",
        "os.environ",
        "random.random()",
        "datetime.datetime.now()",
        "[].__class__",
        "().__init__",
        "f.__globals__",
        "f._x",
        "__name__",
        "lambda __x: 1",
        "(lambda: 1)()",
        "(x := 1)",
        "(yield)",
        "'{0.__class__}'.format(1)",
        "x.format(1)",
        "-" * 90_000 + "1",
        "1" * 100_001,
    ],
    ids=lambda source: ascii(source[:30]),
)
def test_an_input_stays_in_its_brackets_and_away_from_inner_names(source):
    assert check_expression(source, DEFAULT_POLICY, "f")


def test_the_policy_describes_itself_as_json():
    described = describe(DEFAULT_POLICY)
    assert json.loads(json.dumps(described)) == described
    assert described["banned_modules"] == sorted(AZR_BANNED_MODULES)
    assert described["banned_names"] == ["compile", "eval", "exec"]
    assert described["allow_imports"] is True
