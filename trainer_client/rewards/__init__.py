"""Rewards: pure functions from verdicts and texts to numbers; an `infra_error` is never a number.

Texts are the model's and stay text: they are scanned for tokens in linear time, never parsed as
Python and never evaluated.
"""
