"""The states of every token in a model: read, and changed while it runs.

State 0 is the word embedding, before positions and normalisation; state k is what block k reads,
and the last one what the model puts out after its last block: with L blocks there are L + 2
(De Cao et al. 2020, section 2). The last state of a model that normalises there is normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from neurox_lite.errors import InputError
from neurox_lite.interventions.edits import edit_neurons
from neurox_lite.models.hooks import record
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.neuron_spaces import resolve_space
from neurox_lite.models.sites import find_sites
from neurox_lite.models.word_embeddings import find_word_embeddings

Change = Callable[[torch.Tensor], torch.Tensor]
"""Of the states (n_texts, n_tokens, width) of a forward pass; gives new ones."""

Batch = Mapping[str, torch.Tensor]
"""What a model is given: ``input_ids``, ``attention_mask`` and what else it reads."""


class TokenStates:
    """The states of the tokens in a model.

    Parameters
    ----------
    loaded : LoadedModel
        With the head whose output is to be explained.

    Attributes
    ----------
    widths : tuple of int
        Of each state.

    Raises
    ------
    InputError
        When the model is an encoder-decoder or in training mode, or its embeddings or hidden states
        cannot be reached.
    """

    def __init__(self, loaded: LoadedModel):
        model = loaded.model
        if loaded.is_encoder_decoder:
            raise InputError(
                f"{loaded.name}: an encoder-decoder reads two texts; give an encoder or a decoder"
            )
        if model.training:
            raise InputError(
                f"{loaded.name} is in training mode, where dropout changes every run; call "
                "model.eval()"
            )
        self.loaded = loaded
        sites = (find_word_embeddings(model), find_sites(model, "hidden_states"))
        # The site and the layer of every state.
        self._at = [(site, layer) for site in sites for layer in site.widths]
        self._spaces = {site.site: resolve_space(site, None, loaded) for site in sites}
        self.widths = tuple(site.widths[layer] for site, layer in self._at)

    def __len__(self) -> int:
        return len(self._at)

    def run(self, batch: Batch) -> object:
        """One forward pass."""
        return self.loaded.model(**batch)

    def read(self, run: Callable[[], object], last: int, *, stop: bool) -> list[torch.Tensor]:
        """States 0 to ``last`` of what ``run`` lets the model read, (n_texts, n_tokens, width).

        With ``stop`` the model is not run any further than the last of them.
        """
        found: dict[int, torch.Tensor] = {}
        embeddings, hidden = self._at[0][0], self._at[-1][0]
        layers = [layer for _, layer in self._at[1 : last + 1]]
        first_hidden = self._at[1][1]

        def receive_embeddings(_: int, states: torch.Tensor) -> None:
            found[0] = states.clone()  # some models scale them in place

        def receive(layer: int, states: torch.Tensor) -> None:
            found[layer - first_hidden + 1] = states

        with (
            record(
                self.loaded.model,
                embeddings,
                receive_embeddings,
                stop=stop and not layers,
            ),
            record(self.loaded.model, hidden, receive, layers, stop=stop and bool(layers)),
        ):
            run()
        return [found[state] for state in range(last + 1)]

    @contextmanager
    def changing(self, state: int, change: Change) -> Iterator[None]:
        """While the block runs, a function decides how the model continues from a state."""
        site, layer = self._at[state]
        with edit_neurons(
            self.loaded.model,
            site,
            self._spaces[site.site],
            lambda states, _: change(states),
            {},
            layers=[layer],
        ):
            yield

    @property
    def placeholder(self) -> torch.Tensor:
        """A word embedding that stands for no word, (width,): that of the mask token.

        Of a model without a mask token, the mean of all.
        """
        table: torch.Tensor = self.loaded.model.get_input_embeddings().weight  # type: ignore
        table = table.detach()
        mask = self.loaded.tokenizer.mask_token_id
        if mask is not None and mask < len(table):
            return table[mask]
        return table.mean(0, dtype=torch.float64).to(table.dtype)


def keep_tokens(gates: torch.Tensor, placeholder: torch.Tensor) -> Change:
    """Tokens kept by their gate, ``z h + (1 - z) b`` (De Cao et al. 2020, eq. 3).

    Gates z are (n_texts, n_tokens), of 1 exact; placeholders b (width,) or one of each token.
    """

    def change(states: torch.Tensor) -> torch.Tensor:
        other = placeholder.to(states.dtype).expand_as(states)
        return torch.lerp(other, states, gates[..., None].to(states.dtype))

    return change
