"""What `ablate --store` measures: what a probe predicts from the activations that are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from neurox_lite.cli.output import REGRESSION, by_split, refuse_given

if TYPE_CHECKING:
    from neurox_lite.results import AblationCurves, NeuronRanking


def ablate_activations(
    context: typer.Context,
    rankings: Mapping[str, NeuronRanking],
    options: Mapping[str, Any],
    *,
    store: str,
    corpus: list[str],
    tag: str,
    probe: str | None,
    label: str | None,
    labels: list[str] | None,
    format: str | None,
    match: str | None,
    retrain: bool,
    min_count: int | None,
    words: tuple[str | None, str | None, int, int | None, str | None],
) -> AblationCurves:
    """The curves of rankings, by their files; with a probe that is given, or fitted here.

    Raises
    ------
    InputError
        When a ranking, the probe, the corpus and the store do not belong together.
    """
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.corpora.reading import read_splits
    from neurox_lite.corpora.word_selection import WordSelection
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.probing.loading import load_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.regression import ElasticNetRegression

    seed = options["seed"]
    fitted = None if probe is None else load_probe(probe)
    numeric = isinstance(fitted, ElasticNetRegression)
    if numeric:
        refuse_given(context, ("label", "min_count"), REGRESSION)
    selection = WordSelection(*words)
    read = read_splits(
        by_split(corpus), format=format, labels=by_split(labels), match=match, seed=seed
    )
    with ActivationStore(store) as opened:
        layers = list(next(iter(rankings.values())).space.layers)
        for path, ranking in rankings.items():
            if ranking.space != opened.matrix(layers).space:
                raise InputError(f"{path}: ranks other neurons than those of {store}")
        splits = chosen_splits(
            opened,
            read,
            tag,
            selection,
            label=label,
            layers=layers,
            min_count=min_count,
            seed=seed,
            numeric=numeric,
        )
        if fitted is None:
            fitted = ElasticNetProbe().fit(splits.train.X, splits.train.y)
        else:
            fitted.check_trained_on(splits.train.X, splits.train.y)
        return ablate(
            list(rankings.values()),
            splits.train.X,
            splits.train.y,
            probe=fitted,
            X_test=splits.test.X,
            y_test=splits.test.y,
            retrain=retrain,
            **options,
        )
