"""TRL itself: two steps of its GRPO trainer on a tiny model, rewarded through the adapter."""

import math
from itertools import count

import pytest

from tests.trainer.adapters.troubled import troubled
from tests.trainer.selfplay.players import program
from trainer_client.adapters import Grader, Sample, Scale
from trainer_client.adapters.trl import make_reward_func, reward_func
from trainer_client.errors import DataError
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Triplet
from trainer_client.tasks.registry import task_kind

# What TRL and its libraries warn of is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
STEPS, GROUP = 2, 8


def rows():
    """Return prompts of the tiny prompt set with the columns that judge them."""
    prompts = PromptSet.load("tiny")
    found = []
    for task in (Task.DEDUCTION, Task.ABDUCTION):
        for k, a in [(1, 2), (2, 1), (3, 4), (1, 3)]:
            problem = Triplet(program(k), str(a), str(a + k))
            prompt = prompts.render(
                TaskRole(task, Role.SOLVE), task_kind(task).solve_variables(problem)
            )
            found.append({"prompt": prompt, **Sample(task, problem).fields()})
    return found


@pytest.fixture
def train(request, tmp_path):
    """A way to train two steps; returns the trainer."""
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    base = request.getfixturevalue("base")  # not made where there is no TRL
    from datasets import Dataset

    class Trainer(trl.GRPOTrainer):
        """Remembers the advantages that it made of the rewards."""

        def _generate_and_score_completions(self, inputs):
            found = super()._generate_and_score_completions(inputs)
            self.made = [*getattr(self, "made", []), found["advantages"].tolist()]
            return found

    def run(reward):
        arguments = trl.GRPOConfig(
            output_dir=str(tmp_path), max_steps=STEPS, use_cpu=True, bf16=False, report_to=[],
            per_device_train_batch_size=GROUP, num_generations=GROUP, max_completion_length=24,
            logging_steps=1, save_strategy="no", disable_tqdm=True, seed=0, temperature=1.0,
            gradient_checkpointing=False, dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = Trainer(
            model=str(base),
            reward_funcs=reward,
            args=arguments,
            train_dataset=Dataset.from_list(rows()),
        )
        trainer.train()
        return trainer

    return run


def test_two_steps_of_grpo_learn_from_verdicts(train, verifier_url):
    seen = []
    with Grader(verifier_url, form="tiny") as grader:
        judge = make_reward_func(grader)

        def reward(prompts, completions, **columns):
            found = judge(prompts, completions, **columns)
            seen.extend(zip(completions, found, strict=True))
            return found

        trainer = train(reward)
        assert trainer.state.global_step == STEPS
        assert len(seen) == STEPS * GROUP
        assert {value for _, value in seen} == {0.0, 1.0}, "some are right, and some are not"
    logs = [line for line in trainer.state.log_history if "reward" in line]
    assert len(logs) == STEPS
    assert math.isclose(
        sum(line["reward"] for line in logs) / STEPS,
        sum(value for _, value in seen) / len(seen),
        abs_tol=1e-6,
    )
    assert all(math.isfinite(line["loss"]) for line in logs)
    assert all(line["verifier/masked"] == 0.0 for line in logs)


def test_a_sample_without_a_verdict_moves_nothing(train, verifier_url):
    seen = []
    asked = count()
    # No other sample has a reward of 0, so a 0 in place of None would show.
    scale = Scale(correct=1.0, wrong=-0.5, bad_format=-1.0)
    with (
        troubled(verifier_url, lambda item: next(asked) % 2 == 0) as config,
        Grader(config, form="tiny", scale=scale) as grader,
    ):
        judge = make_reward_func(grader)

        def reward(prompts, completions, **columns):
            found = judge(prompts, completions, **columns)
            seen.append(found)
            return found

        trainer = train(reward)
    logs = [line for line in trainer.state.log_history if "reward" in line]
    for line, rewards, advantages in zip(logs, seen, trainer.made, strict=True):
        judged = [value for value in rewards if value is not None]
        assert 0 < len(judged) < len(rewards)
        assert math.isclose(line["reward"], sum(judged) / len(judged), abs_tol=1e-6)
        assert math.isclose(line["verifier/masked"], 1 - len(judged) / len(rewards), abs_tol=1e-6)
        assert math.isfinite(line["loss"])
        for value, advantage in zip(rewards, advantages, strict=True):
            assert (advantage == 0.0) == (value is None or len(set(judged)) == 1)
    assert len(seen) == STEPS
    assert any(len(set(rewards) - {None}) > 1 for rewards in seen), "some rewards differ"


def test_a_dataset_without_the_columns_stops_before_the_first_step(train):
    def renamed(prompts, completions, **columns):
        columns["kind"] = columns.pop("task")
        return reward_func(prompts, completions, **columns)

    with pytest.raises(DataError, match=r"task: the dataset has no such column, only .*kind"):
        train(renamed)
