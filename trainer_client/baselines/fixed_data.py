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
        ConfigError: a task is to be played and has no data, or more than its buffer holds.
    """
    config = arena.config
    assert config.data is not None, "the configuration requires it"
    triplets = read_triplets(Path(config.data))
    seeds = config.buffers.seed_induction
    induction = read_induction(Path(seeds)) if seeds else []
    for task in config.tasks.kinds:
        data = induction if task is Task.INDUCTION else triplets
        problems = [problem for problem in data if not arena.is_held_out(problem)]
        if not problems:
            raise ConfigError(
                f"{config.algorithm}: there is no data for {task}; name a file in "
                f"{'buffers.seed_induction' if task is Task.INDUCTION else 'data'} or leave the "
                "task out of tasks.kinds"
            )
        if len(problems) > config.buffers.capacity:
            raise ConfigError(
                f"buffers.capacity: {config.buffers.capacity} is less than the {len(problems)} "
                f"problems of {task}; raise it, or the first ones would be dropped"
            )
        for problem in problems:
            arena.buffers.add(task, problem)


def epoch_problems(arena: Arena, step: int, task: Task, count: int) -> list[Problem]:
    """Return the step's problems: consecutive parts of epochs, each shuffled by its own number."""
    pool = arena.buffers.problems(task)
    first = (step - 1) * count
    orders: dict[int, list[int]] = {}
    chosen = []
    for place in range(first, first + count):
        epoch, index = divmod(place, len(pool))
        if epoch not in orders:
            orders[epoch] = list(range(len(pool)))
            generator(arena.config.seed, epoch, f"epoch/{task}").shuffle(orders[epoch])
        chosen.append(pool[orders[epoch][index]])
    return chosen
