"""The reward function of OpenRLHF, loaded from a file that imports it.

    # reward_func.py:  from trainer_client.adapters.openrlhf import reward_func
    --reward.remote_url reward_func.py --data.label_key label      # before 2026: --remote_rm_url

The dataset's label column holds JSON as `Sample.label` writes it.

OpenRLHF's contract (README, "Reinforced Fine-tuning"; examples/python/reward_func.py and
openrlhf/utils/agent.py): ``reward_func(queries, prompts, labels, **kwargs)`` gets the whole texts
(prompt and response, special tokens decoded), and returns a dict of ``rewards`` for the advantages,
``scores`` in 0..1 for dynamic filtering and ``extra_logs``. There is no mask. A response without a
verdict raises `NoVerdict` after all retries; the single-turn executor logs it and leaves the reward
None (agent.py, "Failed to fetch reward"), so that no number is invented. A batch that holds such a
sample has no rewards to compute advantages from; restart from the last checkpoint when the verifier
is well. The verifier is waited for up to an hour before (``patience_seconds``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from trainer_client.adapters.grader import judged
from trainer_client.adapters.options import grader_of
from trainer_client.adapters.sample import Sample
from trainer_client.errors import DataError

if TYPE_CHECKING:
    import torch


class Rewards(TypedDict):
    """What OpenRLHF reads.

    Attributes:
        rewards: for the advantages.
        scores: the verdicts' scores, 0..1, for dynamic filtering.
        extra_logs: further numbers for its logs.

    Example:
        >>> from trainer_client.adapters.openrlhf import Rewards
        >>> sorted(Rewards.__annotations__)
        ['extra_logs', 'rewards', 'scores']
    """

    rewards: "torch.Tensor"
    scores: "torch.Tensor"
    extra_logs: "dict[str, torch.Tensor]"


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], **kwargs: Any
) -> Rewards:
    r"""Return rewards and scores of responses.

    Args:
        queries: prompt and response in one text; the prompt's first occurrence is taken off.
        prompts: the prompts.
        labels: JSON of the fields of a `Sample`, or mappings of them.
        kwargs: options (`trainer_client.adapters.options`); others are ignored.

    Raises:
        NoVerdict: the verifier had trouble of its own, each time it was asked.
        DataError: a label is not right, or a query does not hold its prompt (was it cut?).
        VerifierAway: the verifier could not be had within the patience.

    Example:
        >>> from trainer_client.adapters.openrlhf import reward_func
        >>> label = '{"task": "deduction", "program": "def f(): ...", "output": "8"}'
        >>> query = "What is it? <think>8.</think><answer>```output\n8\n```</answer></s>"
        >>> reward_func([query], ["What is it? <think>"], [label])["rewards"].tolist()
        [1.0]
    """
    samples = [Sample.read(label, f"label {place}") for place, label in enumerate(labels)]
    responses = [_response(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    grades = grader_of(kwargs).grade(samples, responses)
    found = judged(grades)
    import torch  # noqa: PLC0415 - whoever calls this has it; nobody else should need it

    bad = [float(grade.status == "bad_format") for grade in grades]
    scores = torch.tensor([score for _, score in found])
    return {
        "rewards": torch.tensor([reward for reward, _ in found]),
        "scores": scores,
        "extra_logs": {"accuracy": scores, "bad_format": torch.tensor(bad)},
    }


def _response(query: str, prompt: str) -> str:
    if not prompt:
        return query
    _, found, response = query.partition(prompt)
    if not found:
        raise DataError(
            "query: it does not hold its prompt, which was probably cut; allow longer prompts, "
            "or leave over-long ones out of the dataset"
        )
    return response
