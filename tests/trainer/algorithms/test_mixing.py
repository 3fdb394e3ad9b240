"""Policy shaping of demonstrations."""

from math import log

import pytest

from tests.trainer.algorithms.tokens import tensor
from trainer_client.algorithms.mixing import demonstration_loss, shaped


def test_shaping_by_hand():
    # 0.1/0.2, 0.9/1.0, 0.001/0.101
    values = shaped(tensor([log(0.1), log(0.9), log(0.001)]), 0.1).tolist()
    assert values == pytest.approx([0.5, 0.9, 0.001 / 0.101], abs=1e-6)


def test_the_gradient_is_largest_where_p_equals_gamma():
    logprobs = tensor([log(0.1), log(0.9), log(0.01)]).requires_grad_()
    demonstration_loss(logprobs, tensor([2.0, 2.0, 2.0]), 0.1).sum().backward()
    assert logprobs.grad is not None
    # -A p g / (p + g)^2: -2 * 0.01/0.04 = -0.5; -2 * 0.09/1 = -0.18; -2 * 0.001/0.0121 = -0.165289
    assert logprobs.grad.tolist() == pytest.approx([-0.5, -0.18, -0.165289], abs=1e-6)
