"""Is what is encoded used? Every neuron's place by a probe of number, and what replacing it does.

One probe tells the number of the word that is read, another that of the subject before the verb.

`python -m tests.benchmarks.encoded_used` prints the table of
docs/results/encoded-used.md and draws its figure.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
# As the commands do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from scipy.stats import spearmanr

import neurox_lite as nx
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.figures import save_figure
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel
from neurox_lite.report.encoded_used import plot_encoded_used
from neurox_lite.report.markdown import table
from tests.benchmarks.mask_table import number_pairs

SITES = {"lstm-0": "lstm_cell", "lstm-1": "lstm_cell", "lstm-2": "lstm_cell", "gpt2": "mlp"}
LARGE = 1.0
"""An effect, in nats of log odds, that is called large."""


def agreement(encoded: nx.NeuronRanking, used: nx.NeuronRanking) -> str:
    """Rank correlation of what neurons encode with their effects."""
    known = ~np.isnan(used.scores)
    return f"{spearmanr(-encoded.tied_ranks[known], used.scores[known]).statistic:.2f}"


def number_ranking(model: str, site: str, folder: Path) -> tuple[nx.NeuronRanking, float]:
    """Neurons by a probe of the tag Number on the embedded corpus, and its test accuracy."""
    corpora = {
        split: nx.embedded_path(f"corpora/english-{split}.conllu.gz")
        for split in ("train", "dev", "test")
    }
    corpus = nx.read_splits(corpora)
    path = nx.embedded_path(f"models/{model}")
    store = nx.extract(path, corpus, folder / f"{model}.h5", site=site)
    data = nx.labelled_splits(store, corpus, "Number")
    probe = nx.ElasticNetProbe().fit(data.train.X, data.train.y)
    return nx.ranking.linguistic_correlation(probe), probe.score(data.test.X, data.test.y)


def subject_ranking(
    loaded: LoadedModel, pairs: Sequence[MinimalPair], site: str
) -> tuple[nx.NeuronRanking, float]:
    """Neurons by a probe of the subject's number where the verb is chosen, and its accuracy."""
    inputs = nx.interventions.encode_pairs(loaded, pairs)
    where = nx.interventions.Location(site, positions=inputs.prediction_positions)
    runner = InterventionRunner.of_pairs(loaded, inputs, where)
    X = runner.activations().cpu().numpy()
    y = np.array([pair.condition.split("_")[0] for pair in pairs])
    order = np.random.default_rng(0).permutation(len(pairs))
    train, test = order[::2], order[1::2]
    probe = nx.ElasticNetProbe().fit(X[train], y[train])
    return nx.ranking.linguistic_correlation(probe), probe.score(X[test], y[test])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/encoded-used.png"))
    arguments = parser.parse_args()
    panels, rows = {}, []
    for model, site in SITES.items():
        loaded = nx.load_model(nx.embedded_path(f"models/{model}"), head="language")
        by_number = number_pairs()
        every = [pair for pairs in by_number.values() for pair in pairs]
        with tempfile.TemporaryDirectory() as folder:
            encoded, accuracy = number_ranking(model, site, Path(folder))
        subject, subject_accuracy = subject_ranking(loaded, every, site)
        effects = [
            nx.masking.rank_by_single_replacement(loaded, pairs, site=site, bounds_from=every)
            for pairs in by_number.values()
        ]
        used = nx.NeuronRanking.from_scores(
            effects[0].space,
            np.mean([effect.scores for effect in effects], axis=0),
            "single-replacement",
        )
        panels[model] = encoded, used
        known = ~np.isnan(used.scores)
        top = encoded.order[: round(0.05 * len(known))]
        large = np.flatnonzero(known & (used.scores >= LARGE))
        rows.append(
            [
                f"{model} {site}",
                f"{100 * accuracy:.1f} %",
                agreement(encoded, used),
                f"{100 * subject_accuracy:.1f} %",
                agreement(subject, used),
                len(large),
                int(np.isin(large, top).sum()),
                int(np.isin(large, subject.order[: len(top)]).sum()),
                f"{int((np.nan_to_num(used.scores[top]) < LARGE / 10).sum())} of {len(top)}",
                " ".join(
                    f"{neuron} ({used.scores[column]:.1f}, place {encoded.ranks[column] + 1})"
                    for neuron, column in zip(used.top(5), used.order, strict=False)
                ),
            ]
        )
    header = [
        "neurons",
        "probe of the word, test",
        "Spearman",
        "probe of the subject, test",
        "Spearman",
        f"effect of {LARGE:g} nat and more",
        "of them in the top 5 % for the word",
        "for the subject",
        f"of the top for the word, below {LARGE / 10:g} nats",
        "most effect",
    ]
    print(table(header, rows))
    save_figure(
        plot_encoded_used(panels, "replaced alone: log odds turned (nats)"), arguments.figure
    )


if __name__ == "__main__":
    main()
