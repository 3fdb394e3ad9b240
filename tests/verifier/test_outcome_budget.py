"""The values of one execute: bounded together, and all left out alike when they are too long."""

from contract.live import LiveService
from executor_service.sandbox.runs import RunResult
from executor_service.verifier.outcome_budget import OutcomeBudget

LONG = RunResult("ok", ({"t": "str", "v": "x" * 100},), size=100)


def test_what_fits_is_left_as_it_is():
    budget = OutcomeBudget(1000)
    assert budget.take(LONG) is LONG
    outcomes = [{"status": "ok", "output": "1"}]
    assert budget.settle(outcomes) is outcomes


def test_a_result_without_a_known_size_counts_too():
    budget = OutcomeBudget(90)
    assert budget.take(RunResult("ok", LONG.values)).status == "output_limit"


def test_failed_runs_keep_their_status_and_cost_nothing():
    failed = RunResult("timeout")
    budget = OutcomeBudget(90)
    budget.take(LONG)
    assert budget.take(failed) is failed
    kept = {"status": "timeout", "output": None}
    (first, second) = budget.settle([{"status": "ok", "output": "x"}, kept])
    assert (first["status"], first["output"], second) == ("output_limit", None, kept)


def test_an_execute_whose_values_are_too_long_together_says_so_for_all_of_them(start_service):
    live: LiveService = start_service(slots=2, max_result_bytes=100_000)
    body = {"program": "def f(n): return 'x' * n", "inputs": ["30000"] * 3}
    assert [o["status"] for o in live.carry_out("execute", body)["outcomes"]] == ["ok"] * 3
    body["inputs"] = ["30000", "30000", "'no'", "30000", "30000"]
    outcomes = live.carry_out("execute", body)["outcomes"]
    assert [o["status"] for o in outcomes] == [
        "output_limit", "output_limit", "runtime_error", "output_limit", "output_limit",
    ]  # fmt: skip
    assert {o["value"] for o in outcomes} == {None}
    assert "100000 bytes" in outcomes[0]["error"]["message"]
