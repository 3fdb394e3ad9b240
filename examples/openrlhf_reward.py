r"""OpenRLHF's reward file.

It is named on the command line (before 2026: --remote_rm_url):

    python examples/make_data.py openrlhf --triplets triplets.jsonl train.jsonl
    VERIFIER_URL=http://127.0.0.1:8000 python -m openrlhf.cli.train_ppo_ray \
        --reward.remote_url examples/openrlhf_reward.py \
        --data.prompt_dataset train.jsonl --data.input_key prompt --data.label_key label ...

The prompts are those of the ``azr`` prompt set and end in "<think>": no chat template.
"""

from trainer_client.adapters.openrlhf import reward_func

__all__ = ["reward_func"]
