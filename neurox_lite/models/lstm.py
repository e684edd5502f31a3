"""An LSTM language model that transformers treats like any other of its models.

Importing this module registers it: ``AutoConfig``, ``AutoModel`` and ``AutoModelForCausalLM``
load folders whose ``model_type`` is ``neurox_lstm``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedConfig
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.generic import can_return_tuple
from transformers.utils.output_capturing import capture_outputs


class LSTMConfig(PreTrainedConfig):
    """Sizes of an LSTM language model; embeddings and layers are all ``hidden_size`` wide."""

    model_type = "neurox_lstm"

    vocab_size: int = 1000
    hidden_size: int = 128
    num_hidden_layers: int = 2
    initializer_range: float = 0.05
    tie_word_embeddings: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | None = None


class LSTMLayer(nn.Module):
    """One LSTM over the real tokens of each row, step by step.

    ``lstm`` holds the weights; its own kernel is as fast but shows no cell states. Every cell
    state passes through ``cell``, where a hook can read or replace it.
    """

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(config.hidden_size, config.hidden_size, batch_first=True)
        self.cell = nn.Identity()

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Run the layer; a token whose mask is 0 leaves the state as it is.

        Of (n_sentences, n_tokens, hidden_size) states and a (n_sentences, n_tokens) mask, such
        states.
        """
        into, recurrent, bias_into, bias_recurrent = self.lstm.all_weights[0]
        from_input = functional.linear(hidden, into, bias_into + bias_recurrent)
        state = cell = torch.zeros_like(hidden[:, 0])
        states = []
        for step in range(hidden.shape[1]):
            gates = from_input[:, step] + functional.linear(state, recurrent)
            enter, forget, new, show = gates.chunk(4, dim=-1)
            next_cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            next_cell = self.cell(next_cell[:, None])[:, 0]
            next_state = show.sigmoid() * next_cell.tanh()
            if mask is None:
                cell, state = next_cell, next_state
            else:
                real = mask[:, step, None] != 0
                cell = torch.where(real, next_cell, cell)
                state = torch.where(real, next_state, state)
            states.append(state)
        return torch.stack(states, dim=1)


class LSTMPreTrainedModel(PreTrainedModel):
    """What transformers needs to know to load, save and initialise both models below."""

    config_class = LSTMConfig
    base_model_prefix = "model"
    _input_embed_layer = "embeddings"
    _can_record_outputs = {"hidden_states": LSTMLayer}  # noqa: RUF012 (transformers' own form)


class LSTMModel(LSTMPreTrainedModel):
    """Embeddings and LSTM layers.

    ``hidden_states`` are the embeddings and the output of every layer; the last one is
    ``last_hidden_state``.
    """

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(LSTMLayer(config) for _ in range(config.num_hidden_layers))
        self.post_init()

    @capture_outputs
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutput:
        """Read sentences from their first token to their last.

        Padding may be on either side: tokens whose mask is 0 leave the state as it is, so that
        they change nothing. ``output_hidden_states`` and ``return_dict`` mean what they mean
        in transformers.

        Parameters
        ----------
        input_ids : Tensor of int, shape (n_sentences, n_tokens)
        attention_mask : Tensor of 0 and 1, shape (n_sentences, n_tokens), optional
        inputs_embeds : Tensor, shape (n_sentences, n_tokens, hidden_size), instead of input_ids
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        hidden = self.embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        for layer in self.layers:
            hidden = layer(hidden, attention_mask)
        return BaseModelOutput(last_hidden_state=hidden)


class LSTMForCausalLM(LSTMPreTrainedModel):
    """The LSTM with a linear layer that predicts the next token; its weights are the embeddings."""

    _tied_weights_keys = {"lm_head.weight": "model.embeddings.weight"}  # noqa: RUF012

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__(config)
        self.model = LSTMModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutput:
        """Logits (n_sentences, n_tokens, vocab_size) of next tokens; see `LSTMModel.forward`.

        Parameters
        ----------
        labels : Tensor of int, shape (n_sentences, n_tokens), optional
            Usually ``input_ids``; they are shifted inside, and -100 is ignored. The loss is the
            mean negative log-likelihood in nats.
        """
        outputs = self.model(input_ids, attention_mask, inputs_embeds, **kwargs)
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits, labels, vocab_size=self.config.vocab_size)
        return CausalLMOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


AutoConfig.register(LSTMConfig.model_type, LSTMConfig, exist_ok=True)
AutoModel.register(LSTMConfig, LSTMModel, exist_ok=True)
AutoModelForCausalLM.register(LSTMConfig, LSTMForCausalLM, exist_ok=True)
