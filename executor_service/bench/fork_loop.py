"""The floor that runs are measured against: fork, exit, wait, and nothing else.

The text of this file is handed to the sandbox's interpreter with ``-c``; standard library only. It
speaks the first frame of the runner's protocol, so that the backends need nothing new: a JSON
request in ({"seconds", "modules"}), a JSON answer out ({"forks", "seconds"}), each behind its
length as four bytes.
"""

import json
import os
import struct
import sys
import time
from typing import Any

_LENGTH = struct.Struct("<I")


def _read(count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            sys.exit(0)
        data += chunk
    return data


def measure(seconds: float) -> dict[str, Any]:
    """Fork for that long, one child after another; return how many and the time it took."""
    forks = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        forks += 20
    return {"forks": forks, "seconds": time.perf_counter() - started}


def main() -> None:
    """Answer one request."""
    request = json.loads(_read(_LENGTH.unpack(_read(_LENGTH.size))[0]))
    for name in request["modules"]:
        __import__(name)
    answer = json.dumps(measure(request["seconds"])).encode()
    os.write(1, _LENGTH.pack(len(answer)) + answer)
    # The host closes the stream when it has read that.
    os.read(0, 1)


if __name__ == "__main__":
    main()
