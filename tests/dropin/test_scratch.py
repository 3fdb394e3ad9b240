"""Scripts leave nothing, reach nothing, and forge nothing: in the same sandboxes as everything."""

import json
import time

import pytest

from contract.live import LiveService, host_processes, processes, request
from executor_service.sandbox.runner.frames import LANES
from executor_service.sandbox.runs import Limits
from executor_service.sandbox.scripts import ScriptRequest

LOOK = """
import json, os
found = []
for folder, folders, files in os.walk('/tmp'):
    found += [os.path.join(folder, name) for name in folders + files]
print(json.dumps(sorted(found)))
"""
CLEAN = ["/tmp/run", "/tmp/run/script.py"]
DEEP = """
import os
for _ in range(900):
    os.mkdir('x' * 200); os.chdir('x' * 200)
"""
ODD = """
import os
os.makedirs('a/b/c')
for name in (b'\\xff\\xfe', b'\\n', b' ', b'-rf', b'...'):
    open(name, 'w').write('x')
    open(b'a/b/' + name, 'w').write('x')
os.chmod('a/b/c', 0); os.chmod('a/b', 0); os.chmod('a', 0); os.chmod('/tmp/run', 0)
"""
MANY = "import tempfile\nfor _ in range(900): tempfile.mkdtemp()"
LARGE = "open('x', 'wb').write(bytes(12 << 20))"


def run(service: LiveService, source: str, **fields):
    limits = Limits(**{name: fields.pop(name) for name in Limits.__slots__ if name in fields})
    return service.wait(service.pool.run_script(ScriptRequest(source, limits=limits, **fields)))


@pytest.fixture(scope="module")
def one(settings_for):
    """A service with one sandbox: what a run leaves, the next one could find."""
    live = LiveService(settings_for(slots=1))
    yield live
    live.close()


@pytest.mark.parametrize("source", [DEEP, ODD, MANY, LARGE], ids=["deep", "odd", "many", "large"])
def test_no_file_outlives_its_script(one, source):
    before = one.sandboxes()
    assert run(one, source).status == "ok"
    assert json.loads(run(one, LOOK).stdout) == CLEAN
    assert one.sandboxes() == before


def test_no_file_outlives_a_script_that_was_killed(one):
    source = "import os\nos.makedirs('a/b')\nopen('a/c', 'w').write('x')\nwhile True: pass"
    assert run(one, source, cpu_seconds=0.2).status == "timeout"
    assert json.loads(run(one, LOOK).stdout) == CLEAN


def test_a_script_and_a_program_leave_each_other_nothing(one):
    made = "import os\ndef f(): return os.listdir('/tmp')"
    assert run(one, "open('/tmp/x', 'w').write('1')").status == "ok"
    seen = one.run(request(made))
    assert seen.status == "runtime_error" or seen.values[0]["v"] == []
    denied = one.run(request("def f(): open('/tmp/run/x', 'w')"))
    assert denied.status == "runtime_error"


def test_the_scratch_is_of_bounded_size(one):
    source = "with open('x', 'wb') as f:\n    for _ in range(64): f.write(bytes(1 << 20))"
    result = run(one, source)
    assert result.exit_code == 1
    assert "No space left" in result.stderr or "File too large" in result.stderr
    source = "for n in range(10**6): open(f'{n}', 'w').close()"
    result = run(one, source)
    assert result.limit == "files" or "No space left" in result.stderr
    assert json.loads(run(one, LOOK).stdout) == CLEAN


def test_nothing_can_be_written_but_in_the_scratch_and_no_links_made(service):
    source = """
import os
made = []
for folder in ('/', '/dev', '/dev/shm', '/var/tmp', '/run', '/proc/self', '/usr/lib', '/opt',
               '/etc'):
    for action in (lambda: open(folder + '/x', 'w').close(), lambda: os.mkdir(folder + '/x'),
                   lambda: os.rename('/tmp/run/script.py', folder + '/x')):
        try:
            action()
            made.append(folder)
        except OSError:
            pass
open('file', 'w').close()
for action in (os.symlink, os.link):
    try:
        action('/etc/passwd' if action is os.symlink else 'file', 'link')
        made.append(action.__name__)
    except OSError:
        pass
for kind in (os.mkfifo, os.mknod):
    try:
        kind('node')
        made.append(kind.__name__)
    except OSError:
        pass
print(made)
"""
    assert run(service, source).stdout == "[]\n"


