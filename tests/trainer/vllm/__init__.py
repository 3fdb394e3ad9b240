"""Whole runs with real vLLM engines."""
