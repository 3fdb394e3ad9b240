"""Functions run by several processes at once, as torchrun would start them."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp

from trainer_client.config.run import RunConfig
from trainer_client.parallel.process_group import launched
from trainer_client.parallel.ranks import Ranks

CPU = torch.device("cpu")
Work = Callable[[Ranks, Path], Any]


def on_ranks(size: int, work: Work, folder: Path, **sections: Any) -> list[Any]:
    """Run `work(ranks, folder)` in `size` processes; return what each returned, in order."""
    started = start_ranks(size, work, folder, **sections)
    while not started.join():
        pass
    return [torch.load(_result(folder, rank), weights_only=False) for rank in range(size)]


def start_ranks(size: int, work: Work, folder: Path, **sections: Any) -> mp.SpawnContext:
    """Start the processes; `join` on the result waits for them, and ends all when one fails."""
    config = RunConfig.model_validate(sections)
    context = mp.spawn(_one, (size, free_port(), work, folder, config), nprocs=size, join=False)
    assert context is not None
    return context


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _one(rank: int, size: int, port: int, work: Work, folder: Path, config: RunConfig) -> None:
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
    }
    torch.set_num_threads(1)
    with launched(config, CPU) as ranks:
        torch.save(work(ranks, folder), _result(folder, rank))


def _result(folder: Path, rank: int) -> Path:
    return folder / f"result-{rank}.pt"
