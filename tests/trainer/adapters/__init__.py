"""Tests of trainer_client.adapters."""
