"""Seconds of each phase at least: its FLOPs over the matrix rate, its bytes over the bandwidth.

A product of a matrix with n numbers and a vector takes 2n FLOPs; backward takes twice as many as
forward (arXiv 2001.08361, section 2.1). What can overlap counts with its larger part. The verifier
is not here: on processors enough it works while the next phase samples (docs/multi-node.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from trainer_client.plan.engine import Engine, cache_bytes, engine
from trainer_client.plan.job import FP32, Job
from trainer_client.plan.workload import Lengths, Workload

ADAMW_BYTES = 40
"""Bytes of GPU memory that an optimizer step reads and writes for a parameter: gradient for its
norm 4 and clipped 8; weight, gradient and moments read 16, weight and moments written 12."""


@dataclass(frozen=True)
class Phase:
    """A part of a step.

    Attributes:
        name: as in the metrics of a run where it is one of its phases.
        compute: seconds by FLOPs over the matrix rate.
        memory: seconds by bytes over the GPU memory's bandwidth.
        link: seconds by bytes between GPUs, or between GPU and host.
        seconds: at least, with what can overlap overlapping.
    """

    name: str
    compute: float
    memory: float
    link: float
    seconds: float

    @property
    def limit(self) -> str:
        """What decides: FLOPs, memory or links."""
        parts = {"FLOPs": self.compute, "memory": self.memory, "links": self.link}
        return max(parts, key=lambda name: parts[name])


@dataclass(frozen=True)
class Asked:
    """What a phase samples.

    Attributes:
        name: of the phase.
        responses: in all.
        prompts: different ones; each is read once.
        calls: one after another, one for each task; each waits for its longest response.
    """

    name: str
    responses: int
    prompts: int
    calls: int


def phases(job: Job, work: Workload, lengths: Lengths) -> list[Phase]:
    """Return the phases of a step in which the GPUs work."""
    asked = [
        Asked("propose", work.proposals, work.proposals, work.kinds),
        Asked("solve", work.solutions, work.solutions, work.kinds),
        Asked("montecarlo", work.estimates, work.valid, work.kinds),
    ]
    sampled = [_sampling(job, lengths, each) for each in asked if each.responses]
    return [*sampled, _update(job, work, lengths), _optimizer(job, work), *_handing_over(job)]


def step_seconds(found: list[Phase], *, overlapped: bool) -> float:
    """Return a whole step: the sum, or the longer of sampling and learning if they overlap."""
    update = sum(phase.seconds for phase in found if phase.name in ("update", "optimizer"))
    rest = sum(phase.seconds for phase in found) - update
    return max(update, rest) if overlapped else update + rest


def attention_flops(job: Job, tokens: float, context: float) -> float:
    """Return the FLOPs of scores and weighted values: 4 × context × queries' width, each layer."""
    return 4.0 * tokens * context * job.shape.query_width * job.shape.layers


def _turns(used: Engine, lengths: Lengths, limit: int, responses: float) -> float:
    """Return how often the weights are read to sample some responses of one call on one engine."""
    if used.waits_for_longest:
        # Room is kept for the longest response that is allowed.
        rows = max(1.0, used.tokens // (lengths.prompt + limit))
        return ceil(responses / rows) * lengths.longest
    rows = max(1.0, min(used.rows, used.tokens / (lengths.prompt + lengths.response)))
    return max(lengths.longest, responses * lengths.response / rows)


def _sampling(job: Job, lengths: Lengths, asked: Asked) -> Phase:
    """Reading prompts is bound by FLOPs; each position drawn reads all weights and the cache."""
    used, shape = engine(job), job.shape
    share = asked.responses / used.replicas
    limit = job.config.lengths.max_response_tokens
    turns = asked.calls * _turns(used, lengths, limit, share / asked.calls)
    draws = share * lengths.response
    matrices = shape.layers * shape.layer_matrices
    rate, band = job.gpu.matrix_rate * used.width, job.gpu.bandwidth * used.width
    read = asked.prompts / used.replicas * lengths.prompt
    reading = (2.0 * read * matrices + attention_flops(job, read, lengths.prompt / 2)) / rate
    context = lengths.prompt + lengths.response / 2
    drawing = 2.0 * draws * (matrices + shape.embedding) + attention_flops(job, draws, context)
    weights = turns * job.sampler_bytes * (matrices + shape.embedding)
    memory = (weights + draws * context * cache_bytes(job)) / band
    compute = drawing / rate
    # Tensor parallelism: two sums over the stream in each layer, each sent and received once.
    tokens = (read + draws) * 4 * shape.layers * shape.hidden * job.sampler_bytes
    link = tokens * (used.width - 1) / used.width / job.gpu.link
    return Phase(asked.name, reading + compute, memory, link, reading + max(compute, memory) + link)


def _update(job: Job, work: Workload, lengths: Lengths) -> Phase:
    """Forward, backward and what is computed again; FSDP's gathering runs beside it."""
    shape, config = job.shape, job.config
    tokens = work.taught * (lengths.prompt + lengths.response) * work.epochs
    answers = work.taught * lengths.response * work.epochs
    lora = config.model.lora is not None
    backward = 1 if lora else 2
    again = int(config.model.gradient_checkpointing)
    layers = 2.0 * tokens * shape.layers * shape.layer_matrices
    layers += attention_flops(job, tokens, (lengths.prompt + lengths.response) / 2)
    head = 2.0 * answers * shape.embedding
    # The logits are computed again in any case.
    flops = layers * (1 + backward + again) + head * (2 + backward)
    flops += work.passes * (layers + head) / work.epochs
    compute = flops / (job.gpus * job.gpu.matrix_rate)
    batches = ceil(tokens / job.gpus / job.positions)
    away = (job.gpus - 1) / job.gpus
    gathers = 2 if config.parallel.reshard_after_forward else 1
    sent = (gathers + work.passes / work.epochs) * job.compute_bytes * shape.parameters
    sent += 0 if lora else FP32 * shape.parameters
    link = batches * sent * away / job.gpu.link
    # Each micro-batch reads the weights in forward and backward and adds to the gradients.
    moved = (3 * job.compute_bytes + 2 * FP32) * shape.parameters
    memory = batches * moved / job.gpu.bandwidth
    return Phase("update", compute, memory, link, max(compute, memory, link))


def _optimizer(job: Job, work: Workload) -> Phase:
    """Clip and step; moments that live on the host come and go."""
    own = job.taught / job.gpus * work.steps
    memory = own * ADAMW_BYTES / job.gpu.bandwidth
    away = job.config.optimizer.offload == "cpu"
    link = own * 4 * FP32 / job.gpu.host_link if away else 0.0
    return Phase("optimizer", 0.0, memory, link, memory + link)


def _handing_over(job: Job) -> Iterator[Phase]:
    """Sampler to sleep and awake again, new weights to it."""
    used, parameters = engine(job), job.shape.parameters
    away = (job.gpus - 1) / job.gpus
    gather = FP32 * parameters * away / job.gpu.link
    copy = job.sampler_bytes * parameters / job.gpu.host_link
    if used.exports:
        # Each engine's process writes the files that its GPUs read.
        files = copy + copy / used.width
        yield Phase("sync", 0.0, 0.0, gather + files, gather + files)
        return
    if used.asleep and not used.stays:
        yield Phase("sleep and wake", 0.0, 0.0, 2 * copy, 2 * copy)
    memory = (FP32 + job.sampler_bytes) * parameters / job.gpu.bandwidth
    yield Phase("sync", 0.0, memory, gather, memory + gather)
