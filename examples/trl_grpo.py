"""GRPO with TRL, rewarded by verdicts.

    azr-executor serve &                                  # or VERIFIER_URL=http://...
    pip install "azr-verifier[train]" trl
    python examples/trl_grpo.py --model Qwen/Qwen2.5-0.5B-Instruct --steps 200

The five lines that matter are the import, the dataset's columns and ``reward_funcs``.
"""

import argparse
from pathlib import Path

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from trainer_client.adapters import Grader
from trainer_client.adapters.rows import rows
from trainer_client.adapters.trl import make_reward_func
from trainer_client.buffers.azr_format import read_triplets
from trainer_client.records.problems import Triplet

SAMPLE_PROBLEMS = [
    Triplet("def f(words):\n    return sorted(set(words))", "['b', 'a', 'b']", "['a', 'b']"),
    Triplet("def f(n):\n    return [i * i for i in range(n)]", "4", "[0, 1, 4, 9]"),
    Triplet("def f(x):\n    return x + 1", "2", "3"),
    Triplet("def f(x):\n    return x + 2", "3", "5"),
]


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name or directory of a causal model")
    parser.add_argument("--triplets", type=Path, help="problems as JSONL in AZR's format")
    parser.add_argument("--prompts", default="azr", help="the prompt set: azr, tiny, a directory")
    parser.add_argument("--verifier", help="base URL (default: VERIFIER_URL, else port 8000 here)")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--group", type=int, default=8, help="responses to each prompt")
    parser.add_argument("--tokens", type=int, default=1024, help="of a longest response")
    parser.add_argument("--output", default="trl-output")
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()

    problems = read_triplets(given.triplets) if given.triplets else SAMPLE_PROBLEMS
    dataset = Dataset.from_list(
        [row for task in ("deduction", "abduction") for row in rows(task, problems, given.prompts)]
    )
    with Grader(given.verifier, form=given.prompts) as grader:
        trainer = GRPOTrainer(
            model=given.model,
            reward_funcs=make_reward_func(grader),
            train_dataset=dataset,
            args=GRPOConfig(
                output_dir=given.output,
                max_steps=given.steps,
                per_device_train_batch_size=given.group,
                num_generations=given.group,
                max_completion_length=given.tokens,
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                use_cpu=given.cpu,
                bf16=not given.cpu,
                gradient_checkpointing=not given.cpu,
            ),
        )
        trainer.train()


if __name__ == "__main__":
    main()
