"""Tests of trainer_client.selfplay."""
