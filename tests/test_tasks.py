"""Independent calls are the same made here and as tasks of a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite import tasks
from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.writer import open_writer
from neurox_lite.cli.main import main
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.tasks import task_map

pytestmark = pytest.mark.heavy

LAYERS, WIDTH, PLANTED = (0, 1, 2), 8, [2, 11, 20]
N_SENTENCES, LENGTH = 120, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store and its corpus, whose labels some neurons of every layer tell."""
    folder = tmp_path_factory.mktemp("tasks")
    rng = np.random.default_rng(0)
    n = N_SENTENCES * LENGTH
    ids = rng.integers(4, size=n)
    X = rng.normal(size=(n, len(LAYERS) * WIDTH)).astype("f4")
    X[:, PLANTED] += 2 * np.eye(4, 3, dtype="f4")[ids]
    words = [f"w{number % 40}" for number in range(n)]
    labels = np.array(["A", "B", "C", "D"])[ids].tolist()
    lines = []
    for first in range(0, n, LENGTH):
        rows = range(first, first + LENGTH)
        lines += [f"{i + 1}\t{words[r]}\t_\t{labels[r]}" + "\t_" * 6 for i, r in enumerate(rows)]
        lines.append("")
    (folder / "c.conllu").write_text("\n".join(lines) + "\n")
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    corpus = nx.read_corpus(folder / "c.conllu")
    with open_writer(folder / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        columns = {layer: slice(layer * WIDTH, (layer + 1) * WIDTH) for layer in LAYERS}
        writer.append({layer: X[:, columns[layer]] for layer in LAYERS})
        writer.finish({})
    return folder


@pytest.fixture(scope="module")
def data(folder):
    corpus = nx.read_splits(folder / "c.conllu", seed=0)
    store = nx.ActivationStore(folder / "s.h5")
    splits = labelled_splits(store, corpus, "upos")
    return splits, nx.ElasticNetProbe().fit(splits.train), corpus.words()


def weights(probes):
    return {name: probe.coef_ for name, probe in probes.items()}


CALLS = {
    "layers": lambda s, p, w, **e: weights(nx.probing.fit_layers(p, s.train, **e)),
    "scores of layers": lambda s, p, w, **e: nx.probing.layer_scores(
        p, s.train, X_test=s.test, **e
    ).table(),
    "classes": lambda s, p, w, **e: weights(nx.probing.fit_one_vs_rest(p, s.train, **e)),
    "penalties": lambda s, p, w, **e: (
        nx.probing.regularisation_search(
            p, s.train, X_dev=s.dev, l1s=[0.1, 0.01], l2s=[0.1, 0.01], n_neurons=3, **e
        )[0].scores
    ),
    "control tasks": lambda s, p, w, **e: (
        nx.selectivity(p, s.train, s.test, w, n_seeds=2, **e).control_accuracies
    ),
    "sets": lambda s, p, w, **e: [
        [curve.keep.top, curve.keep.random_mean, curve.remove.top]
        for curve in nx.ablate(
            nx.ranking.linguistic_correlation(p),
            s.train,
            probe=p,
            X_test=s.test,
            shares=(0.1, 0.5, 1.0),
            n_random=2,
            **e,
        ).curves
    ],
    "resamples of a probe": lambda s, p, w, **e: (
        nx.evaluation.rank_intervals(
            nx.ranking.linguistic_correlation, s.train, probe=p, n_resamples=3, **e
        ).resampled
    ),
    "resamples": lambda s, p, w, **e: (
        nx.evaluation.rank_intervals(nx.ranking.probeless, s.train, n_resamples=3, **e).resampled
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_both_engines_give_the_same(name, cluster, data):
    here, there = (CALLS[name](*data, engine=engine) for engine in ("local", "ray"))
    if isinstance(here, dict):
        assert list(here) == list(there)
        here, there = list(here.values()), list(there.values())
    if name == "classes":  # side by side here, which rounds otherwise
        np.testing.assert_allclose(there, here, atol=2e-5)
    else:
        assert np.array_equal(here, there)


def test_probes_of_tasks_know_their_neurons_and_words(cluster, data):
    splits, probe, _ = data
    for layer, one in nx.probing.fit_layers(probe, splits.train, engine="ray").items():
        assert one.space_ == splits.train.space.select([layer])
        assert one.trained_on_
    for label, one in nx.probing.fit_one_vs_rest(probe, splits.train, engine="ray").items():
        assert set(one.classes_) == {label, f"not {label}"}
        assert one.trained_on_


def test_commands_write_the_same(cluster, folder, capsys):
    given = ["--store", str(folder / "s.h5"), "--corpus", str(folder / "c.conllu"), "--tag", "upos"]
    assert main(["rank", "probeless", *given, "--out", str(folder / "r.json")]) == 0
    commands = {
        "evaluation.json": ["probe", *given, "--one-vs-rest"],
        "control.json": ["probe", *given, "--control", "--n-control", "2"],
        "ablation.json": ["ablate", *given, "--ranking", str(folder / "r.json")],
        "agreement.json": ["rank", "all", *given, "--methods", "iou,random", "--resamples", "1"],
    }
    for name, command in commands.items():
        written = []
        for engine in ("local", "ray"):
            out = folder / f"{engine}-{name}"
            assert main([*command, "--out", str(out), "--engine", engine]) == 0
            written.append((out / name).read_text())
        assert written[0] == written[1], name


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["probe"], "a single probe, which is one fit, takes no --engine"),
        (["ablate", "--no-retrain"], "--no-retrain, which fits nothing, takes no --engine"),
        (["rank", "iou"], "'iou' takes no --engine"),
    ],
)
def test_what_is_one_fit_takes_no_engine(command, message, folder, tmp_path, capsys):
    given = ["--store", str(folder / "s.h5"), "--corpus", str(folder / "c.conllu"), "--tag", "upos"]
    ranking = ["--ranking", "r.json"] if command[0] == "ablate" else []
    out = ["--out", str(tmp_path / "out"), "--engine", "ray"]
    assert main([*command, *given, *ranking, *out]) == 2
    assert message in capsys.readouterr().err


