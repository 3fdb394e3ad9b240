"""Judging answers: code in the verifier's sandboxes, mathematics in a process with a time limit."""
