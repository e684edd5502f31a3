"""Minimal pairs as a language model reads them: tokens, and where the choice is made."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.minimal_pairs import MinimalPair, as_pairs
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_tokens import tokens_of_pairs
from neurox_lite.models.loading import LoadedModel, Model, as_loaded

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairInputs:
    """Tokens of pairs. A causal model reads the prefix, a masked one a mask and the suffix too.

    Attributes
    ----------
    pairs : tuple of MinimalPair
    input_ids, attention_mask : (n_pairs, n_tokens) int tensors
        Padded on the right.
    prediction_positions : (n_pairs,) int tensor
        The token at which the model chooses: the last one of the prefix, or the mask.
    right, wrong : (n_pairs,) int tensors
        The tokens it chooses from.
    words : tuple of tuples of int
        For each word of a prefix its last token.
    """

    pairs: tuple[MinimalPair, ...]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    prediction_positions: torch.Tensor
    right: torch.Tensor
    wrong: torch.Tensor
    words: tuple[tuple[int, ...], ...]

    def __repr__(self) -> str:
        return f"PairInputs({len(self)} pairs of up to {self.input_ids.shape[1]} tokens)"

    def __len__(self) -> int:
        return len(self.pairs)

    def log_odds(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """``log p(right) - log p(wrong)`` in nats, (n_rows,), of logits for these pairs."""
        each = torch.arange(len(rows), device=logits.device)
        choice = self.choice_logits(logits, rows)
        return choice[each, self.right[rows]] - choice[each, self.wrong[rows]]

    def choice_logits(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Logits where the choice is made, (n_rows, n_outputs), of those of all tokens or of it."""
        each = torch.arange(len(rows), device=logits.device)
        if logits.shape[1] == 1:
            return logits[:, 0]
        return logits[each, self.prediction_positions[rows]]

    def word_positions(self, number: int) -> torch.Tensor:
        """The last token of one word of each prefix, (n_pairs,); -1 is the last word."""
        tokens = []
        for words, pair in zip(self.words, self.pairs, strict=True):
            if not -len(words) <= number < len(words):
                raise InputError(
                    f"'{' '.join(pair.prefix)}' has {len(words)} words and no word {number}; give "
                    "one that every prefix has"
                )
            tokens.append(words[number])
        return torch.tensor(tokens, device=self.input_ids.device)

    def resolve_positions(self, positions: Any) -> str | torch.Tensor:
        """Where neurons change: "all" or "last" as they are, the number of a word as its tokens."""
        if isinstance(positions, bool) or not isinstance(positions, str | Integral):
            raise InputError(f"positions {positions!r}; give all, last or the number of a word")
        if isinstance(positions, str) and positions not in ("all", "last"):
            raise unknown_choice("positions", positions, ("all", "last"), "or a whole number")
        return positions if isinstance(positions, str) else self.word_positions(int(positions))

    def distinct(self) -> list[int]:
        """Numbers of the pairs less copies: the same tokens to read and to choose from."""
        rows = torch.cat([self.input_ids, self.attention_mask], dim=1).tolist()
        choices = torch.stack([self.prediction_positions, self.right, self.wrong], dim=1).tolist()
        first: dict[Any, int] = {}
        for number, (row, choice) in enumerate(zip(rows, choices, strict=True)):
            first.setdefault((*row, *choice), number)
        return list(first.values())

    def select(self, rows: Sequence[int] | torch.Tensor) -> PairInputs:
        """Some of the pairs."""
        index = torch.as_tensor(rows, dtype=torch.long, device=self.input_ids.device)
        chosen = index.tolist()
        return PairInputs(
            tuple(self.pairs[row] for row in chosen),
            self.input_ids[index],
            self.attention_mask[index],
            self.prediction_positions[index],
            self.right[index],
            self.wrong[index],
            tuple(self.words[row] for row in chosen),
        )


def encode_pairs(
    model: Model, pairs: Sequence[MinimalPair], *, tokenizer: Any = None
) -> PairInputs:
    """Tokenise pairs, and check that the model can choose between their words.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        With a language-model head (``load_model(..., head="language")``).
    pairs : sequence of MinimalPair
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

    Raises
    ------
    InputError
        When there are no pairs, the model does not know a word that it is to read or choose, a
        word to choose is several tokens, both are the same token, or the tokenizer tells no
        character offsets. The pair is named.
    """
    loaded = as_loaded(model, tokenizer, head="language")
    pairs = as_pairs(pairs)
    found = tokens_of_pairs(loaded, pairs, reads_both_sides(loaded))
    read = [each for each in found if not isinstance(each, InputError)]
    errors = [each for each in found if isinstance(each, InputError)]
    if errors:
        others = f" ({len(errors) - 1} other pairs do not fit either)" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{others}")
    rows = [torch.tensor(each.ids) for each in read]
    device = loaded.model.device
    return PairInputs(
        tuple(pairs),
        pad_sequence(rows, batch_first=True).to(device),
        pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device),
        torch.tensor([each.prediction_position for each in read], device=device),
        torch.tensor([each.right for each in read], device=device),
        torch.tensor([each.wrong for each in read], device=device),
        tuple(each.words for each in read),
    )


def reads_both_sides(loaded: LoadedModel) -> bool:
    """Whether it is a masked language model; refuses what predicts no words."""
    kind = type(loaded.model).__name__
    if loaded.model.get_output_embeddings() is None or loaded.is_encoder_decoder:
        raise InputError(
            f"{loaded.name}: a {kind} predicts no words; load a causal or masked model with "
            'head="language"'
        )
    if not kind.endswith(("ForMaskedLM", "ForPreTraining")):
        return False
    if loaded.tokenizer.mask_token is None:
        raise InputError(f"{loaded.name}: its tokenizer has no mask token; give one that has")
    return True


def usable(
    model: Model, pairs: Sequence[MinimalPair], *, tokenizer: Any = None
) -> list[MinimalPair]:
    """The pairs that :func:`encode_pairs` takes, such as those in a small model's vocabulary."""
    loaded = as_loaded(model, tokenizer, head="language")
    read = tokens_of_pairs(loaded, pairs, reads_both_sides(loaded))
    return [
        pair for pair, each in zip(pairs, read, strict=True) if not isinstance(each, InputError)
    ]


def other_pairs(
    loaded: LoadedModel,
    pairs: Sequence[MinimalPair],
    chosen: Sequence[MinimalPair],
    positions: str | int = "all",
) -> list[MinimalPair]:
    """The pairs that were not chosen, less those that the model cannot choose between.

    When neurons are replaced at one word, those without such a word are left out, too.
    """
    taken = set(chosen)
    others = [pair for pair in pairs if pair not in taken]
    kept = [
        pair
        for pair in usable(loaded, others)
        if isinstance(positions, str) or -len(pair.prefix) <= positions < len(pair.prefix)
    ]
    if len(kept) < len(others):
        logger.info(
            "side effects: %d of %d other pairs left out (unknown words, or no such word)",
            len(others) - len(kept),
            len(others),
        )
    return kept
