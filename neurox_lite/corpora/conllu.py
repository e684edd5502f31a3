"""Reading treebanks in CoNLL-U, the format of Universal Dependencies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from sys import intern

from conllu.parser import parse_token_and_metadata

from neurox_lite.corpora.bad_lines import BadLines, sentence_lines
from neurox_lite.corpora.sentence_text import SentenceText, check_text, sentence_text
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text
from neurox_lite.labels import UNLABELLED

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
LABEL_COLUMNS = ("lemma", "upos", "xpos", "head", "deprel")

# conllu's own parsers cut "Key=a=b" at the second "=" and are twice as slow.
PARSERS = dict.fromkeys(COLUMNS, lambda cells, column: cells[column])

WORD_ID = re.compile("[1-9][0-9]*")
SKIPPED_ID = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")
HEAD = re.compile("_|0|[1-9][0-9]*")

SparseTags = defaultdict[str, dict[int, list[str]]]
"""Tag name, then sentence, to that sentence's labels; only sentences that have some."""


def read_conllu(
    path: str | Path,
    *,
    words_only: bool = False,
    text: str = "words",
    skip_bad_lines: bool = False,
) -> TaggedCorpus:
    """Read a CoNLL-U file, gzipped when its name ends in ``.gz``.

    The words are the syntactic words: the ranges of multiword tokens (``1-2``) and empty nodes
    (``8.1``) are skipped. A word is kept as it is, including spaces inside it.

    Parameters
    ----------
    path : str or Path
    words_only : bool
        Leave out the labels, which take many times the memory of the words.
    text : {"words", "raw"}
        What a model reads: the words joined by single spaces, or the sentence as it was written
        (``# text``, or without it the tokens and ``SpaceAfter=No``), where words need no spaces
        between them. The words of a multiword token are each their part of it, or all the whole of
        it where it is not they in a row (French *du*: *de*, *le*).
    skip_bad_lines : bool
        Leave out sentences with a bad line, and list them in ``skipped``.

    Returns
    -------
    TaggedCorpus
        With a tag for each of ``lemma``, ``upos``, ``xpos``, ``head`` and ``deprel`` that is
        filled in, one per feature (``Number``) and one per ``Key=Value`` of the last column
        (``SpaceAfter``; a feature of the same name hides it), and ``depth``, the number of arcs
        to the root (``"0"``), with no label where the heads do not lead to one.

    Raises
    ------
    InputError
        When the file cannot be read, has no words, or a line is not CoNLL-U; with
        ``text="raw"``, when a sentence is not the text it says it has.
    """
    raw = check_text(text) == "raw"
    bad = BadLines(path, skip_bad_lines)
    sentences: list[tuple[str, ...]] = []
    texts: list[SentenceText] = []
    by_tag: SparseTags = defaultdict(dict)
    misc_by_tag: SparseTags = defaultdict(dict)
    depths: list[list[str]] = []
    with open_text(path) as file:
        for lines in sentence_lines(file, path):
            problem = _first_problem(lines)
            if problem:
                bad.add(*problem)
                continue
            parsed = parse_token_and_metadata("".join(line for _, line in lines), COLUMNS, PARSERS)
            tokens = [token for token in parsed if WORD_ID.fullmatch(token["id"])]
            if not tokens:
                continue
            words = [intern(token["form"]) for token in tokens]
            if raw:
                try:
                    texts.append(sentence_text(parsed))
                except ValueError as error:
                    bad.add(lines[0][0], str(error))
                    continue
            if not words_only:
                _add_labels(by_tag, len(sentences), [_column_and_feature_labels(t) for t in tokens])
                _add_labels(misc_by_tag, len(sentences), [_pairs(t["misc"]) for t in tokens])
                depths.append(_depths([token["head"] for token in tokens]))
            sentences.append(tuple(words))
    bad.check_rest(len(sentences))

    tags = {**_dense(misc_by_tag, sentences), **_dense(by_tag, sentences)}
    if any(map(any, depths)):
        tags["depth"] = tuple(map(tuple, depths))
    return TaggedCorpus(
        tuple(sentences), tags, source=str(path), texts=tuple(texts), skipped=tuple(bad.found)
    )


def _first_problem(lines: Sequence[tuple[int, str]]) -> tuple[int, str] | None:
    """The number of the first bad line of a sentence, and what is wrong with it."""
    next_id = 1
    for number, line in lines:
        line = line.strip()
        problem = _comment_problem(line) if line.startswith("#") else _problem(line, next_id)
        if problem:
            return number, problem
        if WORD_ID.fullmatch(line.split("\t")[0]):
            next_id += 1
    return None


def _comment_problem(comment: str) -> str | None:
    key, _, names = comment.partition(" = ")
    if key == "# global.columns" and tuple(names.lower().split()) != COLUMNS:
        return "CoNLL-U Plus columns; give a file with the ten columns of CoNLL-U"
    return None


def _problem(line: str, next_id: int) -> str | None:
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} columns instead of 10; separate them by tabs and write _ for none"
    if "" in cells:
        return f"column {cells.index('') + 1} is empty; write _ for none"
    if "  " in line:
        return "two spaces in a row, which CoNLL-U does not allow; write one"
    word_id, head = cells[0], cells[COLUMNS.index("head")]
    if SKIPPED_ID.fullmatch(word_id):
        return None
    if word_id != str(next_id):
        return (
            f"ID '{word_id}' where {next_id} was expected; number the words 1, 2, ... "
            "and put a blank line after each sentence"
        )
    if not HEAD.fullmatch(head):
        return f"HEAD '{head}' is not a number; write the head's ID, 0 for the root or _ for none"
    return None


def _column_and_feature_labels(token: Mapping[str, str]) -> dict[str, str]:
    labels = _pairs(token["feats"])
    labels.update((name, token[name]) for name in LABEL_COLUMNS if token[name] != "_")
    if token["form"] == token["lemma"] == "_":  # the word is a literal underscore
        labels["lemma"] = "_"
    return labels


def _pairs(cell: str) -> dict[str, str]:
    """``Key=Value`` pairs of FEATS or MISC; entries without a value are no labels."""
    pairs = (entry.partition("=") for entry in cell.split("|"))
    return {key: value for key, _, value in pairs if key and value not in ("", "_")}


def _add_labels(by_tag: SparseTags, sentence: int, words: Sequence[Mapping[str, str]]) -> None:
    for position, labels in enumerate(words):
        for name, label in labels.items():
            row = by_tag[name].setdefault(sentence, [UNLABELLED] * len(words))
            row[position] = intern(label)  # one "NOUN" in memory, not one per noun


def _dense(
    by_tag: SparseTags, sentences: Sequence[Sequence[str]]
) -> dict[str, Sequence[Sequence[str]]]:
    blank = [(UNLABELLED,) * n for n in range(1 + max(map(len, sentences), default=0))]
    return {
        name: tuple(
            tuple(rows.get(sentence, blank[len(words)])) for sentence, words in enumerate(sentences)
        )
        for name, rows in by_tag.items()
    }


def _depths(heads: Sequence[str]) -> list[str]:
    """Arcs from a root to each word; no label where following the heads does not end in a root."""
    children: defaultdict[str, list[int]] = defaultdict(list)
    for word, head in enumerate(heads, start=1):
        children[head].append(word)
    depths = [UNLABELLED] * len(heads)
    level, distance = children["0"], 0
    # Words on a cycle, or under a head that is missing or outside the sentence, are never reached.
    while level:
        label = intern(str(distance))
        for word in level:
            depths[word - 1] = label
        level = [child for word in level for child in children[str(word)]]
        distance += 1
    return depths
