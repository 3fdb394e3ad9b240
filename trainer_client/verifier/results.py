"""Results of the contract as frozen dataclasses, read from JSON with errors that name the field."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from trainer_client.errors import VerifierError

JsonValue = dict[str, Any]
"""A typed value as in the contract: ``{"t": type, "v": content}``."""


class Result:
    """Parent of what can be read from an answer."""

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
    """What the runs of a result used."""

    cpu_ms: float = 0.0
    wall_ms: float = 0.0
    max_rss_kb: int = 0


@dataclass(frozen=True)
class CaseVerdict:
    """The verdict on one case of an induction; `correct` is None where there is none."""

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
        """Hold the contract's promise: correct says the same as the status and has score 1."""
        right = self.status == "correct"
        if right != (self.correct is True) or (right and self.score != 1.0):
            raise ValueError(
                f"status {self.status!r}, correct {self.correct} and score {self.score} "
                "contradict each other"
            )


@dataclass(frozen=True)
class Determinism:
    """Whether runs of one program on one input agree, and what was different between them."""

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
    """What a program raised."""

    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Outcome(Result):
    """How one call ended; `output` and `value` are None unless the status is ``ok``."""

    status: str
    output: str | None
    value: JsonValue | None
    stdout: str = ""
    stderr: str = ""
    error: ProgramError | None = None
    usage: Usage = Usage()


@dataclass(frozen=True)
class Execution(Result):
    """One outcome per input, in order."""

    outcomes: tuple[Outcome, ...]
