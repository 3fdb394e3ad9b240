"""Tests of advantages and the loss."""
