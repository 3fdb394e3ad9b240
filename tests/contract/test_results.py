"""What comes back from a run: value, output, error place, usage; and what a program may import."""

import time

import pytest

from contract.live import LiveService, request
from executor_service.typed.render import render


def value_of(service: LiveService, source: str, arguments: str = "", **fields: object) -> str:
    """Return the repr text of ``f(arguments)``, which must be ok."""
    result = service.run(request(source, arguments, **fields))
    assert result.status == "ok", result
    return render(result.values[0])


@pytest.mark.parametrize(
    "text",
    ["None", "True", "1", "-7", "1.5", "'é\\n'", "b'ab'", "[1, (2,), {3}, {'a': [4]}]",
     "range(0, 3)", "(1+2j)", "'\\udc80'", "[]", "()", "set()", "frozenset({1})", "nan", "-0.0"],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(service: LiveService, text: str) -> None:
    source = "nan = float('nan')\ndef f(x): return x"
    assert value_of(service, source, text) == text


def test_stdout_and_stderr_come_back_apart(service: LiveService) -> None:
    source = """
import sys
def f():
    print('out é')
    print('err', file=sys.stderr)
    sys.stdout.write('no newline')
"""
    result = service.run(request(source))
    assert (result.status, result.stdout, result.stderr) == ("ok", "out é\nno newline", "err\n")


def test_lone_surrogates_and_nul_can_be_printed(service: LiveService) -> None:
    result = service.run(request("def f():\n    print('a\\ud800\\0b')\n    return '\\udfff'"))
    assert result.status == "ok"
    assert result.stdout == "a\\ud800\0b\n"
    assert result.values[0] == {"t": "str", "v": "\udfff"}


def test_output_that_is_not_utf8_is_replaced_not_refused(service: LiveService) -> None:
    result = service.run(request("import os\ndef f():\n    os.write(1, b'a\\xff\\xfeb')"))
    assert (result.status, result.stdout) == ("ok", "a\ufffd\ufffdb")


def test_output_printed_before_a_failure_comes_back(service: LiveService) -> None:
    result = service.run(request("def f():\n    print('so far')\n    raise ValueError"))
    assert (result.status, result.stdout) == ("runtime_error", "so far\n")


def test_usage_is_of_this_run_and_in_its_units(service: LiveService) -> None:
    started = time.monotonic()
    source = """
import time
def f():
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    time.sleep(0.1)
"""
    usage = service.run(request(source)).usage
    elapsed_ms = (time.monotonic() - started) * 1000
    assert 90 <= usage.cpu_ms <= usage.wall_ms + 20
    assert 190 <= usage.wall_ms <= elapsed_ms
    assert 1_000 < usage.max_rss_kb < 100_000


def test_import_lines_come_first_and_do_not_move_line_numbers(service: LiveService) -> None:
    source = "def f(x):\n    y = sqrt(x)\n    return floor(y) // 0"
    result = service.run(
        request(source, "16.0", imports=("from math import sqrt", "from math import floor"))
    )
    assert result.status == "runtime_error"
    assert result.error is not None
    assert (result.error.type, result.error.line) == ("ZeroDivisionError", 3)


def test_a_syntax_error_names_the_line(service: LiveService) -> None:
    result = service.run(request("def f():\n    return 1\nx = = 2"))
    assert result.status == "invalid_program"
    assert result.error is not None
    assert "line 3" in result.error.message


@pytest.mark.parametrize(
    "module", ["csv", "zoneinfo", "difflib", "ipaddress", "uuid", "tomllib", "asyncio", "sqlite3"]
)
def test_a_module_that_no_zygote_holds_is_imported_late(service: LiveService, module: str) -> None:
    source = f"import sys\nWAS = {module!r} in sys.modules\nimport {module}\ndef f(): return WAS"
    assert value_of(service, source) == "False"


@pytest.mark.parametrize(
    ("imports", "body", "value"),
    [
        ("import numpy as np", "int(np.arange(4).sum())", "6"),
        ("import numpy as np", "np.linalg.det(np.eye(3)).item()", "1.0"),
        ("import sympy", "str(sympy.factor(sympy.Symbol('x') ** 2 - 1))", "'(x - 1)*(x + 1)'"),
        ("from fractions import Fraction", "Fraction(1, 3) + 1", "Fraction(4, 3)"),
        ("import random", "random.Random(1).randint(1, 9) in range(1, 10)", "True"),
    ],
)
def test_common_libraries_are_there_before_the_program(
    service: LiveService, imports: str, body: str, value: str
) -> None:
    module = imports.split()[1]
    source = f"import sys\nWAS = {module!r} in sys.modules\n{imports}\ndef f(): return WAS, {body}"
    assert value_of(service, source) == f"(True, {value})"
    again = service.run(request(source))
    assert again.usage.cpu_ms < 60, "an import of numpy alone takes more"


def test_several_calls_get_fresh_arguments_and_share_the_module(service: LiveService) -> None:
    source = "calls = []\ndef f(x):\n    calls.append(1)\n    x.append(0)\n    return x, len(calls)"
    for sent in (
        request(source, "[1]", calls=3),
        request(
            source, expression=None, calls=3, args=({"t": "list", "v": [{"t": "int", "v": "1"}]},)
        ),
    ):
        result = service.run(sent)
        assert [render(value) for value in result.values] == [
            "([1, 0], 1)", "([1, 0], 2)", "([1, 0], 3)",
        ]  # fmt: skip


def test_execute_runs_each_input_in_a_process_of_its_own(service: LiveService) -> None:
    body = {
        "program": "seen = []\ndef f(x):\n    seen.append(x)\n    return seen",
        "inputs": ["1", "2", "*[3]", "x=4", "sum([5])", "1 // 0"],
    }
    outcomes = service.carry_out("execute", body)["outcomes"]
    assert [outcome["output"] for outcome in outcomes] == ["[1]", "[2]", "[3]", "[4]", "[5]", None]
    assert outcomes[-1]["status"] == "runtime_error"
    assert outcomes[-1]["error"]["type"] == "ZeroDivisionError"


def test_another_entry_point_is_called_by_its_name(service: LiveService) -> None:
    source = "f = None\ndef solve(a, *, b): return a - b\nclass Made(Exception): pass"
    assert value_of(service, source, "5, b=3", entry_point="solve") == "2"
    assert value_of(service, source, "'x'", entry_point="Made") == "Made('x')"
