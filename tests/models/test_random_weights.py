"""A model without its training: the baseline of what a probe reads from a model."""

import shutil
from dataclasses import replace

import pytest
import torch

import neurox_lite as nx
from neurox_lite.cli.main import main
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.interventions.pair_scores import score_pairs
from neurox_lite.models.model_files import model_revision
from neurox_lite.models.neuron_spaces import neuron_space
from neurox_lite.pipeline.job import Job

BERT, LSTM = (str(nx.embedded_path(f"models/{name}")) for name in ("bert", "lstm-0"))
CORPUS = nx.TaggedCorpus((("The", "dog", "barks"), ("Two", "dogs", "bark")), source="dogs")


def weights(*args, **options):
    return nx.load_model(*args, device="cpu", **options).model.state_dict()


@pytest.mark.parametrize("model", [BERT, LSTM])
def test_weights_are_new_and_those_of_the_seed(model):
    trained = weights(model)
    one, again, other = (weights(model, random_weights=seed) for seed in (3, 3, 4))
    assert list(one) == list(trained)
    assert all(torch.equal(one[name], again[name]) for name in one)
    matrices = [name for name in one if one[name].ndim == 2 and one[name].is_floating_point()]
    assert len(matrices) > 4
    for name in matrices:
        assert "pooler" in name or not torch.equal(one[name], trained[name]), name
        assert not torch.equal(one[name], other[name]), name


def test_weights_are_as_the_model_initialises_them():
    loaded = nx.load_model(BERT, device="cpu", random_weights=0)
    std = loaded.model.get_input_embeddings().weight.std().item()
    assert std == pytest.approx(loaded.model.config.initializer_range, rel=0.05)
    assert not loaded.model.training


def test_nothing_else_that_is_random_is_touched():
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    weights(LSTM, random_weights=0)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_name_and_revision_say_so():
    trained = nx.load_model(LSTM, device="cpu")
    loaded = nx.load_model(LSTM, device="cpu", random_weights=0)
    assert loaded.name == "lstm-0 (random weights, seed 0)"
    assert loaded.revision == f"{trained.revision} random weights 0" == model_revision(LSTM, 0)
    headed = nx.load_model(LSTM, device="cpu", random_weights=0, head="language")
    assert headed.revision not in (loaded.revision, trained.revision)  # other numbers were drawn
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::40]
    assert abs((score_pairs(headed, pairs) > 0).mean() - 0.5) < 0.35


def test_a_store_of_random_weights_never_goes_with_the_trained_model(tmp_path):
    out = tmp_path / "store.h5"
    store = nx.extract(LSTM, CORPUS, out, random_weights=0)
    assert store.metadata["model"] == "lstm-0 (random weights, seed 0)"
    assert store.metadata["revision"].endswith(" random weights 0")
    again = nx.extract(LSTM, CORPUS, out, random_weights=0)
    assert again.content_hash == store.content_hash
    for seed in (None, 1):
        with pytest.raises(nx.InputError, match="exists already"):
            nx.extract(LSTM, CORPUS, out, random_weights=seed)
    trained = nx.extract(LSTM, CORPUS, tmp_path / "trained.h5")
    assert trained.space != store.space
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    inputs = nx.interventions.encode_pairs(
        nx.load_model(LSTM, device="cpu", head="language"), pairs[:2]
    )
    loaded = nx.load_model(LSTM, device="cpu", head="language")
    metric = nx.interventions.metrics.pair_log_odds(
        loaded, inputs, nx.interventions.Location("lstm_cell")
    )
    ranking = nx.ranking.random_ranking(neuron_space(loaded))
    of_random = replace(ranking, space=replace(ranking.space, revision=store.space.revision))
    with pytest.raises(nx.InputError, match="random weights 0"):
        nx.interventions.ablate_in_model([of_random], metric, shares=[0.5])


def test_options_without_it_are_as_they_were():
    assert "random_weights" not in ExtractOptions().content()
    with pytest.raises(nx.InputError, match="seed is -1"):
        ExtractOptions(random_weights=-1)
    with pytest.raises(nx.InputError, match="loaded by name"):
        nx.extract(nx.load_model(LSTM, device="cpu"), CORPUS, "x.h5", random_weights=0)


def test_by_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(LSTM, "m")
    (tmp_path / "c.txt").write_text("The dog barks\n")
    command = ["extract", "--model", "m", "--corpus", "c.txt", "--format", "text", "--out", "s.h5"]
    assert main([*command, "--random-weights", "2"]) == 0
    assert nx.ActivationStore("s.h5").space.model == "m (random weights, seed 2)"
    job = Job("m", "c.txt", "upos", "out")
    chosen = replace(job, extract=ExtractOptions(random_weights=2)).to_yaml()
    assert "random_weights: 2" in chosen
