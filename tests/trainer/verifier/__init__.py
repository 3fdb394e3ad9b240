"""Tests of trainer_client.verifier."""
