"""The linear probe: how much a logistic regression reads off latents tells how much they hold."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

Floats = npt.NDArray[np.float32]
STEPS, CHUNK = 200, 20  # of the solver, in all and between two signs of life


@dataclass(frozen=True)
class Probe:
    """scikit-learn's logistic regression on standardised latents.

    Attributes:
        mean: (D,) of the latents that it was fitted to.
        std: (D,) likewise; 1 where a number is constant.
        weights: (K, D) of the K classes that it has seen.
        biases: (K,).
        labels: (K,) their indices.
    """

    mean: Floats
    std: Floats
    weights: Floats
    biases: Floats
    labels: npt.NDArray[np.int64]

    @classmethod
    def fit(cls, latents: Floats, truth: npt.NDArray[np.int64]) -> Generator[None, None, Probe]:
        """Return the probe of latents (N, D) and class indices (N,); yield now and then.

        The penalty is scikit-learn's default, C = 1; the solver takes at most 200 steps.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        mean, std = latents.mean(axis=0), latents.std(axis=0)
        std[std < 1e-6] = 1.0
        standardised = (latents - mean) / std
        if len(np.unique(truth)) < 2:  # nothing to tell apart
            return cls(
                mean, std, np.zeros((1, latents.shape[1]), np.float32), np.zeros(1, np.float32), truth[:1]
            )
        regression: Any = LogisticRegression(max_iter=CHUNK, warm_start=True)
        for _ in range(STEPS // CHUNK):
            with warnings.catch_warnings(), threadpool_limits(torch.get_num_threads()):
                warnings.simplefilter("ignore", ConvergenceWarning)
                warnings.filterwarnings("ignore", "The number of unique classes")  # of a handful of images
                regression.fit(standardised, truth)
            yield
            if regression.n_iter_.max() < CHUNK:
                break
        weights, biases = regression.coef_, regression.intercept_
        if len(weights) == 1:  # two classes share one row
            weights, biases = np.concatenate([-weights, weights]), np.concatenate([-biases, biases])
        return cls(mean, std, weights.astype(np.float32), biases.astype(np.float32), regression.classes_)

    def hits(self, latents: Tensor, labels: Tensor) -> Floats:
        """Return whether each latent's class is named, (N,), 0 or 1."""
        standardised = (latents.float().cpu().numpy() - self.mean) / self.std
        named = self.labels[(standardised @ self.weights.T + self.biases).argmax(axis=1)]
        hits: Floats = (named == labels.cpu().numpy()).astype(np.float32)
        return hits
