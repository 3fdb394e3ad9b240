"""What a verifier says of itself."""

from dataclasses import dataclass

from trainer_client.verifier.results import Result


@dataclass(frozen=True)
class Protection:
    """One of the walls around a program.

    Attributes:
        name: for instance ``seccomp_program``.
        active: whether it stands on this machine.
        detail: how it was found out.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     walls = verifier.info().protections
        >>> [wall.active for wall in walls if wall.name == "seccomp_program"]
        [True]
    """

    name: str
    active: bool
    detail: str


@dataclass(frozen=True)
class ServiceInfo(Result):
    """The answer of ``GET /v1/info``.

    Attributes:
        version: of the service.
        python: version of the Python that runs programs; verdicts belong to it.
        backend: what sandboxes are made of.
        slots: programs that run at once.
        limits: the ``default`` and ``max`` limits of a run.
        protections: what stands between a program and the machine.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     verifier.info().limits["default"]["cpu_seconds"]
        5.0
    """

    version: str
    python: str | None
    backend: str
    slots: int
    limits: dict[str, dict[str, float]]
    protections: tuple[Protection, ...]


@dataclass(frozen=True)
class Policy(Result):
    """The answer of ``GET /v1/policy``: what `Verifier.validate` refuses unless told otherwise.

    Attributes:
        banned_modules: modules, or dotted names in them, that may not be used.
        banned_names: names that may not be used.
        allow_imports: whether a program may import at all.
        max_program_chars: length of the longest program.

    Example:
        >>> from trainer_client.verifier import Verifier
        >>> with Verifier() as verifier:
        ...     "random" in verifier.policy().banned_modules
        True
    """

    banned_modules: tuple[str, ...]
    banned_names: tuple[str, ...]
    allow_imports: bool
    max_program_chars: int
