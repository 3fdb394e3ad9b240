"""What a proposal is worth: its difficulty for the solver, plus optional terms.

    learnability (AZR, arXiv 2505.03335, eq. 4)   1 - r          where 0 < r < 1
    balanced (the self-play paper's eq. 3)        1 - 2 |r - 0.5| where 0 < r < 1
    both                                          `unlearnable`  where r is 0 or 1
    a proposal that is not valid or not in form   `bad_format`
    r: mean solve rate of n Monte Carlo responses

`unlearnable` is 0 in AZR's paper; its code gives -0.5.
"""

from trainer_client.config.selfplay import RewardConfig
from trainer_client.rewards.terms import Terms


def learnability(solve_rate: float, unlearnable: float = 0.0) -> float:
    """Return 1 - r, or `unlearnable` where r is 0 or 1 (AZR eq. 4)."""
    return 1.0 - solve_rate if 0.0 < solve_rate < 1.0 else unlearnable


def balanced(solve_rate: float, unlearnable: float = 0.0) -> float:
    """Return 1 - 2|r - 0.5|, or `unlearnable` where r is 0 or 1 (the self-play paper's eq. 3)."""
    return 1.0 - 2.0 * abs(solve_rate - 0.5) if 0.0 < solve_rate < 1.0 else unlearnable


def proposer_reward(
    valid: bool | None, solve_rate: float | None, config: RewardConfig, terms: Terms | None = None
) -> float | None:
    """Return a proposal's reward, or None where it cannot be judged and must be masked.

    Args:
        valid: the verifier's judgement; False as well for a response in the wrong form, None for
            an `infra_error`.
        solve_rate: of the Monte Carlo responses; None when each of them was an `infra_error`.
            Not read unless `valid`.
        config: the equation, its numbers, and the weights of the terms.
        terms: of a valid proposal; each is weighted and added, as in AZR only to tasks that some
            but not all responses solve, so that no term pays for what cannot be learnt from.
    """
    if valid is None:
        return None
    if not valid:
        return config.bad_format
    if solve_rate is None:
        return None
    price = learnability if config.proposer == "learnability" else balanced
    reward = price(solve_rate, config.unlearnable)
    if terms is not None and 0.0 < solve_rate < 1.0:
        reward += terms.weighted(config)
    return reward
