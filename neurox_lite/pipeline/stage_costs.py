"""What every stage of a job of one tag and one model takes: how many fits, of which rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neurox_lite.activations.access import COLUMN_NUMBERS
from neurox_lite.descriptions.exemplars import SAMPLE_WORDS
from neurox_lite.descriptions.word_means import MOST_WORDS
from neurox_lite.evaluation.minimal_set import GROWING_SHARES
from neurox_lite.pipeline.fit_costs import (
    COLD,
    CONTROL,
    LOOSE,
    RESAMPLE,
    WARM,
    FitCosts,
    Passes,
)
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.stages import FEWER_TWIN_WORDS, TWIN_WORDS
from neurox_lite.pipeline.workspace import LOOKED_AT
from neurox_lite.probing.learning_curve import TRAINING_SHARES
from neurox_lite.probing.online_code import BLOCK_ENDS
from neurox_lite.probing.search import PENALTIES
from neurox_lite.probing.side_by_side import COLUMN_BYTES, REFIT_TOL, SMALL, problems_at_once
from neurox_lite.showing import short_repr

EXPECTED_SHARE = 0.15
"""Of a ranking, that a minimal set is expected to need."""

N_RESAMPLES, N_CURVES, N_SETS = 20, 3, 3
LOCALISED_ROWS = 10_000

DESCRIBED_BYTES = 3000
"""Of a word, its concepts and sentences."""

PAGE_BYTES, NEURON_BYTES, MOST_NEURONS = 120_000, 1400, 5000
"""Of a report: without neurons, each of them, and how many it shows."""

TOKENS_SECONDS, TOKENS_BYTES = 2e-3, 800
"""Of a neuron, for a vocabulary of 50,000 and a width of 768."""

EXEMPLAR_SECONDS, EXEMPLAR_BYTES = 3e-8, 2700
"""For each activation, and for each neuron."""

TWIN_SECONDS, PAIR_SECONDS = 2e-8, 1e-7
"""To standardise an activation, and to find the strongest of so many pairs of neurons."""

TEXT_BYTES = 22
"""Of a number in a file of text."""


@dataclass(frozen=True)
class StageCost:
    """Seconds, bytes that are written, and bytes of memory beside the process and held rows."""

    seconds: float
    disk: int = 0
    memory: int = 0


def report_cost(*n_neurons: int) -> StageCost:
    """Of a report of models with so many neurons each."""
    n_shown = sum(min(each, MOST_NEURONS) for each in n_neurons)
    return StageCost(1 + 2e-3 * n_shown, PAGE_BYTES + NEURON_BYTES * n_shown)


@dataclass(frozen=True)
class StageCosts:
    """Costs of the stages of a job.

    Attributes
    ----------
    job : Job
    fits : FitCosts
    n_train, n_dev, n_test : int
        Words that are used.
    n_neurons, n_layers : int
    """

    job: Job
    fits: FitCosts
    n_train: int
    n_dev: int
    n_test: int
    n_neurons: int
    n_layers: int

    __repr__ = short_repr

    @property
    def held_bytes(self) -> int:
        """Of the training rows, which are in memory from the stage on that uses them often."""
        fits, size = self.fits, (self.n_train, self.n_neurons)
        return self.n_train * self.n_neurons * fits.itemsize if fits.is_held(*size) else 0

    def of(self, stage: str) -> StageCost:
        """What a stage takes; of one that is not known, a second."""
        found: dict[str, Callable[[], StageCost]] = {
            "search": self._search,
            "probe": self._probe,
            "control": self._control,
            "rank": lambda: StageCost(1, 2 * self._weights_bytes),
            "minimal set": lambda: self._minimal(1),
            "redundancy": lambda: self._minimal(N_SETS),
            "ablate": self._ablate,
            "layers": self._layers,
            "online code": self._online_code,
            "learning curve": self._learning_curve,
            "rank intervals": self._rank_intervals,
            "describe": self._describe,
            "exemplars": self._exemplars,
            "twins": self.twins,
            "tokens": self._tokens,
            "localisation": self._localisation,
            "summary": lambda: StageCost(1, 1 << 20),
            "report": lambda: report_cost(self.n_neurons),
        }
        return found[stage]() if stage in found else StageCost(1)

    @property
    def _weights_bytes(self) -> int:
        return TEXT_BYTES * self.n_neurons * self.fits.n_outputs

    @property
    def _cold(self) -> dict[bool, Passes]:
        return LOOSE if self.job.probe.tol >= REFIT_TOL else COLD

    def _reads(self, n_rows: int) -> float:
        """Seconds to read rows once."""
        return n_rows * self.n_neurons * self.fits.itemsize * self.fits.speed.read

    def _whole(self, passes: dict[bool, Passes], n_problems: int = 1) -> StageCost:
        """A fit of all rows and neurons; of several side by side, one of them."""
        size = self.n_train, self.n_neurons
        return StageCost(
            self.fits.seconds(*size, passes), memory=self.fits.memory(*size, n_problems)
        )

    def _refit(self, n_neurons: int, n_copies: int = 1) -> StageCost:
        """Of some of the neurons, of whose activations there are copies."""
        n_neurons = max(1, n_neurons)
        is_copied = 4 * self.n_train * n_neurons <= COLUMN_BYTES and n_neurons < self.n_neurons
        if not is_copied:  # the neurons that are left out have no weight, but are multiplied
            whole = self._whole(WARM, self._together)
            share = 1.0 if n_neurons >= SMALL * self.n_neurons else SMALL
            return StageCost(share * whole.seconds, memory=whole.memory)
        seconds = self.fits.seconds(self.n_train, n_neurons, WARM, held=True)
        memory = self.fits.memory(self.n_train, n_neurons)
        copies = min(COLUMN_BYTES, n_copies * 4 * self.n_train * n_neurons)
        return StageCost(seconds, memory=memory + copies)

    @property
    def _together(self) -> int:
        return problems_at_once(self.n_train, self.fits.n_outputs)

    def _search(self) -> StageCost:
        n = len(PENALTIES)
        one = self._whole(LOOSE, n)
        return StageCost(1.3 * n * one.seconds, 4096, one.memory)

    def _probe(self) -> StageCost:
        fit = self._whole(self._cold)
        seconds = fit.seconds + self._reads(self.n_train + self.n_dev + self.n_test)
        weights = 4 * self.n_neurons * self.fits.n_outputs + 17 * self.n_neurons
        outputs = 24 * self.n_train * self.fits.n_outputs
        return StageCost(seconds, weights + 8192, max(fit.memory, outputs))

    def _control(self) -> StageCost:
        one = self._whole(CONTROL)
        return StageCost((3 if self.job.study else 1) * one.seconds, 2048, one.memory)

    def _minimal(self, n_sets: int) -> StageCost:
        shares = [share for share in GROWING_SHARES if share <= EXPECTED_SHARE]
        each = [self._refit(round(share * self.n_neurons)) for share in shares]
        seconds = sum(one.seconds + self._one_by_one for one in each)
        left = self._refit(round((1 - EXPECTED_SHARE) * self.n_neurons))
        memory = max(one.memory for one in (*each, *([left] if n_sets > 1 else [])))
        seconds = n_sets * seconds + (n_sets - 1) * left.seconds
        return StageCost(seconds, n_sets * 8192, memory)

    @property
    def _one_by_one(self) -> float:
        """Seconds to prepare a refit: moments, columns, and the score on dev."""
        return self._reads(2 * self.n_train + self.n_dev)

    def _ablate(self) -> StageCost:
        options = self.job.ablate
        seconds, memory = self._reads(2 * self.n_test), self.fits.block_bytes(self.n_neurons)
        if options.retrain:
            seconds += self._one_by_one
            for share in options.shares:
                # Columns that are read together, and a copy for each core.
                kept = self._refit(round(share * self.n_neurons), 3)
                others = self._refit(round((1 - share) * self.n_neurons), 3)
                seconds += (2 + options.n_random) * kept.seconds + others.seconds
                memory = max(memory, kept.memory, others.memory)
        return StageCost(seconds, 32768, memory)

    def _layers(self) -> StageCost:
        seconds, memory = 0.0, 0
        for layer in range(1, self.n_layers + 1):
            for n_layers in (1, layer):
                size = self.n_train, round(n_layers * self.n_neurons / self.n_layers)
                held = self.held_bytes > 0 or None
                seconds += self.fits.seconds(*size, self._cold, held=held)
                # Of an array the columns are read where they are.
                is_copied = self.fits.is_held(*size) and not self.held_bytes
                copied = self.fits.itemsize * size[0] * size[1] if is_copied else 0
                memory = max(memory, self.fits.memory(*size) + copied)
        return StageCost(seconds, 4096, memory)

    def _growing(self, shares: list[float]) -> StageCost:
        seconds, memory = 0.0, 0
        for share in shares:
            size = max(1, round(share * self.n_train)), self.n_neurons
            passes = self._cold
            seconds += self.fits.seconds(*size, passes, held=self.held_bytes > 0 or None)
            copied = self.fits.itemsize * size[0] * size[1]
            copied = copied if self.held_bytes or self.fits.is_held(*size) else 0
            memory = max(memory, self.fits.memory(*size) + copied)
        return StageCost(seconds, 8192, memory)

    def _online_code(self) -> StageCost:
        return self._growing(list(BLOCK_ENDS[:-1]))

    def _learning_curve(self) -> StageCost:
        found = self._growing(N_CURVES * list(TRAINING_SHARES[:-1]))
        last = self._whole(WARM)
        scores = self._reads(self.n_test) * N_CURVES * len(TRAINING_SHARES)
        memory = max(found.memory, last.memory)
        return StageCost(found.seconds + last.seconds + scores, found.disk, memory)

    def _rank_intervals(self) -> StageCost:
        one = self._whole(RESAMPLE, self._together)
        seconds = N_RESAMPLES * (one.seconds + self._reads(self.n_train) / self._together)
        return StageCost(seconds, 8 * N_RESAMPLES * self.n_neurons, one.memory)

    def _describe(self) -> StageCost:
        n_words = self._n_words
        seconds = 10 + 2 * self._reads(n_words) / self.n_layers + n_words * 2e-4
        memory = self.fits.block_bytes(self.n_neurons) + DESCRIBED_BYTES * n_words
        return StageCost(seconds, 4 << 20, memory)

    def _exemplars(self) -> StageCost:
        n_words, n_kept = self._n_words, min(self.n_neurons, LOOKED_AT)
        width = -(-n_kept // self.n_layers)
        seconds = 0.3 + 2 * self._reads(n_words) + EXEMPLAR_SECONDS * n_words * n_kept
        # Of two layers: means of word forms, and the sample.
        n_forms = min(MOST_WORDS, n_words // 5)
        memory = 2 * (16 * n_forms + 3 * 8 * min(SAMPLE_WORDS, n_words)) * width
        memory += 2 * self.fits.block_bytes(-(-self.n_neurons // self.n_layers))
        memory += 2 * EXEMPLAR_BYTES * n_kept
        return StageCost(seconds, EXEMPLAR_BYTES * n_kept + 12 * n_words, memory)

    def twins(self, n_others: int | None = None) -> StageCost:
        """In the same model, or in another one of so many neurons."""
        n_others = self.n_neurons if n_others is None else n_others
        n_kept = min(self.n_neurons, LOOKED_AT)
        most = TWIN_WORDS if n_kept == self.n_neurons else FEWER_TWIN_WORDS
        n_words = min(most, self._n_words)
        numbers = n_words * n_others
        seconds = self._reads(n_words) + TWIN_SECONDS * (numbers + n_words * n_kept)
        seconds += PAIR_SECONDS * n_others * n_kept
        # A pass of a fit multiplies twice.
        seconds += numbers * n_kept * self.fits.speed.exact[0] / 2
        block = 4 * min(COLUMN_NUMBERS, numbers)
        memory = 4 * n_words * n_kept + 3 * block + 60 * n_kept * min(1024, n_others)
        return StageCost(seconds, 200 * n_kept, memory)

    def _tokens(self) -> StageCost:
        n_kept = min(self.n_neurons, LOOKED_AT)
        return StageCost(3 + TOKENS_SECONDS * n_kept, TOKENS_BYTES * n_kept)

    @property
    def _n_words(self) -> int:
        return self.n_train + self.n_dev + self.n_test

    def _localisation(self) -> StageCost:
        n_rows = min(self.n_train, LOCALISED_ROWS)
        size = n_rows, self.n_neurons
        few = round(0.05 * self.n_neurons) or 1
        one = self.fits.seconds(*size, RESAMPLE, held=True)
        one += 4 * self.fits.seconds(n_rows, few, WARM, held=True)
        cold = self.fits.seconds(*size, self._cold, held=True)
        rows = 3 * n_rows * self.n_neurons * self.fits.itemsize
        return StageCost(cold + N_RESAMPLES * one, 16384, self.fits.memory(*size) + rows)
