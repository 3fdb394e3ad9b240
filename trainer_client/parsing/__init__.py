"""From a response's text to the values in it: strict, linear in time, and never evaluating any."""

from trainer_client.parsing.extraction import Wanted, blocks, extract_answer, lone_value
from trainer_client.parsing.markup import Markup, Part

__all__ = ["Markup", "Part", "Wanted", "blocks", "extract_answer", "lone_value"]
