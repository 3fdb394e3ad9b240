"""Randomness that is derived, never stored: a seed for each step and purpose of a run.

A resumed run draws exactly what the unbroken one would have drawn, because no generator's state
outlives a step.
"""

import random
from hashlib import sha256


def derive(seed: int, step: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose of one step, for torch generators and samplers."""
    digest = sha256(f"{seed}/{step}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, step: int, purpose: str) -> random.Random:
    """Return a generator for one purpose of one step; never for anything secret."""
    return random.Random(derive(seed, step, purpose))  # noqa: S311 - reproducible on purpose
