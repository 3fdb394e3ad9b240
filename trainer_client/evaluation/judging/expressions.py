"""`ExpressionChecker`: math-verify in a process that is killed when it takes too long.

Computer algebra has inputs that it never finishes, and a response can hold any. So it runs nowhere
near the event loop: one expression at a time goes to a child process, which is killed at the time
limit and started anew for the next.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from trainer_client.errors import ConfigError

WORKER: Final = (sys.executable, "-m", "trainer_client.evaluation.judging.expression_worker")
_START_SECONDS: Final = 120.0
_LINE_BYTES: Final = 1 << 20
_TAIL_CHARS: Final = 20_000
"""So much of a response is looked at, from its end: the answer is there."""


class ExpressionChecker:
    """One child process, started when it is first needed."""

    def __init__(self, seconds: float, command: Sequence[str] = WORKER) -> None:
        """Prepare; nothing is started yet.

        Args:
            seconds: for one answer.
            command: the worker; it answers each line of JSON with a line.
        """
        self.seconds = seconds
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def check(self, answers: Sequence[str], response: str) -> str:
        """Return ``correct``, ``wrong``, ``timeout``, or ``crashed`` (of computer algebra).

        Raises:
            ConfigError: math-verify is not installed.
        """
        asked = json.dumps({"answers": list(answers), "response": response[-_TAIL_CHARS:]})
        async with self._turn:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                async with asyncio.timeout(self.seconds):
                    process.stdin.write(f"{asked}\n".encode())
                    await process.stdin.drain()
                    line = await process.stdout.readline()
            except TimeoutError:
                await self._end()
                return "timeout"
            except (ConnectionError, ValueError):
                line = b""
            status = line.decode(errors="replace").strip()
            if status in ("correct", "wrong"):
                return status
            await self._end()
            return "crashed"

    async def aclose(self) -> None:
        """End the child process, if there is one."""
        await self._end()

    async def _started(self) -> asyncio.subprocess.Process:
        """Return the child, ready: what importing takes does not count in an answer's time."""
        if self._process is None:
            if self._command == WORKER and find_spec("math_verify") is None:
                raise ConfigError(
                    "mathematics beyond integers is judged by math-verify, which is not "
                    "installed: install the extra `eval`"
                )
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_BYTES,
            )
            assert self._process.stdout is not None
            try:
                async with asyncio.timeout(_START_SECONDS):
                    ready = await self._process.stdout.readline()
            except TimeoutError:
                ready = b""
            if ready.strip() != b"ready":
                await self._end()
                raise ConfigError("math-verify did not start; the lines above say why")
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()
            # Its pipes' transport would else be closed after the loop.
            process._transport.close()  # type: ignore[attr-defined]
