"""Which words and sentences make each neuron fire? Two readings of the activations of a corpus."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from neurox_lite.activations.access import check_finite, load, read_ahead
from neurox_lite.arguments import whole_number
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.corpus_descriptors import UPOS
from neurox_lite.descriptions.corpus_rows import CorpusRows, corpus_rows
from neurox_lite.descriptions.distribution import CATEGORIES, DEAD, distribution
from neurox_lite.descriptions.example_levels import example_levels, scales_of
from neurox_lite.descriptions.top_sentences import TopSentences
from neurox_lite.descriptions.word_means import Vocabulary, WordMeans, top_words, vocabulary
from neurox_lite.errors import InputError
from neurox_lite.neurons import Layers
from neurox_lite.progress import tqdm
from neurox_lite.public_names import public_sources
from neurox_lite.seeds import validate_seed
from neurox_lite.threads import thread_map

logger = logging.getLogger(__name__)

SAMPLE_WORDS = 5_000
"""Of the sentences that histogram, sparseness, category and quantiles are made from."""

FEW_SENTENCES = 100
"""With fewer, what neurons fire on is chance."""

AT_ONCE = 2
"""Layers that are worked on."""

SIGNS = (1, -1)
OF_DISTRIBUTION = ("histogram", "medians", "sparseness", "of_position", "of_word", "categories")


def exemplars(
    activations: Any,
    corpus: TaggedCorpus,
    *,
    layers: Layers = None,
    neurons: Any = None,
    n_examples: int = 10,
    n_words: int = 10,
    min_count: int = 5,
    tag: str | None = None,
    seed: int = 0,
) -> Exemplars:
    """The sentences and words at which each neuron is largest, and at which it is smallest.

    Examples are the sentences with the largest (smallest) activation of one of their words, and
    beside these one from the middle of each of ten quantiles, since the largest alone flatter a
    neuron. Words are those with the largest (smallest) mean, by the end of its interval that is
    nearer to other words, without those that many neurons of the layer have among their first.
    Equal sentences count once.

    Every example has the activations of the words around its word, up to 15 to each side.

    Layers are read twice: what stands around an example is known once it is found. Histogram,
    sparseness, category, median and quantiles are those of a uniform sample of sentences of 5,000
    words. Memory, for two layers at once: the sample, and two float64 numbers for each neuron and
    each of at most 10,000 word forms; the result has, in memory and on disk, about 2,700 bytes for
    each neuron, and the sentences.

    Parameters
    ----------
    activations : ActivationStore, or (n_words, n_neurons) array, tensor or store's matrix
        A store made from ``corpus``, or a row for each of its words.
    corpus : TaggedCorpus
    layers : int, several ints or "all", optional
        All by default.
    neurons : neuron, or several, optional
        Of these layers, as for :meth:`~neurox_lite.neurons.NeuronSpace.columns_of`; all by default.
        Of others nothing is kept, and what many neurons of a layer like is told from these.
    n_examples, n_words : int
        For each neuron and sign.
    min_count : int
        Occurrences that a word form needs, at least two.
    tag : str, optional
        Whose label is shown beside words; by default ``upos``, where the corpus has it.
    seed : int
        Of the sample.

    Raises
    ------
    InputError
        When the store was made from another corpus, which has no such tag, there is no such neuron,
        a number is too small, or an activation is NaN or infinite.
    """
    n_examples = whole_number(n_examples, "n_examples", least=1)
    n_words = whole_number(n_words, "n_words", least=1)
    min_count = whole_number(min_count, "min_count", least=2)
    rows = corpus_rows(activations, corpus, layers)
    columns = np.arange(rows.space.n_neurons)
    if neurons is not None:
        columns = np.unique(rows.space.columns_of(neurons))
    if not len(columns):
        raise InputError("no neurons; give at least one, or None for all")
    if len(rows.sentences) < FEW_SENTENCES:
        logger.warning(
            "%s: %d different sentences are too few to say what neurons fire on; "
            "take at least %d, better thousands",
            corpus.source,
            len(rows.sentences),
            FEW_SENTENCES,
        )
    if tag is None and UPOS in corpus.tags:
        tag = UPOS
    words = vocabulary(corpus, rows.words, min_count=min_count, tag=tag)
    sample = _sample(rows, validate_seed(seed))
    of_layer = partial(
        _of_layer, rows, columns, words=words, sample=sample, n_examples=n_examples, n_words=n_words
    )
    own_layers = [layer for layer, n in rows.space.count_per_layer(columns).items() if n]
    layers_at_once = min(AT_ONCE, len(own_layers))
    with thread_map(layers_at_once) as map_layers:
        found = list(
            tqdm(
                map_layers(of_layer, own_layers),
                desc="exemplars",
                unit="layer",
                total=len(own_layers),
                disable=None,
                delay=2,
            )
        )
    arrays = {name: np.concatenate([own[name] for own, _ in found]) for name in found[0][0]}
    if len(columns) < rows.space.n_neurons:
        arrays["columns"] = columns
    sentences = _number_examples(rows, arrays)
    return Exemplars(
        rows.space,
        public_sources(corpus.source),
        len(rows.sentences),
        len(rows),
        sentences,
        words.forms,
        words.labels,
        tuple(words.counts.tolist()),
        {
            layer: tuple(words.forms[number] for number in common.tolist())
            for layer, (_, common) in zip(own_layers, found, strict=True)
        },
        arrays,
    )


def _sample(rows: CorpusRows, seed: int) -> np.ndarray:
    """Places of sentences, ascending, drawn until they have so many words."""
    order = np.argsort(rows.draw(seed))
    counted = np.cumsum(np.diff(rows.starts)[order])
    enough = int(np.searchsorted(counted, SAMPLE_WORDS)) + 1
    return np.sort(order[:enough])


def _of_layer(
    rows: CorpusRows,
    columns: np.ndarray,
    layer: int,
    *,
    words: Vocabulary,
    sample: np.ndarray,
    n_examples: int,
    n_words: int,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Arrays of a layer as in :class:`Exemplars`, with rows for words, and its common words."""
    every = rows.space.columns(layer)
    own = columns[(columns >= every.start) & (columns < every.stop)] - every.start
    width = len(own)
    tops = [TopSentences(width, n_examples, sign) for sign in SIGNS]
    means = WordMeans(width, words.counts)
    is_sampled = np.zeros(len(rows.sentences), bool)
    is_sampled[sample] = True
    sampled = []
    for span, block in read_ahead(_blocks(rows, layer, own)):
        first, last = rows.starts[span.start], rows.starts[span.stop]
        starts = rows.starts[span.start : span.stop + 1] - first
        for top in tops:
            top.add(block, starts, int(first))
        means.add(block, words.ids[first:last])
        sampled.append(block[np.repeat(is_sampled[span], np.diff(starts))])
    sample_rows, sample_starts = rows.rows_of(sample)
    highest, lowest = tops
    spread = distribution(
        np.concatenate(sampled),
        sample_starts,
        words.ids[sample_rows],
        lowest.values[0],
        highest.values[0],
    )
    both, common = top_words(*means.intervals(), n_words)
    is_dead = (spread.categories == CATEGORIES.index(DEAD))[:, None, None]
    of_examples = np.where(is_dead, -1, _by_neuron(*(top.rows for top in tops)))
    of_quantiles = np.where(is_dead, -1, sample_rows[_by_sign(spread.quantile_rows)])
    scales = scales_of(spread.medians, lowest.values[0], highest.values[0], is_dead[:, 0, 0])
    levels = example_levels(
        rows,
        read_ahead(_blocks(rows, layer, own)),
        np.concatenate([of_examples, of_quantiles], axis=2),
        spread.medians,
        scales,
    )
    arrays = {
        "values": _by_neuron(*(top.values for top in tops)),
        "rows": of_examples,
        "levels": levels[:, :, :n_examples],
        "quantile_values": _by_sign(spread.quantile_values),
        "quantile_rows": of_quantiles,
        "quantile_levels": levels[:, :, n_examples:],
        "scales": scales,
        "words": np.where(is_dead, -1, np.stack([side.forms for side in both], axis=1)),
        "word_means": np.stack([side.means for side in both], axis=1),
        "word_lows": np.stack([side.lows for side in both], axis=1),
        "word_highs": np.stack([side.highs for side in both], axis=1),
        "smallest": lowest.values[0],
        "largest": highest.values[0],
        **{name: getattr(spread, name) for name in OF_DISTRIBUTION},
    }
    return arrays, common


