"""The `verifiers` package itself, of whichever generation is installed, scored by the adapter."""

import asyncio

import pytest

from tests.trainer.adapters.samples import DEDUCTION, SAMPLES, response
from tests.trainer.adapters.troubled import troubled
from trainer_client.adapters import Grader
from trainer_client.adapters.verifiers_rubric import grade_trace, rubric

pytestmark = pytest.mark.filterwarnings("ignore")
RIGHT, WRONG = response("8"), response("9")


@pytest.fixture(scope="module")
def vf():
    found = pytest.importorskip("verifiers.v1", reason="verifiers is not installed")
    if not hasattr(found, "TaskConfig"):
        pytest.skip("verifiers 0.2 or later is not installed")
    return found


@pytest.fixture(scope="module")
def old():
    verifiers = pytest.importorskip("verifiers", reason="verifiers is not installed")
    if not hasattr(verifiers, "Rubric"):
        pytest.skip("verifiers 0.1, with rubrics, is not installed")
    return verifiers


def scored(vf, grader, text, sample=DEDUCTION):
    """Score a trace of one reply with the package's own Task."""

    class Data(vf.TaskData):
        info: dict

    class Judged(vf.Task[Data]):
        @vf.reward
        async def correct(self, trace: vf.Trace) -> float:
            return await grade_trace(grader, self.data, trace)

    message = vf.AssistantMessage(content=text)
    task = Judged(Data(prompt="?", info=sample.fields()))
    trace = vf.Trace.model_construct(nodes=[vf.MessageNode(message=message, sampled=True)])
    trace.rewards, trace.metrics = {}, {}
    return task, trace


def test_a_task_of_v1_is_scored_by_verdicts(vf, verifier_url):
    async def main():
        with Grader(verifier_url) as grader:
            for text, reward in [(RIGHT, 1.0), (WRONG, 0.0), ("eight", 0.0)]:
                task, trace = scored(vf, grader, text)
                await task.score(trace)
                assert trace.rewards["correct"].score == reward

    asyncio.run(main())


def test_a_trace_of_v1_without_a_verdict_has_an_error_and_no_score(vf, verifier_url):
    async def main():
        with troubled(verifier_url, lambda item: True) as config, Grader(config) as grader:
            task, trace = scored(vf, grader, RIGHT)
            with pytest.raises(vf.TaskError, match="no verdict"):
                await task.score(trace)
            assert trace.rewards["correct"] is None

    asyncio.run(main())


def test_the_reward_is_plugged_into_v1_by_its_name(vf, verifier_url, monkeypatch):
    from trainer_client.adapters import options

    monkeypatch.setenv("VERIFIER_URL", verifier_url)
    options.grader.cache_clear()
    path = "trainer_client.adapters.verifiers_rubric:verified"
    config = vf.TaskConfig(rewards={"verified": vf.RewardFunctionConfig(fn=path, weight=2.0)})

    class Data(vf.TaskData):
        task: str
        program: str
        output: str

    data = Data(prompt="?", **{key: SAMPLES[0].fields()[key] for key in Data.__annotations__})
    _, trace = scored(vf, None, RIGHT)
    asyncio.run(vf.Task(data, config).score(trace))
    options.grader().close()
    options.grader.cache_clear()
    assert (trace.rewards["verified"].score, trace.rewards["verified"].weight) == (1.0, 2.0)


def state_of(text, info):
    message = {"role": "assistant", "content": text}
    return {
        "prompt": [], "completion": [message], "answer": "", "task": "azr", "info": info,
        "timing": {"total_ms": 0.0, "scoring_ms": 0.0}, "trajectory": [],
    }  # fmt: skip


def test_a_rubric_scores_by_verdicts(old, verifier_url):
    async def main():
        with Grader(verifier_url) as grader:
            judge = rubric(grader)
            for text, reward in [(RIGHT, 1.0), (WRONG, 0.0)]:
                state = old.State(state_of(text, DEDUCTION.fields()))
                await judge.score_rollout(state)
                assert (state["reward"], state.get("error")) == (reward, None)

    asyncio.run(main())


@pytest.mark.parametrize("info", [DEDUCTION.fields(), {}], ids=["trouble", "no task"])
def test_a_rubric_marks_a_rollout_without_a_verdict_as_failed(old, verifier_url, info):
    async def main():
        with troubled(verifier_url, lambda item: True) as config, Grader(config) as grader:
            state = old.State(state_of(RIGHT, info))
            await rubric(grader).score_rollout(state)
            assert isinstance(state["error"], old.InfraError)

    asyncio.run(main())
