"""Measurements on models and finished runs, each with its figure, its numbers and its caption."""
