"""`WeightFolder`: a model's weights as files in shared memory, for vLLM to load.

A folder of safetensors in the Hugging Face layout needs no pickle, works with engines in other
processes and on other devices, and is what every version of vLLM reads. Each engine has a folder
of its own, readable by nobody else (mode 0700), removed when it is closed. A process that is
killed cannot remove its folder, and shared memory is memory: whoever makes the next folder beside
it removes it, told apart from folders in use by a lock that ends with its process.
"""

import copy
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from trainer_client.errors import ConfigError, OutOfMemory
from trainer_client.sampling.fitting import fitting

PREFIX = "azr-weights-"
LOCK = "lock"
SHARD_BYTES = 1 << 30
"""A file is closed once it holds this much: so much is on the host twice."""
HEADER_BYTES = 1 << 20
"""More than the names and shapes of a file's tensors take."""


class WeightFolder:
    """The files of one engine."""

    def __init__(
        self, parent: str, model: PreTrainedModel, dtype: torch.dtype, *, untied: bool = False
    ) -> None:
        """Make the folder and write the model's configuration into it, but no weights yet.

        Args:
            parent: a directory in memory or on a disk.
            model: says names, shapes and architecture; its values are not read.
            dtype: what weights are rounded to.
            untied: write a parameter once for each place where it is used. On CPUs vLLM 0.32 packs
                the output projection's weights, and packs them anew only when they are loaded
                under their own name: tied to the embedding, they would stay those of the start.

        Raises:
            ConfigError: nothing can be written there.
        """
        self._shapes: Mapping[str, torch.Size] = {
            name: parameter.shape for name, parameter in model.named_parameters()
        }
        self._dtype = dtype
        self._copies = _ties(model) if untied else {}
        self._lock: int | None = None
        try:
            _remove_abandoned(Path(parent))
            self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent)
            self._lock = _locked(self.path)
        except OSError as error:
            raise ConfigError(f"sampler.weights_folder: {error}") from error
        config = copy.deepcopy(model.config)
        config.architectures = [type(model).__name__]
        if self._copies:
            config.tie_word_embeddings = False
        config.save_pretrained(str(self.path))

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self._folder.name)

    @property
    def shapes(self) -> Mapping[str, torch.Size]:
        """The parameters' shapes, by name."""
        return self._shapes

    @property
    def dtype(self) -> torch.dtype:
        """What weights are rounded to."""
        return self._dtype

    def write(self, tensors: Iterable[tuple[str, Tensor]]) -> None:
        """Replace the weights.

        Raises:
            ConfigError: a parameter is missing, unknown or of another shape.
            OutOfMemory: they do not fit.
        """
        self.clear()
        with closing(fitting(tensors, self._shapes)) as fits:
            shard: dict[str, Tensor] = {}
            held = count = 0
            for name, tensor in fits:
                shard[name] = tensor.to("cpu", self._dtype).contiguous()
                shard |= {copied: shard[name].clone() for copied in self._copies.get(name, ())}
                held += tensor.numel() * self._dtype.itemsize
                if held >= SHARD_BYTES:
                    self._save(shard, count)
                    shard, held, count = {}, 0, count + 1
            if shard:
                self._save(shard, count)

    def clear(self) -> None:
        """Remove the weights, and keep the folder."""
        for old in self.path.glob("*.safetensors"):
            old.unlink()

    def close(self) -> None:
        """Remove it. A second call does nothing."""
        if self._lock is not None:
            self._folder.cleanup()
            os.close(self._lock)
            self._lock = None

    def _save(self, shard: dict[str, Tensor], number: int) -> None:
        needed = sum(tensor.nbytes for tensor in shard.values()) + HEADER_BYTES
        # A file in memory that has no room left may kill its writer: look first.
        free = shutil.disk_usage(self.path).free
        if needed > free:
            raise OutOfMemory(f"{_mib(needed)} of weights, {_mib(free)} free: {self._advice}")
        try:
            save_file(shard, self.path / f"model-{number:05d}.safetensors", {"format": "pt"})
        except (OSError, SafetensorError) as error:
            raise OutOfMemory(f"weights could not be written ({error}): {self._advice}") from error

    @property
    def _advice(self) -> str:
        return (
            f"make {self.path.parent} larger (a container's --shm-size), or name a larger "
            "directory in sampler.weights_folder"
        )


def _ties(model: PreTrainedModel) -> dict[str, list[str]]:
    """Return the further names of parameters that have several, by the first."""
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {first: others for first, *others in names.values() if others}


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _locked(folder: Path) -> int:
    """Mark a new folder as in use, and return the descriptor of its lock."""
    making = folder / f"{LOCK}.new"
    descriptor = os.open(making, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Only now can others see it: a folder without a lock is one that is being made.
    making.rename(folder / LOCK)
    return descriptor


def _remove_abandoned(parent: Path) -> None:
    """Remove folders whose process is gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(descriptor)
