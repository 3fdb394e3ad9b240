"""Tables of held-out evaluations, as `evaluation.json` of a run directory holds them.

    [{"title": ..., "columns": [...], "rows": [[...], ...], "notes": [...]}, ...]

Whoever evaluates writes it; the report shows it and computes nothing.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from trainer_client.errors import DataError


class Table(BaseModel):
    """A table with a title; cells are text or numbers, None for an empty one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    """What was measured on what."""
    columns: list[str]
    """Heads of the columns; the first column names the rows."""
    rows: list[list[str | int | float | None]]
    """The cells, as many in each row as there are columns."""
    notes: list[str] = []
    """Sentences below the table."""


def read_evaluation(path: Path) -> list[Table]:
    """Return the tables of a file, none where it does not exist.

    Raises:
        DataError: it is not in the form above.
    """
    if not path.exists():
        return []
    try:
        tables = TypeAdapter(list[Table]).validate_json(path.read_bytes())
    except ValidationError as exc:
        error = exc.errors()[0]
        where = ".".join(str(part) for part in error["loc"])
        raise DataError(f"{path}: {where or 'the whole'}: {error['msg']}") from exc
    for table in tables:
        for row in table.rows:
            if len(row) != len(table.columns):
                raise DataError(
                    f"{path}: {table.title}: a row of {len(row)} cells under "
                    f"{len(table.columns)} columns"
                )
    return tables
