"""Tests of trainer_client.training."""
