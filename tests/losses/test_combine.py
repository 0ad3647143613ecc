"""Terms combined into one loss."""

from typing import Any

import pytest
import torch

from pokeopt.errors import SpecError
from pokeopt.losses.base import Batch, LossContext
from pokeopt.losses.combine import LogSum, Sum, Uncertainty, build_loss

CONTEXT = LossContext(torch.tensor([3, 3]), 2)
VALUES = {"classification": torch.tensor(2.0), "reconstruction": torch.tensor(0.5)}


def test_sum_weighs_each_term() -> None:
    """A role that is not named weighs 1."""
    assert float(Sum({}, {}).combine(VALUES)) == 2.5
    assert float(Sum({}, {"reconstruction": 4.0}).combine(VALUES)) == 4.0


def test_log_sum_counts_relative_changes() -> None:
    """Halving either term is worth the same."""
    whole = LogSum({}, {}).combine(VALUES)
    for role in VALUES:
        halved = LogSum({}, {}).combine({**VALUES, role: VALUES[role] / 2})
        torch.testing.assert_close(whole - halved, torch.tensor(2.0).log())
    assert torch.isfinite(LogSum({}, {}).combine({"prior": torch.tensor(0.0)}))


def test_uncertainty_learns_its_weights() -> None:
    """With the terms held still, training the variances leads to exp(s) = 2 * share * value."""
    terms: dict[str, Any] = dict.fromkeys(VALUES)
    loss = Uncertainty(terms, {})
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        loss.combine(VALUES).backward()
        optimizer.step()
    variance = {role: float(s.detach().exp()) for role, s in loss.log_variance.items()}
    assert variance == pytest.approx({"classification": 4.0, "reconstruction": 0.5}, rel=1e-3)


def test_build_from_a_configuration() -> None:
    """One term under sum is that term, times its weight."""
    outputs = {"logits": torch.zeros(4, 2)}
    batch = Batch(torch.zeros(4, 1, 2, 2), torch.tensor([0, 1, 0, 1]))
    config = {
        "terms": {"classification": "cross_entropy"},
        "combine": "sum",
        "weights": {"classification": 3.0},
    }
    torch.testing.assert_close(build_loss(config, CONTEXT)(outputs, batch), 3 * torch.tensor(2.0).log())


@pytest.mark.parametrize(
    ("config", "mend"),
    [
        ({"terms": {"classification": "focall"}}, "focal"),
        ({"terms": {"clasification": "focal"}}, "classification"),
        ({"terms": {"reconstruction": "focal"}}, "classification"),
        ({"terms": {"classification": "focal"}, "combine": "summ"}, "sum"),
    ],
)
def test_what_does_not_exist_is_named(config: dict[str, Any], mend: str) -> None:
    with pytest.raises(SpecError, match=mend):
        build_loss(config, CONTEXT)
