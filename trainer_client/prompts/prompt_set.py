"""A prompt set: a directory with a template per task-role and the markup that they ask for.

Templates are Jinja: ``propose_deduction.jinja`` ... ``solve_error.jinja``; a file whose name begins
with an underscore is there to be included by others. They see the variables of
`trainer_client.tasks`, and ``block(part, text)``, which writes a text between its marks. What comes
from a model is only ever a value, never a template.
"""

import copy
from collections.abc import Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self

from jinja2 import DictLoader, Environment, StrictUndefined, TemplateError, TemplateSyntaxError

from trainer_client.errors import DataError
from trainer_client.parsing.markup import Markup, Part
from trainer_client.records.kinds import Role, Task, TaskRole

PACKAGED = ("azr", "tiny")
"""The prompt sets that come with the package."""


class PromptSet:
    """The templates and the markup of one directory."""

    def __init__(self, name: str, templates: Mapping[str, str], markup: Markup) -> None:
        """Compile the templates; ``templates`` maps file names to texts.

        Raises:
            DataError: a template does not parse.
        """
        self.name = name
        self.markup = markup
        self._environment = Environment(
            loader=DictLoader(templates),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - a prompt is plain text, no browser ever sees it
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # so that an included file ends its own last line
        )
        self._environment.globals["block"] = lambda part, text: markup.block(Part(part), text)
        for template in templates:
            try:
                self._environment.get_template(template)
            except TemplateSyntaxError as error:
                raise DataError(
                    f"prompt set {name}: {template}, line {error.lineno}: {error.message}"
                ) from None

    @classmethod
    def load(cls, name_or_dir: str | Path, tasks: Iterable[Task] = tuple(Task)) -> Self:
        """Load a packaged prompt set by its name, or a directory by its path.

        Args:
            name_or_dir: ``azr``, ``tiny``, or a directory with the same files.
            tasks: the tasks for which there must be templates.

        Raises:
            DataError: there is no such set, or a file of it is missing or damaged.
        """
        name = str(name_or_dir)
        folder: Traversable
        if name in PACKAGED:
            folder = files("trainer_client.prompts") / name
        else:
            folder = Path(name)
            if not folder.is_dir():
                raise DataError(
                    f"no prompt set {name}: name one of {', '.join(PACKAGED)} or a directory"
                )
        markup = Markup.from_yaml(_text(folder, "markup.yaml"), f"{name}/markup.yaml")
        names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jinja"))
        for task in tasks:
            for role in Role:
                if template_name(TaskRole(task, role)) not in names:
                    raise DataError(
                        f"prompt set {name}: {template_name(TaskRole(task, role))} is missing"
                    )
        return cls(name, {entry: _text(folder, entry) for entry in names}, markup)

    def forbidding(self, texts: Iterable[str]) -> Self:
        """Return this set with further texts that no value may hold (a tokenizer's specials)."""
        other = copy.copy(self)
        other.markup = self.markup.forbidding(texts)
        return other

    def render(self, role: TaskRole, variables: Mapping[str, Any]) -> str:
        """Write the prompt of a task-role, without the newline that ends its file.

        Raises:
            DataError: the set has no such template, or it uses a variable that there is not.
        """
        template = template_name(role)
        try:
            return self._environment.get_template(template).render(variables).removesuffix("\n")
        except TemplateError as error:
            raise DataError(f"prompt set {self.name}: {template}: {error}") from None


def template_name(role: TaskRole) -> str:
    """Return the file name of a task-role's template."""
    return f"{role.role}_{role.task}.jinja"


def _text(folder: Traversable, name: str) -> str:
    try:
        # Read with universal newlines: a file saved on Windows is the same prompt.
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}/{name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{folder}/{name}: not UTF-8: {error.reason}") from None
