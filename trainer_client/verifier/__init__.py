"""A client of the verifier's HTTP contract, version 1: asynchronous, or from a thread of its own.

    with Verifier(VerifierConfig(url="http://127.0.0.1:8000")) as verifier:
        pending = verifier.submit(items)      # items of /v1/batch; returns at once
        results = pending.results()           # in order

    async with AsyncVerifier(config) as verifier:
        verdict = await verifier.verify("deduction", program=..., input="1", answer="2")

What a text is to blame for is data (status ``refused``), what the service is to blame for is data
(``infra_error``, asked again first), and what the caller is to blame for is a `VerifierError`.
"""

from trainer_client.verifier.client import AsyncVerifier
from trainer_client.verifier.results import (
    CaseVerdict,
    Determinism,
    Execution,
    Outcome,
    ProgramError,
    Usage,
    Validation,
    Verdict,
)
from trainer_client.verifier.retry import Backoff
from trainer_client.verifier.session import Pending, Verifier
from trainer_client.verifier.standins import INFRA_ERROR, REFUSED

__all__ = [
    "INFRA_ERROR",
    "REFUSED",
    "AsyncVerifier",
    "Backoff",
    "CaseVerdict",
    "Determinism",
    "Execution",
    "Outcome",
    "Pending",
    "ProgramError",
    "Usage",
    "Validation",
    "Verdict",
    "Verifier",
]
