"""Reading the results of /v1/validate: what they say of a proposal, and what they leave open."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer_client.errors import VerifierError
from trainer_client.tasks.kind import Proposal, Refused, Unjudged

INFRA_ERROR = "infra_error"

MAX_OUTPUT_CHARS = 20_000
"""A longer output is refused, never cut: what was cut could not be answered (AZR cuts at 400)."""


def objection(
    proposal: Proposal, results: Sequence[Mapping[str, Any]]
) -> Refused | Unjudged | None:
    """Return what stands against a proposal, None when every result is valid and speakable.

    A result that is against it counts even where another could not be had.

    Raises:
        VerifierError: the verifier does not accept the operation itself, which no proposal causes.
    """
    unjudged: Unjudged | None = None
    for result in results:
        if "error" in result:
            detail = result["error"].get("detail", result["error"])
            raise VerifierError(f"the verifier does not accept a validation: {detail}")
        if result["valid"]:
            refused = _unspeakable(proposal, str(result["output"]))
        elif result["reason"] == INFRA_ERROR:
            unjudged = Unjudged(str(result["message"]))
            continue
        else:
            refused = Refused(str(result["reason"]), str(result["message"]))
        if refused is not None:
            return refused
    return unjudged


def _unspeakable(proposal: Proposal, output: str) -> Refused | None:
    """Refuse an output that a later prompt could not show: too long, or with a mark in it."""
    if len(output) > MAX_OUTPUT_CHARS:
        return Refused("output_too_long", f"{len(output)} characters")
    found = next((mark for mark in proposal.marks if mark in output), None)
    if found is not None:
        return Refused("mark_in_output", f"the output contains {found.strip()!r}")
    return None
