"""One script: run as ``__main__``, the way ``python3 script.py`` would run it.

Everything here executes in the throw-away child, before and after the script itself; nothing here
is a defence. A script reports by what it prints and by its exit status, and may print what it
likes: what that is worth is decided outside, by comparison.

Covered: source encodings, ``__file__``, ``sys.argv``, the script's directory on ``sys.path``,
standard input, tracebacks with source lines, exit statuses, ``atexit``, files left open.
Not covered: ``site`` and its hooks, a directory other than the scratch, further processes.
"""

import atexit
import builtins
import gc
import os
import sys
from types import ModuleType, TracebackType
from typing import Any, Final

from .frames import write_all
from .scratch import WORK

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_LOST_OUTPUT: Final = 120
"""The exit status of a Python that could not write the last of its output."""
_INTERRUPTED: Final = 130


def warm_up() -> None:
    """Add what ``site`` would: ``exit`` and ``quit``."""
    import site

    site.setquit()


def asked_for(request: dict[str, Any]) -> bool:
    """Tell whether a request is for a script."""
    return "script" in request


def prepare(request: dict[str, Any]) -> None:
    """Put the script, its files and its input into the scratch.

    Raises:
        OSError: There is no room, or a path does not work, which the host should have known.
    """
    os.mkdir(WORK, 0o700)
    os.chdir(WORK)
    files = [*request["files"], (request["name"], request["script"])]
    for path, content in files:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, 0o700, exist_ok=True)
        _write(path, content)
    del request["files"][:]
    if request["stdin"]:
        # A file and no pipe: it holds any amount, and nobody has to be there to fill it.
        _write(".stdin", request["stdin"])
        descriptor = os.open(".stdin", os.O_RDONLY)
        os.unlink(".stdin")
        os.dup2(descriptor, 0)
        os.close(descriptor)
        request["stdin"] = b""


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, _CREATE, 0o600)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)


def run(request: dict[str, Any]) -> int:
    """Run the script; return its exit status."""
    path = f"{WORK}/{request['name']}"
    source, arguments = request["script"], request["args"]
    request.clear()
    module = ModuleType("__main__")
    module.__dict__.update({"__file__": path, "__builtins__": builtins, "__cached__": None})
    sys.modules["__main__"] = module
    sys.argv[:] = [path, *arguments]
    sys.path.insert(0, WORK)
    status = _execute(source, path, module)
    return _finish(status, module)


def _execute(source: bytes, path: str, module: ModuleType) -> int:
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        return 0
    except SystemExit as leaving:
        return _exit_status(leaving.code)
    except BaseException as error:
        trace = error.__traceback__
        _show(error, trace.tb_next if trace is not None else None)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _exit_status(code: object) -> int:
    """Return the exit status that ``sys.exit(code)`` stands for."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        print(code, file=sys.stderr)
    except BaseException:  # noqa: S110 - a program's own __str__
        pass
    return 1


def _show(error: BaseException, trace: TracebackType | None) -> None:
    # The hook shows what the exception itself has; our own frames are not part of it.
    BaseException.with_traceback(error, trace)
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException:
        sys.__excepthook__(type(error), error, trace)


def _finish(status: int, module: ModuleType) -> int:
    """End as an interpreter does: threads, exit functions, what is left open, output."""
    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        _show(error, error.__traceback__)
    lost = not _flush()
    # What the script left open is closed, and thereby written, with its last reference.
    module.__dict__.clear()
    gc.collect()
    lost = not _flush() or lost
    return _LOST_OUTPUT if lost and status == 0 else status


def _flush() -> bool:
    """Write what is buffered for stdout and stderr; return whether that worked."""
    done = True
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BaseException:
            done = False
    return done
