"""What a stack asks of its Redis: commands, bytes and processor time between two moments."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import redis

from executor_service.queue.keys import Keys

_OWN_COMMANDS = frozenset({"info", "llen"})
"""What the counting itself asks."""


@dataclass
class RedisUse:
    """What Redis did, since its start or within an interval."""

    commands: Counter[str] = field(default_factory=Counter)
    """Commands by name, those within transactions included."""
    bytes_in: int = 0
    bytes_out: int = 0
    cpu_seconds: float = 0.0

    def __sub__(self, earlier: "RedisUse") -> "RedisUse":
        """Return what happened after ``earlier``."""
        commands = self.commands.copy()
        commands.subtract(earlier.commands)
        return RedisUse(
            Counter({name: count for name, count in commands.items() if count}),
            self.bytes_in - earlier.bytes_in,
            self.bytes_out - earlier.bytes_out,
            self.cpu_seconds - earlier.cpu_seconds,
        )

    def __add__(self, other: "RedisUse") -> "RedisUse":
        """Add up two intervals."""
        return RedisUse(
            self.commands + other.commands,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
            self.cpu_seconds + other.cpu_seconds,
        )

    @property
    def chunks(self) -> int:
        """Return the jobs that were put into the queue."""
        return self.commands["rpush"]


def redis_use(client: "redis.Redis") -> RedisUse:
    """Return what Redis has done since its start.

    Raises:
        redis.RedisError: It cannot be asked.
    """
    found: Any = client.info("all")
    commands: Counter[str] = Counter()
    for name, figures in found.items():
        if isinstance(figures, dict) and name.startswith("cmdstat_"):
            # "client|setinfo" counts for "client".
            command = name.removeprefix("cmdstat_").partition("|")[0]
            if command not in _OWN_COMMANDS:
                commands[command] += int(figures["calls"])
    cpu = found["used_cpu_user"] + found["used_cpu_sys"]
    return RedisUse(
        commands, found["total_net_input_bytes"], found["total_net_output_bytes"], float(cpu)
    )


def heartbeat_bytes(client: "redis.Redis", queue_name: str) -> tuple[float, float]:
    """Return the mean bytes that a worker says of itself: in each heartbeat, and as metrics."""
    keys = Keys(queue_name)
    members: Any = client.smembers(keys.workers)
    names = [name.decode() for name in members]
    beats: Any = client.mget([keys.worker(name) for name in names]) if names else []
    metrics: Any = client.mget([keys.metrics(name) for name in names]) if names else []
    return _mean_length(beats), _mean_length(metrics)


def _mean_length(texts: list[bytes | None]) -> float:
    lengths = [len(text) for text in texts if text is not None]
    return sum(lengths) / len(lengths) if lengths else 0.0
