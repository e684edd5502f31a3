"""How often intervals hold the true accuracy: corpora drawn from a distribution that is known.

`python -m tests.benchmarks.intervals` prints the table of docs/methods/intervals.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from scipy.stats import binom

from neurox_lite.intervals import Interval, accuracy_interval

ACCURACIES = (0.5, 0.8, 0.95, 0.99)
N_CORPORA = 400
Corpus = tuple[np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator, float], Corpus]


def drawn(
    rng: np.random.Generator,
    accuracy: float,
    *,
    n_sentences: int,
    lengths: str,
    correlation: float,
    shape: str = "beta",
) -> Corpus:
    """Whether each word is right, and its sentence; words of a sentence are right together.

    A sentence has a probability of its own, whose variance is the correlation times that of a word:
    of a beta distribution, or one of two values, the lower one rare.
    """
    size = {
        "1": np.ones(n_sentences, dtype=int),
        "15": np.full(n_sentences, 15),
        "1 to 80": np.minimum(rng.geometric(1 / 15, n_sentences), 80),
    }[lengths]
    if correlation == 0:
        chance = np.full(n_sentences, accuracy)
    elif shape == "beta":
        total = (1 - correlation) / correlation
        chance = rng.beta(accuracy * total, (1 - accuracy) * total, n_sentences)
    else:
        high = 1 - (1 - accuracy) * (1 - correlation) / 2
        low = accuracy - correlation * accuracy * (1 - accuracy) / (high - accuracy)
        is_low = rng.random(n_sentences) < (high - accuracy) / (high - low)
        chance = np.where(is_low, low, high)
    sentences = np.repeat(np.arange(n_sentences), size)
    return rng.random(len(sentences)) < chance[sentences], sentences


def coverage(
    draw: Draw,
    accuracy: float,
    *,
    n_corpora: int = N_CORPORA,
    seed: int = 0,
    interval: Callable[..., Interval] = accuracy_interval,
) -> tuple[float, float]:
    """How often the interval of a corpus holds the accuracy, and how wide it is on average."""
    rng = np.random.default_rng(seed)
    found = [interval(*draw(rng, accuracy)) for _ in range(n_corpora)]
    holds = [each.low <= accuracy <= each.high for each in found]
    return float(np.mean(holds)), float(np.mean([each.high - each.low for each in found]))


def cases() -> Iterator[tuple[Sequence[str], Draw]]:
    """Names of a row, and how its corpora are drawn."""
    for lengths, correlation, shape in (
        ("1", 0.0, "beta"),
        ("15", 0.05, "beta"),
        ("15", 0.3, "beta"),
        ("15", 0.8, "beta"),
        ("1 to 80", 0.05, "beta"),
        ("1 to 80", 0.3, "beta"),
        ("1 to 80", 0.8, "beta"),
        ("1 to 80", 0.3, "two values"),
    ):
        for n_sentences in (5, 12, 40, 200):
            how = {"n_sentences": n_sentences, "lengths": lengths, "shape": shape}
            yield (
                (lengths, f"{correlation:g}", shape, str(n_sentences)),
                partial(drawn, correlation=correlation, **how),
            )


def attainable(n_sentences: int, accuracy: float) -> tuple[float, float]:
    """Coverages nearest to 0.95 that any interval can have, below it and above.

    Of sentences of one word. What an interval holds depends on the number of right words alone,
    whatever its construction, so that its coverage is the sum of the probabilities of the numbers
    for which it holds the accuracy: one of the sums over all subsets, less those of no account.
    """
    chances = binom.pmf(np.arange(n_sentences + 1), n_sentences, accuracy)
    sums = np.zeros(1)
    for chance in chances[chances > 1e-4]:
        sums = np.unique(np.concatenate([sums, sums + chance]).round(6))
    return float(sums[sums <= 0.95].max()), float(sums[sums >= 0.95].min())


def main() -> None:
    """Print a row per case: coverage, and mean width, at each accuracy; then what is attainable."""
    header = ["words", "correlation", "chances", "sentences", *map(str, ACCURACIES), "all right"]
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for names, draw in cases():
        cells = []
        for accuracy in ACCURACIES:
            holds, width = coverage(draw, accuracy)
            cells.append(f"{holds:.2f} ({width:.2f})")
        _, sentences = draw(np.random.default_rng(0), 0.5)
        low = accuracy_interval(np.ones(len(sentences), dtype=bool), sentences).low
        print("| " + " | ".join([*names, *cells, f"{low:.2f} to 1"]) + " |", flush=True)
    print(
        "\n| sentences of one word | accuracy | attainable below 0.95 | above |\n|---|---|---|---|"
    )
    for n_sentences in (5, 12, 40):
        for accuracy in ACCURACIES[2:]:
            below, above = attainable(n_sentences, accuracy)
            print(f"| {n_sentences} | {accuracy} | {below:.3f} | {above:.3f} |")


if __name__ == "__main__":
    main()