def by_task(function, items):
    with task_map("ray") as run:
        return list(run(function, items))


def test_results_come_in_order_with_what_was_logged_and_warned_of(cluster, caplog):
    def call(number):
        import torch

        if number == 1:
            warnings.warn("it did not converge", UserWarning, stacklevel=1)
            logging.getLogger("neurox_lite.x").info("of %d", number)
        return number, torch.get_num_threads()

    caplog.set_level(logging.INFO, "neurox_lite")
    with pytest.warns(UserWarning, match="it did not converge"):
        assert by_task(call, range(5)) == [(number, 1) for number in range(5)]
    assert [record.getMessage() for record in caplog.records] == ["of 1"]


def test_bad_input_of_a_task_is_said_as_ever(cluster):
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.array(["a", "b", "c"])[np.arange(60) % 3]

    def rank(X, y):
        raise InputError("row 3 of s.h5: not so")  # here

    with pytest.raises(InputError, match="not so") as caught:
        nx.evaluation.rank_intervals(rank, X, y, np.arange(60) // 6, engine="ray")
    assert str(caught.value) == "row 3 of s.h5: not so"
    assert 'not so")  # here' in caught.value.__notes__[0]  # where it was raised


def test_a_task_that_kills_its_workers_is_given_up(cluster, monkeypatch):
    monkeypatch.setattr(tasks, "ATTEMPTS", 1)
    with pytest.raises(UnfinishedError, match=r"^1 workers died over one task \(.*\); if"):
        by_task(lambda number: os._exit(1), [1])


def test_what_cannot_be_sent_is_refused(cluster):
    lock = threading.Lock()
    with pytest.raises(InputError, match=r"cannot send the function .* use the engine 'local'"):
        by_task(lambda number: lock, [1])


def test_a_worker_of_another_version_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(tasks, "__version__", "9.9")
    with pytest.raises(InputError, match=r"a worker has neurox-lite .*, this process 9\.9"):
        by_task(abs, [1])


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="unknown engine 'slurm'; use local or ray"):
        nx.probing.fit_one_vs_rest(nx.ElasticNetProbe(), [[1.0]], ["a"], engine="slurm")


def test_without_ray_it_says_what_to_install(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    given = ["--store", str(folder / "s.h5"), "--corpus", str(folder / "c.conllu"), "--tag", "upos"]
    out = ["--out", str(tmp_path / "out"), "--engine", "ray"]
    assert main(["probe", *given, "--one-vs-rest", *out]) == 2
    assert "pip install 'neurox-lite[ray]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_address_where_no_cluster_answers_is_said_at_once(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        for before in ("", "ray://"):
            address = f"{before}127.0.0.1:{taken.getsockname()[1]}"
            monkeypatch.setenv("RAY_ADDRESS", address)
            with pytest.raises(InputError, match=f"RAY_ADDRESS is {address}, where no Ray cluster"):
                tasks._check_address()
        for local in ("", "auto", "local"):
            monkeypatch.setenv("RAY_ADDRESS", local)
            tasks._check_address()

    def refuse(**_):
        raise ConnectionError("no\nsuch cluster")

    ray = SimpleNamespace(is_initialized=lambda: False, init=refuse)
    monkeypatch.setattr(tasks, "import_ray", lambda: ray)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(InputError, match=r"is auto, where no Ray cluster answers \(no such"):
        tasks.connected("ray").__enter__()
