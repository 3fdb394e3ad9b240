"""Reading files of JSON lines whose rows have a known shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from trainer_client.errors import DataError

Row = TypeVar("Row", bound=BaseModel)


def read_rows(path: Path, shape: type[Row]) -> Iterator[tuple[str, Row]]:
    """Yield each row with the place it stands at (for messages); blank lines are passed over.

    Raises:
        DataError: the file cannot be read, or a row is not of the shape: the message names file,
            line and field.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    place = f"{path}, line {number}"
                    yield place, _row(place, line, shape)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8: {error.reason}") from None


def _row(place: str, line: str, shape: type[Row]) -> Row:
    try:
        return shape.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError(f"{place}: {field + ': ' if field else ''}{first['msg']}") from None
