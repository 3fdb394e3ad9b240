"""A made-up run directory, written through the same writers as a real one."""

import json
from dataclasses import asdict
from pathlib import Path

from tests.trainer.telemetry.samples import ROLES, scored, step_metrics
from trainer_client.config.loading import load
from trainer_client.config.run import LoggingConfig
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.state.run_directory import RunDirectory
from trainer_client.telemetry.metrics import MetricsWriter
from trainer_client.telemetry.rollouts import RolloutLog

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> \u202e\x00\ud800 {{ 7 * 7 }}"
"""What a model may say to whoever opens the report."""

EVALUATION = [
    {
        "title": "Held-out accuracy, 300 problems each",
        "columns": ["task", "mean@8 before", "mean@8 after", "95 % interval of the change"],
        "rows": [
            ["deduction", 0.418, 0.492, "+4.1 to +10.7"],
            ["abduction", 0.435, 0.553, "+8.0 to +15.6"],
            ["induction", 0.136, None, "not run"],
        ],
        "notes": ["The same problems before and after <b>training</b>."],
    }
]


def write_run(path: Path, *, steps: int = 120, text: str = HOSTILE) -> RunDirectory:
    config = load(None, [f"steps={steps}", "verifier.url=http://me:secret@there:8000"], {})
    run = RunDirectory.create(path, config)
    said = [scored(role, f"<think>short</think>\n<answer>{text}</answer>") for role in ROLES]
    said.append(scored(ROLES[0], "no verdict", reward=None))
    with (
        MetricsWriter(run, LoggingConfig(tensorboard=False)) as metrics,
        RolloutLog(run, lambda _: f"Guess the output.\n{text}", per_role=2, seed=0) as rollouts,
    ):
        for step in range(1, steps + 1):
            metrics.observe(step, step_metrics(step))
            rollouts.observe(step, {}, said)
    _write_buffers(run, steps, text)
    run.evaluation_file.write_text(json.dumps(EVALUATION))
    return run


def _write_buffers(run: RunDirectory, steps: int, text: str) -> None:
    lines = []
    for born in range(0, steps + 1, 10):
        program = f"def f(x):\n    # {text}\n    return x[::-1] + '{born}'"
        triplet = Triplet(program, "'abc'", f"'cba{born}'", born=born)
        cases = tuple(Case(f"'{n}'", f"'{n}{born}'") for n in range(6))
        induction = InductionProblem(program, f"turns {text}", cases[:3], cases[3:], born=born)
        for task, problem in (
            (Task.DEDUCTION, triplet),
            (Task.ABDUCTION, triplet),
            (Task.INDUCTION, induction),
        ):
            lines.append(json.dumps({"task": task, "problem": asdict(problem)}))
    (run.buffers / "tasks.jsonl").write_text("\n".join(lines) + "\n")
