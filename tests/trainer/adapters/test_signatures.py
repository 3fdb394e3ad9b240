"""Adapters for trainers that do not install on a CPU, against their documented signatures.

Sources: verl, verl/experimental/reward_loop/reward_manager/{naive,batch}.py (verl-project/verl,
2026) and the documentation page "Implement Reward Function for Dataset"; OpenRLHF,
examples/python/reward_func.py and openrlhf/utils/agent.py (2026).
"""

import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.trainer.adapters.samples import DEDUCTION, RIGHT, SAMPLES, response
from tests.trainer.adapters.troubled import troubled
from trainer_client.adapters import openrlhf, options, verl
from trainer_client.errors import DataError, NoVerdict

LABELS = [sample.label() for sample in SAMPLES]


@pytest.fixture(autouse=True)
def environment(verifier_url, monkeypatch):
    monkeypatch.setenv("VERIFIER_URL", verifier_url)
    options.grader.cache_clear()
    yield
    options.grader().close()
    options.grader.cache_clear()


def call_as_verl_does(function, plural="", **reward_kwargs):
    """Bind exactly the keywords of verl's managers."""
    names = ("data_source", "solution_str", "ground_truth", "extra_info")
    keywords = dict.fromkeys((f"{name}{plural}" for name in names), None) | reward_kwargs
    inspect.signature(function).bind(**keywords)
    return [f"{name}{plural}" for name in names]


def test_verl_calls_one_with_its_four_keywords_and_reads_a_float_or_a_dict_with_score():
    names = call_as_verl_does(verl.compute_score, reward_router_address=None)
    extra = {"num_turns": 2, "rollout_reward_scores": {}}
    values = ["azr", RIGHT[0], LABELS[0], extra]
    found = verl.compute_score(**dict(zip(names, values, strict=True)), reward_router_address=None)
    assert found == {"score": 1.0, "acc": 1.0, "bad_format": 0.0}
    assert not inspect.iscoroutinefunction(verl.compute_score)  # run in verl's thread pool


def test_verl_calls_a_batch_with_plurals_and_reads_a_list():
    numpy = pytest.importorskip("numpy")
    names = call_as_verl_does(verl.compute_score_batch, "s")
    values = [numpy.array(["azr"] * 4, dtype=object), RIGHT, LABELS, [None] * 4]
    found = verl.compute_score_batch(**dict(zip(names, values, strict=True)), wrong=-0.5)
    assert [score["score"] for score in found] == [1.0] * 4
    assert len({tuple(score) for score in found}) == 1, "verl wants the same keys of every sample"
    assert all(type(value) is float for score in found for value in score.values())


def test_verl_s_reward_kwargs_are_options():
    found = verl.compute_score("azr", response("9"), LABELS[0], wrong=-0.5, bad_format=-1.0)
    assert (found["score"], found["acc"]) == (-0.5, 0.0)
    found = verl.compute_score("azr", "9", LABELS[0], wrong=-0.5, bad_format=-1.0)
    assert (found["score"], found["acc"], found["bad_format"]) == (-1.0, 0.0, 1.0)


def test_verl_s_threads_share_requests():
    with ThreadPoolExecutor(16) as threads:
        answers = [response(str(number)) for number in range(16)]
        found = threads.map(lambda text: verl.compute_score("azr", text, LABELS[0]), answers)
        assert [score["acc"] for score in found] == [float(n == 8) for n in range(16)]


def test_a_label_that_is_none_is_an_error_that_says_whose():
    with pytest.raises(DataError, match="ground_truth of gsm8k: neither a mapping"):
        verl.compute_score("gsm8k", "8", "8")
    with pytest.raises(DataError, match="label 1: task: one of"):
        openrlhf.reward_func(["8", "8"], ["", ""], [LABELS[0], "{}"])


def test_openrlhf_calls_with_three_lists_and_reads_a_dict_of_tensors():
    torch = pytest.importorskip("torch")
    names = list(inspect.signature(openrlhf.reward_func).parameters)
    assert names[:3] == ["queries", "prompts", "labels"]
    prompts = [f"Task {number}. <think>" for number in range(4)]
    queries = [f"<s>{p}{text}<|im_end|>" for p, text in zip(prompts, RIGHT, strict=True)]
    found = openrlhf.reward_func(queries, prompts, LABELS)
    assert set(found) == {"rewards", "scores", "extra_logs"}
    for value in (found["rewards"], found["scores"], *found["extra_logs"].values()):
        assert isinstance(value, torch.Tensor)
        assert value.shape == (4,)
        assert value.is_floating_point()
    assert found["rewards"].tolist() == [1.0] * 4


def test_openrlhf_s_single_turn_executor_can_read_a_sample():
    torch = pytest.importorskip("torch")
    info = openrlhf.reward_func([f"?{response('9')}"], ["?"], LABELS[:1], wrong=-0.5)
    assert torch.tensor([info["rewards"]]).tolist() == [-0.5]
    assert torch.tensor([info.get("scores")]).tolist() == [0.0]
    assert all(value.flatten()[0].item() == 0.0 for value in info["extra_logs"].values())


def test_a_query_whose_prompt_was_cut_is_an_error():
    pytest.importorskip("torch")
    with pytest.raises(DataError, match="does not hold its prompt"):
        openrlhf.reward_func([response("8")], ["What is it?"], LABELS[:1])


def test_without_a_verdict_there_is_an_error_and_no_number(verifier_url, monkeypatch):
    pytest.importorskip("torch")
    with troubled(verifier_url, lambda item: True) as config:
        from trainer_client.adapters import Grader

        with Grader(config) as grader:
            monkeypatch.setattr(verl, "grader_of", lambda _: grader)
            monkeypatch.setattr(openrlhf, "grader_of", lambda _: grader)
            with pytest.raises(NoVerdict):
                verl.compute_score("azr", RIGHT[0], DEDUCTION.label())
            with pytest.raises(NoVerdict, match="2 of 2"):
                verl.compute_score_batch(["a"] * 2, RIGHT[:1] * 2, LABELS[:1] * 2)
            with pytest.raises(NoVerdict):
                openrlhf.reward_func([f"?{RIGHT[0]}"], ["?"], LABELS[:1])
    assert not issubclass(NoVerdict, TimeoutError), "verl's naive manager makes 0.0 of those"
