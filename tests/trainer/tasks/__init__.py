"""Tests of the tasks, alone and with a real verifier."""
