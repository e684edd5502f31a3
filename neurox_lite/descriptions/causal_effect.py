"""Does changing a neuron change the sentences that its description describes, more than others?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
import torch

from neurox_lite.arguments import expect, strings, whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.descriptions.description_effects import (
    SHUFFLED_PRESENCE,
    DescriptionEffect,
    DescriptionEffects,
)
from neurox_lite.descriptions.description_scores import CONSTANT
from neurox_lite.descriptions.score_intervals import LEVEL, UNKNOWN, mean_difference, roc_auc
from neurox_lite.descriptions.scored_examples import validate_present
from neurox_lite.errors import InputError
from neurox_lite.intervals import Interval, mean_interval
from neurox_lite.interventions.pair_inputs import reads_both_sides
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.interventions.text_inputs import encode_texts
from neurox_lite.models.loading import LoadedModel, Model, as_loaded
from neurox_lite.models.location import Location
from neurox_lite.models.neuron_spaces import resolve_space, sites_at
from neurox_lite.neurons import Neuron
from neurox_lite.progress import tqdm
from neurox_lite.seeds import validate_seed

REPLACEMENTS = ("mean", "zero")
N_GROUPS, LEAST_OF_GROUP = 10, 10
"""Sentences of about one length: tenths of all by length, of at least so many sentences."""


def causal_effect(
    model: Model,
    texts: Sequence[str] | TaggedCorpus,
    neuron: Any,
    present: Any,
    where: Location = Location(),
    *,
    replacement: str = "mean",
    description: str = "description",
    n_random: SupportsIndex = 3,
    seed: SupportsIndex = 0,
    tokenizer: Any = None,
) -> DescriptionEffects:
    """Set a neuron in the running model: do the described sentences change more than others?

    The neuron is set at every token of the words. The change of a sentence is how far the model's
    predictions move from those of the intact model:

        change = mean over tokens of KL(p || p~)

    with p what the intact model predicts at a token (a causal one the next token, a masked one the
    token itself, without a mask) and p~ the same with the neuron set. Tokens that the tokenizer
    adds, such as ``[CLS]``, are neither set nor counted.

    Even means over tokens grow or fall with the number of tokens, with some neurons much, and with
    it comes the presence of most things. So a described sentence is compared with others of about
    the same length: the AUC is how often it is changed more than another one of its tenth of the
    sentences by length. The difference of the means is of all sentences, and is to be seen beside
    that of the shuffled presence, which is what length alone gives.

    Beside the description stand:

    - ``constant``: of a description that is present everywhere, both means are those of all
      sentences; there is nothing to compare, and nothing known.
    - ``shuffled presence``: as many sentences of each tenth by length, drawn at random.
    - The description with other neurons of the layer set, drawn at random.

    Take held-out sentences, from which the description was not made. A sentence counts once,
    however often it is given; it is described, if it is so on average.

    Parameters
    ----------
    model : LoadedModel, name or path, or PreTrainedModel
        A causal or masked language model, with its head.
    texts : sequence of str, or TaggedCorpus
    neuron : neuron
        ``"3:17"``, :class:`~neurox_lite.Neuron` or a column of the site and layers of ``where``.
    present : (n_sentences,) array-like
        Whether the described is present, or how likely, from 0 to 1; it is from 1/2. Of a corpus
        also (n_words,): a sentence has what one of its words has, and is as likely to.
    where : Location
        The neuron's site, and layers if it is given by its column.
    replacement : {"mean", "zero"}
        What neurons are set to: their mean over all words of the texts, or 0.
    description : str
        What it is called in tables.
    n_random : int
        Number of other neurons.
    seed : int
        Of the shuffled presence and the other neurons.
    tokenizer : PreTrainedTokenizerBase, optional
        Of a model in memory, see :func:`~neurox_lite.models.loading.as_loaded`.

    Returns
    -------
    DescriptionEffects
        With 95 % intervals over sentences, which are not known where fewer than five different
        sentences are described, or are not, or have one to be compared with. Takes
        ``3 + n_random`` forward passes of all texts.

    Raises
    ------
    InputError
        When no sentence is described, or every one; there are no texts, or not a presence for each,
        or one that is not from 0 to 1; the model predicts no words, cannot read a text or has no
        such neuron; or its predictions are NaN.
    """
    n_random, seed = whole_number(n_random, "n_random", least=0), validate_seed(seed)
    expect(description, str, "description", "the text it is called by in tables")
    expect(where, Location, "where", 'a Location, as Location(site="mlp")')
    if not (isinstance(where.positions, str) and where.positions == "all"):
        raise InputError("the neuron is set at every word; leave out where.positions")
    if not isinstance(replacement, str) or replacement not in REPLACEMENTS:
        raise unknown_choice("replacement", replacement, REPLACEMENTS)
    sentences, said = _sentences(texts, present)
    rows, described = _once(sentences, said)
    loaded = as_loaded(model, tokenizer, head="language")
    reads_both_sides(loaded)  # refuses what predicts no words
    space = resolve_space(sites_at(loaded, where), where.layers, loaded)
    columns = space.columns_of(neuron)
    if len(columns) != 1:
        raise InputError(f"{len(columns)} neurons; give one, such as '3:17'")
    (own,) = space.neurons(columns)
    runner, of_words = _runner(loaded, sentences, rows, where, own)
    rng = np.random.default_rng(seed)
    groups = _groups(of_words.sum(1).cpu().numpy())
    shuffled = _shuffled(described, groups, rng)
    neurons = [own, *_others(own, runner.space.n_neurons, n_random, rng)]
    changes = _changes(runner, of_words, [each.unit for each in neurons], replacement)
    _check_changes(changes, rows, loaded)
    effects = [
        _effect(description, own, changes[0], described, groups),
        _constant(own, changes[0]),
        _effect(SHUFFLED_PRESENCE, own, changes[0], shuffled, groups),
        *(
            _effect(description, other, change, described, groups)
            for other, change in zip(neurons[1:], changes[1:], strict=True)
        ),
    ]
    return DescriptionEffects(runner.space, replacement, tuple(effects))


def _sentences(texts: Any, present: Any) -> tuple[list[str], np.ndarray]:
    """Every sentence as the model reads it, and what the description says of it."""
    if isinstance(texts, TaggedCorpus):
        sentences = [texts.text(number) for number in range(len(texts))]
    else:
        sentences = strings(texts, "texts")
    said = validate_present(present, "sentence")
    if isinstance(texts, TaggedCorpus) and len(said) == texts.n_words:
        return sentences, np.maximum.reduceat(said, texts.sentence_offsets[:-1])
    if len(said) != len(sentences):
        words = f" of {texts.n_words} words" if isinstance(texts, TaggedCorpus) else ""
        raise InputError(
            f"present has {len(said)} values for {len(sentences)} sentences{words}; give one each"
        )
    if not sentences:
        raise InputError("no texts; give at least one")
    return sentences, said


def _once(sentences: list[str], said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each different sentence stands first, and whether it is described."""
    number_of: dict[str, int] = {}
    numbers = np.array([number_of.setdefault(each, len(number_of)) for each in sentences])
    rows = np.unique(numbers, return_index=True)[1]
    described = np.bincount(numbers, said) / np.bincount(numbers) >= 0.5
    if described.all() or not described.any():
        which = "every one" if described.all() else "none"
        raise InputError(
            f"of {len(described)} sentences {which} is described, so that there is nothing to "
            "compare; give sentences with and without what is described"
        )
    return rows, described


