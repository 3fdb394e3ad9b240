"""Sampling: the seam to whatever generates tokens, and its implementations."""
