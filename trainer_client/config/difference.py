"""What two configurations disagree on, by dotted names."""

from collections.abc import Collection, Mapping
from typing import Any

from trainer_client.config.run import RunConfig


def flatten(config: RunConfig) -> dict[str, Any]:
    """Return every value under its dotted name, as JSON would hold it."""
    flat: dict[str, Any] = {}

    def walk(values: Mapping[str, Any], prefix: str) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{name}.")
            else:
                flat[f"{prefix}{name}"] = value

    walk(config.model_dump(mode="json"), "")
    return flat


def differences(
    before: RunConfig, after: RunConfig, *, ignoring: Collection[str] = ()
) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ with both values; `ignoring` names fields or sections."""
    old, new = flatten(before), flatten(after)
    return {
        name: (old[name], new[name])
        for name in old
        if old[name] != new[name] and not _within(name, ignoring)
    }


def _within(name: str, sections: Collection[str]) -> bool:
    """Tell whether a dotted name is one of the fields or lies in one of the sections."""
    return any(name == section or name.startswith(f"{section}.") for section in sections)
