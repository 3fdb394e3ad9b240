"""What models are asked: packaged Jinja templates, one for each kind of problem and style."""

from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined

from trainer_client.evaluation.problems import MathProblem, Problem, TraceProblem
from trainer_client.evaluation.stores import digest

STYLES: Final = ("plain", "chat", "azr")
"""``plain``: a text to be continued, for base models; ``chat``: a user's message in the tokenizer's
chat template; ``azr``: the frame that self-play trains in, which ends in ``<think>``."""
_KINDS: Final = ("function", "mathematics", "predict_output", "predict_input")


class Templates:
    """The templates of one style.

    Attributes:
        style: its name.
        fingerprint: changes with any packaged template.
    """

    def __init__(self, style: str) -> None:
        folder = files("trainer_client.evaluation") / "prompts"
        texts = {
            f"{name}/{kind}.jinja": (folder / name / f"{kind}.jinja").read_text(encoding="utf-8")
            for name in STYLES
            for kind in _KINDS
        }
        self.style = style
        self.fingerprint = digest(texts)
        self._environment = Environment(
            loader=DictLoader(texts),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - a prompt is plain text, no browser ever sees it
        )

    def render(self, problem: Problem) -> str:
        """Return the prompt, or the message of the user."""
        name = f"{self.style}/{_kind(problem)}.jinja"
        # A text to be continued ends as the benchmark has it: a signature's newline matters.
        return self._environment.get_template(name).render(vars(problem))


def _kind(problem: Problem) -> str:
    if isinstance(problem, MathProblem):
        return "mathematics"
    if isinstance(problem, TraceProblem):
        return f"predict_{problem.predicts}"
    return "function"
