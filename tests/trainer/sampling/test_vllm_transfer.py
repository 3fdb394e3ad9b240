"""What vLLM's own transfer is given, as far as it can be tried without a GPU."""

import pytest
import torch

from tests.trainer.sampling.models import FixedWeights, qwen
from tests.trainer.sampling.vllm_engines import NEEDS_VLLM
from trainer_client.errors import ConfigError
from trainer_client.sampling.vllm_engine import VllmEngine
from trainer_client.sampling.vllm_processes import EngineProcesses
from trainer_client.sampling.vllm_transfer import SyncClient, policy_source

SHAPES = {name: parameter.shape for name, parameter in qwen().named_parameters()}
PARTS = [
    *("init_weight_transfer_engine", "start_weight_update"),
    *("update_weights", "finish_weight_update"),
]


def test_the_client_passes_the_four_phases_on_as_the_engine_wants_them():
    calls = []

    class Llm:
        def __getattr__(self, name):
            return lambda argument=None: calls.append((name, argument))

    client = SyncClient(VllmEngine(Llm(), dict, EngineProcesses([], []), sleep_level=2))
    client.init_weight_transfer_engine({"packed": True})
    client.start_weight_update()
    client.update_weights({"names": []})
    client.finish_weight_update()
    assert calls == [
        ("init_weight_transfer_engine", {"init_info": {"packed": True}}),
        ("start_weight_update", None),
        ("update_weights", {"update_info": {"names": []}}),
        ("finish_weight_update", None),
    ]


class TestWithVllm:
    """What needs no engine, but vLLM itself."""

    pytestmark = NEEDS_VLLM

    def test_the_installed_vllm_has_what_the_transfer_calls(self):
        from vllm import LLM
        from vllm.distributed.weight_transfer import WeightTransferTrainerFactory
        from vllm.distributed.weight_transfer.ipc_engine import IPCTrainerInitInfo

        assert IPCTrainerInitInfo(rank=0, packed=True).is_sender
        assert callable(WeightTransferTrainerFactory.trainer_init)
        assert all(callable(getattr(LLM, name)) for name in PARTS)

    def test_the_source_says_beforehand_what_it_yields(self):
        source = policy_source(SHAPES, torch.bfloat16)
        model = qwen(seed=1)
        source.weights = FixedWeights(model, 1)
        found = list(source)
        told = [(one.name, one.dtype, one.shape) for one in source.metadata()]
        assert told == [(name, value.dtype, tuple(value.shape)) for name, value in found]
        for name, value in found:
            assert torch.equal(value, model.get_parameter(name).to(torch.bfloat16))

    def test_the_source_refuses_weights_that_do_not_fit(self):
        source = policy_source(SHAPES, torch.float32)
        source.weights = FixedWeights(qwen(size=50), 1)
        with pytest.raises(ConfigError, match="embed_tokens"):
            list(source)
