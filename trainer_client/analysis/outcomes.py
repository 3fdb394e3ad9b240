"""`Outcomes`: how many of a problem's samples were right, for each problem of an evaluation.

Read from files of JSON lines, one for each sample:

    {"benchmark": ..., "problem": ..., "sample": 0, "correct": true}

``correct`` is null where no verdict could be had; such samples do not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from trainer_client.analysis.answering import Answer
from trainer_client.buffers.json_lines import read_rows
from trainer_client.errors import DataError
from trainer_client.evaluation.passk import pass_at_k

SAMPLES_FILE: Final = "samples.jsonl"
"""Its name in an evaluation's directory."""


class _Row(BaseModel):
    benchmark: str
    problem: str
    sample: int
    correct: bool | None


@dataclass(frozen=True)
class Outcomes:
    """One benchmark's problems, as one model met them.

    Attributes:
        counts: (samples with a verdict, right ones among them) by problem.
    """

    counts: dict[str, tuple[int, int]]

    @property
    def largest_k(self) -> int:
        """The samples that every problem has."""
        return min((n for n, _ in self.counts.values()), default=0)

    def among(self, problems: Iterable[str]) -> "Outcomes":
        """Return these problems alone, in their order; all of them must be there."""
        return Outcomes({problem: self.counts[problem] for problem in problems})

    def pass_at(self, k: int) -> list[float]:
        """Return each problem's unbiased pass@k; of those with fewer samples none."""
        return [pass_at_k(n, c, k) for n, c in self.counts.values() if n >= k]


def powers_of_two(largest: int) -> list[int]:
    """Return 1, 2, 4 ... and the largest itself."""
    ks = [1 << i for i in range(largest.bit_length())]
    return ks if ks[-1] == largest else [*ks, largest]


def read_outcomes(path: Path) -> dict[str, Outcomes]:
    """Read an evaluation's directory, or its file of samples; return outcomes by benchmark.

    Raises:
        DataError: it is not there or damaged; the message names the line.
    """
    file = path / SAMPLES_FILE if path.is_dir() else path
    seen: set[tuple[str, str, int]] = set()
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for place, row in read_rows(file, _Row):
        key = (row.benchmark, row.problem, row.sample)
        if key in seen:
            raise DataError(f"{place}: sample {row.sample} of {row.problem} is there twice")
        seen.add(key)
        known = counts.setdefault(row.benchmark, {})
        n, c = known.get(row.problem, (0, 0))
        if row.correct is None:
            known[row.problem] = (n, c)
        else:
            known[row.problem] = (n + 1, c + row.correct)
    if not counts:
        raise DataError(f"{file}: it holds no samples")
    return {benchmark: Outcomes(found) for benchmark, found in counts.items()}


def sample_rows(benchmark: str, answers: Iterable[Answer]) -> list[dict[str, object]]:
    """Return a model's answers as rows of such a file."""
    return [
        {
            "benchmark": benchmark,
            "problem": str(one.problem),
            "sample": one.sample,
            "correct": one.correct,
            "tokens": one.tokens,
            "status": one.status,
        }
        for one in answers
    ]


def common_problems(one: Outcomes, other: Outcomes) -> list[str]:
    """Return the problems that both have verdicts on.

    Raises:
        DataError: there are none.
    """
    shared = [
        problem
        for problem, (n, _) in one.counts.items()
        if n and other.counts.get(problem, (0, 0))[0]
    ]
    if not shared:
        raise DataError("the two evaluations have no problem in common")
    return shared
