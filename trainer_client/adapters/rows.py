"""Rows of a dataset from problems: the prompt that asks for an answer, and what judges it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from trainer_client.adapters.sample import Sample
from trainer_client.errors import DataError
from trainer_client.prompts.prompt_set import PromptSet
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.problems import Problem
from trainer_client.tasks.registry import task_kind

_USER: Final = "\nUser:"
_ASSISTANT: Final = "\nAssistant:"


def rows(
    task: Task | str, problems: Iterable[Problem], prompts: str | Path = "azr"
) -> list[dict[str, Any]]:
    r"""Return one row per problem: ``prompt`` and the fields of its `Sample`.

    The prompts show what a solver may see, never the gold. For trainers with a single label, take
    `Sample.read(row).label()`.

    Args:
        task: what is asked for.
        problems: for instance of `trainer_client.buffers.azr_format.read_triplets`.
        prompts: the name or the directory of a prompt set; the grader's form is to be the same.

    Raises:
        DataError: there is no such prompt set.
        ValueError: there is no such task.

    Example:
        >>> from trainer_client.adapters.rows import rows
        >>> from trainer_client.records.problems import Triplet
        >>> (row,) = rows("abduction", [Triplet("def f(x):\n    return x * 2", "4", "8")])
        >>> row["prompt"][-7:], row["output"]
        ('<think>', '8')
    """
    task = Task(task)
    templates = PromptSet.load(prompts)
    kind = task_kind(task)
    return [
        {
            "prompt": templates.render(TaskRole(task, Role.SOLVE), kind.solve_variables(problem)),
            **Sample(task, problem).fields(),
        }
        for problem in problems
    ]


def chat(prompt: str) -> list[dict[str, str]]:
    """Return a prompt of the ``azr`` set as chat messages, for trainers that apply a template.

    The model opens its thought itself then: graders take ``thought="response"``.

    Raises:
        DataError: the prompt has no speakers.

    Example:
        >>> from trainer_client.adapters.rows import chat, rows
        >>> from trainer_client.records.problems import Triplet
        >>> (row,) = rows("deduction", [Triplet("def f(x): return x", "4", "4")])
        >>> [message["role"] for message in chat(row["prompt"])]
        ['system', 'user']
    """
    # No value in a prompt holds a speaker's name at the beginning of a line.
    system, user, rest = prompt.partition(_USER)
    asked, assistant, _ = rest.rpartition(_ASSISTANT)
    if not (user and assistant):
        raise DataError("the prompt has no User and Assistant; only prompts of the azr set do")
    return [
        {"role": "system", "content": system.strip()},
        {"role": "user", "content": asked.strip()},
    ]
