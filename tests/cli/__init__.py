"""Tests of the azr-executor command, run as a process of its own."""
