"""Evaluation on small files in the published formats."""
