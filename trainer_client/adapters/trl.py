"""The reward function of TRL's trainers (GRPO, RLOO ...): verdicts, and None where there is none.

    from trl import GRPOTrainer
    from trainer_client.adapters.trl import reward_func

    GRPOTrainer(model, reward_funcs=reward_func, train_dataset=dataset, ...)

The dataset's columns beside ``prompt`` say what is judged: see `trainer_client.adapters.sample`.

TRL's contract (GRPOTrainer, ``reward_funcs``; documentation page "GRPO Trainer", "Using a custom
reward function"): called with ``prompts``, ``completions``, ``completion_ids``, the columns and
further keywords, it returns a list of floats, or None for a sample that it does not apply to. A
completion for which every function returns None is left out of its group's baseline and gets
advantage 0 since pull request huggingface/trl#5902 (June 2026). Before that the sum over functions
made a reward of 0.0 of it: with an older TRL, do not train on None. TRL 1.16 was tried.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from trainer_client.adapters.grader import Grader
from trainer_client.adapters.options import grader
from trainer_client.adapters.sample import Sample


class RewardFunc(Protocol):
    """What TRL calls; its ``__name__`` is the metric's."""

    __name__: str

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        """Return one reward per completion; None: to be left out."""
        ...


def reward_func(
    prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
) -> list[float | None]:
    r"""Return 1 for right, 0 for anything else, None where the verifier has no verdict.

    Answers are read in the form of the ``azr`` prompt set; `make_reward_func` takes another.

    Raises:
        DataError: a column is missing or not right; the message names it.
        VerifierError: the verifier does not take what we send.
        VerifierAway: it could not be had within the patience: better no step than a made-up one.

    Example:
        >>> from trainer_client.adapters.trl import reward_func
        >>> columns = {"task": ["deduction"], "program": ["def f(): ..."], "output": ["8"]}
        >>> reward_func(["..."], ["?</think><answer>```output\n8\n```</answer>"], **columns)
        [1.0]
    """
    return _rewards(grader(), completions, columns)


def make_reward_func(grader: Grader, name: str = "verified") -> RewardFunc:
    """Return a reward function with a grader of one's own: form, scale, verifier.

    Example:
        >>> from trainer_client.adapters import Grader, Scale
        >>> from trainer_client.adapters.trl import make_reward_func
        >>> azr = make_reward_func(Grader(scale=Scale(wrong=-0.5, bad_format=-1.0)))
        >>> azr(["..."], ["eight"], task=["deduction"], program=["def f(): ..."], output=["8"])
        [-1.0]
    """

    def verified(
        prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        return _rewards(grader, completions, columns)

    verified.__name__ = name
    return verified


def _rewards(
    grader: Grader, completions: Sequence[Any], columns: dict[str, Any]
) -> list[float | None]:
    samples = Sample.read_columns(columns, len(completions))
    grades = grader.grade(samples, completions)
    log_metric = columns.get("log_metric")  # TRL's, for further numbers in its logs
    if callable(log_metric) and grades:
        masked = sum(grade.reward is None for grade in grades)
        log_metric("verifier/masked", masked / len(grades))
        bad = sum(grade.status == "bad_format" for grade in grades)
        log_metric("verifier/bad_format", bad / len(grades))
    return [grade.reward for grade in grades]
