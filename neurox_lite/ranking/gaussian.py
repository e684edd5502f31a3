"""The Gaussian probe: neurons that together, one after the other, tell most about the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from neurox_lite.activations.access import as_tensor, finite_blocks, small_blocks, take_rows
from neurox_lite.activations.inputs import (
    LabelledActivations,
    sample_rows,
    validate_inputs,
)
from neurox_lite.activations.moments import ClassMoments, class_moments
from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

SMALLEST_VARIANCE = 1e-3
"""Prior variance of a neuron in a class in which it hardly varies; over all words it is 1."""

FARTHEST = 1e4
"""In deviations."""

DEV_NUMBERS = 500_000_000
"""Of the dev sample, counted once for each class."""

BLOCK_NUMBERS = 1 << 20
"""Logits computed at a time: as many as a cache holds."""


def gaussian(
    X: Any,
    y: Any,
    X_dev: Any,
    y_dev: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    n_neurons: int = 50,
    n_dev: int | None = None,
    seed: int = 0,
) -> NeuronRanking:
    """Rank neurons by greedy selection with a Gaussian per class (Torroba Hennigen et al. 2020).

    Each class has a Gaussian, the MAP estimate under a normal-inverse-Wishart prior. With k
    neurons, in their variances over all words:

        mean mu_z,   covariance (diag(cov_z) + n_z cov_z) / (n_z + 2 k + 4)

    where ``n_z`` is the number of training words of class z and ``cov_z`` their covariance. Neurons
    are added one by one, each the one with which the classes of the *dev* words are most likely;
    what the selected neurons tell is the mutual information ``H(class) - H(class | neurons)`` in
    bits. Of the words that neurons were selected on it flatters: the best of many gains is in part
    luck. It is reported of other words: those of test, or without them of a third of dev, which
    then selects nothing. The scores of all candidates follow from the ones before: no step
    factorises again, and all cost the same.

    Memory: ``4 * n_classes * n_dev * n_columns`` bytes. Reads the dev rows once, and ``X`` once for
    every neuron selected.

    Parameters
    ----------
    X, y : (n, n_columns) array-like and (n,) array-like
        Training data.
    X_dev, y_dev : array-likes
        Neurons are selected on them, without test on the first two thirds of every class;
        words of classes that ``y`` has not are left out.
    X_test, y_test : array-likes, optional
        Words that neurons are not selected on, for ``bits`` and ``nmi``.
    n_neurons : int
        Number of neurons to select. The others follow in the order in which they would be the next.
    n_dev : int, optional
        How many words to select on, of dev words with the same share of every class; if not given
        as many as take 2 GB, at most 10,000. ``parameters`` has what it was.
    seed : int
        Of the sample.

    Returns
    -------
    NeuronRanking
        Score: bits gained on the words selected on when the neuron was added, of neurons not
        selected when it would be the next; gains need not fall. Constant neurons have score NaN and
        come last. ``provenance`` has ``bits`` and ``nmi``, the mutual information and its share of
        the entropy after each selected neuron, of ``bits_of`` (such as "200 test words"), which
        selected nothing, and ``selection_bits``, of the words selected on.

    Raises
    ------
    InputError
        When shapes differ, there is one class only, no dev word has a class of the training words,
        a number is below 1, or an activation is NaN or infinite.
    """
    n_neurons, seed = whole_number(n_neurons, "n_neurons"), validate_seed(seed)
    n_dev = None if n_dev is None else whole_number(n_dev, "n_dev")
    if n_neurons < 1 or (n_dev is not None and n_dev < 1):
        raise InputError(f"n_neurons is {n_neurons}, n_dev is {n_dev}; give at least 1")
    data = validate_inputs(X, y)
    dev_data = validate_inputs(X_dev, y_dev, "dev", like=data)
    moments = class_moments(data)
    if n_dev is None:
        n_dev = min(10_000, DEV_NUMBERS // (len(data.classes) * data.space.n_neurons) + 1)
    if X_test is None:
        sample, ids = _sample(data, dev_data, 3 * n_dev // 2, seed, "dev")
        first = _first_of_each(ids)
        dev, dev_ids, unseen, unseen_ids = sample[first], ids[first], sample[~first], ids[~first]
    else:
        dev, dev_ids = _sample(data, dev_data, n_dev, seed, "dev")
        test_data = validate_inputs(X_test, y_test, "test", like=data)
        unseen, unseen_ids = _sample(data, test_data, n_dev, seed, "test")
    entropy = _entropy(moments, dev_ids)
    selection = _Selection(data, moments, dev, dev_ids)
    usable = ~moments.overall.is_constant
    selected: list[int] = []
    bits: list[float] = []
    scores = np.full(data.space.n_neurons, np.nan)
    n_steps = min(n_neurons, int(usable.sum()))
    for _ in tqdm(range(n_steps), desc="gaussian", unit="neuron", disable=None, delay=2):
        candidates = np.where(usable, selection.log_likelihoods(), -np.inf)
        best = int(np.argmax(candidates))
        information = (candidates + entropy) / np.log(2)
        so_far = bits[-1] if bits else 0.0
        scores[usable] = information[usable] - so_far
        selected.append(best)
        bits.append(float(information[best]))
        usable[best] = False
        selection.add(best)
    log_p = selection.of_other_words(unseen[:, selected], unseen_ids, selected)
    unseen_entropy = _entropy(moments, unseen_ids)
    information = (log_p + unseen_entropy) / np.log(2)
    others = np.setdiff1d(np.arange(data.space.n_neurons), selected)
    order = np.concatenate((selected, others[np.argsort(-scores[others], kind="stable")]))
    return NeuronRanking(
        data.space,
        order.astype(np.int64),
        scores,
        "gaussian",
        parameters={"n_neurons": n_neurons, "n_dev": len(dev_ids), "seed": seed},
        provenance={
            **data.provenance,
            "bits": information.tolist(),
            "nmi": (information * np.log(2) / unseen_entropy).tolist(),
            "bits_of": f"{len(unseen_ids)} {'dev' if X_test is None else 'test'} words",
            "selection_bits": bits,
        },
    )


def _log_prior(moments: ClassMoments) -> np.ndarray:
    return np.log(moments.counts / moments.counts.sum())


def _entropy(moments: ClassMoments, ids: np.ndarray) -> float:
    """In nats, of the classes of words by their shares in training."""
    return float(-np.mean(_log_prior(moments)[ids]))


def _first_of_each(ids: np.ndarray) -> np.ndarray:
    """Which words are in the first two thirds of their class; few sentences have words in both."""
    first = np.zeros(len(ids), dtype=bool)
    for class_id in np.unique(ids):
        of_class = np.flatnonzero(ids == class_id)
        first[of_class[: (2 * len(of_class) + 2) // 3]] = True
    if first.all():
        raise InputError(
            "no dev word is left to report on when neurons were selected; give more, or test data"
        )
    return first


def _sample(
    train: LabelledActivations, data: LabelledActivations, n: int, seed: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, n_columns), in memory, and numbers of their classes."""
    known = np.flatnonzero(np.isin(data.y, train.classes))
    if not len(known):
        raise InputError(
            f"no {name} word has a class of the training words; give {name} data of the task"
        )
    ids = np.searchsorted(train.classes, data.y[known])
    sampled = sample_rows(ids, n, seed)
    parts = [block for _, block in finite_blocks(take_rows(data.X, known[sampled]), train.space)]
    return np.concatenate(parts), ids[sampled]


