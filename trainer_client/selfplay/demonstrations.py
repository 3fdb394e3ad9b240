"""Right answers written by us in the asked form: off-policy samples for mixing and for SFT."""

from collections.abc import Sequence
from random import Random

from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem
from trainer_client.records.rollouts import Rollout, Scored
from trainer_client.selfplay.arena import Arena, solver
from trainer_client.selfplay.speech import encode
from trainer_client.tasks.registry import task_kind

DEMONSTRATION = "demonstration"
"""The status of a sample that nobody sampled; its reward is that of a right answer."""


def demonstrate(arena: Arena, task: Task, problem: Problem, group: int) -> Scored | None:
    """Write the gold answer to a problem as a sample; None where it is too long to be learnt."""
    kind = task_kind(task)
    text = kind.demonstration(problem, arena.prompts.markup)
    prompt = encode(arena, arena.prompts.render(solver(task), kind.solve_variables(problem)))
    end = arena.tokenizer.eos_token_id
    assert isinstance(end, int), "the vocabulary refuses tokenizers without an end token"
    response = (*encode(arena, text), end)
    lengths = arena.config.lengths
    if len(prompt) > lengths.max_prompt_tokens or len(response) > lengths.max_response_tokens:
        return None
    rollout = Rollout(
        role=solver(task), prompt=prompt, response=response, logprobs=(), finished=True,
        group=group, text=text, temperature=arena.config.solve.decoding.temperature,
    )  # fmt: skip
    return Scored(rollout, reward=1.0, status=DEMONSTRATION, off_policy=True)


def choose_demonstrated(groups: int, share: float, rng: Random) -> Sequence[int]:
    """Choose which of a batch's problems are demonstrated instead of all being sampled."""
    return sorted(rng.sample(range(groups), round(groups * share)))
