"""What all sections share: unknown keys are errors, values frozen, docstrings describe fields."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration; a misspelt key is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
