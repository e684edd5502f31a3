"""Which words of a corpus a probe is trained and tested on; needs no activations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurox_lite.corpora.tagged_corpus import SPLITS, TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED


def rare_classes(
    corpus: TaggedCorpus,
    tag: str,
    *,
    keep: np.ndarray | None = None,
    min_count: int | None = None,
) -> list[str]:
    """Classes with too few training words to be learnt, sorted; needs no activations.

    Of the words to ``keep``. Options and errors are those of :func:`labelled_splits`.
    """
    if min_count is not None and min_count < 1:
        raise InputError(f"min_count is {min_count}; give at least 1")
    labels = corpus.labels(tag)
    usable = labels != UNLABELLED
    if keep is not None:
        usable &= keep
    train = corpus.rows("train")
    classes, counts = np.unique(labels[train][usable[train]], return_counts=True)
    in_train = dict(zip(classes.tolist(), counts.tolist(), strict=True))
    everywhere = np.unique(labels[usable]).tolist()
    needed = 2 if min_count is None else min_count
    rare = [c for c in everywhere if in_train.get(c, 0) < needed]
    if rare and min_count is None:
        times = "once" if in_train.get(rare[0], 0) == 1 else "never"
        others = f", and {len(rare) - 1} more classes once or never" if len(rare) > 1 else ""
        raise InputError(
            f"{corpus.source}: class '{rare[0]}' of '{tag}' occurs {times} in train{others}, "
            "too rare to be learnt; leave such classes out with min_count=2 (--min-count 2)"
        )
    frequent = [c for c in everywhere if c not in rare]
    if len(frequent) < 2:
        only = f"only '{frequent[0]}'" if frequent else "none"
        lower = ", or a lower min_count (--min-count)" if rare else ""
        raise InputError(
            f"{corpus.source}: '{tag}' has fewer than two classes to tell apart in train, {only}; "
            f"give a tag with two{lower}"
        )
    return rare


def labelled_rows(
    corpus: TaggedCorpus,
    tag: str,
    *,
    keep: np.ndarray | None = None,
    min_count: int | None = None,
    numeric: bool = False,
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Select the labelled words of every split; needs no activations.

    Options and errors are those of :func:`labelled_splits`.

    Returns
    -------
    rows : dict from split to (n_words,) int array
        Ascending rows of the words that are kept, labelled and not of a rare class.
    left_out : dict
        Rare classes, with their number of words kept over all splits.
    """
    if numeric and min_count is not None:
        raise InputError("min_count is for classes and these labels are numbers; leave it out")
    rare = [] if numeric else rare_classes(corpus, tag, keep=keep, min_count=min_count)
    labels = corpus.labels(tag)
    usable = labels != UNLABELLED
    if keep is not None:
        usable &= keep
    left_out = {c: int(np.sum(labels[usable] == c)) for c in rare}
    usable &= ~np.isin(labels, rare)
    rows = {split: corpus.rows(split) for split in SPLITS}
    rows = {split: split_rows[usable[split_rows]] for split, split_rows in rows.items()}
    for split, split_rows in rows.items():
        if not len(split_rows):
            raise InputError(
                f"{corpus.source}: no word labelled '{tag}' in split '{split}' is left; "
                "choose other labels, more words or other splits"
            )
    if numeric:
        _check_numbers(corpus, tag, rows)
    return rows, left_out


def _check_numbers(corpus: TaggedCorpus, tag: str, rows: Mapping[str, np.ndarray]) -> None:
    """Raise InputError unless labels are finite numbers that differ within every split."""
    labels = corpus.labels(tag)
    for split, split_rows in rows.items():
        numbers = {_as_number(label, tag, corpus.source) for label in np.unique(labels[split_rows])}
        if len(numbers) < 2:
            raise InputError(
                f"{corpus.source}: all labels '{tag}' in split '{split}' are {numbers.pop():g}; "
                "a regression needs numbers that differ"
            )


def _as_number(label: str, tag: str, source: str) -> float:
    try:
        number = float(label)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InputError(
            f"{source}: label '{label}' of '{tag}' is not a finite number, which a regression needs"
        )
    return number
