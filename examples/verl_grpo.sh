#!/bin/sh
# GRPO with verl (2026), rewarded by verdicts.
#
#     azr-executor serve &                              # or VERIFIER_URL=http://...
#     python examples/make_data.py verl --triplets triplets.jsonl train.parquet
#     sh examples/verl_grpo.sh train.parquet Qwen/Qwen2.5-0.5B-Instruct
#
# Up to verl 0.6 the keys begin with custom_reward_function instead of reward.custom_reward_function.
# The prompts are chat messages, after which the model opens its thought itself: thought=response.
set -eu
train=$1
model=$2
shift 2
exec python3 -m verl.trainer.main_ppo \
    algorithm.adv_estimator=grpo \
    data.train_files="$train" data.val_files="$train" \
    data.max_prompt_length=2048 data.max_response_length=1024 \
    actor_rollout_ref.model.path="$model" \
    actor_rollout_ref.rollout.n=8 \
    reward.custom_reward_function.path=pkg://trainer_client.adapters.verl \
    reward.custom_reward_function.name=compute_score \
    reward.reward_manager.name=naive \
    +reward.custom_reward_function.reward_kwargs.thought=response \
    +reward.custom_reward_function.reward_kwargs.wrong=-0.5 \
    +reward.custom_reward_function.reward_kwargs.bad_format=-1.0 \
    "$@"
