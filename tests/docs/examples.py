"""The pages' examples, executed against a running service."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from docs.commands import Fenced, fenced

ANY: Final = "..."
"""Stands for any value in an answer that a page shows."""
_HOST: Final = re.compile(r"(?:http://)?(?:localhost|127\.0\.0\.1):8000")
_PRINT: Final = re.compile(r"^\s*print\(.*\)\s+# ([^;\n]*)", re.MULTILINE)


def asked(words: list[str], client: httpx.Client, job: str) -> httpx.Response:
    """Send what a curl command would send; ``job`` is the id that ``ID`` stands for."""
    method, headers, body, url = "", {}, None, ""
    rest = iter(words[1:])
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(":")
            headers[name] = value.strip()
        elif word == "-d":
            body = next(rest)
        elif word == "-X":
            method = next(rest)
        elif not word.startswith("-"):
            url = _HOST.sub("", word).replace("/jobs/ID", f"/jobs/{job}")
    return client.request(method or ("POST" if body else "GET"), url, content=body, headers=headers)


def differs(shown: Any, real: Any, where: str = "the answer") -> str | None:
    """Say where a real answer differs from the one shown, or None."""
    if shown == ANY:
        return None
    if isinstance(shown, dict) and isinstance(real, dict):
        if set(shown) != set(real):
            return f"{where} has {sorted(real)}"
        pairs = [(shown[key], real[key], f"{where}.{key}") for key in shown]
    elif isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        pairs = [(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(shown, real, strict=True))]
    else:
        return None if shown == real else f"{where} is {real!r}"
    return next((found for pair in pairs if (found := differs(*pair))), None)


def with_answers(page: Path) -> Iterator[tuple[Fenced, Any]]:
    """Yield a page's shell blocks, each with the JSON that stands right below it, or None."""
    blocks = fenced(page)
    for at, block in enumerate(blocks):
        below = blocks[at + 1] if at + 1 < len(blocks) else None
        if block.language == "sh":
            yield block, json.loads(below.text) if below and below.language == "json" else None


def run_python(page: Path, url: str) -> list[tuple[str, str]]:
    """Run a page's Python, one block after the other; pair what it prints with what it says."""
    pairs: list[tuple[str, str]] = []
    names: dict[str, Any] = {}
    for block in fenced(page):
        if block.language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(_HOST.sub(url, block.text), names)
        said = [text.strip() for text in _PRINT.findall(block.text)]
        pairs += list(zip(said, printed.getvalue().splitlines(), strict=True))
    return pairs
