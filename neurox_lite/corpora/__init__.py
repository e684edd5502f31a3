"""Corpora: sentences of words with tags, read from files; minimal pairs."""

from neurox_lite.corpora.annotation import annotate, read_text
from neurox_lite.corpora.columns import read_columns
from neurox_lite.corpora.conllu import read_conllu
from neurox_lite.corpora.csv_table import read_csv
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
    "read_columns",
    "read_conllu",
    "read_corpus",
    "read_csv",
    "read_pairs",
    "read_parallel",
    "read_splits",
    "read_text",
    "word_filter",
]
