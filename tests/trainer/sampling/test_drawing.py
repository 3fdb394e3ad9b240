"""Tokens are drawn with the probability that is recorded for them."""

import torch

from trainer_client.sampling.drawing import draw
from trainer_client.sampling.sampler import Decoding

LOGITS = torch.tensor([[0.4, 0.3, 0.2, 0.1, 0.0]]).log()


def draws(decoding: Decoding, count: int = 20_000) -> torch.Tensor:
    """Shares of the tokens, the random numbers being a regular grid."""
    grid = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    tokens, logprobs = draw(LOGITS.expand(count, -1), grid, decoding)
    shares = tokens.bincount(minlength=5) / count
    torch.testing.assert_close(shares[tokens].log(), logprobs, atol=1e-3, rtol=0)
    return shares


def test_tokens_are_drawn_as_often_as_their_probability():
    torch.testing.assert_close(draws(Decoding(1)), LOGITS[0].exp(), atol=1e-4, rtol=0)


def test_temperature_divides_the_logits():
    expected = (LOGITS[0] / 2).softmax(-1)
    torch.testing.assert_close(draws(Decoding(1, temperature=2.0)), expected, atol=1e-4, rtol=0)


def test_top_k_keeps_the_likeliest():
    expected = torch.tensor([4 / 7, 3 / 7, 0, 0, 0])
    torch.testing.assert_close(draws(Decoding(1, top_k=2)), expected, atol=1e-4, rtol=0)
    assert torch.equal(draws(Decoding(1, top_k=9)), draws(Decoding(1)))


def test_the_nucleus_is_the_shortest_that_reaches_top_p():
    expected = torch.tensor([4 / 9, 3 / 9, 2 / 9, 0, 0])
    torch.testing.assert_close(draws(Decoding(1, top_p=0.75)), expected, atol=1e-4, rtol=0)


def test_the_likeliest_token_stays_however_small_the_nucleus():
    assert draws(Decoding(1, top_p=1e-9)).tolist() == [1, 0, 0, 0, 0]


def test_top_k_comes_before_top_p():
    # Of the two likeliest, 4/7 alone reaches one half.
    assert draws(Decoding(1, top_k=2, top_p=0.5)).tolist() == [1, 0, 0, 0, 0]


def test_the_ends_of_the_interval_never_draw_an_impossible_token():
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 1.0, -torch.inf]]).repeat(2, 1)
    edges = torch.tensor([0.0, 1.0 - 2**-53], dtype=torch.float64)
    tokens, _ = draw(logits, edges, Decoding(1))
    assert tokens.tolist() == [1, 3]


def test_greedy_ignores_the_random_number():
    tokens, logprobs = draw(
        LOGITS, torch.tensor([0.99], dtype=torch.float64), Decoding(1, greedy=True)
    )
    assert tokens.tolist() == [0]
    torch.testing.assert_close(logprobs.exp(), torch.tensor([0.4]))
