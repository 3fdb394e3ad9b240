"""The fields of the contract's operations, for type checkers: what each call takes by name."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict


class Limits(TypedDict, total=False):
    r"""What one run may use; what is left out has the server's default.

    Attributes:
        cpu_seconds: CPU seconds.
        wall_seconds: wall seconds less the time spent waiting for a processor.
        memory_mb: MiB.
        output_bytes: bytes of the encoded value.
        stdout_bytes: bytes of stdout.

    Example:
        >>> from trainer_client.verifier import Limits, Verifier
        >>> brief: Limits = {"cpu_seconds": 0.2}
        >>> with Verifier() as verifier:
        ...     endless = verifier.execute("def f():\n    while True: pass", [""], limits=brief)
        >>> endless.outcomes[0].status
        'timeout'
    """

    cpu_seconds: float
    wall_seconds: float
    memory_mb: int
    output_bytes: int
    stdout_bytes: int


class PolicyFields(TypedDict, total=False):
    r"""Static rules for a task's program; what is left out has the published default.

    Attributes:
        banned_modules: modules, or dotted names in them, that may not be used.
        banned_names: names that may not be used.
        allow_imports: whether the program may import at all.
        max_program_chars: length of the longest program.

    Example:
        >>> from trainer_client.verifier import PolicyFields, Verifier
        >>> plain: PolicyFields = {"allow_imports": False}
        >>> with Verifier() as verifier:
        ...     verifier.validate("import math\ndef f(x): return x", "1", policy=plain).reason
        'invalid_program'
    """

    banned_modules: Sequence[str]
    banned_names: Sequence[str]
    allow_imports: bool
    max_program_chars: int


class CaseFields(TypedDict):
    """One input of an induction and what the program must make of it.

    Attributes:
        input: an argument list.
        output: the wanted output, as a literal.

    Example:
        >>> from trainer_client.verifier import CaseFields
        >>> CaseFields(input="3", output="9")
        {'input': '3', 'output': '9'}
    """

    input: str
    output: str


class RunFields(TypedDict, total=False):
    """What every operation takes.

    Attributes:
        entry_point: name of the function that is called (``f``).
        imports: lines put before the program.
        limits: limits of each run.

    Example:
        >>> from trainer_client.verifier import RunFields, Verifier
        >>> usual: RunFields = {"entry_point": "solve", "imports": ["import math"]}
        >>> with Verifier() as verifier:
        ...     verifier.execute("def solve(x): return math.floor(x)", ["2.5"], **usual)
        Execution(outcomes=(Outcome(status='ok', output='2', ...
    """

    entry_point: str
    imports: Sequence[str]
    limits: Limits


class ExecuteFields(RunFields, total=False):
    """What `Verifier.execute` takes besides the program and its inputs.

    Attributes:
        replicas: processes per input that differ in hash seed, clock and environment.

    Example:
        >>> from trainer_client.verifier import ExecuteFields, Verifier
        >>> twice: ExecuteFields = {"replicas": 2}
        >>> with Verifier() as verifier:
        ...     found = verifier.execute("def f(x): return hash(str(x))", ["1"], **twice)
        >>> found.outcomes[0].agree
        False
    """

    replicas: int


class ValidateFields(RunFields, total=False):
    """What `Verifier.validate` takes besides the program and its input.

    Attributes:
        policy: static rules for the program.

    Example:
        >>> from trainer_client.verifier import ValidateFields, Verifier
        >>> rules: ValidateFields = {"policy": {"banned_names": ["sorted"]}}
        >>> with Verifier() as verifier:
        ...     verifier.validate("def f(x): return sorted(x)", "[1]", **rules).valid
        False
    """

    policy: PolicyFields


class VerifyFields(RunFields, total=False):
    """What every verification takes.

    Attributes:
        equality: which values count as equal: ``typed`` (True, 1 and 1.0 differ), ``python`` (what
            ``==`` says) or ``approx``.
        rtol: relative tolerance of ``approx``.
        atol: absolute tolerance of ``approx``.
        replicas: processes per run that differ in hash seed, clock and environment.

    Example:
        >>> from trainer_client.verifier import Verifier, VerifyFields
        >>> lenient: VerifyFields = {"equality": "python"}
        >>> with Verifier() as verifier:
        ...     verifier.deduction("def f(): return 1", input="", answer="True", **lenient).correct
        True
    """

    equality: Literal["typed", "python", "approx"]
    rtol: float
    atol: float
    replicas: int


class DeductionFields(VerifyFields):
    """What `Verifier.deduction` takes besides the program.

    Attributes:
        answer: the predicted output, as a literal.
        input: the argument list; needed unless `output` is given.
        output: the known output, as a literal; with it nothing is run.

    Example:
        >>> from trainer_client.verifier import DeductionFields, Verifier
        >>> asked: DeductionFields = {"input": "4", "answer": "8"}
        >>> with Verifier() as verifier:
        ...     verifier.deduction("def f(x): return x * 2", **asked).score
        1.0
    """

    answer: str
    input: NotRequired[str]
    output: NotRequired[str]


class AbductionFields(VerifyFields):
    """What `Verifier.abduction` takes besides the program.

    Attributes:
        output: the output to be reached, as a literal.
        answer: an argument list; data, never code.

    Example:
        >>> from trainer_client.verifier import AbductionFields, Verifier
        >>> asked: AbductionFields = {"output": "12", "answer": "3, 4"}
        >>> with Verifier() as verifier:
        ...     verifier.abduction("def f(a, b): return a * b", **asked).correct
        True
    """

    output: str
    answer: str


class InductionFields(VerifyFields):
    """What `Verifier.induction` takes besides the program, which is the answer.

    Attributes:
        cases: the inputs and their outputs.
        score: ``all``: 1 when every case is right; ``fraction``: the share of right cases.

    Example:
        >>> from trainer_client.verifier import InductionFields, Verifier
        >>> asked: InductionFields = {
        ...     "cases": [{"input": "3", "output": "9"}, {"input": "2", "output": "5"}],
        ...     "score": "fraction",
        ... }
        >>> with Verifier() as verifier:
        ...     verifier.induction("def f(n): return n * n", **asked).score
        0.5
    """

    cases: Sequence[CaseFields | Mapping[str, str]]
    score: NotRequired[Literal["all", "fraction"]]
