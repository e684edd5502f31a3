"""Corpora, stores, splits, models and probes print as a few lines, whatever their names are."""

import ast
from pathlib import Path

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.escaping import terminal
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.showing import brief, short_repr, some, summary

LSTM = nx.embedded_path("models/lstm-0")
EVIL = "a\x1b[2J\nb\u202e"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    words = tuple(("The", "dog", "barks", EVIL) for _ in range(300))
    tags = {"tag": tuple(("D", "N", "V", EVIL) for _ in words), EVIL: words}
    corpus = nx.TaggedCorpus(words, tags, ("train", "dev", "test") * 100, source=EVIL)
    store = nx.extract(LSTM, corpus, tmp_path_factory.mktemp("s") / "store.h5", layers=[0])
    data = nx.labelled_splits(store, corpus, "tag")
    X = np.random.default_rng(0).normal(size=(60, 5))
    y = np.array(["x", EVIL] * 30)
    probe = nx.ElasticNetProbe(l1=0.01).fit(X, y)
    loaded = nx.load_model(LSTM, device="cpu", head="language")
    pairs = nx.interventions.encode_pairs(
        loaded, nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[:3]
    )
    return {
        "corpus": corpus,
        "store": store,
        "matrix": store.matrix(),
        "splits": data,
        "part": data.train,
        "space": store.space,
        "fitted probe": probe,
        "probe": nx.ElasticNetProbe(),
        "regression": nx.probing.ElasticNetRegression().fit(X, X[:, 0]),
        "model": loaded,
        "pairs": pairs,
        "task": nx.ranking.RankingTask(X, y, X, y, probe),
    }


def test_a_few_lines(shown):
    for name, thing in shown.items():
        for text in (str(thing), repr(thing)):
            assert len(text.splitlines()) <= 5, name
            assert len(text) < 1500, name
            assert "\x1b" not in text and "\u202e" not in text, name


def test_what_they_say(shown):
    assert str(shown["corpus"]) == (
        f"TaggedCorpus {terminal(EVIL)}\n"
        "  sentences 300, words 1200, splits (train 100, dev 100, test 100)\n"
        f"  tags tag, {terminal(EVIL)}"
    )
    assert "rows 1200, neurons " in str(shown["store"])
    assert "train 400, dev 400, test 400" in str(shown["splits"])
    assert "neurons 5, classes" in str(shown["fitted probe"])
    assert str(shown["probe"]).endswith("not fitted")
    assert "LSTMForCausalLM" in str(shown["model"])


def test_pieces():
    assert some(range(3)) == "0, 1, 2"
    assert some([]) == "none"
    assert some(range(100)).endswith("6, 7, ... (100)")
    assert brief(np.zeros((3, 4))) == "<numpy (3, 4) float64>"
    assert brief(list(range(9))) == "[0, 1, 2, 3, ... (9)]"
    assert len(brief("x" * 1000)) <= 200
    assert summary("T", {"a": 1, "b": None, "c": True}) == "T\n  a 1, c yes"
    assert summary("T", lines=map(str, range(9))).splitlines()[-1] == "  ... (9 in all)"
    assert short_repr(Selectivity(0.5, 0.25, 3, True)).startswith(
        "Selectivity(task_accuracy=0.5, control_accuracy=0.25, n_word_types=3"
    )


def test_a_share_is_written_in_one_way():
    """As "95 %": with a format of its own Python would write "95%"."""
    found = [
        f"{path}:{node.lineno}"
        for path in Path(nx.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None
        if ast.unparse(node.format_spec).rstrip("'\"").endswith("%")
    ]
    assert not found
