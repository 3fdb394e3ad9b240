"""One optimizer step's share of a collected batch, with what is fixed for all its tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import torch
from torch import Tensor

from trainer_client.algorithms.aggregate import Aggregate
from trainer_client.algorithms.covariance import treated_tokens
from trainer_client.algorithms.entropy import high_entropy_mask
from trainer_client.algorithms.loss import LossInputs
from trainer_client.config.algorithm import LossConfig
from trainer_client.learning.scorer import Row
from trainer_client.records.rollouts import Scored
from trainer_client.seeds import derive, generator


@dataclass(frozen=True)
class Reference:
    """Scores of one sample's tokens by the weights from before the first step on the batch."""

    logprobs: Tensor
    entropy: Tensor


def divide(count: int, parts: int, epochs: int, seed: int) -> Iterator[list[int]]:
    """Yield the samples of each optimizer step: every epoch shuffled anew, parts of equal size.

    With fewer samples than parts there are fewer steps, never empty ones.
    """
    for epoch in range(epochs):
        order = list(range(count))
        generator(seed, epoch, "minibatches").shuffle(order)
        bounds = [count * part // parts for part in range(parts + 1)]
        for start, end in pairwise(bounds):
            if start < end:
                yield order[start:end]


def row(sample: Scored) -> Row:
    """Return the tokens of a sample."""
    rollout = sample.rollout
    return Row(rollout.prompt, rollout.response, rollout.temperature)


def digest(samples: Sequence[Scored]) -> str:
    """Return what differs where a token or an advantage does."""
    found = sha256()
    for each in samples:
        rollout = each.rollout
        found.update(repr((rollout.prompt, rollout.response, each.advantage)).encode())
    return found.hexdigest()


def sampled(sample: Scored, device: torch.device) -> Tensor:
    """Return the sampler's log-probabilities; a demonstration has none, and none is read."""
    if sample.off_policy:
        return torch.zeros(len(sample.rollout.response), device=device)
    return torch.tensor(sample.rollout.logprobs, device=device)


class MiniBatch:
    """The samples of one optimizer step.

    KL-Cov, Clip-Cov and the high-entropy mask rank the tokens of the whole mini-batch; what they
    choose is settled here, so that it does not depend on how micro-batches are cut.
    """

    def __init__(
        self,
        samples: Sequence[Scored],
        old: Sequence[Tensor] | None,
        references: Sequence[Reference] | None,
        config: LossConfig,
        seed: int,
        device: torch.device,
    ) -> None:
        """Choose the tokens that are treated apart.

        Args:
            samples: none masked, none with an empty response.
            old: each sample's log-probabilities from before the first step on the batch; None:
                the present ones, in the first step itself. They are then equal to the last bit,
                where a second pass would differ by rounding and give KL-Cov's |d| a random sign.
            references: each sample's scores from before the first step, to choose by; None: the
                sampler's log-probabilities; needed for `config.entropy_top_share` below 1.
            config: says what is chosen.
            seed: of this optimizer step.
            device: of the learner.
        """
        self.samples = samples
        self.rows = [row(sample) for sample in samples]
        self.sizes = [len(each.response) for each in self.rows]
        self.tokens = sum(self.sizes)
        self._device = device
        self._old = old
        self._sampler = [sampled(sample, device) for sample in samples]
        flat = self._flat(range(len(samples)))
        before = self._sampler
        if references is not None:
            before = [reference.logprobs for reference in references]
        treated = treated_tokens(
            flat.advantages,
            torch.cat(before),
            ~flat.off_policy,
            config,
            derive(seed, 0, "covariance"),
        )
        self._treated = torch.split(treated, self.sizes) if treated is not None else None
        self._taught: Sequence[Tensor] | None = None
        if config.entropy_top_share < 1:
            assert references is not None, "a reference pass comes before the choice by entropy"
            entropies = torch.cat([reference.entropy for reference in references])
            mask = high_entropy_mask(entropies, config.entropy_top_share, ~flat.off_policy)
            self._taught = torch.split(mask, self.sizes)
        self._roles = sorted({sample.rollout.role for sample in samples})

    def inputs(self, chosen: Sequence[int], logprobs: Tensor, entropy: Tensor | None) -> LossInputs:
        """Gather the loss's inputs for the samples of one micro-batch."""
        flat = self._flat(chosen)
        old = logprobs.detach()
        if self._old is not None:
            old = torch.cat([self._old[index] for index in chosen])
        return LossInputs(
            logprobs=logprobs,
            old_logprobs=old,
            sampler_logprobs=torch.cat([self._sampler[index] for index in chosen]),
            advantages=flat.advantages,
            off_policy=flat.off_policy,
            entropy=entropy,
            treated=_chosen(self._treated, chosen),
            taught=_chosen(self._taught, chosen),
        )

    def role_metrics(
        self, chosen: Sequence[int], logprobs: Tensor, entropy: Tensor | None
    ) -> Aggregate:
        """Divide the entropies of a micro-batch's on-policy tokens among task-roles and roles."""
        own = [not self.samples[index].off_policy for index in chosen]
        places = [self._roles.index(self.samples[index].rollout.role) for index in chosen]
        kinds = self._spread(chosen, [p if o else -1 for p, o in zip(places, own, strict=True)])
        columns = {"entropy/sampled_token": -logprobs.detach().double()}
        if entropy is not None:
            columns["entropy/full"] = entropy.detach().double()
        found = Aggregate()
        for name, values in columns.items():
            sums = torch.zeros(len(self._roles) + 1, dtype=torch.float64, device=values.device)
            # Demonstrations (-1) fall into a slot past the roles.
            sums.index_add_(0, kinds % (len(self._roles) + 1), values)
            for role, total in zip(self._roles, sums.tolist(), strict=False):
                size = sum(
                    self.sizes[index]
                    for index, mine in zip(chosen, own, strict=True)
                    if mine and self.samples[index].rollout.role == role
                )
                if size:
                    for key in (role.key, role.role):
                        one = Aggregate({f"{name}/{key}": (total, size)})
                        found.merge(one)
        return found

    def _flat(self, chosen: Sequence[int]) -> "_PerToken":
        samples = [self.samples[index] for index in chosen]
        return _PerToken(
            self._spread(chosen, [sample.advantage for sample in samples]),
            self._spread(chosen, [sample.off_policy for sample in samples]),
        )

    def _spread(self, chosen: Sequence[int], values: Sequence[float]) -> Tensor:
        """Repeat each sample's value for each of its tokens."""
        sizes = torch.tensor([self.sizes[index] for index in chosen])
        return torch.tensor(values).repeat_interleave(sizes).to(self._device)


@dataclass(frozen=True)
class _PerToken:
    advantages: Tensor
    off_policy: Tensor


def _chosen(parts: Sequence[Tensor] | None, chosen: Sequence[int]) -> Tensor | None:
    return torch.cat([parts[index] for index in chosen]) if parts is not None else None
