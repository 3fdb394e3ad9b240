"""Tests of the metrics, and what other tests read metrics with."""
