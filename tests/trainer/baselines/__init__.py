"""Tests of trainer_client.baselines."""