class _Selection:
    """Class-conditional Gaussians of the neurons selected so far, and of one candidate each.

    With unscaled covariances ``M_z = diag(cov_z) + n_z cov_z`` and their Cholesky factors, kept for
    the selected neurons only: ``left`` (n_classes, n_dev, n_columns) is what the selected neurons
    leave of each dev activation's distance from the class mean, ``variance`` (n_classes, n_columns)
    what they leave of the diagonal of ``M_z``.
    """

    def __init__(
        self, data: LabelledActivations, moments: ClassMoments, dev: np.ndarray, dev_ids: np.ndarray
    ):
        self.data, self.counts = data, torch.from_numpy(moments.counts).double()
        # As precise as the activations; class means are relative to what that makes of the mean.
        is_double = any("float64" in str(part.dtype) for part in (data.X, dev))
        overall = moments.overall
        mean = torch.from_numpy(overall.mean)
        self.mean = mean if is_double else mean.float()
        scale = torch.from_numpy(np.where(overall.is_constant, 1, overall.std))
        self.scale = scale.to(self.mean)
        self.class_means = (torch.from_numpy(moments.means) - self.mean.double()) / scale
        self.dev_ids = torch.from_numpy(dev_ids)
        # So far from the training data that squares overflow is as good as at this distance.
        standardised = self._standardised(as_tensor(dev)).clamp_(-FARTHEST, FARTHEST)
        self.left = standardised - self.class_means[:, None].float()
        scatter = self._scatter_diagonal()
        floor = SMALLEST_VARIANCE * torch.ones_like(scatter)
        self.prior = torch.maximum(scatter / self.counts[:, None], floor)
        self.variance = self.prior + scatter
        self.factors = torch.empty((len(self.counts), 0, scatter.shape[1]), dtype=torch.float64)
        self.roots = torch.empty((len(self.counts), 0), dtype=torch.float64)
        self.squares = torch.zeros((len(self.counts), len(dev_ids)), dtype=torch.float64)
        self.log_determinant = torch.zeros(len(self.counts), dtype=torch.float64)
        self.log_prior = torch.from_numpy(_log_prior(moments))

    def _standardised(self, raw: torch.Tensor) -> torch.Tensor:
        return ((raw.to(self.mean) - self.mean) / self.scale).float()

    def _scatter_diagonal(self) -> torch.Tensor:
        """Sums of squared distances from the class mean, (n_classes, n_columns)."""
        return (self._sums(None) - self.counts[:, None] * self.class_means**2).clamp(min=0)

    def _sums(self, column: int | None) -> torch.Tensor:
        """Sums over the training words of each class of x_j^2, or of x_j x_column; standardised."""
        total = torch.zeros_like(self.class_means)
        for start, raw in small_blocks(self.data.X):
            block = self._standardised(raw.cpu())
            members = self.data.one_hot(start, start + len(block), block)
            if column is None:
                total += members @ block.square_()
            else:
                total += (members * block[:, column]) @ block
        return total

    def log_likelihoods(self) -> np.ndarray:
        """Mean log-probability of the dev classes with each candidate added; (n_columns,)."""
        n_selected = self.factors.shape[1]
        size = self.counts + 2 * (n_selected + 1) + 4
        # Logits: rest - half * left^2, both without what all classes share.
        rest = (
            self.log_prior[:, None]
            - 0.5 * (self.log_determinant[:, None] + torch.log(self.variance))
            + 0.5 * (n_selected + 1) * torch.log(size)[:, None]
        )
        half = (0.5 * size[:, None] / self.variance).float()
        selected = 0.5 * size[:, None] * self.squares
        n_dev, n_columns = self.left.shape[1:]
        total = torch.zeros(n_columns, dtype=torch.float64)
        step = max(1, BLOCK_NUMBERS // (len(self.counts) * n_columns))
        for start in range(0, n_dev, step):
            rows = slice(start, min(start + step, n_dev))
            # The same for all candidates is subtracted first, in float64: it may be large.
            offset = selected[:, rows] - selected[:, rows].min(0).values
            logits = self.left[:, rows].square().mul_(-half[:, None])
            logits += (rest[:, None] - offset[:, :, None]).float()
            of_class = logits[self.dev_ids[rows], torch.arange(rows.stop - start)]
            total += (of_class - logits.logsumexp(0)).sum(0, dtype=torch.float64)
        return (total / n_dev).numpy()

    def add(self, column: int) -> None:
        """Select a neuron: one more column of the Cholesky factors, and what it leaves."""
        scatter = self._sums(column) - (
            self.counts[:, None] * self.class_means * self.class_means[:, column, None]
        )
        scatter[:, column] += self.prior[:, column]
        explained = torch.einsum("zk,zkj->zj", self.factors[:, :, column], self.factors)
        root = self.variance[:, column].sqrt()
        factor = (scatter - explained) / root[:, None]
        whitened = self.left[:, :, column].double() / root[:, None]
        self.squares += whitened**2
        self.log_determinant += 2 * torch.log(root)
        self.roots = torch.cat((self.roots, root[:, None]), dim=1)
        for left, factor_z, whitened_z in zip(
            self.left, factor.float(), whitened.float(), strict=True
        ):
            left.addr_(whitened_z, factor_z, alpha=-1)
        self.factors = torch.cat((self.factors, factor[:, None]), dim=1)
        self.variance = (self.variance - factor**2).clamp(min=0.5 * self.prior)

    def of_other_words(
        self, activations: np.ndarray, ids: np.ndarray, selected: list[int]
    ) -> np.ndarray:
        """Mean log-probability of the classes of other words after each selected neuron.

        Of their activations (n, n_selected), by the factors that there are; (n_selected,).
        """
        if not selected:  # all neurons are constant
            return np.zeros(0)
        values = as_tensor(activations).to(self.mean) - self.mean[selected]
        values = (values / self.scale[selected]).float().clamp_(-FARTHEST, FARTHEST).double()
        left = values - self.class_means[:, None, selected]
        # On the diagonal the roots: of a neuron that hardly varies in a class, its prior's.
        lower = self.factors[:, :, selected].mT.tril(-1) + torch.diag_embed(self.roots)
        whitened = torch.linalg.solve_triangular(lower, left.mT, upper=False)
        squares = whitened.square().cumsum(1)
        log_determinants = 2 * self.roots.log().cumsum(1)
        found = []
        for step in range(len(selected)):
            k = step + 1
            size = self.counts + 2 * k + 4
            logits = (self.log_prior - 0.5 * log_determinants[:, step] + 0.5 * k * torch.log(size))[
                :, None
            ] - 0.5 * size[:, None] * squares[:, step]
            log_p = logits.log_softmax(0)[torch.from_numpy(ids), torch.arange(len(ids))]
            found.append(float(log_p.mean()))
        return np.array(found)
