"""Results of the contract as frozen dataclasses, read from JSON with errors that name the field."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from trainer_client.errors import VerifierError
from trainer_client.verifier.standins import INFRA_ERROR

JsonValue = dict[str, Any]
"""A typed value as in the contract: ``{"t": type, "v": content}``."""


class Result:
    """Parent of what can be read from an answer.

    Example:
        >>> from trainer_client.verifier import Validation
        >>> Validation.from_json({"valid": True})
        Traceback (most recent call last):
        ...
        trainer_client.errors.VerifierError: the verifier's validation is not one of version 1 ...
    """

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read one result; fields that are not known here are ignored.

        Raises:
            VerifierError: it is not what version 1 of the contract says it is.
        """
        try:
            found: Self = _adapter(cls).validate_python(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "result"
            raise VerifierError(
                f"the verifier's {cls.__name__.lower()} is not one of version 1 of the contract: "
                f"{field}: {first['msg']}"
            ) from None
        return found


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return what reads `kind`, built the first time that it is wanted."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


@dataclass(frozen=True)
class Usage:
    """What the runs of a result used.

    Attributes:
        cpu_ms: CPU time, ms.
        wall_ms: wall time, ms.
        max_rss_kb: most memory resident at a time, KiB.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     usage = verifier.execute("def f(): return 1", [""]).outcomes[0].usage
        >>> usage.cpu_ms < 5000
        True
    """

    cpu_ms: float = 0.0
    wall_ms: float = 0.0
    max_rss_kb: int = 0


@dataclass(frozen=True)
class CaseVerdict:
    """The verdict on one case of an induction; `correct` is None where there is none.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     verdict = verifier.induction(
        ...         "def f(n): return n", cases=[{"input": "1", "output": "2"}]
        ...     )
        >>> verdict.cases
        (CaseVerdict(status='wrong', correct=False),)
    """

    status: str
    correct: bool | None


@dataclass(frozen=True)
class Verdict(Result):
    """The verdict on one verification.

    Attributes:
        status: ``correct``, ``wrong`` ... as in the contract, or our ``refused``.
        correct: None when nothing could be judged (``infra_error``, or a task that was refused).
        score: 1.0 when correct; a share with the score ``fraction``; None when `correct` is.
        retryable: the service failed; asking again may give a verdict.
        message: what there is to say about it.
        expected: repr text of what was expected, where the caller could know it.
        got: repr text of what came.
        cases: one verdict per case of an induction.
        usage: what the runs used.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     verdict = verifier.deduction("def f(x): return x * 2", input="4", answer="9")
        >>> verdict.status, verdict.score, verdict.expected, verdict.got
        ('wrong', 0.0, '8', '9')
    """

    status: str
    correct: bool | None
    score: float | None
    retryable: bool = False
    message: str = ""
    expected: str | None = None
    got: str | None = None
    cases: tuple[CaseVerdict, ...] | None = None
    usage: Usage = Usage()

    def __post_init__(self) -> None:
        """Hold the contract's promises.

        Correct says the same as the status and has score 1; trouble of the service has no score.
        """
        right = self.status == "correct"
        unknown = self.status == INFRA_ERROR and (self.correct, self.score) != (None, None)
        if right != (self.correct is True) or (right and self.score != 1.0) or unknown:
            raise ValueError(
                f"status {self.status!r}, correct {self.correct} and score {self.score} "
                "contradict each other"
            )


@dataclass(frozen=True)
class Determinism:
    """Whether runs of one program on one input agree, and what was different between them.

    Attributes:
        runs: how many there were.
        agree: whether all ended the same.
        varied: what differed between them.
        broken_by: the one difference that changed the result, if that could be told.
        observations: repr texts of the different results.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     found = verifier.validate("def f(): return list({'a', 'b', 'c', 'd', 'e'})", "")
        >>> found.reason, found.determinism.broken_by
        ('nondeterministic', 'hash_seed')
    """

    runs: int
    agree: bool
    varied: tuple[str, ...] = ()
    broken_by: str | None = None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Validation(Result):
    """Whether a task is worth posing.

    Attributes:
        valid: allowed, running and deterministic.
        reason: why not: a verdict status, or our ``refused``.
        message: what there is to say about it.
        output: repr text of what the program returns, when valid.
        value: the same as a typed value.
        determinism: what the runs showed.
        usage: what they used.
        retryable: the service failed (reason ``infra_error``).

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     found = verifier.validate("def f(words): return sorted(words)", "['b', 'a']")
        >>> found.valid, found.output
        (True, "['a', 'b']")
    """

    valid: bool
    reason: str | None
    message: str
    output: str | None
    value: JsonValue | None
    determinism: Determinism
    usage: Usage = Usage()
    retryable: bool = False


@dataclass(frozen=True)
class ProgramError:
    """What a program raised.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     verifier.execute("def f(x): return 1 // x", ["0"]).outcomes[0].error.type
        'ZeroDivisionError'
    """

    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Outcome(Result):
    """How one call ended; `output` and `value` are None unless the status is ``ok``.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     outcome = verifier.execute("def f(x): return x + 1", ["1"]).outcomes[0]
        >>> outcome.status, outcome.output, outcome.value
        ('ok', '2', {'t': 'int', 'v': '2'})
    """

    status: str
    output: str | None
    value: JsonValue | None
    stdout: str = ""
    stderr: str = ""
    error: ProgramError | None = None
    usage: Usage = Usage()
    agree: bool | None = None
    """Whether the replicas ended the same; None when there was only one."""


@dataclass(frozen=True)
class Execution(Result):
    """One outcome per input, in order.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     found = verifier.execute("def f(x): return 1 / x", ["2", "0"])
        >>> [outcome.status for outcome in found.outcomes]
        ['ok', 'runtime_error']
    """

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Problem(Result):
    """An item that the service does not take, in the place of its result (jobs alone have it).

    Attributes:
        status: as of HTTP.
        detail: what is wrong with it.
        field: the field to blame, if one is.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     job = verifier.jobs.start([{"op": "execute", "program": ""}])
        ...     verifier.jobs.finished(job.job_id).results[0].field
        'inputs'
    """

    status: int
    detail: str
    field: str | None = None


Answer = Execution | Validation | Verdict
"""The typed result of one operation."""


def read(document: Any) -> Answer | Problem:
    """Return a result of a batch or a job, typed by what it holds.

    Raises:
        VerifierError: it is not what version 1 of the contract says it is.
    """
    if not isinstance(document, dict):
        raise VerifierError("the verifier's result is no JSON object")
    if "outcomes" in document:
        return Execution.from_json(document)
    if "valid" in document:
        return Validation.from_json(document)
    if "status" not in document and isinstance(document.get("error"), dict):
        return Problem.from_json(document["error"])
    return Verdict.from_json(document)
