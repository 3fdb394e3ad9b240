"""The child process that asks math-verify: a line of JSON in, ``correct`` or ``wrong`` out."""

import json
import logging
import resource
import sys
from importlib import import_module
from typing import Any, Final

MEMORY_BYTES: Final = 4 << 30


def main() -> None:
    """Answer lines until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    logging.disable(logging.CRITICAL)  # the library warns of the time limits that we leave off
    answers = sys.stdout
    # Whatever else is printed is not an answer.
    sys.stdout = sys.stderr
    math_verify = import_module("math_verify")

    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            right = any(_same(math_verify, gold, asked["response"]) for gold in asked["answers"])
        except Exception:
            right = False
        print("correct" if right else "wrong", file=answers, flush=True)


def _same(math_verify: Any, gold: str, response: str) -> bool:
    """Compare without math-verify's own time limits: they are signals, and can be caught."""
    found = math_verify.parse(response, parsing_timeout=None)
    wanted = math_verify.parse(_in_a_box(gold), parsing_timeout=None)
    return bool(math_verify.verify(wanted, found, timeout_seconds=None))


def _in_a_box(gold: str) -> str:
    return gold if "\\boxed" in gold or "$" in gold else f"\\boxed{{{gold}}}"


if __name__ == "__main__":
    main()
