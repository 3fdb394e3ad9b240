"""A fixed file of triplets as the tasks of a run, gone through in shuffled epochs."""

from pathlib import Path

from trainer_client.buffers.azr_format import read_induction, read_triplets
from trainer_client.errors import ConfigError
from trainer_client.records.kinds import Task
from trainer_client.records.problems import Problem
from trainer_client.seeds import generator
from trainer_client.selfplay.arena import Arena


def load_fixed_data(arena: Arena) -> None:
    """Put the file `data` into the buffers, and `buffers.seed_induction` where induction is played.

    Raises:
        DataError: a file is damaged; the message names the line.
        ConfigError: a task is to be played and has no data.
    """
    config = arena.config
    assert config.data is not None, "the configuration requires it"
    triplets = read_triplets(Path(config.data))
    seeds = config.buffers.seed_induction
    induction = read_induction(Path(seeds)) if seeds else []
    for task in config.tasks.kinds:
        problems = induction if task is Task.INDUCTION else triplets
        if not problems:
            raise ConfigError(
                f"{config.algorithm}: there is no data for {task}; name a file in "
                f"{'buffers.seed_induction' if task is Task.INDUCTION else 'data'} or leave the "
                "task out of tasks.kinds"
            )
        for problem in problems:
            if not arena.is_held_out(problem):
                arena.buffers.add(task, problem)


def epoch_problems(arena: Arena, step: int, task: Task, count: int) -> list[Problem]:
    """Return the step's problems: consecutive parts of epochs, each shuffled by its own number."""
    pool = arena.buffers.problems(task)
    first = (step - 1) * count
    chosen = []
    for place in range(first, first + count):
        epoch, index = divmod(place, len(pool))
        order = list(range(len(pool)))
        generator(arena.config.seed, epoch, f"epoch/{task}").shuffle(order)
        chosen.append(pool[order[index]])
    return chosen
