"""Prompt sets: what the model is told for each task-role, in files that can be replaced."""

from trainer_client.prompts.prompt_set import PromptSet

__all__ = ["PromptSet"]
