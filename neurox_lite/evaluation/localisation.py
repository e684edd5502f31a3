"""How localised is a property: in few neurons or many, one layer or all, shared by classes?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from neurox_lite.activations.access import load
from neurox_lite.activations.inputs import LabelledActivations, validate_space
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.arguments import expect, expect_function, whole_number
from neurox_lite.arguments import shares as checked_shares
from neurox_lite.errors import InputError
from neurox_lite.evaluation.localisation_measures import (
    ENTROPY,
    OVERLAP,
    FittedTop,
    class_overlap,
    measures_of,
    of_share,
)
from neurox_lite.evaluation.resampling import draw_sentences, some_sentences
from neurox_lite.intervals import sentence_numbers
from neurox_lite.json_files import hash_json
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.linear import LinearProbe
from neurox_lite.probing.probe import ElasticNetProbe, expect_probe
from neurox_lite.probing.side_by_side import fit_drawn
from neurox_lite.progress import tqdm
from neurox_lite.public_names import public_name
from neurox_lite.ranking.layer_entropy import expected_entropy
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.results.html import as_html
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

logger = logging.getLogger(__name__)

LEVEL = 0.95


@dataclass(frozen=True)
class Measure:
    """One number, where it would fall with other sentences, and what chance gives.

    Attributes
    ----------
    name : str
        "neurons for 95 %", ..., "entropy over layers", "overlap of classes".
    value : float, optional
        None where it has none, as the entropy of a single layer.
    low, high : float, optional
        95 % interval; None where it is not known.
    by_chance : float, optional
        Of neurons drawn at random, on average.
    resampled : (n_resamples,) tuple of float or None
        The same of every resample of the sentences.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    by_chance: float | None
    resampled: tuple[float | None, ...]

    __repr__ = short_repr

    @property
    def is_count(self) -> bool:
        """Whether it is a number of neurons, of which ratios are compared."""
        return self.name not in (ENTROPY, OVERLAP)

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: none"
        shown = f"{self.name}: {self.value:.3g}"
        interval = "not known" if self.low is None else f"{self.low:.3g} to {self.high:.3g}"
        chance = "" if self.by_chance is None else f", by chance {self.by_chance:.3g}"
        return f"{shown} ({interval}{chance})"


@dataclass(frozen=True)
class Localisation(SavedResult):
    """How localised one property is in one model, see :func:`localisation`.

    Attributes
    ----------
    tag, model, method : str
        The property, the model and the ranking.
    n_neurons : int
        Of the model.
    accuracy, baseline : float
        On test, of all neurons and of the most frequent label of train.
    counts, accuracies : (n_counts,) tuples
        The curve: accuracy of a probe of the first neurons alone.
    measures : tuple of Measure
        The number of neurons for each share of what all of them add to the baseline; entropy over
        layers of those for the first share; mean overlap of the top neurons of two classes.
    words : str
        Hash of the words and their labels, and of the resamples of their sentences: results of two
        models with the same are compared resample by resample.
    n_train, n_test : int
        Words used.
    converged : bool
        False when one of the probes did not converge.
    """

    tag: str
    model: str
    method: str
    n_neurons: int
    accuracy: float
    baseline: float
    counts: tuple[int, ...]
    accuracies: tuple[float, ...]
    measures: tuple[Measure, ...]
    words: str
    n_train: int
    n_test: int
    converged: bool

    KIND = "localisation"
    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    def __str__(self) -> str:
        facts = {
            "neurons": self.n_neurons,
            "accuracy": self.accuracy,
            "majority": self.baseline,
            "converged": self.converged,
        }
        title = f"Localisation of {self.tag} in {self.model}"
        return summary(title, facts, map(str, self.measures))

    def table(self) -> Table:
        """A header, and a row per measure."""
        header = ["property", "model", "measure", "value", "low", "high", "by_chance"]
        return [
            header,
            *(
                [self.tag, self.model, m.name, m.value, m.low, m.high, m.by_chance]
                for m in self.measures
            ),
        ]

    def measure(self, name: str) -> Measure | None:
        """The measure of a name."""
        return next((one for one in self.measures if one.name == name), None)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"measures": tuple(Measure(**one) for one in fields["measures"])}


