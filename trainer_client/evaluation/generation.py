"""Sampling a benchmark's responses: in calls whose division never shows, and none of them twice.

What is drawn for a sample depends on the seed, the benchmark, the problem's place in its file and
the sample's index, and on nothing else: neither on how many samples are asked for, nor on which of
them a process that was killed had already kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from trainer_client.evaluation.models import AskedModel
from trainer_client.evaluation.problems import Problem
from trainer_client.evaluation.settings import SamplingSettings
from trainer_client.evaluation.stores import ResponseStore
from trainer_client.evaluation.templates import Templates
from trainer_client.sampling.sampler import Decoding
from trainer_client.seeds import derive

_PROBLEMS: Final = 64
_INDICES: Final = 8
"""A call is for so many problems and so many samples of each, at most."""


@dataclass(frozen=True)
class _Wanted:
    """One response to be sampled: the problem's number, the sample's index, and the prompt."""

    number: int
    index: int
    prompt: tuple[int, ...]

    @property
    def block(self) -> tuple[int, int]:
        """The call that it belongs to."""
        return self.number // _PROBLEMS, self.index // _INDICES

    @property
    def place(self) -> int:
        """Its place in that call."""
        return (self.index % _INDICES) * _PROBLEMS + self.number % _PROBLEMS


def generate(
    model: AskedModel,
    benchmark: str,
    problems: Sequence[Problem],
    settings: SamplingSettings,
    *,
    samples: int,
    max_tokens: int,
    store: ResponseStore,
    progress: Callable[[int], None],
) -> None:
    """Sample what the store does not hold yet.

    Args:
        model: to be asked.
        benchmark: its name, part of the seed.
        problems: in the order of the file.
        settings: decoding and prompts.
        samples: to each problem.
        max_tokens: of a response.
        store: keeps each call's responses as soon as they are there.
        progress: told how many samples are there.

    Raises:
        ConfigError: a prompt does not fit the model, or it has no chat template.
    """
    templates = Templates(settings.style)
    prompts = [model.encode(templates.render(problem), settings.style) for problem in problems]
    how = Decoding(
        max_tokens=model.room(prompts, max_tokens),
        temperature=settings.temperature,
        top_p=settings.top_p,
        greedy=settings.greedy,
    )
    missing = [
        _Wanted(number, index, prompts[number])
        for number, problem in enumerate(problems)
        for index in range(samples)
        if (problem.id, index) not in store.responses
    ]
    progress(len(problems) * samples - len(missing))
    for block, call in _calls(missing):
        seed = derive(settings.seed, 0, f"{benchmark}/{block[0]}/{block[1]}")
        completions = model.ask(
            [one.prompt for one in call], [one.place for one in call], how, seed
        )
        for one, completion in zip(call, completions, strict=True):
            store.add(
                problems[one.number].id,
                one.index,
                model.text(completion),
                len(completion.tokens),
                completion.finished,
            )
        progress(len(call))


def _calls(wanted: Sequence[_Wanted]) -> Iterator[tuple[tuple[int, int], list[_Wanted]]]:
    """Yield what is wanted, call by call."""
    calls: dict[tuple[int, int], list[_Wanted]] = defaultdict(list)
    for one in wanted:
        calls[one.block].append(one)
    yield from sorted(calls.items())
