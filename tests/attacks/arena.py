"""How an attack is tried: a program against a gold value that it cannot know."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract.live import LiveService, host_processes, processes, until
from executor_service.sandbox.runner.frames import LANES

PREFIX = "GOLD-"
"""What every gold token begins with: a program may search its whole world for it."""


@dataclass(frozen=True)
class Attack:
    """One attack: its number in the list of classes, the program, and the status it must get.

    ``says`` is part of the verdict's message; ``output`` replaces the random gold where the
    attack is about a known one. ``races`` are statuses that it may get instead where it runs a race
    with the supervisor for its own result: whoever wins, it gains nothing.
    """

    number: str
    program: str
    status: str = "wrong"
    says: str = ""
    input: str = ""
    output: str | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    races: tuple[str, ...] = ()


def params(attacks: Iterable[Attack]) -> Any:
    """Return the attacks as parameters, each named by its number and place."""
    seen: dict[str, int] = {}
    found = []
    for attack in attacks:
        seen[attack.number] = seen.get(attack.number, 0) + 1
        found.append(pytest.param(attack, id=f"{attack.number}-{seen[attack.number]}"))
    return pytest.mark.parametrize("attack", found)


def new_gold() -> str:
    """Return a gold token that nobody has seen."""
    return PREFIX + secrets.token_hex(16)


def judge(service: LiveService, attack: Attack) -> dict[str, Any]:
    """Have the attack judged as the answer to an induction task; check that it failed."""
    output = repr(new_gold()) if attack.output is None else attack.output
    body = {
        "mode": "induction",
        "program": attack.program,
        "cases": [{"input": attack.input, "output": output}],
        "limits": attack.limits,
        **attack.more,
    }
    verdict = service.carry_out("verify", body)
    assert verdict["status"] in (attack.status, *attack.races), verdict
    assert (verdict["correct"], verdict["score"]) == (False, 0.0)
    assert attack.says in verdict["message"], verdict
    if attack.output is None:
        assert PREFIX not in str(verdict["got"])
    return verdict


def check_unharmed(service: LiveService) -> None:
    """Check that the service still judges rightly, in every sandbox, and that nothing is left."""
    # Sandboxes take turns, so that each of the two judges a right and a wrong answer.
    for right in (True, False, False, True):
        number = secrets.randbelow(10**6)
        verdict = service.carry_out(
            "verify",
            {
                "mode": "deduction",
                "program": "def f(n):\n    return n + 1",
                "input": str(number),
                "answer": str(number + right),
            },
        )
        assert verdict["status"] == ("correct" if right else "wrong")
        assert verdict["correct"] is right
    until(lambda: nothing_left(service), "the sandboxes to hold nothing but parked children", 5)


def nothing_left(service: LiveService) -> bool:
    """Tell whether every sandbox holds a supervisor, zygotes and parked children, and no more."""
    everyone = host_processes()
    for sandbox in service.sandboxes():
        found = processes(sandbox, everyone)
        supervisor = found[0]
        zygotes = {process.pid for process in found if process.parent == supervisor.pid}
        for process in found[1:]:
            if process.pid not in zygotes and process.parent not in zygotes:
                return False
        for zygote in zygotes:
            if sum(process.parent == zygote for process in found) > LANES:
                return False
        if any(process.threads != 1 for process in found):
            return False
    return True
