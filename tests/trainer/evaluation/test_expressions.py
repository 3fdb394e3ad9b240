"""Mathematics: boxes, and computer algebra that is cut off when it takes too long."""

import asyncio
import sys
import time
from importlib.util import find_spec

import pytest

from trainer_client.errors import ConfigError
from trainer_client.evaluation.judging.boxed import boxed_integer, last_boxed
from trainer_client.evaluation.judging.expressions import WORKER, ExpressionChecker

STANDIN = """
import json, sys, time
print("ready", flush=True)
for line in sys.stdin:
    response = json.loads(line)["response"]
    if response == "hang":
        time.sleep(1000)
    if response == "die":
        sys.exit(1)
    print(response, flush=True)
"""
with_math_verify = pytest.mark.skipif(
    find_spec("math_verify") is None, reason="math-verify (extra eval) is not installed"
)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("so \\boxed{204}.", "204"),
        ("\\boxed{1} and \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\fbox{3}", "3"),
        ("\\boxed{never ends", None),
        ("no box", None),
    ],
)
def test_the_last_box_counts(text, inside):
    assert last_boxed(text) == inside


@pytest.mark.parametrize(
    ("inside", "value"),
    [("204", 204), ("033", 33), ("1,024", 1024), ("27.0", 27), ("\\text{12}", 12), ("-3", -3),
     (" 7\\, ", 7), ("45^\\circ", 45), ("$8$", 8), ("1.5", None), ("x", None), ("1,2", None),
     ("", None), ("9" * 31, None)],
)  # fmt: skip
def test_integers_are_read_exactly(inside, value):
    assert boxed_integer(f"\\boxed{{{inside}}}") == value


def checked(command, responses, answers=("1",), seconds=0.5):
    async def run():
        checker = ExpressionChecker(seconds, command)
        try:
            return [await checker.check(answers, response) for response in responses]
        finally:
            await checker.aclose()

    return asyncio.run(run())


def test_an_answer_that_hangs_is_cut_off_and_the_next_one_is_judged():
    start = time.monotonic()
    found = checked((sys.executable, "-c", STANDIN), ["correct", "hang", "wrong", "die", "correct"])
    assert found == ["correct", "timeout", "wrong", "crashed", "correct"]
    assert time.monotonic() - start < 60


def test_the_event_loop_goes_on_while_an_answer_hangs():
    async def run():
        checker = ExpressionChecker(1.0, (sys.executable, "-c", STANDIN))
        ticks = 0
        check = asyncio.create_task(checker.check(["1"], "hang"))
        while not check.done():
            await asyncio.sleep(0.05)
            ticks += 1
        await checker.aclose()
        return await check, ticks

    status, ticks = asyncio.run(run())
    assert status == "timeout"
    assert ticks > 5


@pytest.mark.skipif(find_spec("math_verify") is not None, reason="math-verify is installed")
def test_without_the_library_the_extra_is_named():
    with pytest.raises(ConfigError, match="extra `eval`"):
        asyncio.run(ExpressionChecker(1.0).check(["1"], "1"))


@with_math_verify
def test_math_verify_knows_equal_expressions_and_cannot_hang():
    found = checked(
        WORKER,
        ["\\boxed{0.5}", "\\boxed{\\frac{2}{4}}", "\\boxed{2}", "\\boxed{9^{9^{9^{9^{9}}}}}",
         "\\boxed{\\frac12}"],
        answers=("\\frac{1}{2}",),
        seconds=5.0,
    )  # fmt: skip
    assert found[:3] == ["correct", "correct", "wrong"]
    assert found[3] in ("wrong", "timeout")
    assert found[4] == "correct"
