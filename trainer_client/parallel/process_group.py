"""`ProcessGroup`: ranks that torchrun started, over NCCL and gloo; `launched` joins or begins it.

Weights and gradients travel on the device's own backend. All else is small and travels on a gloo
group of its own, whose patience is longer: there the others wait while the first rank asks the
verifier or writes files. What is said there is JSON or plain numbers, never a pickled object.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from transformers import PreTrainedModel

from trainer_client import errors
from trainer_client.config.run import RunConfig
from trainer_client.errors import ConfigError, PeerFailed, TrainerError
from trainer_client.parallel.ranks import SINGLE, Ranks
from trainer_client.parallel.sharding import pattern, shard, whole

T = TypeVar("T")
LOST = ("gloo", "nccl", "closed by peer", "reset by peer", "tcpstore", "timed out")
"""Words in the messages of torch.distributed when another process is gone or does not come."""


class ProcessGroup:
    """The ranks of a run of several processes. The methods are those of `Ranks`."""

    def __init__(self, device: torch.device, *, reshard: bool, patience: timedelta) -> None:
        """Take the default process group and begin a second one for what is said.

        Args:
            device: of this rank.
            reshard: see `shard`.
            patience: how long the others are waited for where it is not for weights.
        """
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self.first = self.rank == 0
        self._device = device
        self._mesh = init_device_mesh(device.type, (self.size,))
        self._reshard = reshard
        self._patience = patience
        self._talk = dist.new_group(backend="gloo", timeout=patience)

    @property
    def group(self) -> dist.ProcessGroup:
        """The group for what is said; checkpoints are planned over it."""
        assert isinstance(self._talk, dist.ProcessGroup)
        return self._talk

    def apart(self) -> "ProcessGroup":
        """Begin one more group for what is said."""
        return ProcessGroup(self._device, reshard=self._reshard, patience=self._patience)

    def everyone_says(self, mine: Any) -> list[Any]:
        """Return what each rank gave."""
        return [json.loads(_text(each)) for each in self.gather(_bytes(json.dumps(mine)))]

    def first_says(self, make: Callable[[], Any]) -> Any:
        """Return what the first rank made, or raise what it raised."""
        said, failure = "", None
        if self.first:
            try:
                said = json.dumps([make(), None])
            except Exception as error:
                said, failure = json.dumps([None, _told(error)]), error
        spoken = _bytes(said)
        size = torch.tensor([len(spoken)])
        dist.broadcast(size, 0, group=self.group)
        if not self.first:
            spoken = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(spoken, 0, group=self.group)
        if failure is not None:
            raise failure
        value, trouble = json.loads(_text(spoken))
        if trouble is not None:
            raise _failure(0, trouble)
        return value

    def agree(self, work: Callable[[], T]) -> T:
        """Do it, and fail where another rank's failed."""
        done: list[T] = []
        failure = None
        try:
            done.append(work())
        except Exception as error:
            failure = error
        told = self.everyone_says(None if failure is None else _told(failure))
        if failure is not None:
            raise failure
        for rank, trouble in enumerate(told):
            if trouble is not None:
                raise _failure(rank, trouble)
        return done[0]

    def any(self, mine: bool) -> bool:
        """Ask every rank."""
        flag = torch.tensor([int(mine)])
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=self.group)
        return bool(flag)

    def require_same(self, what: str, digest: Callable[[], str]) -> None:
        """Compare digests."""
        if len(set(self.everyone_says(digest()))) > 1:
            raise PeerFailed(f"the processes of this run differ in {what}: they were led apart")

    def gather(self, mine: Tensor) -> list[Tensor]:
        """Gather; shorter ones are padded on the way."""
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(sizes, torch.tensor([len(mine)]), group=self.group)
        longest = max(int(size) for size in sizes)
        padded = torch.zeros(longest, dtype=mine.dtype)
        padded[: len(mine)] = mine
        found = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(found, padded, group=self.group)
        return [each[: int(size)] for each, size in zip(found, sizes, strict=True)]

    def sum(self, mine: Tensor) -> Tensor:
        """Add up, on the device."""
        total = mine.clone()
        dist.all_reduce(total)
        return total

    def shard(self, model: PreTrainedModel, root: nn.Module, compute_dtype: str) -> None:
        """Divide the model by FSDP2."""
        half = compute_dtype == "bfloat16"
        shard(model, root, self._mesh, half=half, reshard=self._reshard)

    def pattern(self, model: PreTrainedModel) -> PreTrainedModel:
        """Return a copy without values."""
        return pattern(model)

    def whole_state(self, model: PreTrainedModel) -> dict[str, Tensor] | None:
        """Gather parameter after parameter; the first rank keeps them on the host."""
        kept: dict[str, Tensor] = {}
        seen: set[int] = set()
        for name, tensor in model.state_dict(keep_vars=True).items():
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            full = whole(tensor.detach())
            if self.first:
                kept[name] = full.cpu()
        return kept


@contextmanager
def launched(config: RunConfig, device: torch.device) -> Iterator[Ranks]:
    """Join the processes that torchrun started beside this one; alone, there is nobody to join.

    Raises:
        ConfigError: there are more processes on this machine than GPUs.
        PeerFailed: another process of the run is gone, or did not come within the time set.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield SINGLE
        return
    settings = config.parallel
    own = _own_device(device)
    waiting = timedelta(seconds=settings.timeout_seconds)
    patience = waiting + timedelta(seconds=config.verifier.patience_seconds)
    backend = "nccl" if own.type == "cuda" else "gloo"
    with _losses_told():
        dist.init_process_group(
            backend, timeout=waiting, device_id=own if own.type == "cuda" else None
        )
        yield ProcessGroup(own, reshard=settings.reshard_after_forward, patience=patience)
        # Only in good order: after a failure the others may wait in a call that we never make.
        dist.destroy_process_group()


@contextmanager
def _losses_told() -> Iterator[None]:
    """Say in one line that another process is gone."""
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if not any(word in text.lower() for word in LOST):
            raise
        raise PeerFailed(
            f"another process of this run has ended or stands still ({text.splitlines()[0][:200]})"
        ) from error


def _own_device(device: torch.device) -> torch.device:
    """Return this rank's device and make it the present one."""
    if device.type != "cuda":
        return device
    place = int(os.environ.get("LOCAL_RANK", "0"))
    if place >= torch.cuda.device_count():
        raise ConfigError(
            f"torchrun --nproc-per-node: process {place} has no GPU, there are "
            f"{torch.cuda.device_count()}"
        )
    torch.cuda.set_device(place)
    return torch.device("cuda", place)


def _told(error: Exception) -> list[str]:
    return [type(error).__name__, str(error) or repr(error)]


def _failure(rank: int, told: list[str]) -> TrainerError:
    """Return another rank's failure as an error of its type, so that all ranks treat it alike."""
    name, message = told
    kind = getattr(errors, name, PeerFailed)
    if not (isinstance(kind, type) and issubclass(kind, TrainerError)):
        kind = PeerFailed
    shown = message if kind is not PeerFailed else f"{name}: {message}"
    found = kind(f"rank {rank}: {shown}")
    assert isinstance(found, TrainerError)
    return found


def _bytes(text: str) -> Tensor:
    return torch.frombuffer(bytearray(text.encode() or b" "), dtype=torch.uint8)


def _text(spoken: Tensor) -> str:
    return spoken.numpy().tobytes().decode()
