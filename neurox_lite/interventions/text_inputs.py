"""Texts as a model reads them: tokens, and which word each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.arguments import strings
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.extraction.tokenization import SentenceTokenizer
from neurox_lite.interventions.pair_inputs import PairInputs
from neurox_lite.interventions.pair_tokens import check_vocabulary
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.vocabulary import check_texts
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class TextInputs:
    """Tokens of texts.

    Attributes
    ----------
    tokens : tuple of tuples of str
        As the tokenizer shows them, special tokens included.
    input_ids, attention_mask : (n_texts, n_tokens) int tensors
        Padded on the right.
    is_special : (n_texts, n_tokens) bool tensor
        Tokens that the tokenizer added, such as ``[CLS]``, and padding.
    token_types : (n_texts, n_tokens) int tensor, optional
        Segment ids, of models that read them.
    words : tuple of tuples of int
        The word of the corpus that each token belongs to, -1 for none; empty without a corpus.
    """

    tokens: tuple[tuple[str, ...], ...]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    is_special: torch.Tensor
    token_types: torch.Tensor | None = None
    words: tuple[tuple[int, ...], ...] = field(default=())

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def lengths(self) -> torch.Tensor:
        """Number of tokens of each text, (n_texts,)."""
        return self.attention_mask.sum(1)

    def batch(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """What a model is given to read some texts, (n_rows, n_tokens of the longest)."""
        longest = int(self.lengths[rows].max())
        parts = {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "token_type_ids": self.token_types,
        }
        return {key: part[rows, :longest] for key, part in parts.items() if part is not None}


def encode_texts(
    loaded: LoadedModel, texts: Sequence[str], contexts: Sequence[str] | None = None
) -> TextInputs:
    """Tokenise texts, or questions each with the context that holds its answer.

    Raises
    ------
    InputError
        When there are no texts, one has no tokens or more than the model reads, there is not one
        context per question, or the tokenizer is another model's.
    """
    texts = strings(texts, "texts")
    given = [texts] if contexts is None else [texts, strings(contexts, "contexts")]
    if not texts or len(given[-1]) != len(texts):
        what = "no texts" if not texts else f"{len(given[-1])} contexts for {len(texts)} questions"
        raise InputError(f"{what}; give at least one, and a context for each question")
    check_texts(loaded.tokenizer, [text for some in given for text in some], loaded.name)
    encoded = loaded.tokenizer(*given, return_special_tokens_mask=True, verbose=False)
    return _inputs(
        loaded,
        encoded["input_ids"],
        [[bool(each) for each in row] for row in encoded["special_tokens_mask"]],
        encoded.get("token_type_ids"),
        texts,
    )


def encode_sentences(loaded: LoadedModel, corpus: TaggedCorpus) -> TextInputs:
    """Tokenise the sentences of a corpus; each token knows its word.

    Raises
    ------
    InputError
        When a sentence cannot be aligned with its tokens, or has more than the model reads.
    """
    where = [f"{corpus.source}, sentence {number + 1}" for number in range(len(corpus.sentences))]
    tokenize = SentenceTokenizer(loaded.tokenizer)
    aligned = tokenize(corpus.sentences, where, texts=corpus.texts)
    words, special = [], []
    for sentence, first in zip(aligned, corpus.sentence_offsets.tolist(), strict=False):
        word_of = dict.fromkeys(range(len(sentence.input_ids)), -1)
        for number, positions in enumerate(sentence.subwords):
            word_of |= dict.fromkeys(positions, first + number)
        words.append(tuple(word_of.values()))
        n_words_end = len(sentence.input_ids) - sentence.n_after
        special.append(
            [not sentence.n_before <= p < n_words_end for p in range(len(sentence.input_ids))]
        )
    types = [sentence.token_types for sentence in aligned]
    ids = [sentence.input_ids for sentence in aligned]
    return _inputs(loaded, ids, special, types if all(types) else None, where, tuple(words))


def from_pairs(loaded: LoadedModel, pairs: PairInputs) -> TextInputs:
    """What a model reads of minimal pairs: the prefix, of a masked model mask and suffix too."""
    real = pairs.attention_mask != 0
    rows = [ids[mask].tolist() for ids, mask in zip(pairs.input_ids, real, strict=True)]
    added = set(loaded.tokenizer.all_special_ids)
    special = [[token in added for token in row] for row in rows]
    return _inputs(loaded, rows, special, None, [" ".join(pair.prefix) for pair in pairs.pairs])


def _inputs(
    loaded: LoadedModel,
    rows: Sequence[Sequence[int]],
    special: Sequence[Sequence[bool]],
    token_types: Sequence[Sequence[int]] | None,
    names: Sequence[str],
    words: tuple[tuple[int, ...], ...] = (),
) -> TextInputs:
    for name, row in zip(names, rows, strict=True):
        if not len(row):
            raise InputError(f"'{name[:60]}': no tokens; leave the text out")
        if loaded.max_tokens is not None and len(row) > loaded.max_tokens:
            raise InputError(
                f"'{name[:60]}...': {len(row)} tokens, but {loaded.name} reads "
                f"{loaded.max_tokens}; shorten it"
            )
        check_vocabulary(loaded, f"'{name[:60]}'", row)
    # Some classifiers find the last token of a text by this token, not by the attention mask.
    padding = getattr(loaded.model.config, "pad_token_id", None) or 0

    def pad(lists: Sequence[Sequence[int]], value: int) -> torch.Tensor:
        tensors = [torch.tensor(list(each), dtype=torch.long) for each in lists]
        return pad_sequence(tensors, batch_first=True, padding_value=value).to(loaded.model.device)

    show = loaded.tokenizer.convert_ids_to_tokens
    return TextInputs(
        tuple(tuple(str(token) for token in show(list(row))) for row in rows),
        pad(rows, padding),
        pad([[1] * len(row) for row in rows], 0),
        pad([[int(each) for each in row] for row in special], 1).bool(),
        None if token_types is None else pad(token_types, 0),
        words,
    )
