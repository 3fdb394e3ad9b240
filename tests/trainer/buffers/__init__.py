"""Tests of the task buffers and of their files."""
