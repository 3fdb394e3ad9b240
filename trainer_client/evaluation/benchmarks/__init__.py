"""Readers of benchmarks' files as their projects publish them."""
