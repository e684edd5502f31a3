"""Corpora: sentences of words with tags, read from files; minimal pairs."""

from neurox_lite.corpora.annotation import annotate
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.pair_files import read_pairs
from neurox_lite.corpora.parallel import read_parallel
from neurox_lite.corpora.reading import read_corpus, read_splits
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_filter import word_filter

__all__ = [
    "LabelRules",
    "MinimalPair",
    "TaggedCorpus",
    "annotate",
    "read_conllu",
    "read_corpus",
    "read_pairs",
    "read_parallel",
    "read_splits",
    "word_filter",
]
