"""The corpus as the model will read it: inputs, and the row that each of their words fills."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import starmap

import numpy as np
from tqdm.auto import tqdm

from neurox_lite.corpora.sentence_text import SentenceText
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import AlignedSentence
from neurox_lite.extraction.long_sentences import truncate, windows
from neurox_lite.extraction.model_input import ModelInput
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.models.loading import LoadedModel

logger = logging.getLogger(__name__)

CHUNK = 256
"""Sentences tokenised together."""


class _Ragged:
    """Many short runs of integers in one array, as a list of lists would be far larger."""

    def __init__(self) -> None:
        self.values = array("i")
        self.ends = array("q", [0])

    def append(self, values: Iterable[int]) -> None:
        self.values.extend(values)
        self.ends.append(len(self.values))

    def runs(self, first: int, last: int) -> list[np.ndarray]:
        """The runs numbered ``first`` to ``last - 1``."""
        ends = self.ends[first : last + 1]
        values = np.array(self.values[ends[0] : ends[-1]], dtype=np.int64)
        return np.split(values, np.array(ends[1:-1]) - ends[0]) if last > first else []


@dataclass
class Plan:
    """All inputs of a corpus, in compact arrays; made by :func:`plan_corpus`.

    Attributes
    ----------
    corpus : TaggedCorpus
        One word per row: the words, and special tokens where they are stored.
    special : (n_special,) int array
        Rows that are special tokens, ascending.
    n_truncated, n_dropped : array of int
        Words of each sentence that have no activation, by cause.
    n_words, n_unknown, n_split : array of int
        Words of each sentence: all, those that hold the tokenizer's unknown token, those that are
        several subwords.
    n_unknown_source : array of int
        Words of each source sentence that hold the unknown token, of a decoder.
    """

    corpus: TaggedCorpus
    special: np.ndarray
    n_truncated: array = field(default_factory=lambda: array("i"))
    n_dropped: array = field(default_factory=lambda: array("i"))
    n_words: array = field(default_factory=lambda: array("i"))
    n_unknown: array = field(default_factory=lambda: array("i"))
    n_split: array = field(default_factory=lambda: array("i"))
    n_shared: array = field(default_factory=lambda: array("i"))
    n_unknown_source: array = field(default_factory=lambda: array("i"))
    _first_input: array = field(default_factory=lambda: array("q", [0]))
    _fields: dict[str, _Ragged] = field(
        default_factory=lambda: {name: _Ragged() for name in ModelInput.__annotations__}
    )

    def add(self, inputs: list[dict[str, Sequence[int]]]) -> None:
        """Append the inputs of the next sentence, each a value per field of ModelInput."""
        inputs = [item for item in inputs if item["rows"]]
        for item in inputs:
            for name, ragged in self._fields.items():
                ragged.append(item[name])
        self._first_input.append(self._first_input[-1] + len(inputs))

    def inputs(self, sentences: range) -> list[ModelInput]:
        """The inputs of neighbouring sentences."""
        first, last = self._first_input[sentences.start], self._first_input[sentences.stop]
        runs = (ragged.runs(first, last) for ragged in self._fields.values())
        return list(starmap(ModelInput, zip(*runs, strict=True)))


def plan_corpus(
    loaded: LoadedModel,
    corpus: TaggedCorpus,
    options: ExtractOptions,
    source: TaggedCorpus | None = None,
    counted: TaggedCorpus | None = None,
) -> Plan:
    """Tokenise and align every sentence before the model runs, so that bad input costs nothing.

    Parameters
    ----------
    loaded : LoadedModel
    corpus : TaggedCorpus
    options : ExtractOptions
    source : TaggedCorpus, optional
        What the encoder reads when the decoder is extracted; the corpus itself by default.
    counted : TaggedCorpus, optional
        The words, where the corpus has every sentence as one.

    Raises
    ------
    InputError
        When a sentence cannot be aligned, or a word has no activation and that is not allowed.
    """
    limit = loaded.max_tokens
    if options.window and limit and options.window > limit:
        raise InputError(
            f"window is {options.window}, but {loaded.name} takes {limit} subwords; give less"
        )
    is_decoder = options.side == "decoder" and loaded.is_encoder_decoder
    tokenize = SentenceTokenizer(loaded.tokenizer, target=is_decoder)
    tokenize_source = SentenceTokenizer(loaded.tokenizer)
    plan: Plan | None = None
    truncated: list[tuple[int, int]] = []
    dropped: list[tuple[int, str]] = []
    row = 0
    progress = tqdm(total=len(corpus), unit="sentence", desc="align", disable=None, delay=2)
    for first in range(0, len(corpus), CHUNK):
        numbers = range(first, min(first + CHUNK, len(corpus)))
        where = [f"{corpus.source}: sentence {number + 1}" for number in numbers]
        words_of = [(counted or corpus).sentences[n] for n in numbers]
        texts = _texts(counted or corpus, numbers)
        aligned = tokenize([corpus.sentences[n] for n in numbers], where, words_of, texts)
        n_words = map(len, words_of)
        sources: list[AlignedSentence] | None = None
        if is_decoder:
            read = source or corpus
            words_of = [(source or counted or corpus).sentences[n] for n in numbers]
            texts = _texts(source or counted or corpus, numbers)
            sources = tokenize_source([read.sentences[n] for n in numbers], where, words_of, texts)
        if plan is None:
            plan = _new_plan(loaded, corpus, aligned[0], options)
        for offset, sentence in enumerate(aligned):
            _check_ids(loaded, sentence.input_ids, where[offset])
            number, words = first + offset, corpus.sentences[first + offset]
            dropped += [
                (number, word)
                for word, subwords in zip(words, sentence.subwords, strict=True)
                if not subwords
            ]
            plan.n_words.append(next(n_words))
            plan.n_unknown.append(sentence.n_unknown)
            plan.n_split.append(sentence.n_split)
            plan.n_shared.append(sentence.n_shared if corpus.texts else 0)
            source_ids: tuple[int, ...] = ()
            if sources:
                plan.n_unknown_source.append(sources[offset].n_unknown)
                source_ids = sources[offset].input_ids
                _check_ids(loaded, source_ids, where[offset])
                sentence = _teacher_forced(loaded, sentence)
            pieces = _pieces(sentence, limit, options)
            if limit and len(source_ids) > limit:
                # What the decoder says about a source cut short is not what it says about it.
                pieces = []
            if options.pooling == "cls":
                pieces = [_cls(piece, loaded, where[offset]) for piece in pieces]
            kept = sum(bool(word) for piece in pieces for word in piece.subwords)
            n_present = sum(map(bool, sentence.subwords))
            plan.n_dropped.append(len(words) - n_present)
            plan.n_truncated.append(n_present - kept)
            if kept < n_present:
                truncated.append((number, max(len(sentence.input_ids), len(source_ids))))
            n_before = sentence.n_before if options.special_tokens else 0
            n_after = sentence.n_after if options.special_tokens else 0
            plan.add(
                [
                    _as_input(piece, row, n_before, n_after, i, len(pieces), source_ids)
                    for i, piece in enumerate(pieces)
                ]
            )
            row += len(words) + n_before + n_after
        progress.update(len(numbers))
    progress.close()
    assert plan is not None  # a corpus has sentences
    if row != plan.corpus.n_words:
        raise InputError(
            f"{corpus.source}: the tokenizer adds different numbers of special tokens to "
            "sentences; leave special tokens out"
        )
    _report_missing(corpus, plan, truncated, dropped, limit, options)
    if sum(plan.n_shared):
        logger.warning(
            "%s: %d of %d words share a subword with another, which is part of both, as text='raw' "
            "allows",
            corpus.source,
            sum(plan.n_shared),
            corpus.n_words,
        )
    return plan


def _texts(corpus: TaggedCorpus, numbers: range) -> list[SentenceText]:
    """Sentences as they were written; none where words are joined by spaces."""
    return [corpus.texts[n] for n in numbers] if corpus.texts else []


def _new_plan(
    loaded: LoadedModel, corpus: TaggedCorpus, first: AlignedSentence, options: ExtractOptions
) -> Plan:
    """An empty plan whose rows are the words, and the special tokens around them if stored."""
    n_before, n_after = first.n_before, first.n_after
    if not options.special_tokens:
        return Plan(corpus, np.empty(0, np.int64))
    names = loaded.tokenizer.convert_ids_to_tokens(list(first.input_ids))
    before, after = names[:n_before], names[len(names) - n_after :]
    if not before and not after:
        raise InputError(f"{loaded.name}: its tokenizer adds no special tokens")
    rows = TaggedCorpus(
        [(*before, *words, *after) for words in corpus.sentences], source=corpus.source
    )
    offsets = rows.sentence_offsets
    special = [offsets[:-1] + i for i in range(n_before)]
    special += [offsets[1:] - 1 - i for i in range(n_after)]
    return Plan(rows, np.sort(np.concatenate(special)))


def _check_ids(loaded: LoadedModel, ids: tuple[int, ...], where: str) -> None:
    known = loaded.n_embeddings
    if known and max(ids, default=0) >= known:
        raise InputError(
            f"{where}: the tokenizer gives subword {max(ids)}, but the model has embeddings for 0 "
            f"to {known - 1}; give the model its own tokenizer"
        )


def _teacher_forced(loaded: LoadedModel, sentence: AlignedSentence) -> AlignedSentence:
    """What the decoder reads: the start token, then the sentence without its end token."""
    ids = sentence.input_ids if not sentence.n_after else sentence.input_ids[:-1]
    return AlignedSentence(
        (loaded.decoder_start, *ids),
        tuple(tuple(p + 1 for p in word) for word in sentence.subwords),
        sentence.n_before + 1,
        max(0, sentence.n_after - 1),
    )


def _pieces(
    sentence: AlignedSentence, limit: int | None, options: ExtractOptions
) -> list[AlignedSentence]:
    if options.window is None:
        return [truncate(sentence, limit)]
    room = options.window - sentence.n_before - sentence.n_after
    if room < 1:
        raise InputError(
            f"window is {options.window}, all of it special tokens of this model; give more"
        )
    if options.stride and options.stride > room:
        raise InputError(
            f"stride is {options.stride}, but a window of {options.window} has room for {room} "
            "subwords of words, so that windows would leave gaps; give less"
        )
    return windows(sentence, options.window, options.stride)


def _cls(sentence: AlignedSentence, loaded: LoadedModel, where: str) -> AlignedSentence:
    if not sentence.n_before:
        raise InputError(
            f"{where}: {loaded.name} puts no special token before a sentence; use --pooling mean "
            "or last"
        )
    return AlignedSentence(
        sentence.input_ids,
        tuple((0,) if word else () for word in sentence.subwords),
        sentence.n_before,
        sentence.n_after,
        sentence.token_types,
    )


def _as_input(
    piece: AlignedSentence,
    first_row: int,
    n_before: int,
    n_after: int,
    number: int,
    n_pieces: int,
    source_ids: tuple[int, ...],
) -> dict[str, Sequence[int]]:
    """Number the rows of a piece; special tokens are taken from the outermost pieces."""
    units = [(n_before + i, word) for i, word in enumerate(piece.subwords) if word]
    length = len(piece.input_ids)
    if number == 0:
        units = [(i, (i,)) for i in range(n_before)] + units
    if number == n_pieces - 1:
        row = n_before + len(piece.subwords)
        units += [(row + i, (length - n_after + i,)) for i in range(n_after)]
    return {
        "ids": piece.input_ids,
        "token_types": piece.token_types,
        "rows": [first_row + row for row, _ in units],
        "positions": [position for _, positions in units for position in positions],
        "counts": [len(positions) for _, positions in units],
        "source": source_ids,
    }


def _report_missing(
    corpus: TaggedCorpus,
    plan: Plan,
    truncated: list[tuple[int, int]],
    dropped: list[tuple[int, str]],
    limit: int | None,
    options: ExtractOptions,
) -> None:
    messages = []
    if truncated:
        number, length = truncated[0]
        taken = f"the window of {options.window}" if options.window else f"the {limit}"
        messages.append(
            f"{corpus.source}: {len(truncated)} sentences are longer than {taken} subwords the "
            f"model takes (the first is sentence {number + 1} with {length}), which leaves "
            f"{sum(plan.n_truncated)} words without activations"
        )
    if dropped:
        number, word = dropped[0]
        messages.append(
            f"{corpus.source}: the tokenizer drops {len(dropped)} words (the first is {word!r} in "
            f"sentence {number + 1}), which have no activations"
        )
    for message in messages:
        if not options.allow_missing:
            ways = "shorten or fix them"
            if truncated and not options.window:
                ways += ", read them through windows with window= (--window)"
            raise InputError(
                f"{message}; {ways}, or leave these words out with allow_missing=True "
                "(--allow-missing)"
            )
        logger.warning("%s; they are stored as NaN and left out by later stages", message)
