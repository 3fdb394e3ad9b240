"""Where a model's files are: a directory in Hugging Face layout, or a run's newest checkpoint."""

from pathlib import Path

from trainer_client.config.run import CheckpointConfig
from trainer_client.errors import DataError
from trainer_client.state.checkpoints import Checkpoints
from trainer_client.state.run_directory import RunDirectory


def model_folder(path: Path) -> Path:
    """Return the directory that holds the model's configuration and weights.

    Raises:
        DataError: there is no model at ``path``.
        CheckpointError: it is a run all of whose checkpoints are damaged.
    """
    run = RunDirectory(path)
    if run.exists:
        newest = Checkpoints(run, CheckpointConfig()).newest()
        if newest is None:
            raise DataError(f"{path}: this run has no checkpoint yet")
        return newest.model
    if (path / "config.json").exists():
        return path
    raise DataError(
        f"{path} is neither a run nor a model: it has no config.yaml and no config.json"
    )


def label_of(path: Path) -> str:
    """Return what to call a model or run in a figure."""
    return path.resolve().name
