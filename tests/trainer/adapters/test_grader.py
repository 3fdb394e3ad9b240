"""Grades of completions against the real service: a number where there is a verdict, else None."""

import asyncio
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.trainer.adapters.samples import DEDUCTION, RIGHT, SAMPLES, response
from tests.trainer.adapters.troubled import troubled
from trainer_client.adapters import Grader, Sample, Scale
from trainer_client.adapters.grader import judged
from trainer_client.errors import NoVerdict, VerifierError

AZR = Scale(correct=1.0, wrong=-0.5, bad_format=-1.0)


@pytest.fixture(scope="module")
def grader(verifier_url):
    with Grader(verifier_url, scale=AZR) as grader:
        yield grader


def rewards(grades):
    return [grade.reward for grade in grades]


def test_every_task_is_judged_and_every_verdict_has_its_worth(grader):
    assert rewards(grader.grade(SAMPLES, RIGHT)) == [1.0] * 4
    wrong = [text.replace("8", "9") for text in RIGHT[:1]] + [RIGHT[1].replace("4", "3")]
    grades = grader.grade([*SAMPLES[:2], DEDUCTION], [*wrong, "eight"])
    assert rewards(grades) == [-0.5, -0.5, -1.0]
    assert [grade.status for grade in grades] == ["wrong", "wrong", "bad_format"]
    assert grader.grade([], []) == []


def test_an_answer_is_text_and_never_code(grader):
    texts = [response("__import__('os').getcwd()"), response("eval('8')"), response("f(4)")]
    assert rewards(grader.grade([DEDUCTION] * 3, texts)) == [-0.5] * 3


def test_trouble_of_the_service_is_no_reward(verifier_url):
    def trouble(item):
        return item["answer"] == "9"

    with troubled(verifier_url, trouble) as config, Grader(config, scale=AZR) as grader:
        grades = grader.grade([DEDUCTION] * 3, [response("8"), response("9"), "eight"])
    assert rewards(grades) == [1.0, None, -1.0]
    assert (grades[1].status, grades[1].score) == ("infra_error", None)
    with pytest.raises(
        NoVerdict, match=r"1 of 3 completions have no verdict \(infra_error: broken"
    ):
        judged(grades)
    assert judged(grades[::2]) == [(1.0, 1.0), (-1.0, 0.0)]


def test_a_task_that_the_service_does_not_take_is_no_reward(grader):
    sample = Sample.read({"task": "abduction", "program": "#" * 250_000, "output": "8"})
    (grade,) = grader.grade([sample], ["</think><answer>```input\n4\n```</answer>"])
    assert (grade.reward, grade.status) == (None, "refused")


def test_calls_of_many_threads_and_tasks_get_their_own_grades(grader):
    texts = [response(str(number)) for number in range(24)]
    with ThreadPoolExecutor(24) as threads:
        found = list(threads.map(lambda text: grader.grade([DEDUCTION], [text])[0], texts))
    assert rewards(found) == [1.0 if number == 8 else -0.5 for number in range(24)]

    async def main():
        return await asyncio.gather(*(grader.agrade([DEDUCTION], [text]) for text in texts))

    assert [grades[0] for grades in asyncio.run(main())] == found


def test_a_mistake_of_ours_names_the_field(verifier_url):
    from trainer_client.tasks.kind import VerifyRules

    with (
        Grader(verifier_url, rules=VerifyRules(cpu_seconds=1e6)) as grader,
        pytest.raises(VerifierError, match=r"limits\.cpu_seconds"),
    ):
        grader.grade([DEDUCTION], [response("8")])


def test_a_grader_travels_to_other_processes(grader):
    copy = pickle.loads(pickle.dumps(grader))
    assert rewards(copy.grade([DEDUCTION], [response("8")])) == [1.0]
    copy.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_session_of_its_own(grader):
    assert rewards(grader.grade([DEDUCTION], [response("8")])) == [1.0]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def child():
        theirs.send(rewards(grader.grade([DEDUCTION], [response("9")])))
        grader.close()

    process = context.Process(target=child)
    process.start()
    assert ours.poll(60)
    assert ours.recv() == [-0.5]
    process.join(60)


def test_a_closed_grader_begins_anew(verifier_url):
    grader = Grader(verifier_url)
    for _ in range(2):
        assert rewards(grader.grade([DEDUCTION], [response("8")])) == [1.0]
        grader.close()
    grader.close()
