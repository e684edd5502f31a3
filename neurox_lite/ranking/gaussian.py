"""The Gaussian probe: neurons that together, one after the other, tell most about the label."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurox_lite.activations.access import finite_blocks, take_rows
from neurox_lite.activations.inputs import (
    LabelledActivations,
    sample_rows,
    validate_inputs,
)
from neurox_lite.activations.moments import ClassMoments, class_moments
from neurox_lite.arguments import whole_number
from neurox_lite.errors import InputError
from neurox_lite.progress import tqdm
from neurox_lite.ranking.gaussian_selection import GaussianSelection, log_prior
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.seeds import validate_seed

DEV_NUMBERS = 500_000_000
"""Of the dev sample, counted once for each class."""


def gaussian(
    X: Any,
    y: Any = None,
    X_dev: Any = None,
    y_dev: Any = None,
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
    X, y : (n, n_columns) array-like and (n,) labels, or LabelledActivations
        Training data.
    X_dev, y_dev : array-likes, or LabelledActivations
        Neurons are selected on them, without test on the first two thirds of every class;
        words of classes that ``y`` has not are left out.
    X_test, y_test : array-likes or LabelledActivations, optional
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
    n_neurons, seed = whole_number(n_neurons, "n_neurons", least=1), validate_seed(seed)
    n_dev = None if n_dev is None else whole_number(n_dev, "n_dev", least=1)
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
    selection = GaussianSelection(data, moments, dev, dev_ids)
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


def _entropy(moments: ClassMoments, ids: np.ndarray) -> float:
    """In nats, of the classes of words by their shares in training."""
    return float(-np.mean(log_prior(moments)[ids]))


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
