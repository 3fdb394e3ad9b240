"""The compiled seccomp filters answer exactly what the rules of the JSON files say.

The rules are read twice: by libseccomp, whose BPF a small interpreter runs, and by a few lines
here that know nothing of libseccomp.
"""

import errno
import platform
import struct
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from executor_service.sandbox import seccomp

PROGRAM = seccomp.load_profile("program")
CONTAINER = seccomp.load_profile("container")
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x50000, 0x80000000
WRITING = 0x400643  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, __O_TMPFILE
NEW_NAMESPACE = 0x7E020000  # every CLONE_NEW flag that clone takes


@cache
def compiled(name: str, allow_threads: bool = False) -> bytes:
    return seccomp.compile_bpf(seccomp.load_profile(name), allow_threads=allow_threads)


def interpret(code: bytes, number: int, args: tuple[int, ...]) -> int:
    """The action a filter answers to a native call: classic BPF, as much as libseccomp emits."""
    arch = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[platform.machine()]
    data = struct.pack("<iIQ6Q", number, arch, 0, *args)
    lines = list(struct.iter_unpack("<HBBI", code))
    at = accumulator = 0
    while True:
        op, yes, no, k = lines[at]
        at += 1
        if op == 0x20:  # load a word
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif op == 0x54:  # and
            accumulator &= k
        elif op == 0x05:  # jump
            at += k
        elif op == 0x06:  # return
            return k
        else:
            tests = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k}
            at += yes if tests[op] else no


def holds(check: seccomp.ArgCheck, args: tuple[int, ...]) -> bool:
    value, wanted = args[check.index], check.value
    match check.op.removeprefix("SCMP_CMP_"):
        case "MASKED_EQ":
            return value & wanted == check.value_two
        case "EQ":
            return value == wanted
        case "NE":
            return value != wanted
        case "LE":
            return value <= wanted
    raise AssertionError(check.op)


def meant(profile: seccomp.Profile, allow_threads: bool, name: str, args: tuple[int, ...]) -> set:
    """Every action the file's rules ask for, read without libseccomp."""
    found = {
        {"A": ALLOW, "E": ERRNO | (rule.errno_ret or 0), "K": KILL_PROCESS}[rule.action[9]]
        for rule in profile.rules(allow_threads=allow_threads)
        if name in rule.names and all(holds(check, args) for check in rule.args)
    }
    return found or {ERRNO | profile.default_errno_ret}


NAMES = sorted(
    {name for rule in PROGRAM.syscalls + CONTAINER.syscalls for name in rule.names}
    - set(seccomp.explain(PROGRAM).ignored)
    - set(seccomp.explain(CONTAINER).ignored)
)
CHECKED = sorted(seccomp.explain(PROGRAM).conditional)
FLAGS = st.sampled_from([0, 1, 2, 4, 8, 0x40, 0x100, 0x800, 0x10000, 0x400000, 0x20000000])
ARGUMENT = st.one_of(
    st.sampled_from([0, 1, 2, 3, 0x22, 0x3D0F00, 0x406, 0x5401, 0x5413, 0xFFFFFFFF, 2**64 - 1]),
    st.lists(FLAGS, max_size=4).map(sum),
    st.integers(0, 2**64 - 1),
)


@given(
    st.sampled_from(["program", "container"]),
    st.booleans(),
    st.one_of(st.sampled_from(NAMES), st.sampled_from(CHECKED)),
    st.tuples(*[ARGUMENT] * 6),
)
def test_a_compiled_filter_does_what_the_rules_of_the_file_say(profile, threads, name, args):
    number = seccomp._number(name)
    answer = interpret(compiled(profile, threads), number, args)
    actions = meant(seccomp.load_profile(profile), threads, name, args)
    # Rules that both refuse (two O_ flags, say) may overlap; an allowing one never does.
    assert answer in actions
    assert len(actions) == 1 or ALLOW not in actions


@given(st.integers(0, 2**32 - 1))
def test_no_flags_open_a_file_for_writing(flags):
    answer = interpret(compiled("program"), seccomp._number("openat"), (0, 0, flags, 0, 0, 0))
    assert answer == (ERRNO | errno.EROFS if flags & WRITING else ALLOW)


@given(st.integers(0, 2**64 - 1))
def test_no_filter_lets_clone_make_a_namespace(flags):
    for filter_ in (compiled("program"), compiled("program", True), compiled("container")):
        answer = interpret(filter_, seccomp._number("clone"), (flags, 0, 0, 0, 0, 0))
        assert answer != ALLOW or not flags & NEW_NAMESPACE


def test_what_a_run_may_call_the_container_may_call():
    run, container = seccomp.explain(PROGRAM, allow_threads=True), seccomp.explain(CONTAINER)
    reached = {*run.allowed, *run.conditional}
    assert reached <= {*container.allowed, *container.conditional}


def test_what_kills_in_the_container_kills_in_a_run():
    # Of two filters the sterner answer wins, so a call may not be a mere error in a run only.
    assert set(seccomp.explain(CONTAINER).killed) <= set(seccomp.explain(PROGRAM).killed)
