"""neurox-lite probe: fit an elastic-net probe on a store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from neurox_lite.cli.output import (
    EXIT_DOES_NOT_HOLD,
    Corpus,
    Debug,
    Format,
    Json,
    Labels,
    Match,
    Seed,
    by_split,
    integers,
    show,
)


def command(
    store: Annotated[str, typer.Option("--store", help="Activations, from 'extract'.")],
    corpus: Corpus,
    tag: Annotated[str, typer.Option("--tag", help="Layer of labels, as upos or Number.")],
    out: Annotated[str, typer.Option("--out", help="Folder for the probe.")],
    labels: Labels = None,
    format: Format = None,
    match: Match = None,
    layers: Annotated[str | None, typer.Option("--layers", help="As 0,4; all by default.")] = None,
    l1: Annotated[float, typer.Option("--l1", help="L1 penalty.")] = 1e-3,
    l2: Annotated[float, typer.Option("--l2", help="L2 penalty.")] = 1e-3,
    standardize: Annotated[
        bool, typer.Option(help="Scale neurons to mean 0, variance 1; the papers do not.")
    ] = True,
    tol: Annotated[float, typer.Option("--tol", help="Relative duality gap to reach.")] = 1e-4,
    max_iter: Annotated[int, typer.Option("--max-iter", help="Passes over the data.")] = 2000,
    min_count: Annotated[
        int | None,
        typer.Option("--min-count", help="Leave out classes with fewer training words."),
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Also fit the control task and give selectivity.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the probe.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Fit a probe: which label does a word have, given its activations?

    Example: neurox-lite probe --store bert.h5 --corpus my.conllu --tag upos --out probe
    """
    from pathlib import Path

    from neurox_lite.activations.labelled import labelled_splits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.reading import read_splits
    from neurox_lite.files import refuse_existing, write_json
    from neurox_lite.probing.evaluation import evaluate_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.selectivity import selectivity

    refuse_existing(Path(out) / "probe.json", overwrite)
    read = read_splits(
        by_split(corpus), format=format, labels=by_split(labels), match=match, seed=seed
    )
    with ActivationStore(store) as opened:
        splits = labelled_splits(opened, read, tag, layers=integers(layers), min_count=min_count)
        probe = ElasticNetProbe(l1, l2, standardize=standardize, tol=tol, max_iter=max_iter)
        probe.fit(splits.train.X, splits.train.y)
        probe.save(out)
        evaluation = evaluate_probe(probe, splits)
        write_json(Path(out) / "evaluation.json", evaluation)
        result = {k: v for k, v in evaluation.items() if k not in ("per_class", "certificate")}
        if control:
            found = selectivity(probe, splits.train, splits.test, read.words(), seed=seed)
            content = {**asdict(found), "selectivity": found.selectivity}
            write_json(Path(out) / "control.json", content)
            result.update(content)
    result.update({"probe": out, **evaluation["certificate"]})
    show(result, as_json)
    if not probe.certificate_.converged:
        raise typer.Exit(EXIT_DOES_NOT_HOLD)
