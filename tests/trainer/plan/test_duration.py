"""Time: phases computed by hand on a GPU of round rates."""

import pytest

from trainer.plan.jobs import LENGTHS, ROUND, job_of, plan_of
from trainer_client.plan.duration import attention_flops, phases
from trainer_client.plan.workload import Lengths, workload

MATRICES = 36 * (2 * 2048 * 2048 + 2 * 2048 * 256 + 3 * 2048 * 11_008)
HEAD = 151_936 * 2048


def phase(plan, name):
    (found,) = (each for each in plan.phases if each.name == name)
    return found


def test_a_step_of_the_paper_samples_and_learns_what_it_says():
    work = workload(job_of("azr-paper").config, valid_share=1.0)
    assert (work.proposals, work.solutions, work.estimates) == (192, 192, 1536)
    assert work.proposals + work.solutions + work.estimates == 1920
    assert (work.taught, work.steps, work.passes) == (384, 1, 0)


def test_a_frozen_proposer_is_sampled_and_not_learnt_from():
    work = workload(job_of("azr-3b-coder-frozen").config)
    assert (work.proposals, work.taught) == (192, 192)


def test_several_optimizer_steps_are_scored_beforehand():
    job = job_of("azr-paper", "learner.minibatches=2", "learner.epochs=3")
    assert (workload(job.config).passes, workload(job.config).steps) == (1, 6)
    trusted = job_of("azr-paper", "learner.minibatches=2", "learner.old_logprobs=sampler")
    assert workload(trusted.config).passes == 0


def test_attention_costs_four_flops_for_each_pair_and_width():
    assert attention_flops(job_of("azr-3b-coder"), 10, 500) == 10 * 4 * 500 * 2048 * 36


def test_the_updates_flops_are_forward_twice_that_backward_and_the_forward_again():
    found = phase(plan_of("azr-3b-coder", gpu=ROUND), "update")
    tokens = 384 * 2000
    layers = 2 * tokens * MATRICES + tokens * 4 * 1000 * 2048 * 36
    flops = 4 * layers + 4 * 2 * 384 * 1000 * HEAD
    assert found.compute == pytest.approx(flops / 1e12)
    # Near the usual 8 FLOPs for each parameter and token.
    assert flops / tokens / (MATRICES + HEAD) == pytest.approx(8, rel=0.1)
    assert found.seconds == found.compute
    assert found.limit == "FLOPs"


def test_without_checkpointing_the_update_computes_a_quarter_less():
    with_it = phase(plan_of("azr-3b-coder", gpu=ROUND), "update").compute
    override = "model.gradient_checkpointing=false"
    without = phase(plan_of("azr-3b-coder", override, gpu=ROUND), "update").compute
    assert without / with_it == pytest.approx(0.76, abs=0.01)


def test_gpus_divide_the_updates_work():
    one = phase(plan_of("azr-3b-coder", gpu=ROUND), "update")
    four = phase(plan_of("azr-3b-coder", gpu=ROUND, gpus=4), "update")
    assert four.compute == one.compute / 4
    # 12 micro-batches of each GPU gather bf16 twice and reduce fp32: 8 bytes, three quarters sent.
    assert four.link == pytest.approx(12 * 8 * 3_085_938_688 * 0.75 / 1e11)
    assert one.link == 0


def test_sampling_reads_the_weights_once_for_each_position_of_the_longest_row():
    plan = plan_of("azr-3b-coder", "sampler.max_batch_tokens=2000000", gpu=ROUND)
    found = phase(plan, "propose")
    # All 64 rows of a task fit side by side: three calls, one row of each at the limit.
    weights = 3 * 8000 * 2 * (MATRICES + HEAD)
    cache = 192 * 1000 * 1500 * 36_864
    assert found.memory == pytest.approx((weights + cache) / 1e12)
    h100 = plan_of("azr-3b-coder", "sampler.max_batch_tokens=2000000")
    assert phase(h100, "propose").limit == "memory"


def test_rows_that_do_not_fit_side_by_side_take_turns():
    # 27,000 positions are 2 rows of 1,000 + 8,096.
    wide = plan_of("azr-3b-coder", "sampler.max_batch_tokens=2000000", gpu=ROUND)
    narrow = plan_of("azr-3b-coder", "sampler.max_batch_tokens=27000", gpu=ROUND)
    weights = 3 * 8000 * 2 * (MATRICES + HEAD) / 1e12
    more = phase(narrow, "propose").memory - phase(wide, "propose").memory
    assert more == pytest.approx(31 * weights)


def test_the_optimizer_moves_40_bytes_a_parameter_and_16_more_to_the_host_and_back():
    plan = plan_of("azr-3b-coder", gpu=ROUND)
    assert phase(plan, "optimizer").seconds == pytest.approx(3_085_938_688 * 40 / 1e12)
    away = phase(plan_of("azr-3b-coder", "optimizer.offload=cpu", gpu=ROUND), "optimizer")
    assert away.link == pytest.approx(3_085_938_688 * 16 / 1e10)


def test_a_step_is_the_sum_of_its_phases_or_the_longer_half_where_they_overlap():
    plan = plan_of("azr-3b-coder", gpu=ROUND)
    assert plan.seconds == pytest.approx(sum(each.seconds for each in plan.phases))
    overlapping = ["pipeline.off_policy_steps=1", "loss.importance_cap=2.0"]
    both = plan_of("azr-3b-coder", *overlapping, gpu=ROUND)
    learning = phase(both, "update").seconds + phase(both, "optimizer").seconds
    assert both.seconds == pytest.approx(
        max(learning, sum(each.seconds for each in both.phases) - learning)
    )


def test_what_is_not_done_takes_no_time():
    plan = plan_of("azr-3b-coder", "propose.enabled=false", gpu=ROUND)
    assert [each.name for each in plan.phases] == [
        "solve", "update", "optimizer", "sleep and wake", "sync",
    ]  # fmt: skip
    job = job_of("azr-3b-coder")
    short = phases(job, workload(job.config), Lengths(10, 10, 10))
    assert sum(p.seconds for p in short) < sum(
        p.seconds for p in phases(job, workload(job.config), LENGTHS)
    )


def test_vllm_waits_for_the_longest_of_a_call_alone_and_takes_as_many_rows_as_it_may():
    plan = plan_of("azr-3b-coder", "sampler.backend=vllm", gpu=ROUND)
    weights = 2 * (MATRICES + HEAD) / 1e12
    cache = 1500 * 36_864 / 1e12
    assert phase(plan, "propose").memory == pytest.approx(3 * 8000 * weights + 192_000 * cache)
    # Few rows side by side: 512 answers of 1,000 tokens, 16 at once, are 32,000 turns.
    narrow = plan_of("azr-3b-coder", "sampler.backend=vllm", "sampler.max_num_seqs=16", gpu=ROUND)
    expected = 3 * 32_000 * weights + 1_536_000 * cache
    assert phase(narrow, "montecarlo").memory == pytest.approx(expected)


def test_vllms_weights_go_over_the_host_or_stay_on_the_gpu():
    files = phase(plan_of("azr-3b-coder", "sampler.backend=vllm", gpu=ROUND), "sync")
    assert files.link == pytest.approx(2 * 2 * 3_085_938_688 / 1e10)
    within = ["sampler.backend=vllm", "sampler.weight_sync=ipc"]
    assert phase(plan_of("azr-3b-coder", *within, gpu=ROUND), "sync").link == 0
