"""One loss out of several terms: their sum, the sum of their logarithms, or weights that are learnt."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pokeopt.errors import SpecError
from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES, nearest, split_component

ROLES = ("classification", "reconstruction", "prior")


class CombinedLoss(nn.Module, abc.ABC):
    """The terms of a loss by role, and their combination.

    Args:
        terms: Role to term.
        weights: Role to weight, for the sum; a role that is not named weighs 1.
    """

    def __init__(self, terms: Mapping[str, LossFunction], weights: Mapping[str, float]) -> None:
        super().__init__()
        self.terms, self.weights = dict(terms), dict(weights)

    def forward(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the scalar that is minimised."""
        return self.combine(self.values(outputs, batch))

    def values(self, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the value of each term by its role, before they are weighed."""
        return {role: term(outputs, batch) for role, term in self.terms.items()}

    @abc.abstractmethod
    def combine(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return one scalar from the value of each term."""


class Sum(CombinedLoss):
    """Weighted sum of the terms."""

    def combine(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of weight times value."""
        weighted = [self.weights.get(role, 1.0) * value for role, value in values.items()]
        return torch.stack(weighted).sum() if len(weighted) > 1 else weighted[0]


class LogSum(CombinedLoss):
    """Sum of the logarithms, so that no term drowns another: only relative changes count.

    Source: NYU Shanghai autoencoder report, "Model Introduction": log(MSE) + log(CE).
    """

    def combine(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of ln(value)."""
        stacked = torch.stack(list(values.values()))
        return stacked.clamp_min(torch.finfo(stacked.dtype).tiny).log().sum()  # ln 0 is -inf


class Uncertainty(CombinedLoss):
    """Sum weighted by learnt variances: exp(-s) * value + s / 2, where s is trained with the network, from 0.

    A reconstruction counts half, as in the paper's Gaussian likelihood.

    Source: Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", CVPR 2018.
    """

    def __init__(self, terms: Mapping[str, LossFunction], weights: Mapping[str, float]) -> None:
        super().__init__(terms, weights)
        self.log_variance = nn.ParameterDict({role: nn.Parameter(torch.zeros(())) for role in terms})

    def combine(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the sum over the terms of the weighted value and its price."""
        summands = []
        for role, value in values.items():
            log_variance = self.log_variance[role]
            share = 0.5 if role == "reconstruction" else 1.0
            summands.append(share * torch.exp(-log_variance) * value + log_variance / 2)
        return torch.stack(summands).sum()


COMBINATIONS: dict[str, Callable[[Mapping[str, LossFunction], Mapping[str, float]], CombinedLoss]] = {
    "sum": Sum,
    "log_sum": LogSum,
    "uncertainty": Uncertainty,
}


def build_loss(loss: Mapping[str, Any], context: LossContext) -> CombinedLoss:
    """Build the loss of a resolved configuration (its ``loss`` section).

    Raises:
        SpecError: If a term or a combination is unknown, or a term cannot take its role.
    """
    terms = {}
    for role, component in loss["terms"].items():
        if role not in ROLES:
            raise SpecError("loss.terms", f"no role is called '{role}'", nearest(role, ROLES))
        term = LOSSES.make(component)
        if role not in term.roles:
            name = split_component(component)[0]
            what = f"'{name}' is no loss for {role}"
            raise SpecError(f"loss.terms.{role}", what, f"it serves {' and '.join(term.roles)}")
        terms[role] = term.build(context)
    combination = loss.get("combine", "sum")
    if combination not in COMBINATIONS:
        what = f"no combination is called '{combination}'"
        raise SpecError("loss.combine", what, nearest(combination, COMBINATIONS))
    return COMBINATIONS[combination](terms, loss.get("weights") or {})
