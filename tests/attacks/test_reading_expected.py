"""Class D: looking for the expected answer, which is not there."""

import re

import pytest

from attacks.arena import PREFIX, Attack, judge, new_gold, params
from attacks.test_escape import raw_call
from contract.live import LiveService, request
from executor_service.typed.render import render

# Walks over the process's memory page by page; access(2) tells which pages there are.
SCANNER = """
import ctypes, gc, re
PATTERN = re.compile(b'GO' + b'LD-[0-9a-f]{32}')
libc = ctypes.CDLL(None)
PAGE = 4096

def readable(address):
    # EFAULT where nothing is mapped, any other answer where something is.
    ctypes.set_errno(0)
    return access(ctypes.c_void_p(address), 0) != -1 or ctypes.get_errno() != 14

libc_errno = ctypes.CDLL(None, use_errno=True)
access = libc_errno.access

def regions():
    anchors = {id(item) >> 20: id(item) for item in gc.get_referents(*gc.get_objects())}
    for address in (ctypes.addressof(ctypes.c_int()), id('y' * 300000),
                    ctypes.cast(libc.malloc, ctypes.c_void_p).value):
        anchors[address >> 20] = address
    seen = set()
    for anchor in anchors.values():
        for step in (PAGE, -PAGE):
            page, holes = (anchor & -PAGE) + min(step, 0), 0
            while holes < 64:
                if page in seen:
                    break
                if readable(page):
                    seen.add(page)
                    yield page
                    holes = 0
                else:
                    holes += 1
                page += step

def scan():
    found, tail, last, pages = set(), b'', 0, 0
    for page in regions():
        data = ctypes.string_at(page, PAGE)
        pages += 1
        for hit in PATTERN.findall(tail + data if page == last + PAGE else data):
            found.add(hit.decode())
        tail, last = data[-64:], page
    return sorted(found), pages
"""
SEARCH = """
import gc, re, sys
PATTERN = re.compile('GO' + 'LD-[0-9a-f]{32}')

def texts(objects, limit=200_000):
    seen, stack = set(), list(objects)
    while stack and len(seen) < limit:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, str):
            yield item
        elif isinstance(item, (bytes, bytearray)):
            yield bytes(item).decode('latin1')
        try:
            stack.extend(gc.get_referents(item))
        except Exception:
            pass

def search(objects):
    return sorted({hit for text in texts(objects) for hit in PATTERN.findall(text)})
"""
DECOYS = [
    ("D34", SEARCH + """
def f(decoy):
    frames, frame = [], sys._getframe()
    while frame is not None:
        frames += [frame.f_locals, frame.f_globals, frame.f_builtins, frame.f_code]
        frame = frame.f_back
    return search(frames)
"""),
    ("D35", SEARCH + "def f(decoy): return search(gc.get_objects())"),
    ("D35", SEARCH + "def f(decoy):\n    gc.unfreeze()\n    return search(gc.get_objects())"),
    ("D36", SEARCH + """
def f(decoy):
    try:
        1 / 0
    except ZeroDivisionError as error:
        found, trace = [error, error.__context__], error.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            while frame is not None:
                found += [frame.f_locals, frame.f_globals]
                frame = frame.f_back
            trace = trace.tb_next
        return search(found)
"""),
    ("D37", SEARCH + """
def f(decoy): return search([*map(vars, sys.modules.values()), f, decoy])
"""),
    ("D37", SEARCH + """
import inspect
def f(decoy):
    frames = [info.frame for info in inspect.stack()] + list(sys._current_frames().values())
    return search([sys.modules['__main__'], sys.argv, *(frame.f_locals for frame in frames)])
"""),
    ("D41", SCANNER + """
def f(decoy):
    found, pages = scan()
    assert pages > 500
    return found
"""),
]  # fmt: skip
DENIED = [
    Attack("D38", "from reference import solution as f", "runtime_error", "ModuleNotFoundError"),
    Attack("D38", "from executor_service.verifier import verdicts\ndef f(): return 1",
           "runtime_error", "ModuleNotFoundError"),
    *[
        Attack("D39", f"def f(): return open({path!r}, 'rb').read()", "runtime_error")
        for path in ("/proc/1/environ", "/proc/1/cmdline", "/proc/self/mem", "/proc/self/maps",
                     "/proc/1/mem", "/proc/self/environ", "/proc/kcore", "/etc/shadow",
                     "/opt/azr-runner/tests/gold.json", "/proc/self/pagemap")
    ],
    Attack("D39", "import os\ndef f():\n    found = []\n"
           "    for folder, _, files in os.walk('/'):\n"
           "        if folder.startswith('/usr/lib'): continue\n"
           "        for name in files:\n"
           "            try: found.append(open(folder + '/' + name).read(10**6))\n"
           "            except (OSError, ValueError): pass\n"
           "    return [text for text in found if 'GO' + 'LD-' in text]"),
    Attack("D39", "import os\ndef f():\n    for pid in range(1, 300):\n"
           "        try: return open(f'/proc/{pid}/mem', 'rb').read(1)\n"
           "        except OSError: pass\n    raise LookupError('none')", "runtime_error", "none"),
    Attack("D43", "import faulthandler\ndef f():\n    faulthandler.enable()\n"
           "    faulthandler.dump_traceback()\n    return 1"),
    Attack("D43", "import os\ndef f(): return open('/proc/sys/kernel/core_pattern', 'w')",
           "runtime_error"),
    Attack("D42", "from glob import glob\n"
           "def f(): return glob('/dev/shm/*') + glob('/dev/mqueue/*')"),
    Attack("D42", "from multiprocessing import shared_memory as s\n"
           "def f(): return bytes(s.SharedMemory('gold').buf)", "runtime_error"),
    Attack("D37", "f = lambda: [c.cell_contents for c in (f.__closure__ or ())]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "program"), DECOYS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(DECOYS)]
)
def test_a_search_finds_what_the_program_was_given_and_no_gold(
    service: LiveService, number: str, program: str
) -> None:
    decoy = new_gold()
    gold = new_gold()
    verdict = judge(
        service,
        Attack(number, program, input=repr(decoy), output=repr([decoy, gold])),
    )
    assert verdict["got"] == repr([decoy]), "it finds the decoy, so it would have found the gold"
    assert gold not in str(verdict["got"])


@params(DENIED)
def test_there_is_nothing_to_read_elsewhere(service: LiveService, attack: Attack) -> None:
    judge(service, attack)


@pytest.mark.parametrize("number", ["D40"])
def test_no_residue_of_earlier_requests_is_in_a_later_run(
    service: LiveService, number: str
) -> None:
    del number
    earlier = [new_gold() for _ in range(6)]
    decoy = new_gold()
    writers = [
        request(
            f"SECRET = {token!r}\ndef f(x):\n    print(x)\n    return [x, SECRET] * 1000",
            repr(token),
        )
        for token in earlier
    ]
    readers = [
        request(SCANNER + "def f(decoy): return scan()[0]", repr(decoy)),
        request(SEARCH + "def f(decoy): return search(gc.get_objects())", repr(decoy)),
    ] * 2
    results = service.sequence(*writers, *readers)
    assert [result.status for result in results] == ["ok"] * 10
    for result in results[-4:]:
        assert render(result.values[0]) == repr([decoy])


@pytest.mark.parametrize("call", ["process_vm_readv", "ptrace", "kcmp", "pidfd_open"])
@pytest.mark.parametrize("number", ["D39"])
def test_reading_another_process_is_a_violation(
    service: LiveService, number: str, call: str
) -> None:
    judge(service, Attack(number, raw_call(call, 1, 0, 0, 0, 0, 0), "security_violation"))


def test_gold_tokens_are_what_the_searches_look_for() -> None:
    assert re.fullmatch(f"{PREFIX}[0-9a-f]{{32}}", new_gold())
