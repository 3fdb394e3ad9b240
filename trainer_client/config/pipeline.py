"""How far sampling and learning may run beside each other."""

from typing import Literal

from trainer_client.config.section import Section


class PipelineConfig(Section):
    """The order of collecting and learning; `trainer_client.selfplay.pipeline` carries it out."""

    off_policy_steps: Literal[0, 1] = 0
    """0: each batch is sampled from the weights that learn from it. 1: while the learner updates on
    one step's batch the sampler collects the next one, from the weights before that update. This
    needs `loss.importance_cap`, and memory for sampler and learner at once."""
