"""Weight files in shared memory."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from tests.trainer.sampling.models import FixedWeights, qwen
from trainer_client.errors import ConfigError, OutOfMemory
from trainer_client.sampling import vllm_weights
from trainer_client.sampling.vllm_weights import WeightFolder


@pytest.fixture
def folder(tmp_path):
    made = WeightFolder(str(tmp_path), qwen(), torch.bfloat16)
    yield made
    made.close()


def test_the_folder_is_readable_by_its_owner_alone_and_goes_when_it_is_closed(folder, tmp_path):
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.write(FixedWeights(qwen(), 1).named_tensors())
    folder.close()
    folder.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shard", [1 << 30, 4096])
def test_it_holds_the_models_configuration_and_its_weights_rounded_to_the_engines_precision(
    folder, monkeypatch, shard
):
    monkeypatch.setattr(vllm_weights, "SHARD_BYTES", shard)
    model = qwen(seed=3)
    folder.write(model.named_parameters())
    assert AutoConfig.from_pretrained(folder.path).architectures == ["Qwen2ForCausalLM"]
    files = sorted(folder.path.glob("*.safetensors"))
    assert (len(files) > 1) == (shard == 4096)
    found = {name: tensor for file in files for name, tensor in load_file(file).items()}
    assert found.keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        assert torch.equal(found[name], parameter.to(torch.bfloat16))


def test_untied_a_parameter_is_there_under_each_of_its_names(tmp_path):
    folder = WeightFolder(str(tmp_path), qwen(), torch.float32, untied=True)
    model = qwen(seed=3)
    folder.write(model.named_parameters())
    assert AutoConfig.from_pretrained(folder.path).tie_word_embeddings is False
    [file] = folder.path.glob("*.safetensors")
    found = load_file(file)
    assert torch.equal(found["lm_head.weight"], model.model.embed_tokens.weight)
    assert torch.equal(found["model.embed_tokens.weight"], model.model.embed_tokens.weight)
    folder.close()


def test_new_weights_leave_nothing_of_the_old_ones(folder, monkeypatch):
    monkeypatch.setattr(vllm_weights, "SHARD_BYTES", 4096)
    folder.write(qwen().named_parameters())
    many = len(list(folder.path.glob("*.safetensors")))
    monkeypatch.setattr(vllm_weights, "SHARD_BYTES", 1 << 30)
    folder.write(qwen(seed=1).named_parameters())
    assert many > len(list(folder.path.glob("*.safetensors"))) == 1


def test_where_there_is_no_room_the_setting_is_named_and_no_parameter_left_ungathered(
    folder, monkeypatch
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 0, 100))
    monkeypatch.setattr(vllm_weights, "SHARD_BYTES", 1)
    rest = iter(qwen().named_parameters())
    with pytest.raises(OutOfMemory, match=r"--shm-size.*sampler\.weights_folder"):
        folder.write(rest)
    assert list(rest) == []


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match=r"sampler\.weights_folder: .*nowhere"):
        WeightFolder(str(tmp_path / "nowhere"), qwen(), torch.float32)


def test_the_folder_of_a_process_that_was_killed_goes_when_the_next_one_is_made(folder, tmp_path):
    source = (
        "import sys, time, torch\n"
        "from tests.trainer.sampling.models import qwen\n"
        "from trainer_client.sampling.vllm_weights import WeightFolder\n"
        "folder = WeightFolder(sys.argv[1], qwen(), torch.float32)\n"
        "print(folder.path, flush=True)\n"
        "time.sleep(600)\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        WeightFolder(str(tmp_path), qwen(), torch.float32).close()
        assert theirs.is_dir()
        other.send_signal(signal.SIGKILL)
    WeightFolder(str(tmp_path), qwen(), torch.float32).close()
    assert not theirs.exists()
    assert list(tmp_path.iterdir()) == [folder.path]
