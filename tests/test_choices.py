"""A name that is none of those it can be: what is said."""

import re

import pytest

import neurox_lite as nx
from neurox_lite.choices import did_you_mean, listed, unknown_choice
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.neurons import NeuronSpace
from neurox_lite.ranking.methods import rank
from neurox_lite.results.ranking import NeuronRanking

CORPUS = nx.TaggedCorpus(
    sentences=(("a", "dog"),), tags={"upos": (("DET", "NOUN"),), "Number": (("_", "Sing"),)}
)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("probles", "probeless"),
        ("PROBELESS", "probeless"),
        ("linguistic_correlation", "linguistic-correlation"),
        ("gausian", "gaussian"),
        ("best", None),
        (None, None),
        (3, None),
    ],
)
def test_close_names(given, meant):
    hint = did_you_mean(given, ("linguistic-correlation", "probeless", "gaussian"))
    said = f"; did you mean '{meant}'? See docs/troubleshooting.md"
    assert hint == ("" if meant is None else said)


def test_message():
    error = unknown_choice("site", "mpl", ("mlp", "hidden_states"))
    assert str(error) == (
        "unknown site 'mpl'; use mlp or hidden_states; did you mean 'mlp'? "
        "See docs/troubleshooting.md"
    )
    error = unknown_choice("positions", "x\n", ("all", "last"), "or a number")
    assert str(error) == "unknown positions 'x\\n'; use all, last or a number"


def test_long_lists_are_cut():
    assert listed(range(3)) == "0, 1, 2"
    assert listed(range(100)).endswith("18, 19, ... (100 in all)")


def ranking():
    import numpy as np

    return NeuronRanking.from_scores(
        NeuronSpace.of_array(2),
        np.ones(2),
        "m",
        classes=("NOUN", "VERB"),
        class_scores=np.ones((2, 2)),
    )


@pytest.mark.parametrize(
    ("act", "meant"),
    [
        (lambda: CORPUS.labels("upso"), "upos"),
        (lambda: CORPUS.labels("number"), "Number"),
        (lambda: CORPUS.against_rest("upos", "NUON"), "NOUN"),
        (lambda: ranking().for_class("noun"), "NOUN"),
        (lambda: rank("probles", None), "probeless"),
        (lambda: ExtractOptions(site="hidden_state"), "hidden_states"),
        (lambda: ExtractOptions(aggregation="avrage"), "average"),
        (lambda: ExtractOptions(dtype="bfloat61"), "bfloat16"),
        (lambda: MethodTable.from_values({"m": {"seconds": [1]}}).column("secnds"), "seconds"),
        (lambda: nx.read_corpus("x.conllu", format="colums"), "columns"),
        (lambda: nx.convert("a.h5", "b.h5", to="nuerox"), "neurox"),
    ],
)  # fmt: skip
def test_wherever_a_name_is_chosen(act, meant):
    with pytest.raises(nx.InputError, match=re.escape(f"did you mean '{meant}'?")):
        act()
