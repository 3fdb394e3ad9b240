"""Tests of the prompt sets."""
