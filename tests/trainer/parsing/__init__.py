"""Tests of markup and extraction."""
