"""``seccomp/program.json`` in two filters, because installing one costs by its length.

A run installs its filter on itself before its program is compiled, thousands of times a second,
and the kernel checks and compiles all of it each time (some 100 µs). So the zygote installs a
*standing* filter once: all of ``program.json``, with the few calls released that a zygote and a
child before its program still need (fork, wait, set limits, install a filter, move descriptors).
Filters are inherited and the strictest verdict counts, so a run need only install the *closing*
filter, which takes back exactly those calls. For a run, both together are ``program.json``: a test
compares them call by call.

Covered: the split of a profile. Not covered: what the rules are; see ``seccomp/README.md``.
"""

import errno
from dataclasses import dataclass
from typing import Final

from executor_service.errors import ConfigurationError
from executor_service.sandbox.seccomp import (
    ArgCheck,
    Profile,
    Rule,
    compile_rules,
    libseccomp,
)

RELEASED: Final = ("wait4", "prctl", "prlimit64", "dup2", "dup3", "close_range")
"""Released without conditions between the standing and the closing filter; and ``clone``:"""

_CLONE_THREAD: Final = 0x10000
_CLONE_NAMESPACES: Final = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_OPPOSITE: Final = {"SCMP_CMP_EQ": "SCMP_CMP_NE", "SCMP_CMP_NE": "SCMP_CMP_EQ"}


@dataclass(frozen=True)
class ProgramFilter:
    """The two halves, as BPF bytes."""

    standing: bytes
    closing: bytes

    def hex(self) -> list[str]:
        """Return both as hexadecimal text, the way a sandbox is told of them."""
        return [self.standing.hex(), self.closing.hex()]


def split_filter(
    profile: Profile, *, allow_threads: bool = False, scratch: bool = False
) -> ProgramFilter:
    """Return the two filters that together do what ``profile`` says.

    With ``scratch`` they are those of whole scripts, which may write files of their own.

    Raises:
        ConfigurationError: A released call has a rule whose complement cannot be expressed.
    """
    lib = libseccomp()
    standing: list[Rule] = []
    taken_back: dict[str, list[Rule]] = {name: [] for name in (*RELEASED, "clone")}
    for rule in profile.rules(allow_threads=allow_threads, scratch=scratch):
        kept = tuple(name for name in rule.names if name not in taken_back)
        if kept:
            standing.append(rule.model_copy(update={"names": kept}))
        for name in set(rule.names) - set(kept):
            taken_back[name].append(rule.model_copy(update={"names": (name,)}))
    fork_like = ArgCheck(
        index=0, value=_CLONE_THREAD | _CLONE_NAMESPACES, valueTwo=0, op="SCMP_CMP_MASKED_EQ"
    )
    standing.append(_rule(RELEASED, "SCMP_ACT_ALLOW"))
    standing.append(_rule(("clone",), "SCMP_ACT_ALLOW", args=(fork_like,)))
    clone = taken_back.pop("clone")
    standing += [rule for rule in clone if rule.action == "SCMP_ACT_ALLOW"]
    closing = [rule for rule in clone if rule.action != "SCMP_ACT_ALLOW"]
    for name, rules in taken_back.items():
        closing += _complement(name, rules, profile.default_errno_ret)
    return ProgramFilter(
        compile_rules(lib.ERRNO(profile.default_errno_ret), standing),
        compile_rules(lib.ALLOW, closing),
    )


def _complement(name: str, rules: list[Rule], default_errno: int) -> list[Rule]:
    """Return what must be refused over a default of allowing, to leave what ``rules`` allow."""
    if not rules:
        return [_rule((name,), "SCMP_ACT_ERRNO", default_errno)]
    if len(rules) > 1:
        raise ConfigurationError(f"seccomp/program.json: more than one rule for {name}")
    (rule,) = rules
    if rule.action != "SCMP_ACT_ALLOW":
        if rule.args:
            raise ConfigurationError(f"seccomp/program.json: {name} is refused conditionally")
        return [rule]
    if any(check.op not in _OPPOSITE for check in rule.args):
        raise ConfigurationError(f"seccomp/program.json: no complement for the rule of {name}")
    return [
        _rule(
            (name,),
            "SCMP_ACT_ERRNO",
            default_errno,
            (ArgCheck(index=c.index, value=c.value, op=_OPPOSITE[c.op]),),  # type: ignore[arg-type]
        )
        for c in rule.args
    ]


def _rule(
    names: tuple[str, ...],
    action: str,
    errno_ret: int | None = None,
    args: tuple[ArgCheck, ...] = (),
) -> Rule:
    assert errno_ret is None or errno_ret in errno.errorcode
    return Rule(comment="split", names=names, action=action, errnoRet=errno_ret, args=args)  # type: ignore[arg-type]
