"""Does what exemplars of one half of the sentences say hold in the other half?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurox_lite.descriptions.enriched import FEW_EXEMPLARS, Enriched, EnrichedHalf
from neurox_lite.descriptions.halves import Half
from neurox_lite.descriptions.neuron_description import SENTENCE
from neurox_lite.descriptions.score_intervals import average_precision
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.showing import short_repr


@dataclass(frozen=True, eq=False)
class BothHalves:
    """What exemplars of one half of the sentences say of neurons, and those of the other half.

    Attributes
    ----------
    halves : pair of Half
        That in which descriptors are found, and the other.
    rows : pair of (n_rows,) int arrays
        From which rows each half takes its activations: its own, or shuffled ones.
    enriched : pair of EnrichedHalf
    share : float
        Of words, or sentences, that are active.
    """

    halves: tuple[Half, Half]
    rows: tuple[np.ndarray, np.ndarray]
    enriched: tuple[EnrichedHalf, EnrichedHalf]
    share: float

    __repr__ = short_repr

    @property
    def exchanged(self) -> BothHalves:
        """With each half in the place of the other."""
        return BothHalves(self.halves[::-1], self.rows[::-1], self.enriched[::-1], self.share)

    def those_that_hold(
        self, number: int, activations: np.ndarray
    ) -> list[tuple[Enriched, Examples]]:
        """Descriptors of a set of exemplars that hold in the other half, with what they say of it.

        Exemplars of the other half have them more often, too, and they find its active words, or
        sentences, better than chance: AUPRC is above the density. ``activations`` are those of all
        rows, (n_rows,).
        """
        first, second = self.enriched
        values = tuple(activations[rows] for rows in self.rows)
        found = (one for one in first.found[number] if second.replicates(number, one))
        each = ((one, _examples(one, self.share, values, self.halves)) for one in found)
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
