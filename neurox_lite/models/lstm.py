"""An LSTM language model that transformers treats like any other of its models.

Importing this module registers it: ``AutoConfig``, ``AutoModel`` and ``AutoModelForCausalLM``
load folders whose ``model_type`` is ``neurox_lstm``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
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
    """One LSTM over the real tokens of each row; its output stays in the order of its input."""

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(config.hidden_size, config.hidden_size, batch_first=True)

    def forward(self, hidden: torch.Tensor, order: torch.Tensor | None = None) -> torch.Tensor:
        """Run the layer.

        Parameters
        ----------
        hidden : Tensor, shape (n_sentences, n_tokens, hidden_size)
        order : Tensor, shape (n_sentences, n_tokens), optional
            Positions in the order in which the LSTM reads them; as they stand by default.

        Returns
        -------
        Tensor, shape (n_sentences, n_tokens, hidden_size)
        """
        if order is None:
            return self.lstm(hidden)[0]
        index = order.unsqueeze(-1).expand_as(hidden)
        read = self.lstm(hidden.gather(1, index))[0]
        return torch.zeros_like(read).scatter(1, index, read)


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

        Padding may be on either side: tokens whose mask is 0 are read after all real ones, so
        that they change nothing. ``output_hidden_states`` and ``return_dict`` mean what they mean
        in transformers.

        Parameters
        ----------
        input_ids : Tensor of int, shape (n_sentences, n_tokens)
        attention_mask : Tensor of 0 and 1, shape (n_sentences, n_tokens), optional
        inputs_embeds : Tensor, shape (n_sentences, n_tokens, hidden_size), instead of input_ids

        Raises
        ------
        ValueError
            When not exactly one of ``input_ids`` and ``inputs_embeds`` is given.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        hidden = self.embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        order = None
        if attention_mask is not None and not attention_mask.all():
            order = torch.argsort(attention_mask == 0, dim=1, stable=True)
        for layer in self.layers:
            hidden = layer(hidden, order)
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
        """Predict the token after each token; see `LSTMModel.forward`.

        Parameters
        ----------
        labels : Tensor of int, shape (n_sentences, n_tokens), optional
            Usually ``input_ids``; they are shifted inside, and -100 is ignored. The loss is the
            mean negative log-likelihood in nats.

        Returns
        -------
        CausalLMOutput
            With ``logits`` of shape (n_sentences, n_tokens, vocab_size).
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
