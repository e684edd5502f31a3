"""What `ablate --store` measures: what a probe predicts from the activations that are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from neurox_lite.cli.corpus_options import read_labelled, word_selection
from neurox_lite.cli.output import REGRESSION, reject_options

if TYPE_CHECKING:
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.results.ablation import AblationCurves
    from neurox_lite.results.ranking import NeuronRanking


def ablate_activations(
    context: typer.Context,
    rankings: Mapping[str, NeuronRanking],
    options: Mapping[str, Any],
    *,
    retrain: bool,
) -> tuple[AblationCurves, TaggedCorpus]:
    """The curves of rankings, by their files, and the corpus they are of.

    With a probe that is given, or fitted here.

    Raises
    ------
    InputError
        When a ranking, the probe, the corpus and the store do not belong together.
    """
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.probing.loading import load_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.regression import ElasticNetRegression

    params = context.params
    store, probe = params["store"], params["probe"]
    fitted = None if probe is None else load_probe(probe)
    numeric = isinstance(fitted, ElasticNetRegression)
    if numeric:
        reject_options(context, ("label", "min_count", "balance"), REGRESSION)
    selection = word_selection(params)
    read = read_labelled(params)
    with ActivationStore(store) as opened:
        layers = list(next(iter(rankings.values())).space.layers)
        for path, ranking in rankings.items():
            if ranking.space != opened.matrix(layers).space:
                raise InputError(f"{path}: ranks other neurons than those of {store}")
        splits = chosen_splits(
            opened,
            read,
            params["tag"],
            selection,
            layers=layers,
            numeric=numeric,
            **{name: params[name] for name in ("label", "min_count", "seed", "by_position")},
        )
        if fitted is None:
            fitted = ElasticNetProbe().fit(splits.train.X, splits.train.y)
        else:
            fitted.check_trained_on(splits.train)
        curves = ablate(
            list(rankings.values()),
            splits.train.X,
            splits.train.y,
            probe=fitted,
            X_test=splits.test.X,
            y_test=splits.test.y,
            retrain=retrain,
            **options,
        )
        return curves, read
