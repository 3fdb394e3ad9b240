"""What a soak sends: operations of every kind with the verdict each must get, from a seed.

Ordinary work is made of small programs with random constants, whose values are computed here by
the same formula in plain Python, and of the shipped sample. Between it lie the attacks of the
attack tests and the shipped forgeries. Those that run into a time limit or cost a sandbox are rare,
as each takes as long as hundreds of the others.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from attacks import (
    test_answer_injection,
    test_determinism_gaming,
    test_early_exit,
    test_equality,
    test_escape,
    test_patching,
    test_reading_expected,
    test_resources,
)
from attacks.arena import Attack
from executor_service.bench.drive import status_of
from executor_service.demo import DemoTask, load_forgeries, load_tasks

SHORT = {"cpu_seconds": 0.3, "wall_seconds": 3.0, "memory_mb": 64}
SLOW, COSTLY = 0.0025, 0.0012
"""Shares of the operations that use a time budget up, and that cost a sandbox."""
CHEAP, CODE, FICKLE, REFUSED = 0.015, 0.02, 0.01, 0.01
"""Shares of other attacks, answers that are code, nondeterministic tasks, unacceptable items."""
REPEATED, REPERTOIRE = 0.2, 300
"""Share of the ordinary operations, beside all validations, that come from a small repertoire: they
try the result cache. With ever new validations it would grow until it is full, as it may."""
COSTLY_STATUS = "security_violation"


@dataclass(frozen=True)
class Item:
    """One operation, and what must come of it."""

    name: str
    operation: dict[str, Any]
    statuses: frozenset[str]
    fields: dict[str, Any] = field(default_factory=dict)
    """Further fields of the result, with the values they must have."""

    def complaint(self, result: dict[str, Any]) -> str | None:
        """Return what is wrong with ``result``, or None."""
        if "error" in result and "status" not in result:
            status = f"refused {result['error']['status']}"
        else:
            status = status_of(result)
        wrong = [] if status in self.statuses else [f"status {status}"]
        if "score" in result and (status == "correct") != (result["score"] == 1.0):
            wrong.append(f"status {status} with score {result['score']}")
        wrong += [
            f"{name} {str(result.get(name))[:80]}"
            for name, value in self.fields.items()
            if result.get(name) != value
        ]
        if not wrong:
            return None
        sent = json.dumps(self.operation)[:300]
        return f"{self.name}: {', '.join(wrong)}; wanted {sorted(self.statuses)} for {sent}"


@dataclass(frozen=True)
class Template:
    """A family of programs, and the same function here."""

    name: str
    program: Callable[[int], str]
    value: Callable[[int, Any], Any]
    argument: Callable[[random.Random], Any]


def _words(rng: random.Random) -> list[str]:
    return ["".join(rng.choices("abcde", k=3)) for _ in range(rng.randrange(1, 8))]


TEMPLATES = (
    Template("linear", lambda k: f"def f(x):\n    return x * {k} + {k // 2}",
             lambda k, x: x * k + k // 2, lambda rng: rng.randrange(-(10**6), 10**6)),
    Template("text", lambda k: f"def f(s):\n    return (s[::-1] + s.upper()) * {k % 3 + 1}",
             lambda k, s: (s[::-1] + s.upper()) * (k % 3 + 1),
             lambda rng: "".join(rng.choices("abc xyz", k=12))),
    Template("count", lambda k: "def f(words):\n    found = {}\n    for word in words:\n"
             f"        found[word] = found.get(word, {k}) + len(word)\n    return found",
             lambda k, words: _counted(words, k), _words),
    Template("sort", lambda k: f"def f(xs):\n    return sorted(set(xs), key=lambda x: x % {k + 1})",
             # Python's sort is stable: equal keys stay in the order of a set of small ints.
             lambda k, xs: sorted(set(xs), key=lambda x: x % (k + 1)),
             lambda rng: [rng.randrange(64) for _ in range(rng.randrange(1, 20))]),
    Template("pair", lambda k: f"def f(a):\n    return (a, [a / {k + 1}], {{'k': a > {k}}})",
             lambda k, a: (a, [a / (k + 1)], {"k": a > k}), lambda rng: rng.randrange(1000)),
    Template("loop", lambda k: f"def f(n):\n    total = 0\n    for i in range(n):\n"
             f"        total = (total * 31 + i) % {k + 1009}\n    return total",
             lambda k, n: _rolled(n, k + 1009), lambda rng: rng.randrange(2000)),
    Template("set", lambda k: f"def f(xs):\n    return {{x % {k + 2} for x in xs}}",
             lambda k, xs: {x % (k + 2) for x in xs},
             lambda rng: [rng.randrange(100) for _ in range(6)]),
)  # fmt: skip


def _counted(words: list[str], start: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, start) + len(word)
    return found


def _rolled(count: int, modulus: int) -> int:
    total = 0
    for i in range(count):
        total = (total * 31 + i) % modulus
    return total


def soak_items(seed: int, count: int) -> Iterator[Item]:
    """Yield ``count`` operations; the same for the same seed."""
    rng = random.Random(seed)
    attacks = _Attacks()
    tasks = [task for task in load_tasks() if task.expect == "valid"]
    kinds: list[tuple[float, Callable[[], Item]]] = [
        (SLOW, lambda: attacks.draw(rng, attacks.slow)),
        (COSTLY, lambda: attacks.draw(rng, attacks.costly)),
        (CHEAP, lambda: attacks.draw(rng, attacks.cheap)),
        (CODE, lambda: _code(rng)),
        (FICKLE, lambda: _fickle(rng)),
        (REFUSED, lambda: _refused(rng)),
        (0.1, lambda: _of_sample(rng, rng.choice(tasks))),
    ]
    rest = 1.0 - sum(share for share, _ in kinds)
    kinds.append((rest, lambda: _ordinary(rng)))
    weights, makers = zip(*kinds, strict=True)
    for _ in range(count):
        yield rng.choices(makers, weights)[0]()


def _item(name: str, operation: dict[str, Any], *statuses: str, **fields: Any) -> Item:
    return Item(name, operation, frozenset(statuses), fields)


def _ordinary(rng: random.Random) -> Item:
    kind = rng.choice(("deduction", "given", "abduction", "induction", "validate", "execute"))
    if kind == "validate" or rng.random() < REPEATED:
        rng = random.Random(rng.randrange(REPERTOIRE))
    template, k = rng.choice(TEMPLATES), rng.randrange(10_000)
    program, argument = template.program(k), template.argument(rng)
    output = template.value(k, argument)
    right = rng.random() < 0.6
    status = "correct" if right else "wrong"
    shown = repr(output if right else [output])
    verify = {"op": "verify", "program": program}
    name = f"{template.name} {kind} {status}"
    if kind == "deduction":
        more = {"mode": "deduction", "input": repr(argument), "answer": shown}
        return _item(name, verify | more, status)
    if kind == "given":
        more = {"mode": "deduction", "output": repr(output), "answer": shown}
        return _item(name, verify | more, status)
    if kind == "abduction":
        more = {"mode": "abduction", "output": shown, "answer": repr(argument)}
        return _item(name, verify | more, status)
    if kind == "validate":
        operation = {"op": "validate", "program": program, "input": repr(argument)}
        return _item(name, operation, "valid")
    others = [template.argument(rng) for _ in range(rng.randrange(1, 5))]
    if kind == "execute":
        operation = {"op": "execute", "program": program, "inputs": [repr(o) for o in others]}
        return _item(name, operation, "ok")
    cases = [{"input": repr(o), "output": repr(template.value(k, o))} for o in others]
    if not right:
        cases.append({"input": repr(argument), "output": shown})
        more = {"mode": "induction", "cases": cases, "score": "fraction"}
        return _item(name, verify | more, status, score=len(others) / len(cases))
    return _item(name, verify | {"mode": "induction", "cases": cases}, status, score=1.0)


def _of_sample(rng: random.Random, task: DemoTask) -> Item:
    verify = {"op": "verify", "program": task.program}
    kind = rng.randrange(5)
    name = f"sample {task.name} {kind}"
    if kind == 0:
        operation = {"op": "validate", "program": task.program, "input": task.input,
                     "policy": task.policy or {}}  # fmt: skip
        return _item(name, operation, "valid")
    if kind == 1:
        more = {"mode": "deduction", "input": task.input, "answer": task.wrong_answer}
        return _item(name, verify | more, "wrong", score=0.0)
    if kind == 2:
        more = {"mode": "abduction", "output": task.output, "answer": task.wrong_input}
        return _item(name, verify | more, "wrong", score=0.0)
    if kind == 3:
        more = {"mode": "deduction", "input": task.input, "answer": task.output}
        return _item(name, verify | more, "correct", score=1.0)
    cases = [{"input": case.input, "output": case.output} for case in task.cases]
    return _item(name, verify | {"mode": "induction", "cases": cases}, "correct", score=1.0)


def _code(rng: random.Random) -> Item:
    _, answer = rng.choice(test_answer_injection.CODE)
    operation = {"op": "verify", "mode": "deduction", "program": "def f(x): return x",
                 "input": "True", "answer": answer}  # fmt: skip
    return _item("an answer that is code", operation, "invalid_answer", "wrong", score=0.0)


def _fickle(rng: random.Random) -> Item:
    number, program, factor = rng.choice(test_determinism_gaming.BROKEN)
    lifted = test_determinism_gaming.LIFTED
    operation = {"op": "validate", "program": program, "input": "", "policy": lifted}
    return _item(f"{number} {factor}", operation, "nondeterministic", valid=False)


def _refused(rng: random.Random) -> Item:
    operation = rng.choice(
        (
            {"op": "verify", "mode": "unknown", "program": "def f(): pass"},
            {"op": "validate", "program": "def f(): pass", "input": "",
             "limits": {"cpu_seconds": 10**6}},
            {"op": "execute", "program": "def f(): pass", "inputs": []},
        )
    )  # fmt: skip
    return _item("an item that is not acceptable", operation, "refused 422")


class _Attacks:
    """The attacks by what they cost."""

    def __init__(self) -> None:
        self.cheap: list[Attack] = []
        self.slow: list[Attack] = []
        self.costly: list[Attack] = []
        for attack in (
            *test_early_exit.EXITS, *test_equality.ATTACKS, *test_escape.ATTACKS,
            *test_patching.ATTACKS, *test_reading_expected.DENIED, *test_resources.ATTACKS,
            *test_answer_injection.PROGRAMS,
        ):  # fmt: skip
            group = {"timeout": self.slow, COSTLY_STATUS: self.costly}.get(attack.status)
            (self.cheap if group is None else group).append(attack)
        self.forgeries = load_forgeries()

    def draw(self, rng: random.Random, group: list[Attack]) -> Item:
        """Return one of ``group``; where forgeries are due, sometimes one of those."""
        if group is self.cheap and rng.random() < 0.2:
            forgery = rng.choice([f for f in self.forgeries if COSTLY_STATUS not in f.must])
            return _item(f"forgery {forgery.name}", forgery.operation, *forgery.must)
        attack = rng.choice(group)
        gold = f"GOLD-{rng.getrandbits(128):032x}"
        output = repr(gold) if attack.output is None else attack.output
        operation = {
            "op": "verify", "mode": "induction", "program": attack.program,
            "cases": [{"input": attack.input, "output": output}],
            "limits": SHORT | attack.limits, **attack.more,
        }  # fmt: skip
        statuses = (attack.status, *attack.races)
        return _item(f"{attack.number}", operation, *statuses, score=0.0, correct=False)
