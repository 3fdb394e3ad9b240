"""Typed results, the stand-ins for results that there are not, and whom a problem blames."""

from typing import Any

import pytest

from trainer.verifier.scripted import item, verdict
from trainer_client.errors import VerifierError
from trainer_client.verifier import Execution, Validation, Verdict
from trainer_client.verifier.parcels import pack
from trainer_client.verifier.refusals import settled
from trainer_client.verifier.standins import failed, is_infra_error, refused

INDUCTION = {
    "op": "verify", "mode": "induction", "program": "p", "cases": [{"input": "1", "output": "<"}],
}  # fmt: skip
VALIDATE = {"op": "validate", "program": "p", "input": "1"}
EXECUTE = {"op": "execute", "program": "p", "inputs": ["1", "2"]}


def blame(asked: dict[str, Any], *fields: str) -> Any:
    errors = [{"field": field, "detail": f"{field}: no"} for field in fields]
    problem = {"status": 422, "detail": "; ".join(e["detail"] for e in errors), "field": fields[0]}
    return settled(pack(asked), {"error": problem | ({"errors": errors} if fields[1:] else {})})


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (VALIDATE, ["program"]),
        (VALIDATE, ["program", "input"]),
        (EXECUTE, ["inputs.1"]),
        (item(1), ["answer"]),
        (INDUCTION, ["cases.0.output"]),
    ],
)
def test_a_problem_with_a_text_is_a_refusal(asked, fields):
    found = blame(asked, *fields)
    assert found["message"] == "; ".join(f"{field}: no" for field in fields)
    assert found["status"] == "refused"


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (VALIDATE, ["policy.banned_names"]),
        (VALIDATE, ["program", "policy"]),
        (VALIDATE | {"input": 3}, ["input"]),
        (VALIDATE, ["output"]),
        (EXECUTE, ["inputs"]),
        (EXECUTE, ["inputs.7"]),
        (EXECUTE, ["imports.0"]),
        (item(1, limits={"cpu_seconds": 99}), ["limits.cpu_seconds"]),
        (INDUCTION, ["cases"]),
        ({"op": "nonsense"}, ["op"]),
        (item(1), [""]),
    ],
)
def test_a_problem_with_anything_else_is_our_mistake(asked, fields):
    found = blame(asked, *fields)
    assert isinstance(found, VerifierError)
    assert fields[-1] in str(found)


def test_only_a_refused_answer_is_lost_a_refused_task_leaves_it_unjudged():
    assert (blame(item(1), "answer")["correct"], blame(item(1), "answer")["score"]) == (False, 0.0)
    assert blame(item(1), "program")["correct"] is None
    assert blame(INDUCTION, "program")["correct"] is False
    assert blame(INDUCTION, "cases.0.output")["score"] is None


@pytest.mark.parametrize("make", [refused, failed])
@pytest.mark.parametrize(
    ("asked", "kind"), [(item(1), Verdict), (VALIDATE, Validation), (EXECUTE, Execution)]
)
def test_stand_ins_read_like_results_of_the_service(make, asked, kind):
    document = make(asked, "because")
    found = kind.from_json(document)
    status = "refused" if make is refused else "infra_error"
    assert is_infra_error(document) is (make is failed)
    assert settled(pack(asked), document) is document
    if isinstance(found, Execution):
        assert [outcome.status for outcome in found.outcomes] == [status, status]
        assert found.outcomes[0].error.message == "because"
    elif isinstance(found, Validation):
        assert (found.valid, found.reason, found.message) == (False, status, "because")
    else:
        assert (found.status, found.correct, found.message) == (status, None, "because")
        assert found.retryable is (make is failed)


def test_fields_of_a_later_version_are_ignored():
    assert Verdict.from_json(verdict(item(7)) | {"new": 1}).got == "7"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"score": "high"}, "score"),
        ({"correct": None}, "contradict"),
        ({"status": "wrong"}, "contradict"),
        ({"score": 0.5}, "contradict"),
        ({"cases": [{"status": "correct"}]}, "cases.0.correct"),
        ({"status": None}, "status"),
    ],
)
def test_a_verdict_in_another_form_is_an_error_that_names_the_field(change, field):
    with pytest.raises(VerifierError, match=f"version 1 .*{field}"):
        Verdict.from_json(verdict(item(1)) | change)


def test_what_is_no_object_is_no_result():
    with pytest.raises(VerifierError, match="version 1"):
        Validation.from_json([1])
