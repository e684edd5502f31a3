"""Texts, the model that reads them, and what of its output is to be explained by their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError
from neurox_lite.interventions.pair_inputs import encode_pairs, reads_both_sides
from neurox_lite.interventions.runner import length_batches
from neurox_lite.interventions.text_inputs import (
    TextInputs,
    encode_sentences,
    encode_texts,
    from_pairs,
)
from neurox_lite.interventions.text_outputs import (
    NeuronActivations,
    Output,
    Parts,
    answers,
    check_classifier,
    classes,
    find_masks,
    last_tokens,
    neuron_states,
    right_or_wrong,
    tokens_at,
)
from neurox_lite.interventions.token_states import Change, TokenStates
from neurox_lite.models.heads import head_of
from neurox_lite.models.loading import Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import resolve_space, sites_at
from neurox_lite.showing import summary

TOKENS_AT_ONCE = 4096

OF_WEIGHTS = "look for NaN in its weights, or load it as float32"


@dataclass(frozen=True, repr=False)
class ExplainedTexts:
    """Texts, the model that reads them, and the output that is explained.

    Made by :meth:`of_texts`, :meth:`of_pairs` or :meth:`of_neurons`; every attribution method takes
    it. Another model than those of transformers takes part when ``states`` and ``output`` are
    objects of its own that have the same methods.

    Attributes
    ----------
    inputs : TextInputs
    states : TokenStates
    output : Output
    provenance : dict
        What identifies model and output, JSON-ready.
    """

    inputs: TextInputs
    states: TokenStates
    output: Output
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_texts(
        cls,
        model: Model,
        texts: Sequence[str] | TaggedCorpus,
        *,
        contexts: Sequence[str] | None = None,
        tokenizer: Any = None,
    ) -> ExplainedTexts:
        """What a model says of texts: by its head a class, a token, or an answer.

        A classifier says a class of each text; a masked language model the token at the one mask in
        it; a causal one the token that follows; a question answering model where in the context the
        answer to a question is.

        Parameters
        ----------
        model : LoadedModel, name or path, or PreTrainedModel
        texts : sequence of str, or TaggedCorpus
            Tokens of a corpus know their words.
        contexts : sequence of str, optional
            One for each of the texts, which are questions.
        tokenizer : PreTrainedTokenizerBase, optional
            Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

        Raises
        ------
        InputError
            When the model has no such head or its embeddings cannot be reached, a text is empty or
            longer than the model reads, there is not one mask in it for a masked model, or there
            are contexts for a model that answers no questions.
        """
        loaded = as_loaded(model, tokenizer, head=head_of(model))
        kind = type(loaded.model).__name__
        classifies = kind.endswith("ForSequenceClassification")
        if classifies:
            check_classifier(loaded)
        states = TokenStates(loaded)
        answers_questions = kind.endswith("ForQuestionAnswering")
        if answers_questions and isinstance(texts, TaggedCorpus):
            raise InputError(f"{loaded.name}: answers questions; give them as a list of texts")
        has_tokens = loaded.model.get_output_embeddings() is not None
        if not (answers_questions or classifies or has_tokens):
            raise InputError(
                f"{loaded.name}: a {kind} says nothing of a text, since it has no head; load it "
                "with one, as by load_model(..., head=), or explain neurons"
            )
        if answers_questions != (contexts is not None):
            raise InputError(
                f"{loaded.name}: a {kind} "
                + (
                    "answers questions; give their contexts, one for each"
                    if answers_questions
                    else "answers no questions; leave out the contexts"
                )
            )
        if isinstance(texts, TaggedCorpus):
            inputs = encode_sentences(loaded, texts)
            names = [" ".join(sentence) for sentence in texts.sentences]
        else:
            inputs, names = encode_texts(loaded, texts, contexts), list(texts)
        output: Output
        what = "prediction"
        if answers_questions:
            output = answers(loaded, inputs)
        elif classifies:
            output = classes(loaded)
            what = f"prediction of {loaded.model.config.num_labels} classes"
        elif reads_both_sides(loaded):
            output = tokens_at(loaded, find_masks(loaded, inputs, names))
        else:
            output = tokens_at(loaded, last_tokens(inputs))
        return cls._of(states, inputs, output, what)

    @classmethod
    def of_pairs(
        cls, model: Model, pairs: Sequence[MinimalPair], *, tokenizer: Any = None
    ) -> ExplainedTexts:
        """A language model's choice between the two words of each minimal pair.

        Raises
        ------
        InputError
            As :func:`~neurox_lite.interventions.encode_pairs`.
        """
        loaded = as_loaded(model, tokenizer, head="language")
        states = TokenStates(loaded)
        encoded = encode_pairs(loaded, pairs)
        output = right_or_wrong(loaded, encoded)
        return cls._of(states, from_pairs(loaded, encoded), output, "choice")

    @classmethod
    def of_neurons(
        cls,
        model: Model,
        texts: Sequence[str] | TaggedCorpus,
        neurons: Any,
        where: Location = Location(),
        *,
        tokenizer: Any = None,
    ) -> ExplainedTexts:
        """What makes neurons fire: their activation at the token of each text where it is largest.

        Of several neurons the sum, each in its standard deviations over the texts.

        Parameters
        ----------
        model, texts, tokenizer
            As for :meth:`of_texts`; any head will do, or none.
        neurons : neuron, or several
            ``"3:17"``, :class:`~neurox_lite.Neuron` or columns, as a ranking's ``top(k)``.
        where : Location
            Site and layers that columns count in.

        Raises
        ------
        InputError
            When there is no such neuron, or one never changes.
        """
        loaded = as_loaded(model, tokenizer)
        states = TokenStates(loaded)
        if isinstance(texts, TaggedCorpus):
            inputs = encode_sentences(loaded, texts)
        else:
            inputs = encode_texts(loaded, texts)
        sites = sites_at(loaded, where)
        space = resolve_space(sites, where.layers, loaded)
        columns = space.columns_of(neurons)
        if not len(columns):
            raise InputError("no neurons; give at least one, such as '3:17'")
        chosen = space.neurons(columns)
        if len(set(chosen)) < len(chosen):
            twice = next(neuron for neuron in chosen if chosen.count(neuron) > 1)
            raise InputError(f"neuron {twice} is given twice; give it once")
        used = resolve_space(sites, sorted({neuron.layer for neuron in chosen}), loaded)
        indices = torch.as_tensor(used.columns_of(chosen), device=loaded.model.device)
        found = []
        for rows in length_batches(inputs.lengths, TOKENS_AT_ONCE):
            batch = inputs.batch(rows)
            with torch.no_grad():
                values = neuron_states(loaded, sites, used, indices, batch)
            real = batch["attention_mask"] != 0
            found += list(zip(rows.tolist(), values, real, strict=True))
        activations = torch.cat([values[real] for _, values, real in found]).double()
        mean, std = activations.mean(0), activations.std(0, correction=0)
        if not std.isfinite().all():
            wrong = chosen[int((~std.isfinite()).nonzero()[0])]
            raise InputError(
                f"{loaded.name}: neuron {wrong} is NaN or infinite at a token; {OF_WEIGHTS}"
            )
        if not (std > 0).all():
            silent = chosen[int((std == 0).nonzero()[0])]
            raise InputError(f"neuron {silent} is the same at every token; give other texts")
        positions = torch.zeros(len(inputs), dtype=torch.long, device=indices.device)
        for row, values, real in found:
            total = ((values.double() - mean) / std).sum(-1).masked_fill(~real, -torch.inf)
            positions[row] = total.argmax()
        tokens = tuple(
            of_text[position]
            for of_text, position in zip(inputs.tokens, positions.tolist(), strict=True)
        )
        output = NeuronActivations(
            loaded, sites, used, indices, positions, tokens, mean.float(), std.float()
        )
        kind = "neuron" if len(chosen) == 1 else "neurons"
        what = f"{kind} {' '.join(map(str, chosen))} at '{sites.site}'"
        return cls._of(states, inputs, output, what)

    @classmethod
    def _of(
        cls, states: TokenStates, inputs: TextInputs, output: Output, what: str
    ) -> ExplainedTexts:
        model = {"model": states.loaded.name, "revision": states.loaded.revision}
        return cls(inputs, states, output, {**model, "explained": what})

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        facts = {"texts": len(self), "states": len(self.states)}
        return summary(f"ExplainedTexts of {self.provenance.get('model', 'a model')}", facts)

    @property
    def n_states(self) -> int:
        """How many states the output depends on: of neurons those up to their layer."""
        most = self.output.n_states
        return len(self.states) if most is None else min(most, len(self.states))

    def batches(self, n_copies: int = 1) -> list[torch.Tensor]:
        """Numbers of all texts, shortest first, in batches that fit when each is read in copies."""
        return length_batches(self.inputs.lengths, TOKENS_AT_ONCE, n_copies)

    def parts(self, rows: torch.Tensor, state: int = 0, change: Change | None = None) -> Parts:
        """The output for some texts, (n_rows, n_choices) each; through it gradients flow.

        Rows are numbers of texts, (n_rows,), and may repeat. With ``change`` the model continues
        from a state with what the function makes of it, see
        :class:`~neurox_lite.interventions.token_states.TokenStates`.
        """
        context = nullcontext() if change is None else self.states.changing(state, change)
        with context:
            return self.output.forward(self.inputs.batch(rows), rows)

    @torch.no_grad()
    def intact(self, rows: torch.Tensor) -> Parts:
        """:meth:`parts` of the model as it is.

        Raises InputError when they are NaN.
        """
        return self._known(rows, self.parts(rows))

    @torch.no_grad()
    def token_states(self, rows: torch.Tensor, last: int | None = None) -> list[torch.Tensor]:
        """States 0 to ``last`` of some texts, all by default, (n_rows, n_tokens, width) each.

        The model is run no further than that.
        """
        last = self.n_states - 1 if last is None else last
        batch = self.inputs.batch(rows)
        return self.states.read(lambda: self.states.run(batch), last, stop=True)

    @torch.no_grad()
    def states_and_parts(self, rows: torch.Tensor) -> tuple[list[torch.Tensor], Parts]:
        """All states and the intact output, of one forward pass."""
        parts: list[Parts] = []
        states = self.states.read(
            lambda: parts.append(self.parts(rows)), self.n_states - 1, stop=False
        )
        return states, self._known(rows, parts[0])

    def _known(self, rows: torch.Tensor, intact: Parts) -> Parts:
        """The same, or InputError."""
        is_nan = torch.stack([part.isnan().any(-1) for part in intact]).any(0)
        for row in rows[is_nan].tolist():
            raise InputError(
                f"{self.provenance.get('model', 'the model')}: its output for text {row + 1} is "
                f"NaN; {OF_WEIGHTS}"
            )
        return intact
