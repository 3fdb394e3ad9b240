"""``/reward`` judges the labels that the trainer's adapters write: ``Sample.label()``."""

import json

import pytest

from dropin.clients import Peers
from trainer_client.adapters.sample import Sample
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Case, InductionProblem, Triplet
from trainer_client.tasks.registry import task_kind

MARKUP = PromptSet.load("azr").markup
ROOT = "def f(x):\n    return math.isqrt(x) * 2"
IMPORTS = ("import math",)
TRIPLET = Triplet(ROOT, "16", "8", IMPORTS)
HIDDEN = (Case("1", "2"), Case("16", "8"))
SAMPLES = [
    Sample(Task.DEDUCTION, TRIPLET),
    Sample(Task.ABDUCTION, TRIPLET),
    Sample(Task.INDUCTION, InductionProblem(ROOT, "", (), HIDDEN, IMPORTS)),
    Sample(Task.ERROR, Triplet("def f(x):\n    return 1 // x", "0", "ZeroDivisionError")),
]
WRONG = {
    Task.DEDUCTION: ["8.0", "7", "f(16)", "'8'", ""],
    Task.ABDUCTION: ["25", "16) or (8", "", "'16'"],
    Task.INDUCTION: ["def f(x): return 2 * x", "def f(x): raise SystemExit", "no program", ""],
    Task.ERROR: ["ValueError", "'ZeroDivisionError'", "ZeroDivisionError + ''", ""],
}


def marked(text: str) -> str:
    return f"<think>Well.</think>\n<answer>\n```\n{text}\n```\n</answer>"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.task))
def test_the_label_of_a_sample_is_rewarded_as_the_adapter_would(peers: Peers, sample: Sample):
    right = task_kind(sample.task).demonstration(sample.problem, MARKUP)
    assert peers.slime("p", right, sample.label()) == 1.0
    assert peers.slime("p", right, sample.fields()) == 1.0
    responses = [right, *map(marked, WRONG[sample.task])]
    answer = peers.openrlhf([f"p{text}" for text in responses], ["p"] * len(responses),
                            [sample.label()] * len(responses))  # fmt: skip
    assert answer["rewards"] == [1.0] + [0.0] * len(WRONG[sample.task])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.task))
def test_what_reward_asks_for_is_what_the_adapter_asks_for(peers: Peers, sample: Sample):
    for text in ("8", "16", ROOT, "ZeroDivisionError", "1"):
        item = sample.item(text)
        verdict = peers.http.post("/v1/batch", json={"items": [item]}).json()["results"][0]
        assert peers.slime("p", marked(text), sample.label()) == verdict["score"], text


def test_equality_and_the_name_of_the_function_are_taken_from_the_label(peers: Peers):
    program = "def g(x):\n    return x * 0.5"
    for equality, reward in ((None, 0.0), ("typed", 0.0), ("python", 1.0), ("approx", 1.0)):
        sample = Sample(Task.ABDUCTION, Triplet(program, "4", "2"), "g", equality)
        assert peers.slime("p", marked("4"), sample.label()) == reward
        cases = InductionProblem("", "", (), (Case("4", "2"),))
        sample = Sample(Task.INDUCTION, cases, "g", equality)
        assert peers.slime("p", marked(program), sample.label()) == reward
    named = Sample(Task.ABDUCTION, Triplet(program, "4", "2.0"))
    assert peers.slime("p", marked("4"), named.label()) == 0.0


def test_empty_fields_and_pairs_are_read_as_tables_leave_them(peers: Peers):
    row = {"task": "induction", "program": "", "input": None, "output": "", "imports": [],
           "hidden": [["1", "2"], ["5", "10"]], "more": 1}  # fmt: skip
    assert Sample.read(row).problem.hidden[1] == Case("5", "10")
    for hidden in (row["hidden"], json.dumps(row["hidden"])):
        label = json.dumps(row | {"hidden": hidden})
        assert peers.slime("p", marked("def f(x): return 2 * x"), label) == 1.0


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"task": "seduction"}, "its task is none of deduction, abduction, induction, error"),
        ({"task": ["deduction"]}, "its task is none of"),
        ({"task": "deduction", "program": ROOT}, "output: deduction needs this field"),
        ({"task": "error", "program": "", "output": "E"}, "program: error needs this field"),
        ({"task": "induction", "hidden": "["}, "hidden: a list is wanted"),
        ({"task": "induction", "hidden": [["1"]]}, "hidden: an input and an output are wanted"),
        ({"task": "abduction", "program": ROOT, "output": 8}, "output: text is wanted"),
        ({"task": "error", "program": ROOT, "output": 8}, "output: text is wanted"),
        ({"task": "abduction", "program": ROOT, "output": "8", "equality": "loose"}, "equality"),
        ({"task": "abduction", "program": ROOT, "output": "f(1"}, "output"),
    ],
)
def test_a_label_that_is_no_sample_is_refused_by_name(peers: Peers, label, said):
    body = {"prompt": "p", "response": "3", "label": json.dumps(label)}
    answer = peers.http.post("/reward", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "label")
    assert said in answer.json()["detail"]
