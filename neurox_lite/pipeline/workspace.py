"""What the stages of a job share, each read or made when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from neurox_lite.activations.labelled import LabelledSplits, labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.reading import read_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.pipeline.job import Job
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.results import NeuronRanking


@dataclass(frozen=True)
class Workspace:
    """A job and its folder of results."""

    job: Job

    def path(self, name: str) -> Path:
        return Path(self.job.out) / name

    @cached_property
    def corpus(self) -> TaggedCorpus:
        job = self.job
        corpus = read_splits(
            job.corpus, format=job.format, labels=job.labels, match=job.match, seed=job.seed
        )
        return corpus.by_sentence() if job.extract.pooling else corpus

    @cached_property
    def store(self) -> ActivationStore:
        return ActivationStore(self.path("store.h5"))

    @cached_property
    def keep(self) -> np.ndarray:
        """The words that were chosen, shape (n_tokens,), bool."""
        return self.job.words.mask(self.corpus, self.job.seed)

    @cached_property
    def splits(self) -> LabelledSplits:
        min_count = self.job.probe.min_count
        return labelled_splits(
            self.store, self.corpus, self.job.tag, min_count=min_count, keep=self.keep
        )

    @cached_property
    def X_train(self) -> np.ndarray:
        """Training activations in memory, shape (n_train, n_neurons)."""
        return np.asarray(self.splits.train.X)

    @cached_property
    def probe(self) -> ElasticNetProbe:
        return ElasticNetProbe.load(self.path("probe"))

    @cached_property
    def ranking(self) -> NeuronRanking:
        return NeuronRanking.load(self.path("ranking.json"))