def test_what_a_script_wants_back_is_a_file_of_its_own_or_nothing(service):
    source = "import os\nos.mkdir('d')\nopen('f', 'w').write('x')\nopen('.stdin', 'w').write('y')"
    wanted = ("d", "f", "d/f", "f/f", ".stdin", "script.py", "x" * 200)
    result = run(service, source, fetch=wanted, stdin="z")
    assert dict(result.files) == {"f": b"x", ".stdin": b"y", "script.py": source.encode()}


def test_a_script_finds_no_descriptor_but_its_three(service):
    source = """
import os, stat
for number in range(1024):
    try:
        print(number, stat.S_ISFIFO(os.fstat(number).st_mode))
    except OSError:
        pass
for number in range(3, 1024):
    try:
        os.write(number, b'\\x00' * 100)
        print('wrote', number)
    except OSError:
        pass
"""
    assert run(service, source).stdout == "0 False\n1 True\n2 True\n"
    assert run(service, source, stdin="x").stdout == "0 False\n1 True\n2 True\n"


@pytest.mark.parametrize(
    "source",
    [
        'print(\'{"status": "Success", "exit_code": 0}\')\nraise SystemExit(7)',
        "import os\nos.write(1, bytes(range(256)) * 9)\nos._exit(7)",
        "import sys\nsys.stdout.buffer.write(b'\\x01\\x00\\x00\\x00\\x00\\x00' * 50)\nsys.exit(7)",
    ],
)
def test_printing_a_report_changes_nothing_in_the_report(service, source):
    result = run(service, source)
    assert (result.status, result.exit_code, result.files) == ("runtime_error", 7, ())


@pytest.mark.parametrize(
    "source",
    [
        "import os\nif os.fork() == 0:\n    while True: pass",
        "import subprocess\nsubprocess.Popen(['sleep', '60'])",
        "import multiprocessing as m\nm.Process(target=print, daemon=True).start()",
        "import threading\nthreading.Thread(target=print).start()",
        "import os\nos.posix_spawn('/bin/sleep', ['sleep', '60'], {})",
    ],
)
def test_nothing_can_be_left_running(one, source):
    result = run(one, source)
    assert result.status in ("runtime_error", "security_violation")
    one.settle()
    (sandbox,) = one.sandboxes()
    everyone = processes(sandbox, None if "docker" in one.settings.backend else host_processes())
    # The supervisor, and each zygote with its parked children: no more of any.
    zygotes = [process for process in everyone if process.parent == everyone[0].pid]
    assert len(everyone) <= 1 + len(zygotes) * (1 + LANES)


def test_scripts_see_neither_the_host_nor_the_harness(service):
    source = """
import os
for path in ('/etc/passwd', '/root', '/proc/1/environ', '/proc/self/environ', '/proc/self/mem',
             '/opt/azr-runner/runner/child.py'):
    try:
        open(path).read() if not os.path.isdir(path) else os.listdir(path)
        print(path)
    except OSError:
        pass
print(sorted(name for name in os.environ if name.startswith(('PYTHON', 'LD_', 'FAKETIME'))))
"""
    seen = run(service, source).stdout.splitlines()
    assert seen[-1] == "[]"
    assert not {"/root", "/proc/1/environ", "/proc/self/environ", "/proc/self/mem"} & set(seen)


def test_scripts_have_one_hash_seed_and_the_real_time(service):
    source = "import time\nprint(hash('a'), time.time())"
    began = time.time()
    first, second = (run(service, source).stdout.split() for _ in range(2))
    assert first[0] == second[0]
    assert began <= float(first[1]) <= float(second[1]) <= time.time()


def test_a_script_may_bring_twelve_mebibytes_and_read_them(service):
    text = "line\n" * (9 * 2**20 // 5)
    result = run(service, "import sys\nprint(len(sys.stdin.read()))", stdin=text, memory_mb=512)
    assert result.stdout == f"{len(text)}\n"