def _blocks(rows: CorpusRows, layer: int, own: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Whole sentences, as float32 or float64: their places, and some units, (n_rows, n_own)."""
    X, of_layer = rows.layer(layer), rows.space.select([layer])
    for span in rows.spans():
        first = int(rows.starts[span.start])
        block = load(X[first : int(rows.starts[span.stop])])
        if block.dtype != np.float64:
            block = block.astype(np.float32, copy=False)
        if not np.isfinite(block.sum()):
            check_finite(block, first, of_layer, X)
        yield span, block if len(own) == block.shape[1] else block[:, own]


def _by_neuron(highest: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """(n_neurons, 2, n) of two arrays (n, n_neurons)."""
    return np.stack([highest.T, lowest.T], axis=1)


def _by_sign(values: np.ndarray) -> np.ndarray:
    """(n_neurons, 2, n) of an array (n, 2, n_neurons)."""
    return values.transpose(2, 1, 0)


def _number_examples(
    rows: CorpusRows, arrays: dict[str, np.ndarray]
) -> tuple[tuple[str, ...], ...]:
    """Put sentences and places where rows are, in place; returns the sentences that are used."""
    taken = {before: arrays.pop(f"{before}rows") for before in ("", "quantile_")}
    of_row = {before: rows.sentence_of(each) for before, each in taken.items()}
    used = np.unique(np.concatenate([each[each >= 0].ravel() for each in of_row.values()]))
    offsets = rows.corpus.sentence_offsets
    for before, numbers in of_row.items():
        is_one = numbers >= 0
        found = np.searchsorted(used, numbers)
        places = rows.words[taken[before]] - offsets[numbers]
        arrays[f"{before}examples"] = np.where(is_one, found, -1).astype(np.int32)
        arrays[f"{before}places"] = np.where(is_one, places, -1).astype(np.int32)
        arrays[f"{before}values"] = arrays[f"{before}values"].astype(np.float32)
    return tuple(tuple(rows.corpus.sentences[number]) for number in used.tolist())
