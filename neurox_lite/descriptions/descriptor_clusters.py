"""Descriptors that say the same, put together under one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array

from neurox_lite.arguments import expect_function
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to vectors, (n_texts, width), such as ``SentenceTransformer(...).encode``."""

LETTERS = "letters"

SIMILAR, SIMILAR_LETTERS = 0.75, 0.7
"""Cosines from which on descriptors say the same: of embeddings, and of runs of letters."""

AT_ONCE = 1024


def cluster_descriptors(
    names: Sequence[str], counts: np.ndarray, embed: Embed | str | None = LETTERS
) -> np.ndarray:
    """The representative of each descriptor, as its number; (n_descriptors,) int array.

    Fast community detection, as in Mondal et al. (2024): the descriptor with most others that are
    similar to it and not in a cluster yet begins one with these, and so on. It is represented by
    its most frequent member. By "letters", descriptors are similar that share runs of two to
    four letters: forms of a word, not words of one meaning. By None, none is.

    Raises
    ------
    InputError
        When ``embed`` is neither, or gives no finite vector for each descriptor.
    """
    if embed is None:
        return np.arange(len(names))
    if isinstance(embed, str):
        if embed != LETTERS:
            raise unknown_choice("embed", embed, [LETTERS])
        vectors, least = _letters(names), SIMILAR_LETTERS
    else:
        wanted = "a function of descriptors that gives a vector for each"
        vectors, least = _embedded(names, expect_function(embed, "embed", wanted)), SIMILAR
    near: list[np.ndarray] = []
    for first in range(0, len(names), AT_ONCE):
        products = vectors[first : first + AT_ONCE] @ vectors.T
        cosines = products.toarray() if isinstance(products, csr_array) else products
        near += [np.flatnonzero(row >= least) for row in cosines]
    order = sorted(range(len(names)), key=lambda number: (-len(near[number]), number))
    found = np.full(len(names), -1)
    for number in order:
        if found[number] < 0:
            members = near[number][found[near[number]] < 0]
            members = np.union1d(members, [number])
            found[members] = members[np.argmax(counts[members])]
    return found


def _letters(names: Sequence[str]) -> csr_array | np.ndarray:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), dtype=np.float32)
    return csr_array(vectorizer.fit_transform(names))


def _embedded(names: Sequence[str], embed: Embed) -> np.ndarray:
    vectors = np.asarray(embed(list(names)), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(names) or not np.isfinite(vectors).all():
        raise InputError(
            f"embed gave {vectors.shape} for {len(names)} descriptors; it is to give a finite "
            "vector for each"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))
