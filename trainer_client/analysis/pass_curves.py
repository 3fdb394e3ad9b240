"""pass@k of several models, a panel for each benchmark: the self-play paper's figure 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trainer_client.analysis.artifact import Artifact, Cell
from trainer_client.analysis.outcomes import Outcomes, common_problems, powers_of_two
from trainer_client.analysis.resampling import Interval, difference, mean
from trainer_client.analysis.style import (
    COLOURS,
    DASHES,
    MARKERS,
    legend,
    panels,
    shares_beside,
)
from trainer_client.errors import DataError
from trainer_client.evaluation.passk import pass_at_k

COLUMNS: Final = ("benchmark", "model", "problems", "k", "pass", "pass_low", "pass_high")


@dataclass(frozen=True)
class Gain:
    """The paired difference of pass@k between two models on the same problems, by k."""

    problems: int
    by_k: dict[int, Interval]

    @property
    def first(self) -> Interval:
        """At k = 1."""
        return self.by_k[1]

    @property
    def last(self) -> tuple[int, Interval]:
        """At the largest k, with that k."""
        return max(self.by_k.items(), key=lambda item: item[0])


def gain(base: Outcomes, tuned: Outcomes) -> Gain:
    """Return tuned - base on the problems that both have verdicts on.

    Raises:
        DataError: there are none.
    """
    shared = common_problems(base, tuned)
    one, other = base.among(shared), tuned.among(shared)
    ks = powers_of_two(min(one.largest_k, other.largest_k))
    return Gain(len(shared), {k: difference(one.pass_at(k), other.pass_at(k)) for k in ks})


def pass_artifact(models: Mapping[str, Mapping[str, Outcomes]]) -> Artifact:
    """Return curves with 95 % bootstrap intervals over problems.

    Args:
        models: outcomes by model and benchmark.

    Raises:
        DataError: no benchmark has samples of every problem.
    """
    benchmarks = list(dict.fromkeys(name for found in models.values() for name in found))
    figure, axes = panels(len(benchmarks), 4)
    rows: list[list[Cell]] = []
    for each, benchmark in zip(axes, benchmarks, strict=True):
        for rank, (model, found) in enumerate(models.items()):
            if benchmark not in found:
                continue
            curve = _curve(found[benchmark], benchmark)
            ks, values = list(curve), list(curve.values())
            each.fill_between(
                ks, [v.low for v in values], [v.high for v in values],
                color=COLOURS[rank % len(COLOURS)], alpha=0.15, linewidth=0,
            )  # fmt: skip
            each.plot(
                ks, [v.value for v in values], label=model, color=COLOURS[rank % len(COLOURS)],
                marker=MARKERS[rank % len(MARKERS)], linestyle=DASHES[rank % len(DASHES)],
            )  # fmt: skip
            problems = len(found[benchmark].counts)
            rows += [[benchmark, model, problems, k, *_cells(v)] for k, v in curve.items()]
        each.set_xscale("log", base=2)
        each.set_xticks(ks, [str(k) for k in ks])
        each.set_xlabel("samples k")
        each.set_title(benchmark)
        shares_beside(each)
        legend(each)
    axes[0].set_ylabel("pass@k")
    return Artifact(
        name="pass_at_k",
        title="pass@k",
        caption=(
            "Unbiased estimates, averaged over problems; bands: 95 % bootstrap intervals over "
            f"problems. {_said(models, benchmarks)}"
        ),
        columns=COLUMNS,
        rows=rows,
        figure=figure,
    )


def _curve(outcomes: Outcomes, benchmark: str) -> dict[int, Interval]:
    known = Outcomes({p: count for p, count in outcomes.counts.items() if count[0]})
    if not known.largest_k:
        raise DataError(f"{benchmark}: no sample has a verdict")
    counts = known.counts.values()
    return {
        k: mean([pass_at_k(n, c, k) for n, c in counts]) for k in powers_of_two(known.largest_k)
    }


def _cells(one: Interval) -> Sequence[Cell]:
    return [one.value, one.low, one.high]


def _said(models: Mapping[str, Mapping[str, Outcomes]], benchmarks: Sequence[str]) -> str:
    """State every further model's paired gain over the first."""
    (base, before), *others = models.items()
    parts = []
    for name, after in others:
        for benchmark in benchmarks:
            if benchmark in before and benchmark in after:
                found = gain(before[benchmark], after[benchmark])
                k, last = found.last
                parts.append(
                    f"{benchmark}, {name} over {base}: {found.first.text('+.3f')} at k = 1, "
                    f"{last.text('+.3f')} at k = {k}."
                )
    return " ".join(parts)
