"""Commands as the pages show them: found, put together from their lines, and taken apart."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import click
from typer.main import get_command

from docs.blocks import APPS

FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE: Final = re.compile(r"`([^`\n]+)`")
_OURS: Final = tuple(APPS)
_MODULE: Final = ["-m", "trainer_client.cli.main"]
_SEPARATORS: Final = frozenset({"&&", "||", "|", ";", ">", "<", "&"})


@dataclass(frozen=True)
class Fenced:
    """A fenced block: its language and its text."""

    language: str
    text: str


def fenced(page: Path) -> list[Fenced]:
    """Return a page's fenced blocks in order."""
    return [Fenced(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def spans(page: Path) -> list[str]:
    """Return a page's inline code; a table's escaped bars are bars."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [span.replace("\\|", "|") for span in INLINE.findall(text)]


def shell_lines(page: Path) -> Iterator[tuple[list[str], str]]:
    """Yield the words of every command of a page's shell blocks, and the line below it."""
    for block in fenced(page):
        # A picture is no command, though it may begin with the name of one.
        if block.language in {"", "sh", "console"} and "▶" not in block.text:
            yield from block_lines(block)


def block_lines(block: Fenced) -> Iterator[tuple[list[str], str]]:
    """Yield the words of every command of a shell block, and the line below it.

    In a console block the lines that do not begin with ``$`` are what a command prints.
    """
    lines = [line for line in block.text.splitlines() if line.strip()]
    prompt = "$ " if block.language == "console" else ""
    while lines:
        line = lines.pop(0)
        if not line.startswith(prompt):
            continue
        line = line.removeprefix(prompt)
        while (words := _words(line)) is None or line.endswith("\\"):
            line = line.removesuffix("\\") + "\n" + lines.pop(0)
        if words:
            yield words, lines[0].lstrip("# ") if lines else ""


def _words(line: str) -> list[str] | None:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return None


def ours(words: list[str]) -> Iterator[list[str]]:
    """Yield the calls of this project's two commands among a line's words."""
    words = [word.removeprefix(".venv/bin/") for word in words]
    for at, word in enumerate(words):
        if word in _OURS:
            yield _until_separator(words[at:])
        elif words[at : at + 2] == _MODULE:
            yield _until_separator(["azr-trainer", *words[at + 2 :]])
        elif words[at : at + 2] == ["keys", "new"] and "compose" in words[:at]:
            yield _until_separator(["azr-executor", *words[at:]])


def calls(page: Path) -> list[list[str]]:
    """Return every call of the two commands on a page, in blocks and in running text."""
    found = [call for words, _ in shell_lines(page) for call in ours(words)]
    for span in spans(page):
        words = _words(span)
        if words:
            found += list(ours(words))
    return found


def complaint(call: list[str]) -> str | None:
    """Return what is wrong with a call: a subcommand or an option that there is not."""
    command = _command(call[0])
    rest = call[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name, *rest = rest
        if name not in command.commands:
            return f"there is no {name} in {command.name}"
        command = command.commands[name]
    known = {"--help", *(option for one in command.params for option in one.opts)}
    known |= {option for one in command.params for option in one.secondary_opts}
    wrong = [word for word in rest if word.startswith("--") and word.split("=")[0] not in known]
    return f"{command.name} has no {wrong[0]}" if wrong else None


def values(call: list[str], *options: str) -> list[str]:
    """Return what a call gives to any of the options."""
    return [call[at + 1] for at, word in enumerate(call[:-1]) if word in options]


@cache
def _command(name: str) -> click.Command:
    return get_command(APPS[name])


def _until_separator(words: list[str]) -> list[str]:
    for at, word in enumerate(words):
        if word in _SEPARATORS:
            return words[:at]
    return words
