"""healthz, readyz and info."""

import asyncio

from executor_service import __version__
from executor_service.dispatch.embedded import EmbeddedDispatcher
from executor_service.jobs.memory_store import MemoryJobStore
from executor_service.jobs.runner import JobRunner
from executor_service.sandbox.pool import Pool, PoolOptions
from executor_service.service import EmbeddedService, make_backend, make_bounds
from executor_service.settings import Settings
from executor_service.telemetry.metrics import Metrics
from executor_service.verifier.verifier import Verifier


def test_alive_and_ready(http):
    assert http.get("/healthz").json() == {"status": "alive"}
    ready = http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_info_says_what_this_server_is(http):
    info = http.get("/v1/info").json()
    assert info["version"] == __version__
    assert info["python"].startswith("3.")
    assert info["backend"] == "bubblewrap"
    assert info["slots"] == 2
    assert info["queue_size"] == 1024
    assert info["uptime_seconds"] >= 0
    assert len(info["runner"]) == 16
    defaults = {
        "cpu_seconds": 5, "wall_seconds": 10, "memory_mb": 256,
        "output_bytes": 1_048_576, "stdout_bytes": 65_536,
    }  # fmt: skip
    assert info["limits"]["default"] == defaults
    assert set(info["limits"]["max"]) == set(defaults)


def test_info_lists_the_protections_and_the_required_ones_are_active(http):
    protections = {p["name"]: p for p in http.get("/v1/info").json()["protections"]}
    for name in Settings().required_protections:
        assert protections[name]["active"] is True
    for protection in protections.values():
        assert set(protection) == {"name", "active", "detail"}
        assert protection["detail"]


def test_a_service_without_a_sandbox_is_alive_and_not_ready():
    settings = Settings(slots=1)
    backend = make_backend(settings)
    pool = Pool(backend, {}, PoolOptions(1, 10, 1.0, 1.0))
    verifier = Verifier(pool, make_bounds(settings), clock=lambda: False)
    dispatcher = EmbeddedDispatcher(verifier, concurrency=1, queue_size=1024)
    jobs = JobRunner(MemoryJobStore(result_ttl=60, max_bytes=1 << 20), dispatcher, room=1024)
    service = EmbeddedService(settings, backend, pool, verifier, dispatcher, jobs, Metrics())
    assert "no sandbox is running" in str(asyncio.run(service.ready()))
    assert service.protections() == []
    assert service.info()["python"] is None
