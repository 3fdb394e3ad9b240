"""Counting and timing operations: by kind, by mode, and by what came of them."""

import asyncio
import time
from typing import Any, Final

from prometheus_client import CollectorRegistry

from executor_service.dispatch.embedded import CarriesOut
from executor_service.errors import RequestError
from executor_service.operations import (
    AbductionOperation,
    AnyOperation,
    DeductionOperation,
    ExecuteOperation,
    InductionOperation,
    ScriptOperation,
    ValidateOperation,
)
from executor_service.telemetry.instruments import Histogram, Tally

MIXED: Final = "mixed"
"""The status of an execute whose inputs did not all end alike."""
UNACCEPTABLE: Final = "unacceptable"
"""The status of an operation that the verifier refused (422)."""
CANCELLED: Final = "cancelled"
"""The status of an operation that was ended with its client's leaving."""
INFRA_ERROR: Final = "infra_error"

_KINDS: Final[dict[type, tuple[str, str]]] = {
    ExecuteOperation: ("execute", ""),
    ValidateOperation: ("validate", ""),
    DeductionOperation: ("verify", "deduction"),
    AbductionOperation: ("verify", "abduction"),
    InductionOperation: ("verify", "induction"),
    ScriptOperation: ("script", ""),
}
"""``op`` and ``mode`` of each operation."""
_OTHER: Final = ("other", "")


class ObservedVerifier:
    """Carries operations out with another verifier, and takes note."""

    def __init__(self, verifier: CarriesOut, registry: CollectorRegistry) -> None:
        """Show in ``registry`` what ``verifier`` does."""
        self._verifier = verifier
        self._tally = Tally(
            "operations",
            "Operations carried out, by the status of their result; 'unacceptable' was answered "
            "422, 'mixed' is an execute whose inputs ended differently.",
            ("op", "mode", "status"),
            [(*kind, INFRA_ERROR) for kind in _KINDS.values()],
        )
        self._durations = Histogram(
            "operation_seconds",
            "Time an operation took, from its begin to its result; the wait before is not in it.",
            "op",
            [op for op, _ in _KINDS.values()],
        )
        registry.register(self._tally)
        registry.register(self._durations)

    async def carry_out(self, operation: AnyOperation) -> dict[str, Any]:
        """Carry out one operation; raises what the verifier raises."""
        begun = time.perf_counter()
        status = INFRA_ERROR  # a defect: whoever called answers it as such
        try:
            result = await self._verifier.carry_out(operation)
            status = status_of(result)
        except RequestError:
            status = UNACCEPTABLE
            raise
        except asyncio.CancelledError:
            status = CANCELLED
            raise
        finally:
            op, mode = _KINDS.get(type(operation), _OTHER)
            self._tally.add((op, mode, status))
            self._durations.of(op).observe(time.perf_counter() - begun)
        return result


def status_of(result: dict[str, Any]) -> str:
    """Return the one word for a result: its verdict, its run status, or ``valid``."""
    status: str
    if "outcomes" in result:
        status, *others = {outcome["status"] for outcome in result["outcomes"]}
        return MIXED if others else status
    if "valid" in result:
        status = "valid" if result["valid"] else result["reason"]
        return status
    status = result["status"]
    return status
