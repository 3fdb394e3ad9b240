"""``python -m executor_service.worker.probe``: is the worker of this host name at work?

For a container's health check: a worker has no port to ask at, so its heartbeat is looked for in
Redis. Exit status 0 when a worker of this very host (in a container: of this container) has been
heard of within the last seconds and holds a running sandbox, else 1 and one line that says why.
"""

import json
import socket
import sys

import redis

from executor_service.queue.connection import blocking_client
from executor_service.queue.keys import Keys
from executor_service.settings import Settings


def trouble(settings: Settings, host: str) -> str | None:
    """Return why no worker of ``host`` can be at work, or None."""
    if settings.redis_url is None:
        return "EXECUTOR_REDIS_URL is not set"
    keys = Keys(settings.queue_name)
    try:
        with blocking_client(settings.redis_url) as client:
            # A worker's name begins with its host's; see worker/process.py.
            names = [
                name.decode()
                for name in client.smembers(keys.workers)
                if name.startswith(f"{host}-".encode())
            ]
            beats = client.mget([keys.worker(name) for name in names]) if names else []
    except redis.RedisError as error:
        return f"Redis cannot be asked: {error}"
    alive = [json.loads(beat) for beat in beats if beat is not None]
    if not alive:
        return f"no worker of {host} has been heard of lately"
    if not any(worker["warm"] for worker in alive):
        return "the worker has no running sandbox"
    return None


if __name__ == "__main__":
    sys.exit(trouble(Settings(), socket.gethostname()))
