"""The examples of other trainers: each is loaded and run as its trainer, or its reader, would."""

import importlib
import importlib.util
import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from tests.trainer.adapters.samples import response
from trainer_client.adapters import Sample, options
from trainer_client.adapters.rows import chat, rows
from trainer_client.buffers.azr_format import write_triplets
from trainer_client.errors import DataError
from trainer_client.records.problems import Triplet

FOLDER = Path(__file__).parents[3] / "examples"
PROBLEMS = [Triplet("def f(x):\n    return x * 2", "4", "8")]


@pytest.fixture(autouse=True)
def environment(verifier_url, monkeypatch):
    monkeypatch.setenv("VERIFIER_URL", verifier_url)
    options.grader.cache_clear()
    yield
    options.grader().close()
    options.grader.cache_clear()


def run(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(FOLDER / name), run_name="__main__")


def loaded(name):
    """Load a file as OpenRLHF and verifiers do."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, FOLDER / name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_data_for_openrlhf_is_what_its_reward_file_judges(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    write_triplets(tmp_path / "triplets.jsonl", PROBLEMS)
    file = tmp_path / "train.jsonl"
    run(monkeypatch, "make_data.py", "openrlhf", "--triplets", tmp_path / "triplets.jsonl", file)
    made = [json.loads(line) for line in file.read_text().splitlines()]
    assert [Sample.read(row["label"]).task for row in made] == ["deduction", "abduction"]
    prompt, label = made[0]["prompt"], made[0]["label"]
    reward_func = loaded("openrlhf_reward.py").reward_func
    found = reward_func([prompt + response("8"), prompt + "8"], [prompt] * 2, [label] * 2)
    assert found["rewards"].tolist() == [1.0, 0.0]


def test_data_for_verl_survives_its_table(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    write_triplets(tmp_path / "triplets.jsonl", PROBLEMS)
    file = tmp_path / "train.parquet"
    run(monkeypatch, "make_data.py", "verl", "--triplets", tmp_path / "triplets.jsonl", file)
    table = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
    from trainer_client.adapters.verl import compute_score

    for row in table:
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    label = table[0]["reward_model"]["ground_truth"]
    text = f"<think>{response('8')}"
    assert compute_score("azr", text, label, thought="response")["score"] == 1.0


def test_verl_s_command_line_names_a_function_and_options_that_there_are():
    text = (FOLDER / "verl_grpo.sh").read_text()
    path = re.search(r"custom_reward_function\.path=pkg://(\S+)", text)[1]
    name = re.search(r"custom_reward_function\.name=(\S+)", text)[1]
    assert callable(getattr(importlib.import_module(path), name))
    given = re.findall(r"reward_kwargs\.(\w+)=", text)
    assert given
    assert set(given) <= set(options.OPTIONS)


def test_prompts_become_messages_and_show_no_gold():
    gold = Triplet("def f(x):\n    return x * 12345", "4", "49380")
    (row,) = rows("deduction", [gold])
    system, user = chat(row["prompt"])
    assert "<think>" in system["content"]
    assert gold.program in user["content"]
    assert "49380" not in row["prompt"]
    with pytest.raises(DataError, match="no User and Assistant"):
        chat("?")


def test_the_taskset_for_verifiers_loads_and_scores(monkeypatch):
    import asyncio

    vf = pytest.importorskip("verifiers.v1", reason="verifiers is not installed")
    if not hasattr(vf, "TaskConfig"):
        pytest.skip("verifiers 0.2 or later is not installed")
    from verifiers.v1.utils.loaders import taskset_class

    monkeypatch.syspath_prepend(str(FOLDER))
    kind = taskset_class("verifiers_azr")
    tasks = kind(vf.TasksetConfig(id="verifiers_azr")).load()
    assert [task.data.task for task in tasks] == ["deduction"] * 2 + ["abduction"] * 2
    reply = vf.AssistantMessage(content=f"<think>{response(tasks[0].data.output)}")
    trace = vf.Trace.model_construct(nodes=[vf.MessageNode(message=reply, sampled=True)])
    trace.rewards, trace.metrics = {}, {}
    asyncio.run(tasks[0].score(trace))
    sys.modules[kind.__module__].GRADER.close()
    assert trace.rewards["correct"].score == 1.0


@pytest.mark.filterwarnings("ignore")
def test_the_example_for_trl_trains_a_step(tmp_path, monkeypatch, request):
    pytest.importorskip("trl", reason="TRL is not installed")
    base = request.getfixturevalue("base")  # not made where there is no TRL
    arguments = ["--model", base, "--prompts", "tiny", "--steps", 1, "--group", 4, "--cpu"]
    run(monkeypatch, "trl_grpo.py", *arguments, "--tokens", 16, "--output", tmp_path)
