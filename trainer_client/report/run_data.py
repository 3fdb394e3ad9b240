"""`RunData`: what a run directory holds, as far as the report needs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from trainer_client.config.run import RunConfig
from trainer_client.report.analyses import Analysis, read_analyses
from trainer_client.report.evaluation import Table, read_evaluation
from trainer_client.report.series import Series, series_of
from trainer_client.state.json_lines import read_lines
from trainer_client.state.run_directory import RunDirectory


@dataclass(frozen=True)
class RunData:
    """A run as read from disk.

    Attributes:
        run: its directory.
        config: its configuration, without credentials in the verifier's URL.
        rows: the lines of metrics.jsonl.
        series: the same by metric.
        rollouts: sampled rollouts of the first, the middle and the last step.
        problems: lines of the buffers.
        evaluation: tables of held-out evaluations.
        analyses: figures of `azr-trainer analyze`.
    """

    run: RunDirectory
    config: RunConfig
    rows: list[dict[str, Any]]
    series: dict[str, Series]
    rollouts: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    evaluation: list[Table]
    analyses: list[Analysis]

    @property
    def steps(self) -> int:
        """How many steps have been written down."""
        return len(self.rows)


def read_run(path: Path | str) -> RunData:
    """Read a run directory; files that are not there yet are empty.

    Raises:
        DataError: it is no run, or its evaluation is not in the agreed form.
        ConfigError: its configuration cannot be read.
    """
    run = RunDirectory(path)
    config = run.config()
    rows = [row for row in read_lines(run.metrics_file) if isinstance(row.get("step"), int)]
    steps = [row["step"] for row in rows]
    shown = {steps[0], steps[len(steps) // 2], steps[-1]} if steps else set()
    return RunData(
        run=run,
        config=_without_credentials(config),
        rows=rows,
        series=series_of(rows),
        rollouts=[line for line in read_lines(run.rollouts_file) if line.get("step") in shown],
        problems=[
            line for file in sorted(run.buffers.glob("*.jsonl")) for line in read_lines(file)
        ],
        evaluation=read_evaluation(run.evaluation_file),
        analyses=read_analyses(run.analysis),
    )


def _without_credentials(config: RunConfig) -> RunConfig:
    """Take user and password out of the verifier's URL: reports are passed around."""
    parts = urlsplit(config.verifier.url)
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    verifier = config.verifier.model_copy(update={"url": url})
    return config.model_copy(update={"verifier": verifier})
