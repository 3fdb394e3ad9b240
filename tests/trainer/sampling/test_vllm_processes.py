"""Calls to an engine's processes, which may die over them."""

import multiprocessing
import threading
import time

import pytest

from trainer_client.errors import SamplerCrashed
from trainer_client.sampling import vllm_processes
from trainer_client.sampling.vllm_processes import EngineProcesses


@pytest.fixture
def engine():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    process.start()
    yield process
    process.kill()
    process.join()


def test_an_answer_and_an_error_come_through(engine):
    processes = EngineProcesses([engine], [])
    assert processes.call(lambda: 7) == 7
    with pytest.raises(KeyError, match="missing"):
        processes.call(lambda: {}["missing"])


def test_a_call_that_the_engine_dies_over_ends(engine, monkeypatch):
    monkeypatch.setattr(vllm_processes, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(vllm_processes, "PATIENCE", 0.01)
    never, asked = threading.Event(), threading.Event()

    def ask():
        asked.set()
        never.wait()

    def then_kill():
        asked.wait()
        engine.kill()

    threading.Thread(target=then_kill).start()
    with pytest.raises(SamplerCrashed, match="gone"):
        EngineProcesses([engine], []).call(ask)
    never.set()
