"""The floor that runs are measured against: fork, exit, wait, and nothing else.

The text of this file is handed to the sandbox's interpreter with ``-c``, the seconds to measure
for and the modules to import before as arguments; what it imports itself is built in, so that
``nothing imported`` means that. It speaks the first frames of the runner's protocol, so that the
backends need nothing new: a request comes (and is not read further), an answer goes out as JSON
({"forks", "seconds"}), each behind its length in four bytes.
"""

import os
import sys
import time


def _read(count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            sys.exit(0)
        data += chunk
    return data


def measure(seconds: float) -> tuple[int, float]:
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
    return forks, time.perf_counter() - started


def main() -> None:
    """Answer one request."""
    _read(int.from_bytes(_read(4), "little"))
    for name in sys.argv[2:]:
        __import__(name)
    forks, spent = measure(float(sys.argv[1]))
    answer = f'{{"forks": {forks}, "seconds": {spent!r}}}'.encode()
    os.write(1, len(answer).to_bytes(4, "little") + answer)
    # The host closes the stream when it has read that.
    os.read(0, 1)


if __name__ == "__main__":
    main()
