"""Tokenising and aligning a corpus before the model runs, so that bad input costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neurox_lite.corpora.sentence_text import SentenceText
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.alignment import AlignedSentence
from neurox_lite.extraction.long_sentences import truncate, windows
from neurox_lite.extraction.model_input import input_fields
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.extraction.plan import Plan
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.models.loading import LoadedModel
from neurox_lite.progress import tqdm

CHUNK = 256
"""Sentences tokenised together."""


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
    reader = _Reader(loaded, corpus, options, source, counted or corpus)
    plan: Plan | None = None
    progress = tqdm(total=len(corpus), unit="sentence", desc="align", disable=None, delay=2)
    for first in range(0, len(corpus), CHUNK):
        numbers = range(first, min(first + CHUNK, len(corpus)))
        aligned, sources = reader.align(numbers), reader.align_sources(numbers)
        if plan is None:
            plan = _new_plan(loaded, corpus, aligned[0], options)
        for number, sentence, read in zip(numbers, aligned, sources, strict=True):
            reader.add(plan, number, sentence, read)
        progress.update(len(numbers))
    progress.close()
    assert plan is not None  # a corpus has sentences
    if reader.n_rows != plan.corpus.n_words:
        raise InputError(
            f"{corpus.source}: the tokenizer adds different numbers of special tokens to "
            "sentences; leave special tokens out"
        )
    plan.warnings = reader.missing(plan)
    if sum(plan.n_shared):
        plan.warnings.append(
            f"{corpus.source}: {sum(plan.n_shared)} of {corpus.n_words} words share a subword with "
            "another, which is part of both, as text='raw' allows"
        )
    return plan


class _Reader:
    """Reads sentence after sentence into a plan.

    Attributes
    ----------
    n_rows : int
        Rows of the sentences so far.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        corpus: TaggedCorpus,
        options: ExtractOptions,
        source: TaggedCorpus | None,
        counted: TaggedCorpus,
    ):
        self.loaded, self.corpus, self.options = loaded, corpus, options
        self.source, self.counted = source, counted
        self.is_decoder = options.side == "decoder" and loaded.is_encoder_decoder
        self.tokenize = SentenceTokenizer(loaded.tokenizer, target=self.is_decoder)
        self.tokenize_source = SentenceTokenizer(loaded.tokenizer)
        self.n_rows = 0
        self._truncated: list[tuple[int, int]] = []
        self._dropped: list[tuple[int, str]] = []

    def align(self, numbers: range) -> list[AlignedSentence]:
        """Sentences as subwords."""
        return _align(self.tokenize, self.corpus, self.counted, numbers, self.corpus.source)

    def align_sources(self, numbers: range) -> Sequence[AlignedSentence | None]:
        """What the encoder reads of them, where the decoder is extracted."""
        if not self.is_decoder:
            return [None] * len(numbers)
        read, counted = self.source or self.corpus, self.source or self.counted
        return _align(self.tokenize_source, read, counted, numbers, self.corpus.source)

    def add(
        self, plan: Plan, number: int, sentence: AlignedSentence, source: AlignedSentence | None
    ) -> None:
        """Append the inputs of the next sentence to a plan, and count its words."""
        loaded, options, limit = self.loaded, self.options, self.loaded.max_tokens
        where = f"{self.corpus.source}: sentence {number + 1}"
        words = self.corpus.sentences[number]
        _check_ids(loaded, sentence.input_ids, where)
        of_words = zip(words, sentence.subwords, strict=True)
        self._dropped += [(number, word) for word, subwords in of_words if not subwords]
        plan.n_words.append(len(self.counted.sentences[number]))
        plan.n_unknown.append(sentence.n_unknown)
        plan.n_split.append(sentence.n_split)
        plan.n_shared.append(sentence.n_shared if self.corpus.texts else 0)
        source_ids: tuple[int, ...] = ()
        if source is not None:
            plan.n_unknown_source.append(source.n_unknown)
            source_ids = source.input_ids
            _check_ids(loaded, source_ids, where)
            sentence = _teacher_forced(loaded, sentence)
        pieces = _pieces(sentence, limit, options)
        if limit and len(source_ids) > limit:
            # What the decoder says about a source cut short is not what it says about it.
            pieces = []
        if options.pooling == "cls":
            pieces = [_cls(piece, loaded, where) for piece in pieces]
        kept = sum(bool(word) for piece in pieces for word in piece.subwords)
        n_present = sum(map(bool, sentence.subwords))
        plan.n_dropped.append(len(words) - n_present)
        plan.n_truncated.append(n_present - kept)
        if kept < n_present:
            self._truncated.append((number, max(len(sentence.input_ids), len(source_ids))))
        n_before = sentence.n_before if options.special_tokens else 0
        n_after = sentence.n_after if options.special_tokens else 0
        plan.add(
            [
                input_fields(piece, self.n_rows, n_before, n_after, i, len(pieces), source_ids)
                for i, piece in enumerate(pieces)
            ]
        )
        self.n_rows += len(words) + n_before + n_after

    def missing(self, plan: Plan) -> list[str]:
        """What there is to say about words without activations; InputError if not allowed."""
        options, messages = self.options, []
        if self._truncated:
            number, length = self._truncated[0]
            n_words = sum(plan.n_truncated)
            messages.append(
                f"{self.corpus.source}: {n_words} words have more subwords than a window of "
                f"{options.window} has room for (the first is in sentence {number + 1}), which "
                "leaves them without activations"
                if options.window
                else f"{self.corpus.source}: {len(self._truncated)} sentences are longer than the "
                f"{self.loaded.max_tokens} subwords the model takes (the first is sentence "
                f"{number + 1} with {length}), which leaves {n_words} words without activations"
            )
        if self._dropped:
            number, word = self._dropped[0]
            messages.append(
                f"{self.corpus.source}: the tokenizer drops {len(self._dropped)} words (the first "
                f"is {word!r} in sentence {number + 1}), which have no activations"
            )
        if messages and not options.allow_missing:
            ways = "shorten or fix them"
            if self._truncated and not options.window:
                ways += ", read them through windows with window= (--window)"
            elif self._truncated:
                ways += ", give a larger window"
            raise InputError(
                f"{messages[0]}; {ways}, or leave these words out with allow_missing=True "
                "(--allow-missing)"
            )
        return [f"{one}; they are stored as NaN and left out by later stages" for one in messages]


def _align(
    tokenize: SentenceTokenizer,
    corpus: TaggedCorpus,
    counted: TaggedCorpus,
    numbers: range,
    name: str,
) -> list[AlignedSentence]:
    """Sentences as subwords; what they hold is counted by the words of another corpus."""
    texts: list[SentenceText] = [counted.texts[n] for n in numbers] if counted.texts else []
    return tokenize(
        [corpus.sentences[n] for n in numbers],
        [f"{name}: sentence {n + 1}" for n in numbers],
        [counted.sentences[n] for n in numbers],
        texts,
    )


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
    return replace(sentence, subwords=tuple((0,) if word else () for word in sentence.subwords))
