"""Typed values: their form, their text, and when two of them are equal.

Plain data and pure functions; everything trusted that touches untrusted text does so here. Knows
nothing of sandboxes, verdicts or HTTP.
"""
