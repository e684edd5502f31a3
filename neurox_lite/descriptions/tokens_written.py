"""The tokens that neurons write: those whose logits they raise and lower most."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurox_lite.arguments import expect, whole_number
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.errors import InputError
from neurox_lite.interventions.text_inputs import shown_tokens
from neurox_lite.models.direct_paths import (
    WRITING_SITES,
    DirectPaths,
    find_direct_paths,
    find_unembedding,
)
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import resolve_space, sites_at
from neurox_lite.neurons import Neuron
from neurox_lite.progress import tqdm

N_TEXTS, N_TOKENS = 8, 32
"""Of the reference for norms: tokens from all of the vocabulary, at even steps."""

NEURONS_AT_ONCE, TOKENS_AT_ONCE = 512, 4096
"""Their effects are 8 MB, and rows of the unembedding in float32 are 67 MB at a width of 4096."""


def tokens_written(
    model: Model,
    neurons: Any = None,
    where: Location = Location(site="mlp"),
    *,
    k: int = 10,
    tokenizer: Any = None,
) -> TokensWritten:
    r"""The tokens whose logits neurons raise and lower most, told from the weights; no corpus.

    A neuron that is higher by 1 adds its column :math:`w` of the down projection, or of the output
    projection of the attention, to the residual stream. From there it gets to the logits through
    the final norm and the unembedding (Geva et al. 2022, section 3; Elhage et al. 2021, the direct
    path). The effect on token t with the row :math:`u_t` of the unembedding is

    .. math:: e_t = \frac{(u_t - \bar u) \cdot (\gamma \odot C w)}{\sigma}

    where :math:`\bar u` is the mean row, since what raises all logits changes no probability;
    :math:`\gamma` is the norm's gain; C takes off the mean over units, in LayerNorm only; and
    :math:`\sigma` is what the norm divides by.

    What it is not:

    - It is the direct effect. What later layers, or the feed-forward after a head, make of the
      neuron is not in it; of early layers that may be most.
    - A norm divides every state by another number. Here :math:`\sigma` is its median at 256 tokens
      from all of the vocabulary, read as eight texts without sense. Another reference would
      multiply all effects by one factor, and leave the order as it is.
    - That the neuron changes the divisor, too, is left out. It takes away the part of what the
      neuron writes that points along the state; the wider the model, the smaller it is.
    - Where a norm stands between the projection and the stream (Gemma 2, OLMo 2), its gain and, in
      the same way, its divisor are in the effects.
    - Neurons of experts are as if their expert had a share of 1 in what is added.
    - Biases do not matter. A constant factor of the logits is in the effects; a cap of them, as in
      Gemma 2, is not, and leaves the order as it is.

    Memory: the unembedding is read in blocks, and never copied whole. Time: about twice width times
    vocabulary operations per neuron.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal language model with its head.
    neurons : neuron, or several, optional
        As for :meth:`~neurox_lite.neurons.NeuronSpace.columns_of`, such as ``"3:17"`` or
        ``ranking.top(20)``. By default all of these layers.
    where : Location
        The site ``mlp`` or ``attention_heads``, whose neurons are units of what all heads of a
        layer put out side by side; and layers.
    k : int
        Tokens at each end.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

    Raises
    ------
    InputError
        When the site does not write to the stream, the model has no unembedding, is an
        encoder-decoder, normalises the stream between a layer and the last (GPT-1, OPT-350m: all
        but the last feed-forward), is quantised, or has another part on this path that is not
        known; when there is no such neuron, or there are fewer than k tokens.
    """
    expect(where, Location, "where", 'a Location, as Location(site="mlp")')
    k = whole_number(k, "k", least=1)
    if where.site not in WRITING_SITES:
        raise InputError(
            f"neurons of '{where.site or 'hidden_states'}' write no vector of their own to the "
            "stream; take those of the site mlp or attention_heads, as where=Location(site='mlp')"
        )
    if not (isinstance(where.positions, str) and where.positions == "all"):
        raise InputError("weights are the same at all positions; leave out where.positions")
    loaded = as_loaded(model, tokenizer, head="language")
    sites = sites_at(loaded, where)
    space = resolve_space(sites, where.layers, loaded)
    given = range(space.n_neurons) if neurons is None else space.columns_of(neurons).tolist()
    columns = list(dict.fromkeys(given))
    if not columns:
        raise InputError("no neurons; give at least one")
    tokens = _tokens(loaded)
    if k > len(tokens):
        raise InputError(f"k is {k}, but the vocabulary has {len(tokens)} tokens; give fewer")
    chosen = space.neurons(columns)
    layers = sorted({neuron.layer for neuron in chosen})
    paths = find_direct_paths(loaded.model, sites, layers, _reference(loaded, tokens))
    found = _largest_effects(paths, chosen, tokens, k)
    used = np.unique([found["raised"], found["lowered"]]).tolist()
    texts = dict(zip(used, shown_tokens(loaded.tokenizer, used), strict=True))
    raised, lowered = (
        tuple(tuple(texts[token] for token in row) for row in ids.tolist())
        for ids in (found["raised"], found["lowered"])
    )
    return TokensWritten(
        space,
        tuple(chosen),
        raised,
        found["raised_by"],
        lowered,
        found["lowered_by"],
        found["std"],
        paths.divisor,
    )


def _tokens(loaded: LoadedModel) -> torch.Tensor:
    """The ids that are tokens of the tokenizer and have a row in the unembedding, ascending."""
    output: Any = find_unembedding(loaded.model)
    ids = sorted(set(loaded.tokenizer.get_vocab().values()))
    return torch.tensor([each for each in ids if each < len(output.weight)], dtype=torch.long)


def _reference(loaded: LoadedModel, tokens: torch.Tensor) -> torch.Tensor:
    """Texts of tokens from all of the vocabulary, (n_texts, n_tokens)."""
    length = min(N_TOKENS, loaded.max_tokens or N_TOKENS)
    places = torch.linspace(0, len(tokens) - 1, N_TEXTS * length).long()
    ids = tokens[places].view(length, N_TEXTS).T.clone()
    first = loaded.tokenizer.bos_token_id
    if first is not None and first in tokens:
        ids[:, 0] = first
    return ids.to(loaded.model.device)


@torch.no_grad()
def _largest_effects(
    paths: DirectPaths, neurons: list[Neuron], tokens: torch.Tensor, k: int
) -> dict[str, np.ndarray]:
    """Of each neuron the k tokens raised and lowered most, their effects, and the std of all."""
    weight = paths.unembedding
    tokens = tokens.to(weight.device)
    total = torch.zeros(weight.shape[1], dtype=torch.float64, device=weight.device)
    for rows in tokens.split(TOKENS_AT_ONCE):
        total += weight[rows].sum(0, dtype=torch.float64)
    mean = (total / len(tokens)).float()
    parts = []
    starts = range(0, len(neurons), NEURONS_AT_ONCE)
    for start in tqdm(starts, desc="tokens written", unit="block", disable=None, delay=2):
        vectors = _vectors(paths, neurons[start : start + NEURONS_AT_ONCE])
        parts.append(_extremes(vectors * paths.logit_scale, weight, mean, tokens, k))
    return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}


def _vectors(paths: DirectPaths, neurons: list[Neuron]) -> torch.Tensor:
    """What neurons add to what the unembedding reads, (n_neurons, width)."""
    layers, units = torch.tensor(neurons).unbind(1)
    found = torch.empty(len(neurons), paths.unembedding.shape[1], device=paths.unembedding.device)
    for layer in layers.unique().tolist():
        own = layers == layer
        found[own.to(found.device)] = paths.vectors(layer, units[own])
    return found


def _extremes(
    vectors: torch.Tensor,
    weight: torch.Tensor,
    mean: torch.Tensor,
    tokens: torch.Tensor,
    k: int,
) -> dict[str, torch.Tensor]:
    """The effects (n_neurons, k) furthest from 0 and their tokens, in blocks of the vocabulary."""
    squares = torch.zeros(len(vectors), dtype=torch.float64, device=vectors.device)
    highest: dict[str, list[torch.Tensor]] = {}
    for rows in tokens.split(TOKENS_AT_ONCE):
        effects = vectors @ (weight[rows].float() - mean).T
        squares += effects.square().sum(1, dtype=torch.float64)
        for name, signed in (("raised", effects), ("lowered", -effects)):
            values, places = signed.topk(min(k, len(rows)))
            ids = rows[places]
            if name in highest:
                values = torch.cat([highest[name][0], values], 1)
                ids = torch.cat([highest[name][1], ids], 1)
            values, order = values.sort(dim=1, descending=True, stable=True)
            highest[name] = [values[:, :k], ids.gather(1, order)[:, :k]]
    return {
        "std": (squares / len(tokens)).sqrt(),
        "raised": highest["raised"][1],
        "raised_by": highest["raised"][0],
        "lowered": highest["lowered"][1],
        "lowered_by": -highest["lowered"][0],
    }
