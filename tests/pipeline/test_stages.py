"""Single stages, on what the stages before them would have made."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import neurox_lite as nx
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.pipeline.job import Job
from neurox_lite.pipeline.stages import STAGES, TOKENS
from neurox_lite.pipeline.workspace import Workspace

WORDS = TaggedCorpus([["the", "cat", "sleeps"], ["the", "dogs", "sleep"]], {"t": [["A"] * 3] * 2})
(STAGE,) = (stage for stage in STAGES if stage.name == "tokens")


def extracted(model: str, folder: Path) -> Workspace:
    path, options = str(embedded_path(f"models/{model}")), ExtractOptions(site="mlp")
    job = Job(model=path, corpus="", tag="t", out=str(folder), extract=options)
    nx.extract(path, WORDS, folder / "store.h5", site="mlp").close()
    return Workspace(job, WORDS)


def test_tokens_are_those_that_neurons_write(tmp_path: Path) -> None:
    work = extracted("gpt2", tmp_path)
    assert STAGE.is_wanted(work)
    STAGE.run(work)
    written = nx.load_result(tmp_path / TOKENS)
    neuron = work.store.space.neuron(7)
    alone = nx.descriptions.tokens_written(embedded_path("models/gpt2"), neuron)
    assert written.of(neuron).raised == alone.raised
    assert len(written.neurons) == work.store.space.n_neurons


def test_tokens_of_a_model_that_predicts_no_next_word_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work = extracted("bert", tmp_path)
    with caplog.at_level(logging.INFO):
        STAGE.run(work)
    assert not (tmp_path / TOKENS).exists()
    assert "tokens that neurons write are left out" in caplog.text
