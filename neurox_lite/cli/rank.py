"""neurox-lite rank: order all neurons by a method."""

from __future__ import annotations

from typing import Annotated

import typer

from neurox_lite.cli.output import (
    EXIT_DOES_NOT_HOLD,
    L1,
    L2,
    Debug,
    Disjoint,
    Format,
    Json,
    Label,
    Labels,
    Layers,
    Match,
    MaxFrequency,
    MinCount,
    MinFrequency,
    Seed,
    Store,
    Words,
    WordsFrom,
    by_split,
    integers,
    refuse_given,
    show,
)

METHODS = ("linguistic-correlation", "random")
TO_FIT_A_PROBE = (
    "corpus",
    "tag",
    "label",
    "labels",
    "format",
    "match",
    "l1",
    "l2",
    "min_count",
    "words",
    "words_from",
    "min_frequency",
    "max_frequency",
    "disjoint",
)


def command(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="linguistic-correlation or random.")],
    store: Store,
    out: Annotated[str, typer.Option("--out", help="The ranking to write, .json or .csv.")],
    probe: Annotated[
        str | None, typer.Option("--probe", help="A probe from 'probe'; else one is fitted.")
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="FILE|SPLIT=FILE", help="To fit a probe; see 'probe'."),
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="To fit a probe; see 'probe'.")] = None,
    label: Label = None,
    labels: Labels = None,
    format: Format = None,
    match: Match = None,
    layers: Layers = None,
    l1: L1 = 1e-3,
    l2: L2 = 1e-3,
    min_count: MinCount = None,
    words: Words = None,
    words_from: WordsFrom = None,
    min_frequency: MinFrequency = 0,
    max_frequency: MaxFrequency = None,
    disjoint: Disjoint = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the ranking.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank all neurons of a store, most important first.

    Example: neurox-lite rank linguistic-correlation --store bert.h5 --probe probe --out rank.json

    Example: neurox-lite rank linguistic-correlation --store bert.h5 --corpus my.conllu --tag upos
    --out ranking.json
    """
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.cli.labelled import chosen_splits
    from neurox_lite.corpora.reading import read_splits
    from neurox_lite.corpora.word_selection import WordSelection
    from neurox_lite.errors import InputError
    from neurox_lite.files import refuse_existing
    from neurox_lite.probing.loading import load_probe
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.ranking import linguistic_correlation, random_ranking

    refuse_existing(out, overwrite)
    if method == "random":
        refuse_given(context, ("probe", *TO_FIT_A_PROBE), "random, which fits no probe,")
    if probe is not None:
        refuse_given(context, ("layers", *TO_FIT_A_PROBE), "a fitted --probe")
    selection = WordSelection(words, words_from, min_frequency, max_frequency, disjoint)
    converged = True
    with ActivationStore(store) as opened:
        if method == "random":
            chosen = integers(layers)
            ranking = random_ranking(opened.matrix(chosen).space, seed)
        elif method == "linguistic-correlation":
            if probe is not None:
                fitted = load_probe(probe)
                if fitted.space_ != opened.matrix(list(fitted.space_.layers)).space:
                    raise InputError(f"{probe}: fitted on other neurons than those of {store}")
            elif corpus and tag:
                read = read_splits(
                    by_split(corpus), format=format, labels=by_split(labels), match=match, seed=seed
                )
                splits = chosen_splits(
                    opened,
                    read,
                    tag,
                    selection,
                    label=label,
                    layers=integers(layers),
                    min_count=min_count,
                    seed=seed,
                )
                fitted = ElasticNetProbe(l1, l2).fit(splits.train.X, splits.train.y)
            else:
                raise InputError("linguistic-correlation needs --probe, or --corpus and --tag")
            ranking = linguistic_correlation(fitted)
            converged = fitted.certificate_.converged
        else:
            raise InputError(f"unknown method '{method}'; use {' or '.join(METHODS)}")
    ranking.save(out)
    show(
        {
            "ranking": out,
            "method": method,
            "neurons": ranking.space.n_neurons,
            "top": [str(neuron) for neuron in ranking.top(min(10, ranking.space.n_neurons))],
        },
        as_json,
    )
    if not converged:
        raise typer.Exit(EXIT_DOES_NOT_HOLD)