def _runner(
    loaded: LoadedModel, sentences: list[str], rows: np.ndarray, where: Location, neuron: Neuron
) -> tuple[InterventionRunner, torch.Tensor]:
    """The model with these sentences, and their tokens of words, (n_sentences, n_tokens) bool."""
    inputs = encode_texts(loaded, sentences)
    chosen = torch.as_tensor(rows, device=inputs.input_ids.device)
    ids, mask = inputs.input_ids[chosen], inputs.attention_mask[chosen]
    of_words = ~inputs.is_special[chosen]
    only_masks = (~of_words).all(1)
    if only_masks.any():
        row = int(rows[int(only_masks.int().argmax())])
        raise InputError(f"text {row + 1} has no token of a word; leave it out")
    location = Location(where.site, [neuron.layer], of_words, where.side)
    runner = InterventionRunner(loaded, ids, mask, location)
    return runner, of_words


def _others(neuron: Neuron, width: int, n_random: int, rng: np.random.Generator) -> list[Neuron]:
    """Other neurons of the layer, drawn at random."""
    units = np.delete(np.arange(width), neuron.unit)
    if n_random > len(units):
        raise InputError(
            f"n_random is {n_random}, but layer {neuron.layer} has {len(units)} other neurons; "
            "give fewer"
        )
    drawn = rng.choice(units, n_random, replace=False)
    return [Neuron(neuron.layer, unit) for unit in drawn.tolist()]


