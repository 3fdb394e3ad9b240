"""Evaluation on published benchmarks: reading, sampling, judging through the verifier, pass@k."""
