"""Reports of scripts: nothing in them is believed beyond what was asked for."""

import json
import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor_service.errors import ProtocolError
from executor_service.sandbox.runner import frames
from executor_service.sandbox.runs import Limits, Report, Usage
from executor_service.sandbox.scripts import FETCH_BYTES, ScriptRequest

REQUEST = ScriptRequest("1", fetch=("a", "b"))


def report(result=b"", ending=frames.EXITED, code=0, stdout=b"", stderr=b""):
    return Report(1, ending, code, Usage(), result, stdout, stderr)


def fetched(number, content, size=None):
    return frames.FETCHED.pack(number, len(content) if size is None else size) + content


@pytest.mark.parametrize(
    ("ending", "code", "status", "limit", "exit_code", "signal"),
    [
        (frames.EXITED, 0, "ok", None, 0, None),
        (frames.EXITED, 3, "runtime_error", None, 3, None),
        (frames.SIGNALED, 11, "runtime_error", None, None, "SIGSEGV"),
        (frames.SIGNALED, 31, "security_violation", None, None, "SIGSYS"),
        (frames.SIGNALED, 9, "memory_limit", None, None, "SIGKILL"),
        (frames.SIGNALED, 24, "timeout", "cpu_time", None, "SIGXCPU"),
        (frames.SIGNALED, 99, "runtime_error", None, None, "signal 99"),
        (frames.CPU_TIME, 0, "timeout", "cpu_time", None, None),
        (frames.WALL_TIME, 0, "timeout", "wall_time", None, None),
        (frames.STREAM_SIZE, 0, "output_limit", "stdout", None, None),
        (frames.STDERR_SIZE, 0, "output_limit", "stderr", None, None),
        (frames.SCRATCH_SIZE, 0, "output_limit", "files", None, None),
        (frames.CANCELLED, 0, "infra_error", None, None, None),
    ],
)
def test_every_ending_has_its_status(ending, code, status, limit, exit_code, signal):
    result = REQUEST.result(report(ending=ending, code=code, stdout=b"a\xff"))
    assert (result.status, result.limit) == (status, limit)
    assert (result.exit_code, result.signal) == (exit_code, signal)
    assert result.stdout == "a\ufffd"


@pytest.mark.parametrize("ending", [frames.FAULT, frames.RESULT_SIZE, 77])
def test_an_ending_that_no_script_can_have_is_the_sandboxs_fault(ending):
    with pytest.raises(ProtocolError):
        REQUEST.result(report(ending=ending))


def test_files_are_named_by_what_was_asked_for():
    data = fetched(1, b"x" * 100) + fetched(0, b"", frames.TOO_LARGE)
    result = REQUEST.result(report(data))
    assert result.files == (("b", b"x" * 100),)
    assert result.left_out == ("a",)


@pytest.mark.parametrize(
    "data",
    [b"x", fetched(2, b""), fetched(0, b"xx", 3), fetched(0, b"", 3), fetched(0, b"x") + b"\0"],
)
def test_files_that_are_not_whole_or_not_wanted_are_the_sandboxs_fault(data):
    with pytest.raises(ProtocolError):
        REQUEST.result(report(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_files_or_a_fault(data):
    try:
        result = REQUEST.result(report(data))
    except ProtocolError:
        return
    assert {name for name, _ in result.files} <= {"a", "b"}


def test_a_request_says_everything_in_its_frame():
    request = ScriptRequest(
        "print('\ud800ä')", "n.py", ("x",), "in", (("f", b"\0"),), ("o",), True,
        Limits(1.5, 2.5, 64, 1, 99),
    )  # fmt: skip
    frame = request.frame(7)
    kind, variant, _, run_id, cpu, wall, cap, stream, size = frames.REQUEST.unpack_from(frame)
    assert (kind, variant, run_id, cpu, wall, stream) == (frames.KIND_SCRIPT, 0, 7, 1500, 2500, 99)
    assert cap == FETCH_BYTES + frames.FETCHED.size
    rest = frame[frames.REQUEST.size :]
    (length,) = frames.LENGTH.unpack_from(rest)
    assert json.loads(rest[4 : 4 + length]) == {"fetch": ["o"], "strict": True}
    payload = rest[4 + length :]
    assert len(payload) == size
    assert marshal.loads(payload[4:]) == {
        "script": b"print('\xed\xa0\x80\xc3\xa4')", "name": "n.py", "args": ["x"], "stdin": b"in",
        "files": [("f", b"\0")], "memory_bytes": 64 << 20, "cpu_seconds": 1.5,
    }  # fmt: skip
