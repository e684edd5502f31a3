"""The command describe and the page that it writes.

`neurox_lite.cli.describe`, `neurox_lite.descriptions.page`
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.writer import open_writer
from neurox_lite.cli.main import main

RNG = np.random.default_rng(0)
WORDS = [f"word{number}" for number in range(30)] + ["<b>&", "\u202eevil"]
SENTENCES = [[*RNG.choice(WORDS, RNG.integers(3, 9))] for _ in range(700)]
CORPUS = nx.TaggedCorpus(SENTENCES)
FLAT = np.array(CORPUS.words())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("describe")
    (folder / "c.txt").write_text("\n".join(map(" ".join, SENTENCES)) + "\n", encoding="utf-8")
    X = RNG.standard_normal((CORPUS.n_words, 4)).astype(np.float32)
    X[:, 1] += 9 * (FLAT == "<b>&")
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(folder / "s.h5", CORPUS, dtype="float32", metadata=metadata) as writer:
        writer.append({2: X})
        writer.finish({"n_truncated_words": 0, "n_dropped_words": 0})
    space = nx.NeuronSpace("m", "hidden_states", (2,), (4,))
    scores = np.array([1.0, 4, 3, 2])
    nx.NeuronRanking.from_scores(space, scores, "by hand").save(folder / "r.json")
    return folder


def run(files, capsys, *options):
    given = ["--store", str(files / "s.h5"), "--corpus", str(files / "c.txt"), "--format", "text"]
    code = main(["describe", *given, *options])
    return code, capsys.readouterr()


def test_the_tokens_that_neurons_write(capsys, tmp_path):
    """With the store's model; another model is refused, and a site that writes nothing."""
    gpt2, text = nx.embedded_path("models/gpt2"), tmp_path / "c.txt"
    corpus = nx.read_corpus(nx.embedded_path("corpora/english-dev.conllu.gz")).select(range(120))
    text.write_text("".join(f"{' '.join(words)}\n" for words in corpus.sentences))
    for site in ("mlp", "hidden_states"):
        nx.extract(
            gpt2, nx.read_corpus(text, format="text"), tmp_path / f"{site}.h5", site=site
        ).close()
    given = ["describe", "--corpus", str(text), "--format", "text", "--neuron", "0:3", "--model"]
    out = tmp_path / "out"
    assert main([*given, str(gpt2), "--store", str(tmp_path / "mlp.h5"), "--out", str(out)]) == 0
    written = nx.load_result(out / "tokens_written.json")
    assert written.table() == nx.descriptions.tokens_written(gpt2, "0:3").table()
    page = (out / "descriptions.html").read_text()
    assert "Tokens it writes" in page and f"<bdi>{written.raised[0][0]}</bdi>" in page
    for site, model, message in (
        ("hidden_states", "gpt2", "write no vector of their own"),
        ("mlp", "lstm-0", "mlp"),
    ):
        store = str(tmp_path / f"{site}.h5")
        other = str(nx.embedded_path(f"models/{model}"))
        code = main([*given, other, "--store", store, "--out", str(tmp_path / "none")])
        assert code == 2 and message in capsys.readouterr().err
        assert not (tmp_path / "none").exists()


def test_the_first_neurons_of_a_ranking(files, capsys, tmp_path):
    out = tmp_path / "d"
    ranking = ("--ranking", str(files / "r.json"), "-k", "2")
    code, said = run(files, capsys, *ranking, "--out", str(out), "--json")
    assert code == 0, said
    shown = json.loads(said.out)
    assert (shown["neurons"], shown["described"]) == (2, 1)
    found = nx.load_result(out / "descriptions.json")
    assert [str(own.neuron) for own in found.exemplars] == ["2:1", "2:2"]
    assert found.of("2:1")[0].texts == ("word: word=<b>&",)
    assert found.source == "c.txt"
    assert {path.name for path in out.iterdir()} == {
        f"descriptions.{suffix}" for suffix in ("json", "csv", "html", "png")
    }


def test_the_page_shows_text_as_text(files, capsys, tmp_path):
    code, said = run(files, capsys, "--neuron", "2:1", "--out", str(tmp_path / "d"))
    page = (tmp_path / "d" / "descriptions.html").read_text(encoding="utf-8")
    assert code == 0, said
    assert "<b><bdi>word=&lt;b&gt;&amp;</bdi></b>" in page
    assert "<b>&<" not in page and "\u202e" not in page and "<script" not in page
    assert "<mark>&lt;b&gt;&amp;</mark>" in page and "No description: " in page


def test_descriptors_of_a_file(files, capsys, tmp_path):
    (tmp_path / "list.txt").write_text("word7\nword17\n", encoding="utf-8")
    options = ("--descriptors", str(tmp_path / "list.txt"), "--neuron", "2:0", "--min-count", "1")
    code, said = run(files, capsys, *options, "--out", str(tmp_path / "d"))
    assert code == 0, said
    found = nx.load_result(tmp_path / "d" / "descriptions.json")
    assert found.n_descriptors[1] == 2
    assert "None" not in said.out


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (nx.NeuronSpace("m", "attention_heads", (2,), (4,)), "attention_heads"),
        (nx.NeuronSpace("other", "hidden_states", (2,), (4,)), "other"),
        (nx.NeuronSpace("m", "hidden_states", (2,), (8,)), "give the model, site"),
        (nx.NeuronSpace("m", "hidden_states", (1,), (4,)), "no layer 1"),
    ],
)
def test_a_ranking_of_other_neurons(files, capsys, tmp_path, space, message):
    ranking = nx.NeuronRanking.from_scores(space, np.arange(space.n_neurons), "by hand")
    ranking.save(tmp_path / "r.json")
    options = ("--ranking", str(tmp_path / "r.json"), "-k", "2", "--out", str(tmp_path / "d"))
    code, said = run(files, capsys, *options)
    assert code == 2 and message in said.err
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--neuron", "2:1", "--ranking", "r.json"), "both name neurons"),
        (("-k", "3"), "takes no -k"),
        (("--endpoint", "http://localhost:1/v1"), "needs the name of its model"),
        (("--answers", "a"), "takes no --answers"),
        (("--generator", "g", "--descriptors", "f"), "give one of --descriptors"),
        (("--neuron", "3:1"), "no layer 3"),
        (("--share", "0.7"), "share is 0.7"),
    ],
)
def test_bad_options(files, capsys, tmp_path, options, message):
    code, said = run(files, capsys, *options, "--out", str(tmp_path / "d"))
    assert code == 2 and message in said.err
    assert not (tmp_path / "d").exists()
