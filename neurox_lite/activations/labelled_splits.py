"""Joining activations and labels: which rows of a store a probe is trained and tested on."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_rows import labelled_rows
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.arguments import expect, whole_number
from neurox_lite.corpora.balance import balance_classes, check_balance
from neurox_lite.corpora.disjoint import find_disjoint_words
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.metrics import most_frequent
from neurox_lite.neurons import Layers
from neurox_lite.results.html import as_html
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, some, summary

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledSplits:
    """Train, dev and test, and the classes left out of all three.

    Attributes
    ----------
    train, dev, test : LabelledActivations
    left_out : dict
        Classes seen too rarely in train, with their number of words over all splits.
    majority : str, optional
        The most frequent label of train before its classes were balanced, where they were.
    """

    train: LabelledActivations
    dev: LabelledActivations
    test: LabelledActivations
    left_out: dict[str, int]
    majority: str | None = None

    __repr__ = short_repr
    _repr_html_ = as_html

    def __str__(self) -> str:
        parts = {"train": self.train, "dev": self.dev, "test": self.test}
        sizes = {name: len(part.y) for name, part in parts.items()}
        classes = some(np.unique(self.train.y).tolist())
        lines = [f"labels {classes}"]
        if self.left_out:
            lines.append(f"left out {some(self.left_out)}")
        return summary(f"LabelledSplits of {self.train.X.shape[1]} neurons", sizes, lines)


def labelled_splits(
    store: ActivationStore,
    corpus: TaggedCorpus,
    tag: str,
    *,
    layers: Layers = None,
    min_count: int | None = None,
    keep: np.ndarray | None = None,
    disjoint: str | None = None,
    seed: int = 0,
    numeric: bool = False,
    balance: str | None = None,
    by_position: bool = False,
) -> LabelledSplits:
    """Select the labelled words of every split that have activations.

    Parameters
    ----------
    store : ActivationStore
        Made from ``corpus``.
    corpus : TaggedCorpus
        With splits.
    tag : str
        Whose labels are taken.
    layers : int, several ints or "all", optional
        Layers of the store; all by default.
    min_count : int, optional
        Leave out classes with fewer training words. By default nothing is left out, and a class
        that cannot be learnt is an error.
    keep : (n_words,) bool array, optional
        The words to use, such as those of :func:`neurox_lite.word_filter`; the others are left
        out of every split. Of a store with one row per sentence, the sentences to use.
    disjoint : {"sentences", "types"}, optional
        Leave out words so that no two splits share a sentence: of those that several splits have,
        the first of train, dev and test keeps them. With ``"types"`` no two splits share a word
        type either: each is drawn to one split, 80 / 10 / 10, and used only there.
    seed : int
        Of the draw of the types, and of ``balance``.
    numeric : bool
        Labels are numbers, for a regression, and no class is rare. They stay strings.
    balance : {"under", "over"}, optional
        Give train equally many words of every class: ``"under"`` draws as many of each as the
        rarest has, ``"over"`` repeats words until each has as many as the most frequent. Dev and
        test stay as they are.
    by_position : bool
        Take the labels of a word from its place (the third word of the second sentence), whatever
        its form is in the store. By default the words of store and corpus are the same, which those
        of a file of another program, such as NeuroX, may not be: with other marks of spaces, in
        lower case.

    Raises
    ------
    InputError
        When the store was made from another corpus, or ``by_position`` its sentences have other
        numbers of words, the tag or a split is missing, ``keep`` has
        another shape or type, there are fewer than two classes, no word is left in a split, or,
        without ``min_count``, a class occurs less than twice in train. When ``numeric``: a label is
        not a finite number, a split has the same number everywhere, or ``min_count`` is given.
    """
    expect(store, ActivationStore, "store", "a store, opened by nx.ActivationStore(path)")
    expect(corpus, TaggedCorpus, "corpus", "a TaggedCorpus, such as nx.read_corpus(path)")
    if min_count is not None:
        min_count = whole_number(min_count, "min_count")
    seed = validate_seed(seed)
    if store.metadata.get("pooling"):
        corpus = corpus.by_sentence()
    if tag in corpus.sentence_tags and not store.metadata.get("pooling"):
        logger.warning(
            "%s: the labels '%s' are of sentences and the store has a row per word: every word is "
            "taken with the label of its sentence; for a row per sentence use "
            "pooling='mean' (extract --pooling mean)",
            corpus.source,
            tag,
        )
    row_of_word = store.word_rows
    if by_position:
        _check_places(store, row_of_word, corpus)
    else:
        try:
            store.check_corpus(corpus.words_hash, corpus.source)
        except InputError as error:
            raise InputError(
                f"{error}; words in another form, as in a NeuroX file, are matched by their place "
                "with by_position=True (--by-position)"
            ) from None
        if corpus.texts and store.metadata.get("text_hash") != corpus.text_hash:
            raise InputError(
                f"{store.path}: made from other text than {corpus.source} as it was written; leave "
                "out text='raw' (--text), or extract again with it"
            )
    usable = ~np.isin(row_of_word, store.missing)
    if keep is not None:
        usable &= _checked_mask(keep, corpus)
    if disjoint is not None:
        usable &= find_disjoint_words(corpus, disjoint, seed)
    check_balance(balance)
    if numeric and balance is not None:
        raise InputError("balance is for classes and these labels are numbers; leave it out")
    rows, left_out = labelled_rows(corpus, tag, keep=usable, min_count=min_count, numeric=numeric)
    labels = corpus.labels(tag)
    majority = None
    if balance is not None:
        y_train = labels[rows["train"]]
        majority = str(most_frequent(y_train))
        rows["train"] = rows["train"][balance_classes(y_train, balance, seed)]
    starts = corpus.sentence_offsets[:-1]
    space = store.matrix(layers).space
    parts = {
        split: LabelledActivations(
            # Not by store.matrix, which refuses the repeats of balance="over".
            ActivationMatrix(store, space, row_of_word[split_rows]),
            labels[split_rows],
            split_rows,
            np.searchsorted(starts, split_rows, side="right") - 1,
        )
        for split, split_rows in rows.items()
    }
    return LabelledSplits(**parts, left_out=left_out, majority=majority)


def _check_places(store: ActivationStore, row_of_word: np.ndarray, corpus: TaggedCorpus) -> None:
    """Raise InputError unless every sentence has as many words in the store as in the corpus."""
    in_store = np.diff(np.searchsorted(row_of_word, store.sentence_offsets))
    in_corpus = np.diff(corpus.sentence_offsets)
    if len(in_store) != len(in_corpus):
        raise InputError(
            f"{store.path}: {len(in_store)} sentences, but {corpus.source} has {len(in_corpus)}; "
            "give the sentences it was made from"
        )
    differ = np.flatnonzero(in_store != in_corpus)
    if len(differ):
        first = int(differ[0])
        raise InputError(
            f"{store.path}: sentence {first + 1} has {in_store[first]} words, but "
            f"{in_corpus[first]} in {corpus.source} ({len(differ)} such sentences); give the "
            "sentences it was made from"
        )


def _checked_mask(keep: np.ndarray, corpus: TaggedCorpus) -> np.ndarray:
    keep = np.asarray(keep)
    if keep.dtype != bool or keep.shape != (corpus.n_words,):
        raise InputError(
            f"{corpus.source}: keep has type {keep.dtype} and shape {keep.shape}; give one bool "
            f"for each of its {corpus.n_words} rows, as word_filter does"
        )
    return keep
