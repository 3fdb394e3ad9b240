"""`Checkpoints`: saving atomically, finding the newest intact one, keeping few, pushing the model.

A checkpoint is written under a hidden name, brought to the disk, and then renamed: whatever moment
the process or the machine dies in, the ones before are untouched and a half-written one is not
taken for whole. A step saved a second time gets a name of its own (``step-00000010.1``) and
replaces the first only when it is complete.
"""

import logging
import re
import shutil
from pathlib import Path
from typing import Final

from trainer_client.config.run import CheckpointConfig
from trainer_client.errors import CheckpointError, ConfigError
from trainer_client.state.checkpoint import Checkpoint, Snapshot
from trainer_client.state.durable import sync_directory, sync_tree
from trainer_client.state.run_directory import RunDirectory

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"step-(\d{8,})(?:\.(\d+))?", re.ASCII)
_PARTIAL: Final = ".partial-"


class Checkpoints:
    """The checkpoints of one run; one process at a time writes them."""

    def __init__(self, run: RunDirectory, config: CheckpointConfig) -> None:
        """Look at a run's `checkpoints/`; nothing is written yet."""
        self._run = run
        self._folder = run.checkpoints
        self._config = config

    def save(self, snapshot: Snapshot) -> Checkpoint:
        """Write a checkpoint, drop those that need not be kept, and push the model if so set.

        The run's `buffers/` become a copy of the checkpoint's.

        Raises:
            CheckpointError: it cannot be written; the ones before are as they were.
            ConfigError: `checkpoints.push` names a directory that holds something else.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        name = self._free_name(snapshot.step)
        partial = self._folder / f"{_PARTIAL}{name}"
        try:
            snapshot.write(partial)
            sync_tree(partial)
            partial.rename(self._folder / name)
            sync_directory(self._folder)
        except Exception as exc:  # a full disk surfaces as OSError, RuntimeError or SafetensorError
            shutil.rmtree(partial, ignore_errors=True)
            raise CheckpointError(
                f"the checkpoint of step {snapshot.step} cannot be written: {exc}"
            ) from exc
        saved = Checkpoint(self._folder / name, snapshot.step)
        self._run.copy_buffers(saved.buffers)
        self._retain(saved)
        if self._config.push:
            push(saved, Path(self._config.push))
        return saved

    def newest(self) -> Checkpoint | None:
        """Return the newest intact checkpoint, or None where none was ever saved.

        Damaged ones are passed over with a warning.

        Raises:
            CheckpointError: there are some and none is intact.
        """
        found = self.all()
        for checkpoint in reversed(found):
            try:
                checkpoint.check()
            except CheckpointError as exc:
                log.warning("a damaged checkpoint is passed over: %s", exc)
            else:
                return checkpoint
        if found:
            raise CheckpointError(
                f"all {len(found)} checkpoints in {self._folder} are damaged: "
                "remove the folder to begin the run again"
            )
        return None

    def all(self) -> list[Checkpoint]:
        """Return what looks like a checkpoint, unchecked, oldest step first."""
        if not self._folder.is_dir():
            return []
        named = [(_NAME.fullmatch(path.name), path) for path in self._folder.iterdir()]
        ranked = sorted((int(m[1]), int(m[2] or 0), path) for m, path in named if m)
        return [Checkpoint(path, step) for step, _, path in ranked]

    def _free_name(self, step: int) -> str:
        """Return a name for a step that no earlier attempt at it has."""
        name, attempt = f"step-{step:08d}", 0
        while (self._folder / name).exists():
            attempt += 1
            name = f"step-{step:08d}.{attempt}"
        return name

    def _retain(self, saved: Checkpoint) -> None:
        """Drop earlier ones beyond the newest `keep_last`, but for multiples of `keep_every`.

        Later steps than the one just saved are of a damaged future that the run was resumed
        before; they neither count nor are touched.
        """
        earlier = [each for each in self.all() if each.step <= saved.step]
        every = self._config.keep_every
        steps = sorted({each.step for each in earlier})
        kept = {step for step in steps if every and step % every == 0}
        kept |= set(steps[-self._config.keep_last :])
        for each in earlier:
            replaced = each.step == saved.step and each.path != saved.path
            if replaced or each.step not in kept:
                self._drop(each.path)

    def _drop(self, path: Path) -> None:
        """Remove a checkpoint; under the hidden name first, so that no half of it is found."""
        hidden = path.with_name(f"{_PARTIAL}{path.name}")
        path.rename(hidden)
        shutil.rmtree(hidden)

    def _sweep(self) -> None:
        """Remove what a killed process left half-written or half-removed."""
        for path in self._folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(path)


def push(checkpoint: Checkpoint, target: Path) -> None:
    """Copy the model in Hugging Face layout to a directory, replacing the model that is there.

    Readers find the old model or the new one, and for the moment between two renames none.

    Raises:
        ConfigError: the directory holds something that is not a model.
        CheckpointError: it cannot be written.
    """
    occupied = target.exists() and not target.is_dir()
    if occupied or (
        target.is_dir() and any(target.iterdir()) and not (target / "config.json").exists()
    ):
        raise ConfigError(f"checkpoints.push: {target} holds something else; name a new directory")
    partial = target.with_name(f".{target.name}.partial")
    old = target.with_name(f".{target.name}.old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(checkpoint.model, partial)
        sync_tree(partial)
        if target.exists():
            target.rename(old)
        partial.rename(target)
        sync_directory(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as exc:
        raise CheckpointError(f"the model cannot be pushed to {target}: {exc}") from exc
