"""Do the intervals of :func:`localisation` hold, and are equal models told apart? Planted neurons.

    python -m tests.benchmarks.localised

Corpora of 500 words in 100 sentences are drawn anew, with three classes and 40 neurons in four
layers, of which some say more or less clearly whether a word is of one class. An interval holds if
the mean over all corpora, of the same number, is in it.
"""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.evaluation.localisation import Localisation, localisation
from neurox_lite.evaluation.localisation_measures import OVERLAP
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.neurons import NeuronSpace
from neurox_lite.probing.probe import ElasticNetProbe

N, N_CORPORA = 500, 40
SPACE = NeuronSpace("planted", "mlp", (0, 1, 2, 3), (10, 10, 10, 10))
PROBE = ElasticNetProbe(3e-3, 1e-3, tol=1e-3)
MODELS = {
    "3 neurons in a layer": ([11, 13, 17], 2.5),
    "6 neurons in two layers": ([1, 5, 8, 21, 25, 28], 1.8),
    "20 neurons in four": (list(range(0, 40, 2)), 1.0),
}
"""Columns and how far their means differ."""


def planted(columns: list[int], strength: float, corpus: int, model: int) -> LabelledSplits:
    """The words of a corpus as a model has them; those of a sentence are alike."""
    y = np.random.default_rng([corpus]).integers(3, size=2 * N)
    rng = np.random.default_rng([corpus, model, 1])
    sentences = np.arange(2 * N) // 5
    X = rng.normal(size=(2 * N, 40)) + rng.normal(size=(2 * N // 5, 40))[sentences] / 2
    X[:, columns] += strength * (y[:, None] == np.arange(len(columns)) % 3)
    train, test = (
        LabelledActivations(
            X[rows].astype(np.float32), np.array(list("abc"))[y[rows]], sentences=sentences[rows]
        )
        for rows in (slice(0, N), slice(N, None))
    )
    return LabelledSplits(train, test, test, {})


def measured(name: str, corpus: int, model: int) -> Localisation:
    """One model, on a corpus."""
    from dataclasses import replace

    data = planted(*MODELS[name], corpus, model)
    found = localisation(data, "class", probe=PROBE, space=SPACE)
    return replace(found, model=f"{name} {model}")


def main() -> None:
    """Print how often intervals hold, and how often models are told apart."""
    warnings.simplefilter("ignore")
    found = {
        (name, model): [measured(name, corpus, model) for corpus in range(N_CORPORA)]
        for number, name in enumerate(MODELS)
        for model in (2 * number, 2 * number + 1)
    }
    print("| model | measure | mean | mean interval | intervals that hold it |")
    print("| --- | --- | --- | --- | --- |")
    for (name, model), results in found.items():
        if model % 2:
            continue
        for place, measure in enumerate(results[0].measures):
            if measure.name == OVERLAP:  # of 40 neurons the top 1 % is a single one
                continue
            each = [one.measures[place] for one in results]
            values = np.array([[m.value, m.low, m.high] for m in each], dtype=float)
            middle = np.log(values[:, 0]) if measure.is_count else values[:, 0]
            mean = np.exp(middle.mean()) if measure.is_count else middle.mean()
            holds = np.mean((values[:, 1] <= mean + 1e-9) & (mean - 1e-9 <= values[:, 2]))
            low, high = values[:, 1].mean(), values[:, 2].mean()
            print(
                f"| {name} | {measure.name} | {mean:.2f} | {low:.2f} to {high:.2f} | {holds:.2f} |"
            )
    print("\n| models | measure | told apart |\n| --- | --- | --- |")
    names = list(MODELS)
    pairs = [((name, 2 * i), (name, 2 * i + 1)) for i, name in enumerate(names)]
    pairs += [((a, 2 * i), (b, 2 * i + 2)) for i, (a, b) in enumerate(pairwise(names))]
    for one, other in pairs:
        clear: dict[str, list[bool]] = {}
        for first, second in zip(found[one], found[other], strict=True):
            for difference in Localisations.of([first, second]).differences():
                if difference.measure != OVERLAP:
                    clear.setdefault(difference.measure, []).append(difference.is_clear)
        for name, told in clear.items():
            models = (
                f"{one[0]}, and another of them" if one[0] == other[0] else f"{one[0]}, {other[0]}"
            )
            print(f"| {models} | {name} | {np.mean(told):.2f} |")


if __name__ == "__main__":
    main()
