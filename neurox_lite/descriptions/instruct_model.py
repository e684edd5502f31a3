"""Descriptors proposed by an instruct model of transformers, which runs on this machine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from neurox_lite.arguments import strings, whole_number
from neurox_lite.descriptions.descriptor_prompt import NEXT_TEXT, chat, plain_prompt
from neurox_lite.descriptions.descriptor_text import parse_answer
from neurox_lite.errors import InputError
from neurox_lite.models.loading import Model, as_loaded
from neurox_lite.models.model_files import read_config
from neurox_lite.progress import tqdm

logger = logging.getLogger(__name__)

GREEDY = {
    "do_sample": False,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    # As they are by default, since transformers warns of others when nothing is sampled.
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 50,
}
"""Instead of what a model's own files say about generation."""


class InstructModel:
    """Asks a language model for descriptors of texts, for :func:`.propose_descriptors`.

    The prompt is in ``neurox_lite/descriptions/descriptor_prompt.py``, with one example (Mondal et
    al. 2024); it goes through the model's chat template, if it has one. Answers are greedy, and
    the same whatever the batch size: where rounding could decide between two tokens, a text is
    answered again alone. Nothing leaves this machine.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or encoder-decoder model that was trained to follow instructions. One that is
        given by its name or path is loaded from safetensors only, and no code of it is run.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory.
    batch_size : int
        Texts that are answered together.
    max_new_tokens : int
        Tokens of an answer; a list that is not ended by then is read as far as it goes.
    device, dtype : str
        As in :func:`.load_model`, for a name or path. In bfloat16 rounding is so coarse that most
        texts are answered again alone.

    Raises
    ------
    InputError
        When it cannot be loaded, cannot generate text, or is in training mode.
    """

    batches_itself = True

    def __init__(
        self,
        model: Model,
        tokenizer: Any = None,
        *,
        batch_size: int = 8,
        max_new_tokens: int = 96,
        device: str | None = None,
        dtype: str = "float32",
    ):
        self.batch_size = whole_number(batch_size, "batch_size", least=1)
        self.max_new_tokens = whole_number(max_new_tokens, "max_new_tokens", least=1)
        head = "language"
        if isinstance(model, str | Path) and read_config(str(model)).is_encoder_decoder:
            head = "text-to-text"
        self.loaded = as_loaded(
            model, tokenizer, head=head, side="decoder", device=device, dtype=dtype
        )
        if not self.loaded.model.can_generate():
            raise InputError(
                f"{self.loaded.name}: a {type(self.loaded.model).__name__} does not generate text; "
                "give an instruct model"
            )
        if self.loaded.model.training:
            raise InputError(
                f"{self.loaded.name}: in training mode, where dropout changes every answer; call "
                "model.eval() first"
            )
        self._checked = False

    def __repr__(self) -> str:
        return f"InstructModel({self.loaded.name!r}, batch_size={self.batch_size})"

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """For each text what the model answers, read as descriptors.

        A text that is too long for the model has none.

        Raises
        ------
        InputError
            When no text with the prompt fits the model, or padding changes what it answers.
        """
        prompts = [self._read(text) for text in strings(texts, "texts")]
        most = self._most_tokens()
        fitting = [i for i, ids in enumerate(prompts) if most is None or len(ids) <= most]
        if prompts and not fitting:
            raise InputError(
                f"{self.loaded.name}: reads {self.loaded.max_tokens} tokens, fewer than the "
                "prompts of these texts have; give another model, or shorter texts"
            )
        if len(fitting) < len(prompts):
            logger.warning(
                "%s of %s texts are longer than %s reads with its prompt; they have no descriptors",
                f"{len(prompts) - len(fitting):,}",
                f"{len(prompts):,}",
                self.loaded.name,
            )
        order = sorted(fitting, key=lambda i: -len(prompts[i]))
        answers = [""] * len(prompts)
        with tqdm(total=len(order), desc="answers", unit="text", disable=None, delay=2) as progress:
            for first in range(0, len(order), self.batch_size):
                batch = order[first : first + self.batch_size]
                for i, answer in zip(
                    batch, self._answers([prompts[i] for i in batch]), strict=True
                ):
                    answers[i] = answer
                progress.update(len(batch))
        return [parse_answer(answer.partition(NEXT_TEXT)[0]) for answer in answers]

    def _read(self, text: str) -> list[int]:
        """The tokens of a prompt."""
        tokenizer = self.loaded.tokenizer
        for token in tokenizer.all_special_tokens:
            # Written in a text it ends nobody's turn.
            text = text.replace(token, f"{token[0]} {token[1:]}")
        if not tokenizer.chat_template:
            ids = list(tokenizer(plain_prompt(text))["input_ids"])
            is_ended = ids[-1] == tokenizer.eos_token_id and not self.loaded.is_encoder_decoder
            return ids[:-1] if is_ended else ids
        prompt = tokenizer.apply_chat_template(
            chat(text),
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,  # of templates that know it
        )
        return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def _most_tokens(self) -> int | None:
        """The longest prompt that leaves room for an answer."""
        most = self.loaded.max_tokens
        if most is None or self.loaded.is_encoder_decoder:
            return most
        return most - self.max_new_tokens

    def _answers(self, prompts: list[list[int]]) -> list[str]:
        """The answers to prompts of one batch, longest first."""
        answers, near = self._generate(prompts)
        alone = [i for i, is_near in enumerate(near) if is_near and len(prompts) > 1]
        for i in alone:
            answers[i] = self._generate([prompts[i]])[0][0]
        last = len(prompts) - 1
        if not self._checked and len(prompts[last]) < len(prompts[0]) and last not in alone:
            self._checked = True
            if self._generate([prompts[last]])[0][0] != answers[last]:
                raise InputError(
                    f"{self.loaded.name}: padding changes what it answers; give batch_size=1"
                )
        return answers

    @torch.no_grad()
    def _generate(self, prompts: list[list[int]]) -> tuple[list[str], list[bool]]:
        """The answers of one forward batch, and whether rounding may have decided in them."""
        model: Any = self.loaded.model
        tokenizer = self.loaded.tokenizer
        # Padding is masked, so that any token will do where there is none for it.
        padding = tokenizer.pad_token_id or 0
        ends = model.generation_config.eos_token_id
        ends = tokenizer.eos_token_id if ends is None else ends
        ids = torch.full((len(prompts), max(map(len, prompts))), padding)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            n = len(prompt)
            place = slice(0, n) if self.loaded.is_encoder_decoder else slice(ids.shape[1] - n, None)
            ids[row, place] = torch.tensor(prompt)
            mask[row, place] = 1
        margins: list[torch.Tensor] = []

        def watch(_: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            margins.append(_margin(logits))
            return logits

        found = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=self.max_new_tokens,
            pad_token_id=padding,
            eos_token_id=ends,
            logits_processor=[watch],
            **GREEDY,
        )
        new = found[:, found.shape[1] - len(margins) :].cpu()
        is_written = ~_after_end(new, ends)
        tolerance = torch.finfo(model.dtype).eps ** (2 / 3)
        is_near = (torch.stack(margins, dim=1).cpu() < tolerance) & is_written
        answers = [ids[written] for ids, written in zip(new, is_written, strict=True)]
        return tokenizer.batch_decode(answers, skip_special_tokens=True), is_near.any(1).tolist()


def _margin(logits: torch.Tensor) -> torch.Tensor:
    """By how much the first token is ahead of the second, as a share of the largest logit."""
    first, second = logits.float().topk(2).values.unbind(-1)
    size = logits.float().masked_fill(~logits.isfinite(), 0).abs().amax(-1)
    return (first - second) / size.clamp(min=1e-30)


def _after_end(tokens: torch.Tensor, ends: int | list[int] | None) -> torch.Tensor:
    """Which tokens follow the one that ends an answer; (n_texts, n_tokens) bool tensor."""
    every = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
    is_end = torch.isin(tokens, torch.tensor(every, dtype=tokens.dtype))
    return is_end.cumsum(1) - is_end.long() > 0
