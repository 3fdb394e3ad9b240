"""Tests of trainer_client.sampling."""
