"""The reward functions of verl: `compute_score` for one response, `compute_score_batch` for many.

    reward.custom_reward_function.path=pkg://trainer_client.adapters.verl
    reward.custom_reward_function.name=compute_score
    reward.reward_manager.name=naive            # compute_score_batch: batch

``reward_model.ground_truth`` of the dataset is a label as `Sample.label` writes it. Options
(``reward.custom_reward_function.reward_kwargs``): those of `trainer_client.adapters.options`.

verl's contract (documentation page "Implement Reward Function for Dataset"; source of the managers
``naive`` and ``batch`` in verl/experimental/reward_loop/reward_manager): ``compute_score(
data_source, solution_str, ground_truth, extra_info, **reward_kwargs)`` returns a float or a dict
with ``score``, whose other entries are logged; the batch manager calls with plurals and wants a
list. verl has no mask: None and NaN reach the advantages. So a response without a verdict raises
`NoVerdict` after all retries, which ends the run at its last checkpoint rather than inventing a
reward (verl-project/verl#4417: ``naive`` lets exceptions through). Do not use ``rate_limited``,
which turns exceptions into 0.0, nor a ``compute_score_timeout`` shorter than the verifier's
patience, which does so too.
"""

from collections.abc import Sequence
from typing import Any

from trainer_client.adapters.grader import Grade, judged
from trainer_client.adapters.options import grader_of
from trainer_client.adapters.sample import Sample


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: dict[str, Any] | None = None,
    **kwargs: Any,
) -> dict[str, float]:
    r"""Return the score of one response; concurrent calls are gathered into few requests.

    Args:
        data_source: not used: what is judged is in the label.
        solution_str: the response.
        ground_truth: the label: JSON of the fields of a `Sample`, or a mapping of them.
        extra_info: not used.
        kwargs: options (`trainer_client.adapters.options`); others are ignored.

    Returns:
        ``score``, the reward; ``acc``, the verdict's score; ``bad_format``, 1 for one.

    Raises:
        NoVerdict: the verifier had trouble of its own, each time it was asked.
        DataError: the label is not right; the message names the field.
        VerifierAway: the verifier could not be had within the patience.

    Example:
        >>> from trainer_client.adapters.verl import compute_score
        >>> label = '{"task": "abduction", "program": "def f(x): return x * 2", "output": "8"}'
        >>> answer = "<answer>```input\n4\n```</answer>"
        >>> compute_score("azr", answer, label, thought="none")
        {'score': 1.0, 'acc': 1.0, 'bad_format': 0.0}
    """
    sample = Sample.read(ground_truth, f"ground_truth of {data_source}")
    return _scores(grader_of(kwargs).grade([sample], [solution_str]))[0]


def compute_score_batch(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[dict[str, Any] | None] | None = None,
    **kwargs: Any,
) -> list[dict[str, float]]:
    """Return the scores of a batch; see `compute_score`.

    Example:
        >>> from trainer_client.adapters.verl import compute_score_batch
        >>> label = '{"task": "deduction", "program": "def f(): ...", "output": "8"}'
        >>> compute_score_batch(["azr"] * 2, ["8", "9"], [label] * 2, wrong=-0.5, bad_format=-1.0)
        [{'score': -1.0, 'acc': 0.0, 'bad_format': 1.0}, {'score': -1.0, 'acc': 0.0, ...}]
    """
    samples = [
        Sample.read(label, f"ground_truth {place} of {source}")
        for place, (label, source) in enumerate(zip(ground_truths, data_sources, strict=True))
    ]
    return _scores(grader_of(kwargs).grade(samples, solution_strs))


def _scores(grades: Sequence[Grade]) -> list[dict[str, float]]:
    return [
        {"score": reward, "acc": score, "bad_format": float(grade.status == "bad_format")}
        for grade, (reward, score) in zip(grades, judged(grades), strict=True)
    ]
