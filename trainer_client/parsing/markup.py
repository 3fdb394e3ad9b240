"""How the parts of a response are marked: data that belongs to a prompt set (its markup.yaml)."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trainer_client.errors import DataError


class Part(StrEnum):
    """What a block holds."""

    PROGRAM = "program"
    INPUT = "input"
    OUTPUT = "output"
    MESSAGE = "message"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Marks(_Data):
    """What stands before and after a text. White space beside the closing mark is layout."""

    open: str = Field(min_length=1)
    """Written before the text, and read exactly so."""
    close: str = Field(min_length=1)
    """Written after the text; read without the white space around it."""


class Markup(_Data):
    """The marks of one prompt set.

    A response is a thought and an answer; the answer holds blocks, one for each part asked for.
    """

    think: Marks
    """Around the thought."""
    think_opened_by_prompt: bool
    """The prompt ends with the thought's opening mark, so that the response begins inside."""
    answer: Marks
    """Around the answer."""
    program: Marks
    """Around a program."""
    input: Marks
    """Around an argument list."""
    output: Marks
    """Around an output, or the name of an exception."""
    message: Marks
    """Around an induction problem's message."""
    separator: str = "\n"
    """Layout between marks where we write a response; any white space is read."""
    bare_answers: bool = False
    """A solver's answer stands between the answer's marks without a block of its own."""
    message_required: bool = True
    """An induction proposal without a message is badly formatted."""
    frame: tuple[str, ...] = ()
    """Further marks that only prompts use (the speakers' names, a tag per task)."""
    forbidden: tuple[str, ...] = ()
    """Further texts that no value may hold (a tokenizer's special tokens)."""

    @classmethod
    def from_yaml(cls, text: str, source: str) -> Self:
        """Read a markup.yaml; ``source`` names it in errors.

        Raises:
            DataError: it is not YAML, lacks a field, or its marks cannot be told apart.
        """
        try:
            return cls.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise DataError(f"{source}: not YAML: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the file"
            raise DataError(f"{source}: {field}: {first['msg']}") from None

    @model_validator(mode="after")
    def _marks_can_be_told_apart(self) -> Self:
        outer = [self.think.open, self.think.close, self.answer.open, self.answer.close]
        openings = [self.part(part).open for part in Part]
        if len({*outer, *openings}) < len(outer) + len(openings):
            raise ValueError("two openings are the same")
        for mark in outer:
            if any(mark in other for other in self.all_marks() if other != mark):
                raise ValueError(f"{mark!r} is part of another mark")
        return self

    def part(self, part: Part) -> Marks:
        """Return the marks of a part's block."""
        marks: Marks = getattr(self, part.value)
        return marks

    def all_marks(self) -> tuple[str, ...]:
        """Return every mark of the prompt set once, as it is read: what no value may hold."""
        return self._all_marks

    @cached_property
    def _all_marks(self) -> tuple[str, ...]:
        pairs = [self.think, self.answer, *(self.part(part) for part in Part)]
        marks = [mark for pair in pairs for mark in (pair.open, pair.close.strip())]
        return tuple(dict.fromkeys([*marks, *self.frame]))

    def barred(self) -> tuple[str, ...]:
        """Return all that no value may hold: the marks and the further forbidden texts."""
        return (*self._all_marks, *self.forbidden)

    def forbidding(self, texts: Iterable[str]) -> Self:
        """Return this markup with further texts that no value may hold."""
        more = tuple(text for text in texts if text)
        return self.model_copy(update={"forbidden": tuple(dict.fromkeys([*self.forbidden, *more]))})

    def block(self, part: Part, text: str) -> str:
        """Write a block."""
        marks = self.part(part)
        return f"{marks.open}{text}{marks.close}"

    def lone_answer(self, part: Part, text: str) -> str:
        """Write the whole response of a solver whose answer is ``text``, without a thought."""
        return self.response([text if self.bare_answers else self.block(part, text)])

    def response(self, blocks: Iterable[str]) -> str:
        """Write a whole response with an empty thought and these blocks in its answer."""
        opening = [] if self.think_opened_by_prompt else [self.think.open]
        lines = [*opening, self.think.close, self.answer.open, *blocks, self.answer.close]
        return ("" if opening else self.separator) + self.separator.join(lines)
