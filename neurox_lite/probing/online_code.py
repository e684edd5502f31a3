"""The online code: how many bits describe the labels, given the activations?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations, validate_with_sentences
from neurox_lite.figures import Given, finish, log_scale, panels
from neurox_lite.probing.nested_fits import fit_growing, nested_samples
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.progress import tqdm
from neurox_lite.results.html import as_html
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class OnlineCodeLength(SavedResult):
    """Length in bits of the labels given the activations (Voita & Titov 2020).

    ``block_ends`` are the numbers of rows coded after each block, and ``block_bits`` what each
    took; ``uniform_codelength`` is n log2 C. ``converged`` is False when one of the probes behind
    the code did not converge.
    """

    codelength: float
    uniform_codelength: float
    block_ends: tuple[int, ...]
    block_bits: tuple[float, ...]
    converged: bool

    KIND = "online code"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "bits": self.codelength,
            "uniform code": self.uniform_codelength,
            "compression": self.compression,
            "converged": self.converged,
        }
        return summary(f"OnlineCode of {self.block_ends[-1]} labels", facts)

    def table(self) -> Table:
        """A header, and a row per block."""
        rows = zip(self.block_ends, self.block_bits, strict=True)
        return [["block_end", "bits"], *map(list, rows)]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Bits per label of every block, beside the uniform code."""
        axes = panels(ax, size=(5.2, 3.8))
        axis = axes[0]
        bits = np.array(self.block_bits) / np.diff(self.block_ends, prepend=0)
        uniform = self.uniform_codelength / self.block_ends[-1]
        axis.plot(self.block_ends, bits, "o-", color="#0072b2", label="of a block")
        axis.axhline(self.bits_per_label, color="#d55e00", linestyle="--", label="of all blocks")
        axis.axhline(uniform, color="0.4", linestyle=":", label="uniform code")
        log_scale(axis, self.block_ends[0], self.block_ends[-1])
        axis.set_ylim(0, 1.05 * max(uniform, *bits))
        axis.set_xlabel("labels sent")
        axis.set_ylabel("bits per label")
        found = f"{self.codelength:,.0f} bits, compression {self.compression:.3g}"
        axis.set_title(found, fontsize=10)
        axis.grid(alpha=0.3)
        return finish(axes, ax, title, legend=3)

    @property
    def compression(self) -> float:
        """Uniform codelength over codelength; 1 where activations tell nothing."""
        return self.uniform_codelength / self.codelength

    @property
    def bits_per_label(self) -> float:
        """Codelength by the number of labels."""
        return self.codelength / self.block_ends[-1]


BLOCK_ENDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
"""Shares of the rows, those of Voita & Titov 2020."""


def online_code_length(
    probe: ElasticNetProbe, X: Any, y: Any = None, groups: Any = None, *, seed: int = 0
) -> OnlineCodeLength:
    """Length of the labels sent block by block, each coded by a probe of all blocks before it.

    Voita & Titov 2020, "online code": with blocks that end at t_1 < ... < t_S = n,

        L = t_1 log2 C - sum_i log2 p_i(y of block i + 1 | X of block i + 1)

    for C classes and a clone p_i of the probe fitted on the first t_i rows. Sentences are shuffled
    once and blocks end where a sentence does; blocks that would be empty in a small corpus are
    dropped.

    A word of a class that the n words before its block have not shown would cost infinitely much.
    So a word costs ``-log2 ((n p + 1) / (n + C))`` for the probe's probability p: the probe's
    distribution with weight n / (n + C), the uniform one with the rest. Where all n words are of
    one class, p is 1 for it, which makes this Laplace's rule.

    Parameters
    ----------
    probe : ElasticNetProbe
        Its parameters are used; it need not be fitted and is not changed.
    X, y : (n, n_neurons) array-like and (n,) labels, or LabelledActivations
        Activations may be an array, a tensor or a store's matrix.
    groups : (n,) array-like, optional
        Number of each row's sentence; by default the ``sentences`` of LabelledActivations.
    seed : int
        Of the order of the sentences.

    Raises
    ------
    InputError
        When shapes differ, a row has no label, there is one class only, or an activation is NaN or
        infinite.
    """
    expect_probe(probe)
    train, seed = validate_with_sentences(X, y, groups), validate_seed(seed)
    n_classes = len(train.classes)
    samples = nested_samples(train.sentences, BLOCK_ENDS, seed)
    samples = samples[:1] + [b for a, b in pairwise(samples) if len(b) > len(a)]
    bits = [len(samples[0]) * float(np.log2(n_classes))]
    converged = True
    fits = fit_growing(probe, train, samples[:-1])
    steps = zip(fits, pairwise(samples), strict=True)
    total = len(samples) - 1
    for fitted, (seen, until) in tqdm(
        steps, "online code", total, unit="block", disable=None, delay=2
    ):
        block = train.take(np.setdiff1d(until, seen, assume_unique=True))
        if fitted is None:
            probability = (block.y == train.y[seen[0]]).astype(np.float64)
        else:
            probability = _of_labels(fitted, block)
            converged = converged and fitted.certificate_.converged
        mixed = (len(seen) * probability + 1) / (len(seen) + n_classes)
        bits.append(float(-np.log2(mixed).sum()))
    return OnlineCodeLength(
        codelength=float(np.sum(bits)),
        uniform_codelength=len(train) * float(np.log2(n_classes)),
        block_ends=tuple(len(sample) for sample in samples),
        block_bits=tuple(bits),
        converged=converged,
    )


def _of_labels(fitted: ElasticNetProbe, block: LabelledActivations) -> np.ndarray:
    """The probe's probability of each label, 0 for a class it does not know; shape (n,)."""
    probability = fitted.predict_proba(block.X)
    known = np.flatnonzero(np.isin(block.y, fitted.classes_))
    of_known = np.zeros(len(block))
    of_known[known] = probability[known, np.searchsorted(fitted.classes_, block.y[known])]
    return of_known
