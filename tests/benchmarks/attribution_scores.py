"""How near attributions of tokens are to the truth, where it is known which tokens decide.

The truth of a text is uniform over the tokens that decide; attributions are taken without their
sign, as De Cao et al. (2020) did, and normalised to sum to 1 over the tokens that are scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurox_lite.results.token_attributions import TokenAttributions


@dataclass(frozen=True)
class TruthScores:
    """What each text has that has deciding tokens.

    Attributes
    ----------
    kl : (n_texts,) array
        ``KL(truth || attribution)``, nats; infinite where a deciding token has nothing.
    js : (n_texts,) array
        Jensen-Shannon divergence, nats, at most ln 2.
    hits : (n_texts,) array
        Share of the k deciding tokens among the k with the largest attributions; of tokens that
        are tied at the edge, the share that a random order would put there.
    """

    kl: np.ndarray
    js: np.ndarray
    hits: np.ndarray

    def means(self) -> dict[str, float]:
        """Over texts."""
        each = {"kl": self.kl, "js": self.js, "hits": self.hits}
        return {name: float(values.mean()) for name, values in each.items()}

    def hits_by(self, conditions: Sequence[str]) -> dict[str, float]:
        """Means of the hits over the texts of each condition; words decide in all of them."""
        of = np.array(conditions)
        return {name: float(self.hits[of == name].mean()) for name in dict.fromkeys(conditions)}


def score_truth(values: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> TruthScores:
    """Scores of attributions; texts in which nothing decides are left out.

    Parameters
    ----------
    values : of each text (n_tokens,)
    truth : of each text (n_tokens,) of bool
        The tokens that decide.
    """
    rows = []
    for of_text, deciding in zip(values, truth, strict=True):
        if deciding.any():
            p, q = deciding / deciding.sum(), normalised(of_text)
            middle = (p + q) / 2
            js = (divergence(p, middle) + divergence(q, middle)) / 2
            rows.append((divergence(p, q), js, hits_at_k(of_text, deciding)))
    kl, js, hits = np.array(rows).T
    return TruthScores(kl, js, hits)


def normalised(values: np.ndarray) -> np.ndarray:
    """Absolute values with the sum 1; uniform where all are zero."""
    total = np.abs(values).sum()
    return np.abs(values) / total if total else np.full(len(values), 1 / len(values))


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """``KL(p || q)`` in nats."""
    at = p > 0
    with np.errstate(divide="ignore"):
        return float((p[at] * (np.log(p[at]) - np.log(q[at]))).sum())


def hits_at_k(values: np.ndarray, deciding: np.ndarray) -> float:
    """Share of the deciding tokens among as many of the largest absolute values."""
    values, k = np.abs(values), int(deciding.sum())
    edge = np.sort(values)[-k]
    above, tied = values > edge, values == edge
    share_of_tied = (k - above.sum()) / tied.sum()
    return float((deciding & above).sum() + share_of_tied * (deciding & tied).sum()) / k


def without_special(
    attributions: TokenAttributions, state: int | None = None
) -> tuple[np.ndarray, ...]:
    """Values at the tokens of the text itself, of one state, by default of the last."""
    return tuple(
        values[~np.array(special, dtype=bool)]
        for values, special in zip(attributions.at(state), attributions.is_special, strict=True)
    )
