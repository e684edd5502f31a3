"""What fits of probes take on this machine: short passes that are timed, and how many it needs.

How many passes a fit takes was counted on MiniLM's neurons, with parts of speech and 3,000, 15,000,
60,000 and 163,000 words; other neurons, labels and penalties may take half or twice as many.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from neurox_lite.activations.access import blocks
from neurox_lite.activations.matrix import BLOCK_NUMBERS, rows_at_once
from neurox_lite.activations.moments import Moments
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.probing.fit_inputs import is_held
from neurox_lite.probing.losses import CrossEntropy
from neurox_lite.probing.objective import Problem
from neurox_lite.probing.rounded import (
    FEWEST_NUMBERS,
    MOST_NUMBERS,
    ROUNDED_BYTES,
    has_units,
)
from neurox_lite.probing.side_by_side import SCORE_COPIES
from neurox_lite.probing.solver import sample_size, solve
from neurox_lite.probing.standardized import StandardizedMatrix
from neurox_lite.showing import short_repr

TIMED_PASSES, N_TIMES = (3, 11), 4
"""Passes of two fits, of which the longer takes so much more time, and how often each is timed: the
fastest is taken, since others may work on the machine, too."""

READ_BLOCKS = 4
"""Copies that a block has at once where rows are read from the disk."""


@dataclass(frozen=True)
class Passes:
    """How many passes over its rows a fit takes.

    Attributes
    ----------
    steps : float
        On rounded rows where these are faster; of a sample, by its share.
    exact : float
        On rows as they are, from the disk if they are not held.
    """

    steps: float
    exact: float


COLD = {False: Passes(115, 5.5), True: Passes(28, 5)}
"""From zero weights to a certificate of 1e-4, on all rows (False) or on a sample of them (True)."""

LOOSE = {False: Passes(75, 4), True: Passes(22, 1)}
"""The same to 1e-3."""

CONTROL = {False: Passes(105, 5), True: Passes(26, 1)}
"""Of labels that mean nothing, to 1e-3."""

WARM = {False: Passes(50, 3.5), True: Passes(13, 1)}
"""Of some of the neurons, from the weights of a probe of all to 1e-3."""

RESAMPLE = {False: Passes(60, 4), True: Passes(10, 2)}
"""Of other weights of the rows, from the same."""


@dataclass(frozen=True)
class MachineSpeed:
    """Seconds of a pass: a part by its activations times outputs, and one by its outputs.

    Attributes
    ----------
    step, exact : (float, float)
        Seconds for each activation and output, and for each row and output, of a pass with all
        that goes with it; of steps on rounded rows, where these are faster, and of exact ones.
    read : float
        Seconds for each byte read from a store that was just written.
    """

    step: tuple[float, float]
    exact: tuple[float, float]
    read: float

    __repr__ = short_repr

    @classmethod
    def measured(cls, n_neurons: int, n_outputs: int, folder: Path) -> MachineSpeed:
        """Time some passes over made rows, and reading a store made in a temporary folder."""
        n_rows = max(64, min(8192, BLOCK_NUMBERS // n_neurons))
        few = max(1, n_neurons // 8)
        X = torch.from_numpy(np.random.default_rng(0).standard_normal((n_rows, n_neurons), "f4"))
        y = torch.arange(n_rows) % n_outputs
        found = {}
        for kind, time_of in {"step": _step, "exact": _exact}.items():
            each = [time_of(_problem(some, y, n_outputs)) for some in (X, X[:, :few].contiguous())]
            by_neuron = max(0.0, (each[0] - each[1]) / (n_neurons - few or 1))
            by_row = max(0.0, each[1] - by_neuron * few)
            if n_neurons == few:
                by_neuron, by_row = each[0] / n_neurons, 0.0
            found[kind] = by_neuron / n_rows / n_outputs, by_row / n_rows / n_outputs
        return cls(found["step"], found["exact"], _reading(X.numpy(), folder))


def _problem(X: torch.Tensor, y: torch.Tensor, n_outputs: int) -> Problem:
    mean, std = np.zeros(X.shape[1]), np.ones(X.shape[1])
    rows = StandardizedMatrix.of(X, Moments(len(X), mean, std), std, torch.empty(0))
    penalty = torch.tensor([1e-3], dtype=torch.float64)
    return Problem(rows, CrossEntropy(y[:, None], n_outputs), penalty, penalty)


def _step(problem: Problem) -> float:
    """Seconds of a pass of a fit that is not near its end."""
    short, long = (
        min(_seconds(partial(_solve, problem, n_passes)) for _ in range(N_TIMES))
        for n_passes in TIMED_PASSES
    )
    return max(0.0, long - short) / (TIMED_PASSES[1] - TIMED_PASSES[0])


def _solve(problem: Problem, n_passes: int) -> None:
    solve(problem, tol=1e-15, max_iter=n_passes, sampled=False)


def _exact(problem: Problem) -> float:
    """Seconds of the scores, the loss and the gradient."""
    W = torch.zeros(problem.X.n_neurons, *problem.loss.shape)

    def once() -> None:
        scores = problem.scores(W)
        problem.slopes(lambda rows: scores[..., rows])

    return min(_seconds(once) for _ in range(N_TIMES))


def _reading(X: np.ndarray, folder: Path) -> float:
    folder = folder.absolute()
    existing = next(one for one in (folder, *folder.parents) if one.is_dir())
    corpus = TaggedCorpus([["w"]] * len(X))
    metadata = {"model": "", "revision": "", "site": "hidden_states"}
    with tempfile.TemporaryDirectory(dir=existing, prefix=".dry-run-") as temporary:
        path = Path(temporary) / "made.h5"
        with open_writer(path, corpus, dtype="float32", metadata=metadata) as writer:
            writer.append({0: X})
            writer.finish({})
        with ActivationStore(path) as store:
            took = min(_seconds(lambda: _read(store)) for _ in range(3))
    return took / X.nbytes


def _read(store: ActivationStore) -> None:
    for _ in blocks(store.matrix()):
        pass


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class FitCosts:
    """Time and memory of fits of so many outputs.

    Attributes
    ----------
    speed : MachineSpeed
    n_outputs : int
    itemsize : int
        Bytes of an activation as it is read.
    """

    speed: MachineSpeed
    n_outputs: int
    itemsize: int

    __repr__ = short_repr

    def is_held(self, n_rows: int, n_neurons: int) -> bool:
        """Whether a matrix of a store is read into memory."""
        return is_held(n_rows, n_neurons, self.itemsize)

    def is_rounded(self, n_rows: int, n_neurons: int) -> bool:
        """Whether all rows are rounded."""
        return has_units() and FEWEST_NUMBERS <= n_rows * n_neurons <= MOST_NUMBERS

    def seconds(
        self,
        n_rows: int,
        n_neurons: int,
        passes: dict[bool, Passes],
        *,
        held: bool | None = None,
    ) -> float:
        """Of one fit.

        Parameters
        ----------
        n_rows, n_neurons : int
        passes : dict
            By whether steps are on a sample.
        held : bool, optional
            Whether the rows are in memory; by default by their size.
        """
        n_sampled = sample_size(n_rows, n_neurons)
        needed = passes[bool(n_sampled)]
        held = self.is_held(n_rows, n_neurons) if held is None else held
        numbers = n_rows * n_neurons * self.n_outputs
        step, exact = (
            by_number * numbers + by_row * n_rows * self.n_outputs
            for by_number, by_row in (self.speed.step, self.speed.exact)
        )
        is_rounded = self.is_rounded(n_rows, n_neurons)
        n_exact = needed.exact
        if not is_rounded and n_sampled:
            # Of what is counted as steps, these are a line search over all rows.
            n_exact += needed.steps / 3
        reads = 2 + (2 * n_exact if not held else 0)
        if not (held or is_rounded or n_sampled):
            reads += 2 * needed.steps
        bytes_read = n_rows * n_neurons * self.itemsize
        return needed.steps * step + n_exact * exact + reads * bytes_read * self.speed.read

    def memory(self, n_rows: int, n_neurons: int, n_problems: int = 1) -> int:
        """Bytes beside the process and, where they are held, the rows."""
        rounded = ROUNDED_BYTES if has_units() else self.itemsize
        n_sampled = sample_size(n_rows, n_neurons)
        total = n_rows * n_neurons * ROUNDED_BYTES if self.is_rounded(n_rows, n_neurons) else 0
        # A sample, and a copy of the neurons of it that move.
        total += round(1.9 * n_sampled * n_neurons * rounded)
        total += SCORE_COPIES * 4 * n_rows * self.n_outputs * n_problems
        total += 12 * 4 * n_neurons * self.n_outputs * n_problems
        return total + self.block_bytes(n_neurons)

    def block_bytes(self, n_neurons: int) -> int:
        """Of the blocks that are read and worked on at a time."""
        return READ_BLOCKS * rows_at_once(n_neurons) * n_neurons * self.itemsize
