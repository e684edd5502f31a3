"""neurox-lite ablate: how much of a property do the top neurons hold?"""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import (
    Corpus,
    Debug,
    Format,
    Json,
    Labels,
    Match,
    Seed,
    by_split,
    numbers,
    show,
)


def command(
    ranking: Annotated[
        list[str], typer.Option("--ranking", help="A ranking from 'rank'; give several to compare.")
    ],
    store: Annotated[str, typer.Option("--store", help="Activations, from 'extract'.")],
    corpus: Corpus,
    tag: Annotated[str, typer.Option("--tag", help="Layer of labels, as upos or Number.")],
    out: Annotated[str, typer.Option("--out", help="Folder for ablation.json and ablation.png.")],
    probe: Annotated[
        str | None, typer.Option("--probe", help="A probe from 'probe'; else one is fitted.")
    ] = None,
    labels: Labels = None,
    format: Format = None,
    match: Match = None,
    shares: Annotated[
        str, typer.Option("--shares", help="Shares of all neurons.")
    ] = "0.01,0.02,0.05,0.1,0.2,0.5",
    replacement: Annotated[
        str, typer.Option("--replacement", help="What the frozen probe sees: zero or mean.")
    ] = "zero",
    retrain: Annotated[bool, typer.Option(help="Also retrain the probe on kept neurons.")] = True,
    n_random: Annotated[int, typer.Option("--n-random", help="Random sets per share.")] = 5,
    min_count: Annotated[
        int | None,
        typer.Option("--min-count", help="Leave out classes with fewer training words."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the curves.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure test accuracy with the top, bottom, all but the top, and random neurons.

    Example: neurox-lite ablate --ranking ranking.json --store bert.h5 --corpus my.conllu --tag upos
    --probe probe --out ablation
    """
    from pathlib import Path

    from neurox_lite.activations.labelled import labelled_splits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.reading import read_splits
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.files import refuse_existing
    from neurox_lite.plotting.saving import save_figure
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.results import NeuronRanking

    refuse_existing(Path(out) / "ablation.json", overwrite)
    rankings = [NeuronRanking.load(path) for path in ranking]
    read = read_splits(
        by_split(corpus), format=format, labels=by_split(labels), match=match, seed=seed
    )
    with ActivationStore(store) as opened:
        layers = list(rankings[0].space.layers)
        for path, loaded in zip(ranking, rankings, strict=True):
            if loaded.space != opened.matrix(layers).space:
                raise InputError(f"{path}: ranks other neurons than those of {store}")
        splits = labelled_splits(opened, read, tag, layers=layers, min_count=min_count)
        fitted = (
            ElasticNetProbe().fit(splits.train.X, splits.train.y)
            if probe is None
            else ElasticNetProbe.load(probe)
        )
        curves = ablate(
            rankings,
            splits.train.X,
            splits.train.y,
            probe=fitted,
            X_test=splits.test.X,
            y_test=splits.test.y,
            shares=numbers(shares),
            replacement=replacement,
            retrain=retrain,
            n_random=n_random,
            seed=seed,
        )
    curves.save(Path(out) / "ablation.json")
    save_figure(curves.plot(), Path(out) / "ablation.png")
    areas = {
        f"{curve.method} ({'retrained' if curve.retrained else 'frozen'})": curve.area_above_random
        for curve in curves.curves
    }
    show({"curves": out, "accuracy of top above random": areas}, as_json)
