"""Batches: order, bad items among good ones, bounds, and results as they finish."""

import json
import time

GOOD = {"op": "execute", "program": "def f(x):\n    return x", "inputs": ["1"]}
SLEEPER = {"op": "execute", "program": "import time\ndef f():\n    time.sleep(1.5)", "inputs": [""]}
BAD = [
    ({"op": "execute", "program": "", "inputs": ["1"], "limit": {}}, "limit"),
    ({"op": "launch"}, "op"),
    ({}, "op"),
    ({"op": ["execute"]}, "op"),
    ({"op": "verify", "program": ""}, "mode"),
    ({"op": "verify", "mode": "abduction", "program": "", "output": "1"}, "answer"),
    ({"op": "validate", "program": "", "input": "", "limits": {"cpu_seconds": 9e9}},
     "limits.cpu_seconds"),
    ({"op": "verify", "mode": "deduction", "program": "", "output": "?", "answer": "1"}, "output"),
]  # fmt: skip


def lines_of(http, items):
    """Yield (seconds since the start, line) of a streamed batch."""
    started = time.monotonic()
    headers = {"accept": "application/x-ndjson", "content-type": "application/json"}
    with http.stream(
        "POST", "/v1/batch", content=json.dumps({"items": items}), headers=headers
    ) as r:
        assert r.status_code == 200
        assert r.headers["content-type"].startswith("application/x-ndjson")
        for line in r.iter_lines():
            yield time.monotonic() - started, json.loads(line)


def test_a_batch_answers_in_the_order_of_its_items(ask):
    items = [GOOD | {"inputs": [str(number)]} for number in range(100)]
    answer = ask("/v1/batch", {"items": items})
    assert set(answer) == {"results"}
    outputs = [result["outcomes"][0]["output"] for result in answer["results"]]
    assert outputs == [str(number) for number in range(100)]


def test_a_batch_mixes_all_operations(ask):
    double = "def f(x):\n    return x * 2"
    items = [
        {"op": "execute", "program": double, "inputs": ["1", "2"]},
        {"op": "validate", "program": double, "input": "1"},
        {"op": "verify", "mode": "deduction", "program": double, "input": "1", "answer": "2"},
        {"op": "verify", "mode": "abduction", "program": double, "output": "4", "answer": "2"},
        {"op": "verify", "mode": "induction", "program": double,
         "cases": [{"input": "1", "output": "3"}]},
    ]  # fmt: skip
    one, two, three, four, five = ask("/v1/batch", {"items": items})["results"]
    assert [outcome["output"] for outcome in one["outcomes"]] == ["2", "4"]
    assert two["valid"] is True
    assert (three["correct"], four["correct"], five["correct"]) == (True, True, False)


def test_a_bad_item_is_a_problem_in_its_place_and_leaves_its_neighbours_alone(ask):
    items = [item for bad, _ in BAD for item in (GOOD, bad)] + [3, None, "x", [], GOOD]
    results = ask("/v1/batch", {"items": items})["results"]
    assert len(results) == len(items)
    for (bad, field), good_result, result in zip(BAD, results[0::2], results[1::2], strict=False):
        assert good_result["outcomes"][0]["status"] == "ok"
        assert set(result) == {"error"}, bad
        assert result["error"]["status"] == 422
        assert result["error"]["type"]
        assert result["error"]["title"]
        assert result["error"]["field"] == field
        assert field in result["error"]["detail"]
    for result in results[len(BAD) * 2 : -1]:
        assert result["error"]["status"] == 422
    assert results[-1]["outcomes"][0]["output"] == "1"


def test_a_batch_of_bad_items_alone_is_answered(ask, http):
    assert [set(r) for r in ask("/v1/batch", {"items": [{}, {}]})["results"]] == [{"error"}] * 2
    assert sorted(line["index"] for _, line in lines_of(http, [{}, {}])) == [0, 1]


def test_a_batch_has_one_to_1024_items(refused, ask):
    assert refused("/v1/batch", {"items": []})["field"] == "items"
    assert refused("/v1/batch", {"items": [{}] * 1025})["field"] == "items"
    assert len(ask("/v1/batch", {"items": [{}] * 1024})["results"]) == 1024
    assert refused("/v1/batch", {})["field"] == "items"
    assert refused("/v1/batch", {"items": [GOOD], "stream": True})["field"] == "stream"


def test_streamed_results_carry_their_index_and_slow_items_hold_nothing_back(http):
    quick = [GOOD | {"inputs": [str(number)]} for number in range(20)]
    items = [SLEEPER, *quick, {"op": "nothing"}]
    arrived = list(lines_of(http, items))
    assert sorted(line["index"] for _, line in arrived) == list(range(22))
    last_at, last = arrived[-1]
    assert last["index"] == 0
    assert last_at >= 1.5
    for at, line in arrived[:-1]:
        assert at < 1.4
        if line["index"] == 21:
            assert line["error"]["field"] == "op"
        else:
            assert line["outcomes"][0]["output"] == str(line["index"] - 1)


def test_streamed_text_is_pure_ascii_json(http, post):
    item = {"op": "execute", "program": "def f():\n    return '\\ud800é\\n'", "inputs": [""]}
    response = post("/v1/batch", {"items": [item]}, accept="application/x-ndjson")
    assert response.content.isascii()
    assert response.content.count(b"\n") == 1
    assert json.loads(response.content)["outcomes"][0]["value"]["v"] == "\ud800é\n"


def test_a_reader_who_leaves_takes_the_waiting_operations_along(http):
    items = [SLEEPER] * 40
    headers = {"accept": "application/x-ndjson", "content-type": "application/json"}
    body = json.dumps({"items": [GOOD, *items]})
    with http.stream("POST", "/v1/batch", content=body, headers=headers) as response:
        next(response.iter_lines())
    started = time.monotonic()
    answer = http.post("/v1/batch", json={"items": [GOOD]})
    assert answer.json()["results"][0]["outcomes"][0]["output"] == "1"
    # Forty sleepers on two slots would take half a minute; those under way are let finish.
    assert time.monotonic() - started < 10
