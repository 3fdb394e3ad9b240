"""The static rules of a task: what a proposed program may import and name.

This is hygiene, not the sandbox: it keeps out programs whose answer depends on chance, the clock or
the machine, before a run is spent on them. What gets past it still runs enclosed, and the
determinism check still judges it.

Covered: banned modules however they are imported or aliased, their submodules, dotted bans
(``os.environ``) through aliases, ``from`` and star imports, constant ``__import__``,
``importlib.import_module`` and ``getattr``; modules reached through other modules
(``statistics.random``); ways to name things at run time (dynamic imports, ``eval``, ``globals()``,
``__builtins__``, ``sys.modules``) are refused, since nothing can be proved about them.
Not covered: reaching a module through live objects (frames, the garbage collector, ``pickle``,
``ctypes``), library functions that evaluate text (``timeit``, ``typing.get_type_hints``), programs
that parse only under a Python newer than this process's (they count as
unparsable here), and what a library does by itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from executor_service.verifier.policy_expression import ExpressionCheck
from executor_service.verifier.policy_program import DYNAMIC_WORDS, ProgramCheck
from executor_service.verifier.policy_source import UncheckableError, parse_source

AZR_BANNED_MODULES: Final = frozenset(
    {"logging", "random", "multiprocessing", "pebble", "subprocess", "threading", "datetime"}
    | {"time", "hashlib", "hmac", "bcrypt", "os.sys", "os.path", "sys.exit", "os.environ"}
    | {"calendar"}
)
"""AZR's published list. Its dotted entries never matched there; here they do."""

UNCHECKABLE_NAMES: Final = frozenset({"eval", "exec", "compile"})
"""Banned by default: what they run is text made at run time, which could import anything. None of
AZR's 1,024 seed programs uses them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a program may do, as far as its text tells.

    Attributes:
        banned_modules: modules (with their submodules), or dotted names in them.
        banned_names: plain names that must not be used or imported, dotted names, or keywords of
            statements (``raise``). A plain name does not ban an attribute: ``compile`` leaves
            ``re.compile`` alone.
        allow_imports: whether there may be any import.
        max_program_chars: the longest acceptable program, in characters.
    """

    banned_modules: frozenset[str] = AZR_BANNED_MODULES
    banned_names: frozenset[str] = UNCHECKABLE_NAMES
    allow_imports: bool = True
    max_program_chars: int = 100_000


DEFAULT_POLICY: Final = Policy()


def check_program(source: str, policy: Policy = DEFAULT_POLICY) -> str | None:
    """Return why ``source`` breaks the policy (the ban and the line), None when it does not.

    Text that does not parse is not this function's business and passes: the sandbox reports it.
    """
    if len(source) > policy.max_program_chars:
        return (
            f"the program has {len(source)} characters, "
            f"more than the policy's {policy.max_program_chars}"
        )
    # Sound without parsing: in ASCII text every identifier that the parser sees stands there
    # literally (no escapes in identifiers, Unicode normalisation changes nothing), so a program
    # that names a ban, the module that a dotted ban lives in, or a means to name things at run
    # time contains that word. No such word, no violation.
    if source.isascii() and _suspicious(policy)(source) is None:
        return None
    try:
        tree = parse_source(source)
    except UncheckableError as error:
        return str(error)
    if tree is None:
        return None
    return ProgramCheck(policy.banned_modules, policy.banned_names, policy.allow_imports).run(tree)


def check_expression(source: str, policy: Policy, entry_point: str) -> str | None:
    """Return why ``source`` is not acceptable as a task's input, None when it is.

    A task's input may be an expression (``f('hello')``, ``[x * 2 for x in range(3)]``) that runs in
    the sandbox; it stands between the brackets of a call and must stay there. It may call the
    program's entry point, harmless builtins, the value table's constructors and methods.

    Args:
        source: what stands between the brackets.
        policy: its banned modules and names hold here too.
        entry_point: the name of the program's function.
    """
    if len(source) > policy.max_program_chars:
        return f"the input has more than {policy.max_program_chars} characters"
    return ExpressionCheck(policy.banned_modules, policy.banned_names, entry_point).run(source)


def describe(policy: Policy) -> dict[str, Any]:
    """Return ``policy`` as JSON data, for ``GET /v1/policy``."""
    return {
        "banned_modules": sorted(policy.banned_modules),
        "banned_names": sorted(policy.banned_names),
        "allow_imports": policy.allow_imports,
        "max_program_chars": policy.max_program_chars,
    }


@lru_cache(maxsize=64)
def _suspicious(policy: Policy) -> Callable[[str], re.Match[str] | None]:
    words: set[str] = set()
    bans = policy.banned_modules | policy.banned_names
    for ban in bans:
        words.add(ban.partition(".")[0])
    if bans:
        words |= DYNAMIC_WORDS
    if not policy.allow_imports:
        words |= DYNAMIC_WORDS | {"import"}
    if not words:
        return re.compile(r"(?!)").search
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b", re.ASCII).search
