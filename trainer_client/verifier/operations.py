"""The contract's operations as methods with typed results, once to be awaited and once to block."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, Unpack

from trainer_client.verifier import items
from trainer_client.verifier.fields import (
    AbductionFields,
    DeductionFields,
    ExecuteFields,
    InductionFields,
    ValidateFields,
)
from trainer_client.verifier.items import Item
from trainer_client.verifier.results import Execution, Validation, Verdict

Mode = Literal["deduction", "abduction", "induction"]


class AsyncOperations(ABC):
    """The operations, to be awaited; concurrent calls are gathered into few requests."""

    @abstractmethod
    async def _ask(self, item: Item) -> dict[str, Any]:
        """Return the result of one item."""

    async def execute(
        self, program: str, inputs: Sequence[str], **fields: Unpack[ExecuteFields]
    ) -> Execution:
        """Call a program on inputs: one outcome for each, in order."""
        return Execution.from_json(await self._ask(items.execution(program, inputs, **fields)))

    async def validate(
        self,
        program: str,
        input: str,  # noqa: A002 - the contract's name
        **fields: Unpack[ValidateFields],
    ) -> Validation:
        """Ask whether a task is worth posing: allowed, running and deterministic."""
        return Validation.from_json(await self._ask(items.validation(program, input, **fields)))

    async def deduction(self, program: str, **fields: Unpack[DeductionFields]) -> Verdict:
        """Judge a predicted output (`answer`) of the program on `input`, or against `output`."""
        return Verdict.from_json(await self._ask(items.deduction(program, **fields)))

    async def abduction(self, program: str, **fields: Unpack[AbductionFields]) -> Verdict:
        """Judge an argument list (`answer`): right when the program maps it to `output`."""
        return Verdict.from_json(await self._ask(items.abduction(program, **fields)))

    async def induction(self, program: str, **fields: Unpack[InductionFields]) -> Verdict:
        """Judge a program: right when it maps the input of every one of `cases` to its output."""
        return Verdict.from_json(await self._ask(items.induction(program, **fields)))

    async def verify(self, mode: Mode, program: str, **fields: Any) -> Verdict:
        """Judge an answer of the mode named; the fields are those of the mode."""
        item = {"op": "verify", "mode": mode, "program": program, **fields}
        return Verdict.from_json(await self._ask(item))


class Operations(ABC):
    """The operations, blocking; calls of several threads are gathered into few requests."""

    @abstractmethod
    def _ask(self, item: Item) -> dict[str, Any]:
        """Return the result of one item."""

    def execute(
        self, program: str, inputs: Sequence[str], **fields: Unpack[ExecuteFields]
    ) -> Execution:
        """Call a program on inputs: one outcome for each, in order."""
        return Execution.from_json(self._ask(items.execution(program, inputs, **fields)))

    def validate(
        self,
        program: str,
        input: str,  # noqa: A002 - the contract's name
        **fields: Unpack[ValidateFields],
    ) -> Validation:
        """Ask whether a task is worth posing: allowed, running and deterministic."""
        return Validation.from_json(self._ask(items.validation(program, input, **fields)))

    def deduction(self, program: str, **fields: Unpack[DeductionFields]) -> Verdict:
        """Judge a predicted output (`answer`) of the program on `input`, or against `output`."""
        return Verdict.from_json(self._ask(items.deduction(program, **fields)))

    def abduction(self, program: str, **fields: Unpack[AbductionFields]) -> Verdict:
        """Judge an argument list (`answer`): right when the program maps it to `output`."""
        return Verdict.from_json(self._ask(items.abduction(program, **fields)))

    def induction(self, program: str, **fields: Unpack[InductionFields]) -> Verdict:
        """Judge a program: right when it maps the input of every one of `cases` to its output."""
        return Verdict.from_json(self._ask(items.induction(program, **fields)))

    def verify(self, mode: Mode, program: str, **fields: Any) -> Verdict:
        """Judge an answer of the mode named; the fields are those of the mode."""
        item = {"op": "verify", "mode": mode, "program": program, **fields}
        return Verdict.from_json(self._ask(item))
