"""From prompts to rollouts: over-long prompts, a sampler that crashes, errors that pass through."""

import pytest
import torch

from tests.trainer.selfplay.arenas import a_model, an_arena, fill, rewards, tokenizer
from tests.trainer.selfplay.players import Player, program, proposal, triplet
from trainer_client.config.model import SamplerConfig
from trainer_client.config.selfplay import DecodingConfig
from trainer_client.errors import OutOfMemory, SamplerCrashed, StaleWeights
from trainer_client.records.kinds import Role, Task, TaskRole
from trainer_client.records.rollouts import Scored
from trainer_client.sampling.transformers_sampler import TransformersSampler
from trainer_client.sampling.vocabulary import Vocabulary
from trainer_client.selfplay.speech import Asked, speak
from trainer_client.selfplay.step import self_play_step

SOLVE = TaskRole(Task.DEDUCTION, Role.SOLVE)
ONLY = {"kinds": ["deduction"], "prompts": "tiny"}
PROPOSALS = {Task.DEDUCTION: [proposal(program(k), "9") for k in range(11, 15)]}
HOW = DecodingConfig()


def an_answer(number: int) -> Asked:
    return Asked(SOLVE, f"<solve_deduction><p>{program(1)}</p><i>{number}</i>", number)


def test_after_a_crash_the_sampler_is_built_anew_and_the_step_goes_on_as_without(verifier, caplog):
    found = []
    for errors in ([], [RuntimeError("the engine is lost")]):
        arena = fill(an_arena(verifier, Player(PROPOSALS), errors=errors, tasks=ONLY))
        first = arena.sampler
        result = self_play_step(arena, 1)
        found.append((rewards(result.samples), [one.rollout for one in result.samples]))
        assert (arena.sampler is first) == (not caplog.records)
    assert found[0] == found[1]
    assert "the sampler crashed (RuntimeError('the engine is lost'))" in caplog.text


def test_a_sampler_that_crashes_again_after_its_restart_ends_the_run(verifier):
    errors = [RuntimeError("once"), RuntimeError("twice")]
    arena = fill(an_arena(verifier, Player(PROPOSALS), errors=errors, tasks=ONLY))
    with pytest.raises(SamplerCrashed, match=r"again after its restart: RuntimeError\('twice'\)"):
        self_play_step(arena, 1)


@pytest.mark.parametrize(
    "error", [StaleWeights("of another version"), OutOfMemory("lower sampler.max_batch_tokens")]
)
def test_errors_that_a_restart_does_not_mend_pass_through(verifier, error):
    arena = fill(an_arena(verifier, Player(PROPOSALS), errors=[error], tasks=ONLY))
    first = arena.sampler
    with pytest.raises(type(error)) as caught:
        self_play_step(arena, 1)
    assert caught.value is error
    assert arena.sampler is first


def test_weights_that_were_not_synchronised_are_an_error(verifier):
    arena = fill(an_arena(verifier, Player(PROPOSALS), tasks=ONLY))
    arena.sampler.version = 7
    with pytest.raises(StaleWeights):
        self_play_step(arena, 1)


def test_an_over_long_prompt_is_skipped_and_the_others_keep_their_places(verifier):
    arena = an_arena(verifier, Player(), tasks=ONLY, lengths={"max_prompt_tokens": 30})
    long = Asked(SOLVE, an_answer(2).text + "0" * 40, 2)
    found = speak(arena, [an_answer(1), long, an_answer(3)], HOW, seed=0)
    assert found[1] is None
    assert [one.text for one in (found[0], found[2])] == [
        "<think></think><answer>2</answer>", "<think></think><answer>4</answer>",
    ]  # fmt: skip
    assert [one.group for one in (found[0], found[2])] == [1, 3]


def test_a_proposal_that_could_not_be_shown_to_a_solver_is_refused(verifier):
    """And a seed that cannot be shown is counted."""
    wide = "def f(x):\n    return x + " + "1" * 80
    arena = an_arena(
        verifier,
        Player({Task.DEDUCTION: [proposal(wide, "9")]}),
        tasks=ONLY,
        lengths={"max_prompt_tokens": 60, "max_response_tokens": 200},
        propose={"references": 0, "montecarlo_rollouts": 3},
        batch_size=2,
    )
    arena.buffers.add(Task.DEDUCTION, triplet(1, 10**60))
    result = self_play_step(arena, 1)
    assert result.metrics["prompts/overlong"] == 2
    assert {one.status for one in result.samples} == {"too_long"}
    assert rewards(result.samples) == {"propose/deduction": [-1.0, -1.0]}
    assert len(arena.buffers.problems(Task.DEDUCTION)) == 1


def test_a_response_that_was_cut_is_badly_formatted_and_never_sent(verifier):
    arena = fill(
        an_arena(verifier, Player(PROPOSALS), tasks=ONLY, lengths={"max_response_tokens": 4})
    )
    result = self_play_step(arena, 1)
    assert {one.status for one in result.samples} == {"bad_format"}
    assert {one.reward for one in result.samples} == {-1.0}
    assert result.metrics["truncated/solve"] == 1.0


def test_the_learner_scores_at_the_temperature_that_was_sampled_at(verifier):
    """Its log-probabilities then agree with the sampler's own."""
    model = a_model()
    vocabulary = Vocabulary.of(tokenizer(), model.config.vocab_size)
    arena = an_arena(verifier, Player(), tasks=ONLY, lengths={"max_response_tokens": 12})
    arena.sampler = TransformersSampler(
        model, vocabulary, SamplerConfig(), device=torch.device("cpu"), dtype=torch.float32
    )
    # Temperatures this low make the difference plain.
    found = speak(arena, [an_answer(n) for n in range(4)], DecodingConfig(temperature=0.1), seed=0)
    samples = [Scored(one, 1.0, "correct", advantage=1.0) for one in found]
    assert arena.learner.update(samples, seed=0)["mismatch/abs"] < 1e-3
