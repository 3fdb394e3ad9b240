"""The key of a run: a digest of everything that its result may depend on.

In it are the program, entry point, imports, arguments, all limits and the surroundings: the format
of the cache, runner code, backend, Python and packages of the sandbox, the program filter, and
whether the sandbox can shift the clock (without that, "found deterministic" means less).

Not in it is the policy of a validation. It is checked on the text before anything runs, at each
validation anew, and decides whether a program runs, never what comes of a run. Nor is the gold: it
is no part of a run.
"""

import hashlib
import json
import marshal
from collections.abc import Mapping
from typing import Any, Final

from executor_service.sandbox.runner.version import code_digest
from executor_service.sandbox.runs import RunRequest

FORMAT: Final = 1
"""Raise it when keys or records change their meaning: what was kept before is then not found."""
_MARSHAL_VERSION: Final = 2
"""Without references or interning, so that equal data has one encoding. It is injective: types,
lone surrogates and the bounds of every part are kept, which JSON would not do."""


def run_key(surroundings: bytes, request: RunRequest) -> bytes:
    """Return the 32 bytes that stand for ``request`` under any variant."""
    limits = request.limits
    body = (
        request.program,
        request.entry_point,
        request.imports,
        request.expression,
        request.args,
        request.kwargs,
        request.calls,
        tuple([getattr(limits, name) for name in limits.__slots__]),
    )
    return hashlib.sha256(surroundings + marshal.dumps(body, _MARSHAL_VERSION)).digest()


def surroundings_digest(
    backend: str, program_filter: str, hello: Mapping[str, Any], packages: str
) -> bytes:
    """Return the 32 bytes that stand for what all runs of a pool have in common.

    Args:
        backend: The backend's name.
        program_filter: The profile of system calls that runs install, and how it is taken.
        hello: What a sandbox said of itself: Python, modules, clock, layers of isolation.
        packages: What else is known of the sandbox's files; see ``surroundings.look_around``.
    """
    facts = [FORMAT, code_digest(), backend, program_filter, hello, packages]
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()
