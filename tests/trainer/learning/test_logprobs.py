"""Chunked log-probabilities and entropies against the plain computation."""

import pytest
import torch

from trainer_client.learning.logprobs import Head, chunked_logprobs

COUNT, WIDTH, TOKENS = 23, 8, 17
SUPPRESSED = torch.tensor([2, 11])


def case(bias: bool = False) -> tuple[torch.Tensor, Head, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    hidden = torch.randn(COUNT, WIDTH, requires_grad=True)
    weight = torch.randn(TOKENS, WIDTH, requires_grad=True)
    own = torch.randn(TOKENS, requires_grad=True) if bias else None
    targets = torch.tensor([3, 4, 5, 6, 0, 1, 16] * 4)[:COUNT]
    temperature = torch.rand(COUNT) + 0.5
    return hidden, Head(weight, own, SUPPRESSED), targets, temperature


def plain(hidden, head, targets, temperature):
    logits = hidden @ head.weight.t() + (0 if head.bias is None else head.bias)
    logits = logits / temperature.unsqueeze(1)
    logits[:, SUPPRESSED] = -torch.inf
    logprobs = logits.log_softmax(-1)
    probabilities = logprobs.exp()
    entropy = -(probabilities * logprobs.masked_fill(probabilities == 0, 0)).sum(-1)
    return logprobs.gather(1, targets.unsqueeze(1)).squeeze(1), entropy


def gradients(loss, hidden, head):
    loss.backward()
    found = [each.grad.clone() for each in (hidden, head.weight, head.bias) if each is not None]
    for each in (hidden, head.weight, head.bias):
        if each is not None:
            each.grad = None
    return found


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("chunk", [1, 5, 23, 1000])
def test_values_and_gradients_are_those_of_the_plain_computation(chunk, bias):
    hidden, head, targets, temperature = case(bias)
    factors = torch.randn(COUNT)
    logprobs, entropy = plain(hidden, head, targets, temperature)
    expected = gradients((factors * logprobs).sum() + (factors * entropy).sum(), hidden, head)
    own, own_entropy = chunked_logprobs(
        hidden, head, targets, chunk, temperature=temperature, entropy_gradient=True
    )
    torch.testing.assert_close(own, logprobs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(own_entropy, entropy, atol=1e-5, rtol=1e-5)
    found = gradients((factors * own).sum() + (factors * own_entropy).sum(), hidden, head)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_entropies_carry_a_gradient_only_when_asked():
    hidden, head, targets, _ = case()
    _, entropy = chunked_logprobs(hidden, head, targets, 5)
    assert not entropy.requires_grad
    assert chunked_logprobs(hidden, head, targets, 5, entropy=False)[1] is None


def test_the_softmax_is_in_fp32_whatever_the_projection_is_computed_in():
    hidden, head, targets, _ = case()
    with torch.autocast("cpu", torch.bfloat16):
        logprobs, entropy = chunked_logprobs(hidden, head, targets, 5)
    assert logprobs.dtype == entropy.dtype == torch.float32
    exact, _ = chunked_logprobs(hidden, head, targets, 5)
    assert not torch.equal(logprobs, exact)
    torch.testing.assert_close(logprobs, exact, atol=0.2, rtol=0)


def test_the_forward_pass_keeps_no_logits():
    """What autograd saves does not grow with the vocabulary, apart from the weight itself."""

    def saved(tokens: int) -> int:
        hidden = torch.randn(64, WIDTH, requires_grad=True)
        head = Head(torch.randn(tokens, WIDTH, requires_grad=True))
        sizes: list[int] = []

        def keep(tensor):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            chunked_logprobs(hidden, head, torch.zeros(64, dtype=torch.long), 8)
        return sum(sizes) - sum(size for size in sizes if size == tokens * WIDTH)

    assert saved(1000) <= saved(100) + 64


def test_no_position_gives_empty_results():
    hidden, head, targets, _ = case()
    logprobs, entropy = chunked_logprobs(hidden[:0], head, targets[:0], 5)
    assert logprobs.shape == entropy.shape == (0,)
