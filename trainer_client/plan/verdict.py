"""`Plan`: a job's memory and time, whether it fits, and what to change where it does not."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import floor

from trainer_client.config.run import RunConfig
from trainer_client.errors import ConfigError
from trainer_client.plan.duration import Phase, phases, step_seconds
from trainer_client.plan.engine import Engine, cache_bytes, engine
from trainer_client.plan.job import Job, divisible
from trainer_client.plan.memory import Component, Moment, components, host, total
from trainer_client.plan.workload import Lengths, Workload, workload

MORE_GPUS = (2, 4, 8, 16, 32, 64)
"""Numbers of GPUs that are tried where no setting helps."""


@dataclass(frozen=True)
class Plan:
    """The budget of a job.

    Attributes:
        job: what is to be run.
        lengths: what responses are taken to be like.
        valid_share: what share of the proposals is taken to be valid.
    """

    job: Job
    lengths: Lengths
    valid_share: float

    @cached_property
    def components(self) -> list[Component]:
        """Memory of each GPU."""
        return components(self.job)

    @cached_property
    def host(self) -> list[Component]:
        """Memory of the host."""
        return host(self.job)

    @cached_property
    def engine(self) -> Engine:
        """The sampler."""
        return engine(self.job)

    @cached_property
    def workload(self) -> Workload:
        """What a step does."""
        return workload(self.job.config, self.valid_share)

    @cached_property
    def phases(self) -> list[Phase]:
        """Time of each phase."""
        return phases(self.job, self.workload, self.lengths)

    @property
    def seconds(self) -> float:
        """A step, at least."""
        overlapped = bool(self.job.config.pipeline.off_policy_steps)
        return step_seconds(self.phases, overlapped=overlapped)

    def used(self, moment: Moment) -> float:
        """Bytes of each GPU at a moment."""
        return total(self.components, moment)

    @property
    def fits(self) -> bool:
        """Whether every moment fits, and the cache holds the longest sample."""
        return self.left >= 0 and self.cache_left >= 0

    @property
    def peak(self) -> Moment:
        """The moment that needs most."""
        return max(Moment, key=self.used)

    @property
    def left(self) -> float:
        """Bytes of each GPU that are left at the peak; negative: that are missing."""
        return self.job.gpu.memory - self.used(self.peak)

    @property
    def cache_left(self) -> float:
        """Bytes of the KV cache beyond one longest sample; negative: that it lacks."""
        return self.engine.cache - self.job.longest * cache_bytes(self.job) / self.engine.width

    @property
    def shortage(self) -> float:
        """Bytes that are missing in all; 0 if it fits."""
        return max(0.0, -self.left) + max(0.0, -self.cache_left)


def advice(plan: Plan) -> list[str]:
    """Return what makes a plan fit: the first setting that does alone, or several, or more GPUs.

    Each is ``--set``'s key.path=value, or ``--gpus N``; empty where it fits or nothing helps.
    """
    if plan.fits:
        return []
    changes = _changes(plan)
    for change in changes:
        if _changed(plan, change).fits:
            return [change]
    taken: list[str] = []
    for change in changes:
        tried = _changed(plan, change)
        if tried.shortage < plan.shortage:
            plan, taken = tried, [*taken, change]
            if plan.fits:
                return taken
    enough = smallest(plan)
    return [*taken, f"--gpus {enough}"] if enough else []


def room(plan: Plan) -> int | None:
    """Return the largest `sampler.max_batch_tokens` in steps of a doubling that fits, if larger.

    Of use to the sampler whose rows wait for their longest: more rows make fewer such waits.
    """
    best, tokens = None, plan.job.config.sampler.max_batch_tokens
    while plan.engine.waits_for_longest and plan.fits:
        tokens *= 2
        plan = _changed(plan, f"sampler.max_batch_tokens={tokens}")
        best = tokens if plan.fits else best
    return best


def smallest(plan: Plan) -> int | None:
    """Return the smallest larger number of GPUs that the configuration fits on as it is."""
    if not divisible(plan.job.config):
        return None
    larger = (gpus for gpus in MORE_GPUS if gpus > plan.job.gpus)
    return next((gpus for gpus in larger if _on(plan, gpus).fits), None)


def _changes(plan: Plan) -> list[str]:
    """Return settings that need less memory, those that cost least first."""
    config, job = plan.job.config, plan.job
    found = []
    if config.learner.micro_batch_tokens > job.longest:
        found.append(f"learner.micro_batch_tokens={job.longest}")
    if config.learner.logprob_chunk_tokens > 256:
        found.append("learner.logprob_chunk_tokens=256")
    found += _sampler_changes(plan)
    if not config.model.gradient_checkpointing:
        found.append("model.gradient_checkpointing=true")
    if config.pipeline.off_policy_steps:
        found.append("pipeline.off_policy_steps=0")
    if config.lengths.max_response_tokens > 4096:
        found.append("lengths.max_response_tokens=4096")
    if job.gpus == 1 and divisible(config):
        found.append("optimizer.offload=cpu")
        found.append("optimizer.kind=adamw_8bit")
    if config.model.lora is None:
        found.append("model.lora={}")
    return found


def _sampler_changes(plan: Plan) -> list[str]:
    config, job = plan.job.config, plan.job
    found = []
    if job.sampler_bytes > 2:
        found.append("sampler.dtype=bfloat16")
    if config.sampler.backend == "transformers":
        if config.sampler.max_batch_tokens > job.longest:
            found.append(f"sampler.max_batch_tokens={job.longest}")
        return found
    if config.sampler.sleep_level == 0:
        found.append("sampler.sleep_level=2")
    if config.sampler.kv_cache_gib is not None:
        found.append("sampler.kv_cache_gib=null")
    # What is left beside the learner while it does not learn, in twentieths.
    others = plan.used(Moment.SAMPLE) - plan.engine.weights - plan.engine.cache - plan.engine.work
    share = floor(20 * (1 - others / job.gpu.memory)) / 20
    if share > 0:
        found.append(f"sampler.gpu_memory_utilization={share:g}")
    return found


def _changed(plan: Plan, change: str) -> Plan:
    """Return the plan with a setting changed; one that is not allowed changes nothing."""
    path, _, raw = change.partition("=")
    values = plan.job.config.model_dump(mode="json")
    *sections, name = path.split(".")
    inner = values
    for section in sections:
        inner = inner[section]
    inner[name] = {"true": True, "{}": {}, "null": None}.get(raw, raw)
    try:
        config = RunConfig.model_validate(values)
        return replace(plan, job=replace(plan.job, config=config))
    except (ValueError, ConfigError):
        return plan


def _on(plan: Plan, gpus: int) -> Plan:
    return replace(plan, job=replace(plan.job, gpus=gpus))
