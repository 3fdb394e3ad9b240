"""Tests of trainer_client.learning."""
