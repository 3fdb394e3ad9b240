"""Class E: changing the harness from within."""

from attacks.arena import Attack, judge, params
from contract.live import LiveService

GUESS = '["ok",[{"t":"str","v":"GOLD"}]]'
ATTACKS = [
    Attack("E44", """
import builtins, json, pickle, signal, sys, time
time.time = time.monotonic = time.process_time = lambda: 0.0
json.dumps = json.loads = pickle.dumps = pickle.loads = lambda *a, **k: 'true'
builtins.print = builtins.all = builtins.any = builtins.isinstance = lambda *a, **k: True
builtins.type = builtins.str = builtins.int = lambda *a, **k: True
sys.stdout = sys.stderr = sys.stdin = None
def f(): return 'x'
""", "runtime_error"),
    Attack("E44", "import signal\nfor n in range(1, 65):\n"
           "    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
           "def f():\n    signal.alarm(0)\n    while True: pass", "timeout"),
    Attack("E44", "import sys\ndef trace(frame, event, arg):\n"
           "    frame.f_locals.update(expected=1, correct=True)\n    return trace\n"
           "sys.settrace(trace)\nsys.setprofile(trace)\ndef f(): return 'x'"),
    Attack("E44", "import sys\ndef trace(frame, event, arg):\n"
           "    if event == 'return': sys.exit(0)\n    return trace\n"
           "def f():\n    sys.settrace(trace)\n    sys._getframe().f_back.f_trace = trace\n"
           "    return 'x'", "runtime_error"),
    Attack("E44", "import sys\nenc = sys.modules['runner.encode']\n"
           "enc.Encoder.encode = lambda *a: '{\"t\":\"str\",\"v\":\"GOLD\"}'\n"
           "def f(): return 'x'"),
    Attack("E44", "import sys\np = sys.modules['runner.program']\n"
           f"p.run = lambda request: {GUESS!r}\ndef f(): return 'x'"),
    Attack("E44", "import sys\nsys.modules['runner.child'].send_result = lambda text: None\n"
           "def f(): return 'x'"),
    Attack("E44", "import sys\nc = sys.modules['runner.child']\nold = c.send_result\n"
           "def twice(text):\n    old(text)\n    old(text)\nc.send_result = twice\n"
           "def f(): return 'x'"),
    Attack("E44", "import os\nos.write = os._exit = os.close = lambda *a: 0\ndef f(): return 'x'",
           "timeout"),
    Attack("E45", "import importlib, os, posix, sys\nimportlib.reload(os)\n"
           "def f(): posix.kill(posix.getppid(), 9)", "security_violation"),
    Attack("E45", "def f():\n    for c in ().__class__.__bases__[0].__subclasses__():\n"
           "        if c.__name__ == '_wrap_close':\n"
           "            return c.__init__.__globals__['system']('echo GOLD')\n"),
    Attack("E45", "def f(): return __loader__.load_module('posix').execv('/bin/sh', ['sh'])",
           "runtime_error"),
    Attack("E45", "def f():\n    import posix\n    posix.execv('/bin/sh', ['sh'])",
           "security_violation"),
    Attack("E46", "import sys\nclass Finder:\n    def find_spec(self, name, path, target=None):\n"
           "        sys.exit(0)\nsys.meta_path.insert(0, Finder())\n"
           "import nosuch\ndef f(): return 'x'", "runtime_error", "SystemExit"),
    Attack("E46", "import sys\nsys.path[:] = ['/tmp']\nsys.modules.clear()\n"
           "def f():\n    import json\n    return 'x'", "runtime_error"),
    Attack("E46", "import sys\nfor name in list(sys.modules): sys.modules[name] = None\n"
           "def f(): return 'x'"),
    Attack("E46", "open('json.py', 'w').write('dumps = lambda x: 1')\ndef f(): return 'x'",
           "runtime_error"),
    Attack("E47", "def f():\n    while True:\n        try:\n            while True: pass\n"
           "        except: pass\n        finally: continue", "timeout"),
    Attack("E48", "import sys\nsys.setrecursionlimit(10**9)\n"
           "def f(x=0): return sorted([1], key=f)", "runtime_error"),
    Attack("E48", "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n"
           "    def __getattr__(self, name): return getattr(self, name + 'x')\n"
           "def f(): return A().a", "runtime_error"),
    Attack("E48", "def f():\n    x = []\n    for _ in range(10**6): x = [x]\n    return repr(x)",
           "runtime_error", "RecursionError", limits={"cpu_seconds": 5.0, "memory_mb": 256}),
    Attack("E48", "import re\ndef f(): return re.match('(' * 5000 + ')' * 5000, '')",
           "runtime_error"),
    Attack("E49", "import sys\nenc = sys.modules['runner.encode'].Encoder.encode\n"
           "enc.__code__ = (lambda self, value, depth=0: "
           "'{\"t\":\"str\",\"v\":\"GOLD\"}').__code__\n"
           "def f(): return 'x'"),
    Attack("E49", "import ctypes\ndef f():\n    ctypes.memset(id(True) + 16, 0, 12)\n"
           "    ctypes.memset(id(1) + 24, 2, 1)\n    return 'x'"),
    Attack("E49", "import ctypes\ndef f(): return ctypes.memset(id(type(None)), 255, 4096)",
           "runtime_error"),
    Attack("E49", "import ctypes\ndef f():\n    address = ctypes.cast(ctypes.CDLL(None).write, "
           "ctypes.c_void_p).value\n    ctypes.memset(address, 0xC3, 16)\n    return 'x'",
           "runtime_error", "SIGSEGV"),
    Attack("E50", "import sys\nseen = []\nsys.addaudithook(lambda *a: seen.append(a))\n"
           "def f():\n    open('/usr/lib/none') if 0 else None\n"
           "    return [x for x in map(repr, seen) if 'GO' + 'LD-' in x]"),
    Attack("E50", "import sys\ndef hook(*a): raise RuntimeError\nsys.addaudithook(hook)\n"
           "def f(): return open('/dev/null').read()", "runtime_error"),
    Attack("E51", "import threading, time\n"
           "threading.Thread(target=time.sleep, args=(60,)).start()\ndef f(): return 'x'",
           "process_limit"),
    Attack("E51", "import json, math, re, sys\njson.dumps = math.sqrt = re.match = None\n"
           "sys.modules['numpy'] = sys.modules['decimal'] = json\ndef f(): return 'x'"),
    Attack("E51", "import gc, sys\nfor o in gc.get_objects():\n"
           "    if type(o) is dict and '__name__' in o:\n"
           "        o.setdefault('expected', 1)\n        o.setdefault('gold', 1)\n"
           "def f(): return 'x'"),
]  # fmt: skip


@params(ATTACKS)
def test_a_patched_harness_is_worth_nothing(service: LiveService, attack: Attack) -> None:
    limits = {"cpu_seconds": 0.5} | attack.limits
    judge(service, Attack(**{**vars(attack), "limits": limits}))
