"""Figures of `azr-trainer analyze` in a run's ``analysis/``, as the report embeds them.

A figure is an image of its own within the page: its styles and names touch nothing else there.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from trainer_client.errors import DataError


@dataclass(frozen=True)
class Analysis:
    """A figure with its words.

    Attributes:
        title: its heading.
        caption: what it shows.
        image: the SVG as a data URL.
    """

    title: str
    caption: str
    image: str


def read_analyses(folder: Path) -> list[Analysis]:
    """Return the figures of a folder that have a caption beside them, by name.

    Raises:
        DataError: a caption is damaged.
    """
    return [
        _read(words)
        for words in sorted(folder.glob("*.json"))
        if words.with_suffix(".svg").is_file()
    ]


def _read(words: Path) -> Analysis:
    try:
        said = json.loads(words.read_text(encoding="utf-8"))
        title, caption = str(said["title"]), str(said["caption"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{words} is no caption of a figure: {error!r}") from error
    drawn = base64.b64encode(words.with_suffix(".svg").read_bytes()).decode()
    return Analysis(title, caption, f"data:image/svg+xml;base64,{drawn}")
