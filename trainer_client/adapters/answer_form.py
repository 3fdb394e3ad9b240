"""How a trainer's completion becomes the text that is read, and an answer is found in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from trainer_client.adapters.sample import Sample
from trainer_client.errors import DataError, FormatError
from trainer_client.parsing.markup import Markup
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.tasks.registry import task_kind

Thought = Literal["prompt", "response", "none"]
ENDINGS: Final = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>",
    "</s>",
)  # fmt: skip
"""What models end a turn with. A trainer that decodes special tokens leaves it there."""


@dataclass(frozen=True)
class AnswerForm:
    r"""The form in which answers are asked for, and read: strictly, and never evaluated.

    Attributes:
        markup: the marks of thought, answer and blocks.
        thought: who writes the mark that opens the thought: the ``prompt``, or the model in its
            ``response``; ``none``: there is no thought in the text (a reasoning parser took it).
        endings: texts that are taken off the end.

    Example:
        >>> from trainer_client.adapters import AnswerForm, Sample
        >>> sample = Sample.read({"task": "deduction", "program": "def f(): ...", "output": "8"})
        >>> form = AnswerForm.load("azr", thought="none")
        >>> form.answer(sample, "<answer>```output\n8\n```</answer>")
        '8'
    """

    markup: Markup
    thought: Thought
    endings: tuple[str, ...] = ENDINGS

    @classmethod
    def load(cls, prompts: str | Path = "azr", thought: Thought | None = None) -> Self:
        """Return the form of a prompt set, by its name or its directory.

        Args:
            prompts: ``azr``, ``tiny``, or a directory as `PromptSet.load` takes it.
            thought: None: as the prompt set has it.

        Raises:
            DataError: there is no such prompt set.
        """
        markup = PromptSet.load(prompts).markup
        if thought is None:
            thought = "prompt" if markup.think_opened_by_prompt else "response"
        if thought not in ("prompt", "response", "none"):
            raise DataError(f"thought: {thought!r} is none of prompt, response, none")
        return cls(markup, thought)

    def answer(self, sample: Sample, completion: Any) -> str:
        """Return the answer in a completion: text, or chat messages whose last is the answer.

        Raises:
            FormatError: it is not in the form; the model is to blame.
            DataError: it is no completion; the trainer, or its settings, are to blame.
        """
        thought, text, kind = self.thought, *self._text(completion)
        if kind == "reasoned":
            thought = "response"
        think = self.markup.think
        if thought == "none":
            text = f"{think.open}{think.close}{text}"
        opened = thought == "prompt"
        markup = self.markup.model_copy(update={"think_opened_by_prompt": opened})
        return task_kind(sample.task).parse_answer(self._without_ending(text), markup)

    def _text(self, completion: Any) -> tuple[str, str]:
        if isinstance(completion, str):
            return completion, "text"
        if not isinstance(completion, list | tuple) or not completion:
            raise DataError(
                f"completion: text or messages are wanted, not {type(completion).__name__}"
            )
        message = _fields(completion[-1])
        if message.get("role") != "assistant":
            raise FormatError("the last message is not the assistant's")
        content = _content(message.get("content"))
        reasoning = message.get("reasoning_content")
        if isinstance(reasoning, str) and reasoning:
            think = self.markup.think
            return f"{think.open}{reasoning}{think.close}{content}", "reasoned"
        return content, "text"

    def _without_ending(self, text: str) -> str:
        end = len(text)
        while True:
            while end and text[end - 1].isspace():
                end -= 1
            found = next((mark for mark in self.endings if text.endswith(mark, 0, end)), "")
            if not found:
                return text[:end]
            end -= len(found)


def _fields(message: Any) -> Mapping[str, Any]:
    if isinstance(message, Mapping):
        return message
    if hasattr(message, "model_dump"):
        found: dict[str, Any] = message.model_dump()
        return found
    raise DataError(f"completion: a message is wanted, not {type(message).__name__}")


def _content(content: Any) -> str:
    """Return a message's text; of one in parts, the text parts."""
    if isinstance(content, str):
        return content
    parts = [_fields(part) for part in content or ()]
    return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
