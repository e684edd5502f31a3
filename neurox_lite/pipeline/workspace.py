"""What the stages of a job share, each read or made when it is first needed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits, labelled_splits
from neurox_lite.activations.store import ActivationStore
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.reading import read_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.pipeline.job import Job
from neurox_lite.probing.fit_inputs import loaded_if_small
from neurox_lite.probing.probe import ElasticNetProbe
from neurox_lite.report.job_files import PROBE, RANKING, STORE, JobFile, Result
from neurox_lite.results.ranking import NeuronRanking

DESCRIBED_IN_STUDY, SENTENCES_TO_DESCRIBE = 20, 200
"""Neurons that a study describes, if there are so many sentences."""

LOOKED_AT = 5_000
"""First neurons of a ranking whose exemplars and twins are kept, where there are more."""

logger = logging.getLogger(__name__)


def read_corpus_of(job: Job) -> TaggedCorpus:
    """The corpus of a job with the labels of its files."""
    options = (
        *("format", "labels", "match", "seed", "columns", "comment", "text"),
        *("text_column", "label_column", "skip_bad_lines"),
    )
    return read_splits(job.corpus, **{name: getattr(job, name) for name in options})


@dataclass(frozen=True)
class Workspace:
    """A job and its folder of results.

    Attributes
    ----------
    job : Job
        Of one tag and one model.
    read_before : TaggedCorpus, optional
        Its corpus, of :func:`read_corpus_of`, where another job has read it already.
    """

    job: Job
    read_before: TaggedCorpus | None = None

    @property
    def folder(self) -> Path:
        return Path(self.job.out)

    def path(self, file: JobFile[Any]) -> Path:
        return self.folder / file.name

    def read(self, file: JobFile[Result]) -> Result:
        return file.read(self.folder)

    @cached_property
    def words(self) -> TaggedCorpus:
        """The corpus as it was read, with the labels that its rules make."""
        job, read = self.job, self.read_before
        corpus = read_corpus_of(job) if read is None else read
        return LabelRules(job.strip_bio, job.label_map).apply(corpus, job.tag)

    @cached_property
    def extract(self) -> ExtractOptions:
        """The options of extraction; labels of sentences mean a row per sentence."""
        options = self.job.extract
        if options.pooling is None and self.job.tag in self.words.sentence_tags:
            logger.info(
                "labels '%s' are of sentences: one row per sentence, by pooling: mean (--pooling)",
                self.job.tag,
            )
            return replace(options, pooling="mean")
        return options

    @cached_property
    def corpus(self) -> TaggedCorpus:
        """What activations are of: with pooling, every sentence is one word."""
        return self.words.by_sentence() if self.extract.pooling else self.words

    @property
    def n_described(self) -> int:
        """How many neurons are described."""
        if self.job.describe.neurons is not None:
            return self.job.describe.neurons
        if not self.job.study or self.extract.pooling or self.job.units != "neurons":
            return 0
        return DESCRIBED_IN_STUDY if len(self.words) >= SENTENCES_TO_DESCRIBE else 0

    @property
    def has_exemplars(self) -> bool:
        """Whether it is of neurons and words, of which exemplars and twins can be shown."""
        return self.job.units == "neurons" and not self.extract.pooling

    @property
    def looks_at_all(self) -> bool:
        """Whether exemplars and twins are kept of all neurons."""
        return self.store.space.n_neurons <= LOOKED_AT

    @property
    def looked_at(self) -> list[Neuron] | None:
        """Whose exemplars and twins are kept; None for all."""
        return None if self.looks_at_all else self.ranking.top(LOOKED_AT)

    @cached_property
    def store(self) -> ActivationStore:
        return self.read(STORE)

    @cached_property
    def keep(self) -> np.ndarray:
        """The words that were chosen, shape (n_words,), bool."""
        return self.job.words.mask(self.corpus, self.job.seed)

    @cached_property
    def splits(self) -> LabelledSplits:
        return labelled_splits(
            self.store,
            self.corpus,
            self.job.tag,
            min_count=self.job.probe.min_count,
            keep=self.keep,
            balance=self.job.words.balance,
            seed=self.job.seed,
        )

    @cached_property
    def train(self) -> LabelledActivations:
        """The training words, their activations in memory up to 1.2 GB."""
        return loaded_if_small(self.splits.train)

    @cached_property
    def probe(self) -> ElasticNetProbe:
        return self.read(PROBE)

    @property
    def units(self) -> NeuronSpace | None:
        """The heads that are ranked instead of neurons, if these are asked for."""
        if self.job.units == "neurons":
            return None
        return self.store.heads(self.probe.space_.layers)

    @cached_property
    def ranking(self) -> NeuronRanking:
        return self.read(RANKING)
