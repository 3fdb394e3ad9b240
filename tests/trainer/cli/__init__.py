"""Tests of trainer_client.cli."""
