"""How much each term of a loss has to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


def gradient_shares(
    terms: Mapping[str, Tensor], combined: Tensor, parameters: Sequence[nn.Parameter]
) -> Tensor:
    """Return each term's share in the gradient of the parameters that all terms reach, (T,), which sum to 1.

    Args:
        terms: Role to the term's value, part of the graph of ``combined``; the graph is kept.
        combined: What is minimised.
        parameters: What is trained.
    """
    values = list(terms.values())
    weights = torch.autograd.grad(combined, values, retain_graph=True)
    gradients = [
        torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True) for value in values
    ]
    shared = [[g for g in of_one if g is not None] for of_one in zip(*gradients, strict=True)]
    norms = [
        weight.abs()
        * torch.nn.utils.get_total_norm(
            [of_one[term].float() for of_one in shared if len(of_one) == len(values)]
        )
        for term, weight in enumerate(weights)
    ]
    sizes = torch.stack(norms).detach().float()
    return sizes / sizes.sum().clamp_min(torch.finfo(sizes.dtype).tiny)
