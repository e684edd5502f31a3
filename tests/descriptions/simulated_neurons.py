"""Neurons of which it is known what they are about, and how well a description says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class Simulation:
    """What is described is present in a share of words; there the activation is larger.

    Both have a part in common with the other words of a sentence; it is a share of the variance.
    """

    n_sentences: int
    n_words: int = 1
    share: float = 0.05
    signal: float = 2.0
    in_common: float = 0.0

    @property
    def threshold(self) -> float:
        """That activations are above as often as what is described is present."""
        found = self.draw(np.random.default_rng(99), 200_000 // self.n_words)[1]
        return float(np.quantile(found, 1 - self.share))

    def draw(
        self, rng: np.random.Generator, n_sentences: int = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Whether it is present, the activation and the sentence of each word."""
        sentences = np.repeat(np.arange(n_sentences or self.n_sentences), self.n_words)
        of_present, noise = (self._normal(rng, sentences) for _ in range(2))
        present = of_present > norm.ppf(1 - self.share)
        return present, self.signal * present + noise, sentences

    def _normal(self, rng: np.random.Generator, sentences: np.ndarray) -> np.ndarray:
        shared = rng.normal(size=sentences[-1] + 1)[sentences]
        own = rng.normal(size=len(sentences))
        return np.sqrt(self.in_common) * shared + np.sqrt(1 - self.in_common) * own