@torch.no_grad()
def _changes(
    runner: InterventionRunner, of_words: torch.Tensor, units: list[int], replacement: str
) -> np.ndarray:
    """The change of every sentence when a unit is set, (n_units, n_sentences) float64.

    The intact model reads the same batches, so that what changes nothing has a change of exactly 0.
    In float64, since many changes are smaller than float32 tells from 0.
    """
    values = torch.zeros(runner.space.n_neurons, device=runner.device)
    if replacement == "mean":
        values = runner.activation_range().mean
    changes = torch.zeros((len(units), len(runner)), dtype=torch.float64)
    batches = runner.batches(2)  # float64 takes twice the memory
    for rows in tqdm(batches, desc="causal effect", unit="batch", disable=None, delay=2):
        intact = runner.intact_logits(rows).double().log_softmax(-1)
        probability = intact.exp()
        counted = of_words[rows, : intact.shape[1]]
        for number, unit in enumerate(units):
            gates = torch.zeros_like(values)
            gates[unit] = 1
            changed = runner.logits(gates, values, rows).double().log_softmax(-1)
            divergence = (probability * (intact - changed)).sum(-1)
            means = (divergence * counted).sum(1) / counted.sum(1)
            changes[number, rows.cpu()] = means.cpu()
    return changes.numpy()


def _check_changes(changes: np.ndarray, rows: np.ndarray, loaded: LoadedModel) -> None:
    is_known = np.isfinite(changes).all(0)
    if not is_known.all():
        text = int(rows[int(np.argmin(is_known))]) + 1
        raise InputError(
            f"{loaded.name}: its predictions of text {text} are NaN or infinite; load the model in "
            "float32, or leave the text out"
        )


def _groups(lengths: np.ndarray) -> np.ndarray:
    """The number of each sentence's group, (n_sentences,), of sentences of about one length."""
    n_groups = int(np.clip(len(lengths) // LEAST_OF_GROUP, 1, N_GROUPS))
    groups = np.empty(len(lengths), dtype=int)
    for number, rows in enumerate(np.array_split(np.argsort(lengths, kind="stable"), n_groups)):
        groups[rows] = number
    return groups


def _shuffled(described: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many sentences of each group, drawn at random."""
    shuffled = np.empty_like(described)
    for group in np.unique(groups):
        shuffled[groups == group] = rng.permutation(described[groups == group])
    return shuffled


def _effect(
    description: str,
    neuron: Neuron,
    change: np.ndarray,
    described: np.ndarray,
    groups: np.ndarray,
) -> DescriptionEffect:
    return DescriptionEffect(
        description,
        neuron,
        len(change),
        int(described.sum()),
        _mean(change[described]),
        _mean(change[~described]),
        mean_difference(change, described),
        roc_auc(change, described, groups),
    )


def _constant(neuron: Neuron, change: np.ndarray) -> DescriptionEffect:
    """Of a description that is present everywhere."""
    mean, n = _mean(change), len(change)
    none = Interval(0.0, *UNKNOWN), Interval(0.5, 0.0, 1.0)
    return DescriptionEffect(CONSTANT, neuron, n, n, mean, mean, *none)


def _mean(change: np.ndarray) -> Interval:
    return mean_interval(change, np.arange(len(change)), level=LEVEL)
