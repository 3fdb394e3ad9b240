"""`extends`: a configuration that says only how it differs from another one.

The value names a preset or a file, as ``--config`` does; a file's relative path starts at the file
that names it. Sections are merged key by key, every other value (lists too) replaces the base's.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainer_client.errors import ConfigError

KEY = "extends"
Read = Callable[[str | Path], dict[str, Any]]
"""From a preset's name or a path to the values in it."""


def composed(source: str | Path, read: Read) -> dict[str, Any]:
    """Return a configuration's values on top of those of all that it extends.

    Args:
        source: a preset's name or a path.
        read: reads one of them.

    Raises:
        ConfigError: `extends` is no name, leads to nothing, or leads back to itself.
    """
    chain: list[str | Path] = []
    layers: list[dict[str, Any]] = []
    following: str | Path | None = source
    while following is not None:
        if following in chain:
            way = " extends ".join(str(each) for each in [*chain, following])
            raise ConfigError(f"{KEY}: the configurations go round in a circle: {way}")
        chain.append(following)
        layers.append(_read(chain, read))
        following = _base(layers[-1].pop(KEY, None), following)
    values: dict[str, Any] = {}
    for layer in reversed(layers):
        values = merged(values, layer)
    return values


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base's values with the changes over them, section by section."""
    values = dict(base)
    for key, value in changes.items():
        below = values.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        values[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return values


def _read(chain: list[str | Path], read: Read) -> dict[str, Any]:
    """Read the last of the chain; an error says who asked for it."""
    try:
        return dict(read(chain[-1]))
    except ConfigError as exc:
        if len(chain) == 1:
            raise
        raise ConfigError(f"{chain[-2]}, {KEY}: {exc}") from exc


def _base(name: Any, named_by: str | Path) -> str | Path | None:
    """Return what is to be read next, or None."""
    if name is None:
        return None
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"{named_by}, {KEY}: it should name a preset or a file, and is {name!r}")
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return (Path(named_by).parent / path).resolve()
    return name
