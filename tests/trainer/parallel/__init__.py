"""Tests of trainer_client.parallel, and of the runs that several processes make together."""
