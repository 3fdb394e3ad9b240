"""Baselines on a fixed file of triplets: RLVR and SFT, in the same loop as self-play."""
