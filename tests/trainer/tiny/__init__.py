"""Tests of trainer_client.tiny."""
