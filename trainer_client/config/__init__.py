"""The trainer's configuration: one pydantic model, `RunConfig`, and its sections."""

from trainer_client.config.run import RunConfig

__all__ = ["RunConfig"]
