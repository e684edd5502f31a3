"""How much of what a number mask changes on text is number itself?

KL divergences of predictions in which words that only number tells apart count as one: the forms of
a verb, and then also all pronouns, since they agree in number, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

import neurox_lite as nx
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.interventions.metrics import ModelMetric, evaluate, kl_from_intact
from neurox_lite.interventions.side_effects import random_masks
from neurox_lite.models.loading import LoadedModel
from tests.benchmarks.mask_table import Task, embedded_texts, row

N_RANDOM = 20
LEAST = 1e-12


def verb_forms() -> list[Sequence[str]]:
    """Singular and plural of every verb in the same tense."""
    lexicon = Grammar().lexicon
    verbs = [(verb.singular, verb.plural) for group in lexicon.verbs.values() for verb in group]
    auxiliaries = lexicon.auxiliaries.values()
    return [*verbs, *(forms[:2] for forms in auxiliaries), *(forms[2:] for forms in auxiliaries)]


def pronouns() -> Sequence[str]:
    """All of them: "her" and "it" are of two cases each."""
    return sorted({form for case in Grammar().lexicon.pronouns.values() for form in case.values()})


def joined_kl(loaded: LoadedModel, sets: Sequence[Sequence[str]], site: str) -> ModelMetric:
    """KL(p || p~) per token of text, in nats, with the words of each set as one."""
    metric = kl_from_intact(loaded, embedded_texts(), nx.interventions.Location(site))
    masked = metric.runner
    first = torch.arange(loaded.model.get_output_embeddings().weight.shape[0])
    for words in sets:
        tokens = [token_of(loaded, word) for word in words]
        first[tokens] = tokens[0]

    def joined(logits: torch.Tensor) -> torch.Tensor:
        found = logits.softmax(-1)
        return torch.zeros_like(found).index_add_(-1, first, found).clamp(min=LEAST)

    def score(logits: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        each, place = torch.unique(rows, return_inverse=True)
        intact = joined(masked.intact_logits(each))[place][:, : logits.shape[1]]
        divergence = (intact * (intact.log() - joined(logits).log())).sum(-1).double()
        counted = masked.attention_mask[rows, : logits.shape[1]].double()
        return (divergence * counted).sum(1), counted.sum(1)

    return replace(metric, score=score)


def token_of(loaded: LoadedModel, word: str) -> int:
    """The token of a word that does not begin a sentence."""
    _, token = loaded.tokenizer(f"The {word}", add_special_tokens=False)["input_ids"]
    return int(token)


def joined_table(masks: Sequence[tuple[Task, nx.NeuronMask]]) -> None:
    """KL on text of masks, and in brackets of random masks moved as far."""
    row("mask", "KL on text", "verb forms joined", "pronouns joined, too")
    row(*["---"] * 4)
    loaded, site = masks[0][0].loaded, masks[0][0].site
    metrics = [
        joined_kl(loaded, sets, site) for sets in ([], verb_forms(), [*verb_forms(), pronouns()])
    ]
    usual = metrics[0].runner.activation_range()
    for task, mask in masks:
        gates, values = random_masks(mask, usual, N_RANDOM, seed=0)
        gates, values = np.stack([mask.gates, *gates]), np.stack([mask.replacement, *values])
        cells = []
        for metric in metrics:
            own, *chance = evaluate(metric, gates, values).tolist()
            cells.append(f"{own:.3f} ({np.mean(chance):.3f})")
        row(task.name, *cells)