def localisation(
    splits: LabelledSplits,
    tag: str,
    *,
    probe: ElasticNetProbe | None = None,
    rank: Callable[[LinearProbe], NeuronRanking] = linguistic_correlation,
    shares: Sequence[float] = (0.95, 0.99),
    n_rows: int = 10_000,
    n_resamples: int = 20,
    seed: int = 0,
    space: NeuronSpace | None = None,
) -> Localisation:
    """Measure how localised a property is, each number with an interval over sentences.

    - Neurons for a share s: the fewest first neurons of the ranking on which a probe fitted anew
      has ``baseline + s (accuracy - baseline)`` on test, with the accuracy of all neurons and that
      of the most frequent label of train. Numbers tried grow by half; between the last two the
      number is interpolated on the logarithm.
    - Entropy over layers of the neurons for the first share, see
      :func:`neurox_lite.ranking.layer_entropy.layer_entropy`. Few neurons are in few layers: chance
      is the mean of as many drawn from all.
    - Overlap of classes: of every two classes, the share that their top 1 % of all neurons have in
      common, on average, where the ranking has scores per class and there are three classes or
      more: of two, the weights of a probe are the same.

    Intervals: the sentences of train and test are drawn anew, ``n_resamples`` times, with
    replacement; on each draw everything is fitted and measured again. With s the standard deviation
    over the draws, the interval is the value plus and minus s times the quantile of Student's t (of
    the logarithm, for a number of neurons).

    Cost: on each draw one probe of all neurons, from the weights of the first, and two to six of
    the first few. Memory: the sample of train and of test, and the rows drawn.

    Parameters
    ----------
    splits : LabelledSplits
    tag : str
        Name of the property.
    probe : ElasticNetProbe, optional
        Whose parameters are used, fitted or not.
    rank : function of a fitted probe
    shares : sequence of float
        Ascending, above 0 and up to 1.
    n_rows : int
        Whole sentences of train, and of test, are drawn until they have so many words; all
        models are measured on the same, if they have the same words.
    n_resamples : int
        At least 2.
    seed : int
    space : NeuronSpace, optional
        Which columns are which layer; not needed for a store's matrix.

    Raises
    ------
    InputError
        When an option is out of range, a split has one sentence only, or the sample one class.
    """
    expect(splits, LabelledSplits, "splits", "those of labelled_splits(store, corpus, tag)")
    tag = expect(tag, str, "tag", "the name of the property, as a string")
    probe = ElasticNetProbe() if probe is None else probe
    expect_probe(probe)
    expect_function(rank, "rank", "a function of a fitted probe, as linguistic_correlation")
    shares = checked_shares(shares, ascending=True)
    n_rows = whole_number(n_rows, "n_rows", least=1)
    n_resamples, seed = whole_number(n_resamples, "n_resamples", least=2), validate_seed(seed)
    train, test = (
        _in_memory(part, name, n_rows, seed)
        for part, name in ((splits.train, "train"), (splits.test, "test"))
    )
    space = validate_space(space, splits.train.X)
    whole = clone(probe).fit(train)
    first = FittedTop(whole, space, train, test, np.ones(len(train)), np.ones(len(test)))
    found, starts = measures_of(first, rank, shares, (0,) * len(shares))
    converged = first.converged
    drawn: list[dict[str, float | None]] = []
    draws = _draws(train, test, n_resamples, seed)
    progress = tqdm(
        draws, desc=f"localise {tag}", total=n_resamples, unit="draw", disable=None, delay=2
    )
    for times, test_times in progress:
        kept = np.flatnonzero(times)
        rows = train.take(kept)
        fitted = fit_drawn(first.probe, rows, times[kept])
        again = FittedTop(fitted, space, rows, test, times[kept], test_times)
        drawn.append(measures_of(again, rank, shares, starts)[0])
        converged = converged and again.converged
    k = found[of_share(shares[0])]
    chance = {
        ENTROPY: None if k is None else expected_entropy(int(np.ceil(k)), space.widths),
        OVERLAP: class_overlap(first.ranking(rank))[1],
    }
    measures = [
        _with_interval(name, value, chance.get(name), [one[name] for one in drawn])
        for name, value in found.items()
    ]
    counts = sorted(first.accuracies)
    in_corpus = [[part.rows.tolist(), part.y.tolist()] for part in (train, test)]
    return Localisation(
        tag=tag,
        model=public_name(space.model),
        method=first.ranking(rank).method,
        n_neurons=space.n_neurons,
        accuracy=first.accuracy(space.n_neurons),
        baseline=first.baseline,
        counts=tuple(counts),
        accuracies=tuple(first.accuracies[count] for count in counts),
        measures=tuple(measures),
        words=hash_json([in_corpus, n_resamples, seed]),
        n_train=len(train),
        n_test=len(test),
        converged=converged,
    )


def _in_memory(part: LabelledActivations, name: str, n_rows: int, seed: int) -> LabelledActivations:
    some = some_sentences(part, n_rows, seed)
    numbers = sentence_numbers(some.sentences, len(some), "sentences")
    if not numbers.any():
        raise InputError(
            f"all words of {name} are from one sentence, so how localised a property is on other "
            "sentences cannot be estimated; give more sentences"
        )
    return replace(some, X=np.asarray(load(some.X)), sentences=numbers)


def _draws(
    train: LabelledActivations, test: LabelledActivations, n_resamples: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How often each row of train, and of test, is drawn with its sentence."""
    rng = np.random.default_rng([seed, 1])
    n_sentences = test.sentences.max() + 1
    for times in draw_sentences(train, n_resamples, seed):
        drawn = rng.integers(n_sentences, size=n_sentences)
        yield times, np.bincount(drawn, minlength=n_sentences)[test.sentences]


def _with_interval(
    name: str, value: float | None, by_chance: float | None, drawn: Sequence[float | None]
) -> Measure:
    measure = Measure(name, value, None, None, by_chance, tuple(drawn))
    if value is None or any(one is None for one in drawn):
        return measure
    if measure.is_count:
        half = half_width(np.log(np.array(drawn, dtype=float)))
        low, high = value * float(np.exp(-half)), value * float(np.exp(half))
        return replace(measure, low=max(low, 1.0), high=high)
    half = half_width(np.array(drawn, dtype=float))
    return replace(measure, low=max(value - half, 0.0), high=min(value + half, 1.0))


def half_width(drawn: np.ndarray) -> float:
    """Of an interval, from what resamples give: their standard deviation times Student's t."""
    from scipy.stats import t

    return float(drawn.std(ddof=1) * t.ppf((1 + LEVEL) / 2, len(drawn) - 1))
