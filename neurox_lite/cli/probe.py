"""neurox-lite probe: fit an elastic-net probe on a store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from neurox_lite.cli.output import (
    EXIT_DOES_NOT_HOLD,
    L1,
    L2,
    Corpus,
    Debug,
    Disjoint,
    Format,
    Json,
    Labels,
    Layers,
    Match,
    MaxFrequency,
    MinCount,
    MinFrequency,
    Seed,
    Store,
    Tag,
    Words,
    WordsFrom,
    by_split,
    integers,
    show,
)


def command(
    store: Store,
    corpus: Corpus,
    tag: Tag,
    out: Annotated[str, typer.Option("--out", help="Folder for the probe.")],
    labels: Labels = None,
    format: Format = None,
    match: Match = None,
    layers: Layers = None,
    l1: L1 = 1e-3,
    l2: L2 = 1e-3,
    standardize: Annotated[
        bool, typer.Option(help="Scale neurons to mean 0, variance 1; the papers do not.")
    ] = True,
    tol: Annotated[float, typer.Option("--tol", help="Relative duality gap to reach.")] = 1e-4,
    max_iter: Annotated[int, typer.Option("--max-iter", help="Passes over the data.")] = 2000,
    min_count: MinCount = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    class_weight: Annotated[
        str | None,
        typer.Option("--class-weight", metavar="balanced", help="Let all classes count the same."),
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

    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.corpora.reading import read_splits
    from neurox_lite.corpora.word_selection import WordSelection
    from neurox_lite.files import refuse_existing, refuse_file, write_json
    from neurox_lite.probing.evaluation import evaluate_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.selectivity import selectivity

    refuse_file(out)
    refuse_existing(Path(out) / "probe.json", overwrite)
    selection = WordSelection(words, words_from, min_frequency, max_frequency, disjoint)
    read = read_splits(
        by_split(corpus), format=format, labels=by_split(labels), match=match, seed=seed
    )
    with ActivationStore(store) as opened:
        splits = chosen_splits(
            opened, read, tag, selection, layers=integers(layers), min_count=min_count, seed=seed
        )
        probe = ElasticNetProbe(
            l1,
            l2,
            standardize=standardize,
            tol=tol,
            max_iter=max_iter,
            class_weight=class_weight,
        )
        probe.fit(splits.train.X, splits.train.y)
        evaluation = evaluate_probe(probe, splits)
        selective = {}
        if control:
            tokens = opened.tokens()
            word_of_row = [tokens[row] for row in opened.word_rows]
            found = selectivity(probe, splits.train, splits.test, word_of_row, seed=seed)
            selective = {**asdict(found), "selectivity": found.selectivity}
    probe.save(out)
    write_json(Path(out) / "evaluation.json", evaluation)
    (Path(out) / "control.json").unlink(missing_ok=True)
    if control:
        write_json(Path(out) / "control.json", selective)
    show({"probe": out, **evaluation, **selective, "per_class": "evaluation.json"}, as_json)
    if not (probe.certificate_.converged and selective.get("control_converged", True)):
        raise typer.Exit(EXIT_DOES_NOT_HOLD)
