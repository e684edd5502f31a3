"""Does what exemplars of one half of the sentences say hold in the other half?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurox_lite.descriptions.enriched import FEW_EXEMPLARS, Enriched
from neurox_lite.descriptions.halves import Half
from neurox_lite.descriptions.neuron_description import SENTENCE
from neurox_lite.descriptions.score_intervals import average_precision
from neurox_lite.descriptions.scored_examples import Examples


def those_that_hold(
    found: Sequence[Enriched],
    share: float,
    values: tuple[np.ndarray, ...],
    halves: tuple[Half, Half],
) -> list[tuple[Enriched, Examples]]:
    """Descriptors of one half that find active words of the other better than chance, with these.

    By AUPRC, which has to be above the density.

    Parameters
    ----------
    found : list of Enriched
        Descriptors of the first half.
    share : float
        Of words, or sentences, that are active.
    values : pair of (n_rows,) arrays
        Activations of the rows of each half.
    halves : pair of Half
        That in which descriptors were found, and the other.
    """
    each = ((one, _examples(one, share, values, halves)) for one in found)
    return [(one, examples) for one, examples in each if _is_above_chance(examples)]


def _examples(
    found: Enriched, share: float, values: tuple[np.ndarray, ...], halves: tuple[Half, Half]
) -> Examples:
    """Words of the other half, or its sentences, and whether they have a descriptor.

    Active are those above the threshold that a share of those of the first half is above, ten at
    least.
    """
    first, second = halves
    seen, own = values
    has, sentences = second.of_words, second.sentences
    if found.level == SENTENCE:
        seen = np.maximum.reduceat(seen, first.starts[:-1])
        own = np.maximum.reduceat(own, second.starts[:-1])
        has, sentences = second.of_sentences, np.arange(second.n_sentences)
    present = has[:, [found.number]].toarray()[:, 0].astype(float)
    share = max(share, FEW_EXEMPLARS / len(seen))
    return Examples(present, own, sentences, float(np.quantile(seen, 1 - share)))


def _is_above_chance(examples: Examples) -> bool:
    found = average_precision(examples.present, examples.is_active, examples.sentences)
    return found.value > float(examples.is_active.mean())
