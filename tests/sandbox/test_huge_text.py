"""The interpreter's code in huge pages, each time in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from executor_service import sandbox
from executor_service.sandbox.interpreter import find_interpreter
from executor_service.sandbox.runner.huge_text import HUGE_PAGE, whole_huge_pages

_FOLDER = "import sys; sys.path.insert(0, {folder!r})\n"
PYTHONS = sorted({str(find_interpreter(None).executable), sys.executable})


def ran(python: str, program: str) -> list[str]:
    """Run a program that knows the runner's package; return the lines it printed."""
    text = _FOLDER.format(folder=str(Path(sandbox.__file__).parent)) + program
    done = subprocess.run(
        [python, "-I", "-c", text], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("python", PYTHONS)
def test_moved_code_still_runs_and_is_not_writable(python):
    program = """
from runner.huge_text import move_text, text_range, whole_huge_pages
start, end = whole_huge_pages(*text_range())
moved = move_text()
import decimal, json, os, re
print(json.dumps(str(decimal.Decimal(1) / 3)), re.sub('a', 'b', 'banana'))
pid = os.fork()
if pid == 0:
    os._exit(int(sum(range(10)) == 45))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(moved, max(end - start, 0))
for line in open('/proc/self/maps'):
    low, high = (int(number, 16) for number in line.split()[0].split('-'))
    if low < end and high > start:
        print(*line.split()[1::3])
"""
    shown, child, sizes, *maps = ran(python, program)
    assert shown == '"0.3333333333333333333333333333" bbnbnb'
    assert child == "1"
    moved, possible = map(int, sizes.split())
    assert moved in (0, possible)
    assert all("w" not in line for line in maps)
    if moved:
        assert maps == ["r-xp 0"], "one anonymous mapping instead of the file's"


def test_the_part_of_a_range_that_huge_pages_cover_is_never_larger_than_it():
    assert whole_huge_pages(HUGE_PAGE, 3 * HUGE_PAGE) == (HUGE_PAGE, 3 * HUGE_PAGE)
    assert whole_huge_pages(HUGE_PAGE - 1, 3 * HUGE_PAGE + 1) == (HUGE_PAGE, 3 * HUGE_PAGE)
    start, end = whole_huge_pages(HUGE_PAGE + 1, 2 * HUGE_PAGE - 1)
    assert end <= start
