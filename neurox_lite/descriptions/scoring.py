"""How well does a description say where a neuron is active? Scores on a uniform held-out sample."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np

from neurox_lite.arguments import expect
from neurox_lite.descriptions.description_scores import (
    CONSTANT,
    SHUFFLED,
    DescriptionScore,
    DescriptionScores,
)
from neurox_lite.descriptions.score_intervals import average_precision, correlation, overlap
from neurox_lite.descriptions.scored_examples import Examples
from neurox_lite.seeds import validate_seed


def score_description(
    present: Any,
    activations: Any,
    sentences: Any,
    *,
    threshold: float,
    description: str = "description",
) -> DescriptionScore:
    """Score what a description says of examples against where a neuron is active.

    Examples, words or whole sentences, are to be a uniform sample of text that the description was
    not made from: not the most active ones and some others, of which scores hardly fall when much
    is described that the neuron is not active on (Oikarinen et al. 2025, NeuronEval).

    With c what the description says of an example, a the activation, P the examples with
    ``c >= 1/2`` and A the active ones, as in NeuronEval:

        F1 = 2 |A & P| / (|A| + |P|)        IoU = |A & P| / |A or P|        correlation = r(c, a)
        AUPRC = mean over i in A of |{j in A: c_j >= c_i}| / |{j: c_j >= c_i}|

    These fall when half of what is described is denied at random, and when as much again is claimed
    at random; of the 18 measures compared there only they and the cosine do. The inverse AUPRC has
    P in the place of A and a in that of c. It needs no threshold, but does not fall where what is
    described comes to be nearly everywhere.

    A description that is present nowhere has an F1 and IoU of 0. Where it says the same of every
    example, AUPRC is the density and the correlation 0. Of a neuron that is never active all scores
    but the correlation are 0.

    Parameters
    ----------
    present : (n_examples,) array-like
        Whether the described is present, or how likely, from 0 to 1.
    activations : (n_examples,) array-like
        Of the neuron. Of a description of its low activations give their negatives.
    sentences : (n_examples,) array-like
        Which sentence each example is of, which are what intervals are over: numbers or strings.
    threshold : float
        The neuron is active above it, and at it, except where that is its smallest activation: a
        neuron that is 0 but for a few examples is active on these.
    description : str
        What it is called in tables.

    Returns
    -------
    DescriptionScore
        With 95 % intervals. Those of AUPRC, inverse AUPRC and correlation are not known
        (``is_known``) where the examples to be found are in fewer than five sentences; those of F1
        and IoU, where all that are active or described are in one.

    Raises
    ------
    InputError
        When there are no examples or not one of each for all, or a value is NaN or out of range.
    """
    expect(description, str, "description", "the text it is called by in tables")
    return score_examples(Examples.of(present, activations, sentences, threshold), description)


def score_with_references(
    present: Any,
    activations: Any,
    sentences: Any,
    *,
    threshold: float,
    description: str = "description",
    seed: SupportsIndex = 0,
) -> DescriptionScores:
    """Score a description, a constant one, and itself against shuffled activations.

    The constant description is present everywhere. Activations are shuffled by whole sentences:
    these come in another order, and the activations of each start at another of its examples, so
    that those of neighbours stay together, but neither content nor position is kept.

    Parameters
    ----------
    present, activations, sentences, threshold, description
        As for :func:`score_description`, and so are the errors.
    seed : int
        Of the order.

    Returns
    -------
    DescriptionScores
        Three: the description, ``constant`` and ``shuffled activations``.
    """
    rng = np.random.default_rng(validate_seed(seed))
    expect(description, str, "description", "the text it is called by in tables")
    examples = Examples.of(present, activations, sentences, threshold)
    constant, shuffled = examples.with_constant(), examples.with_shuffled(rng)
    return DescriptionScores(
        (
            score_examples(examples, description),
            score_examples(constant, CONSTANT),
            score_examples(shuffled, SHUFFLED),
        )
    )


def score_examples(examples: Examples, description: str) -> DescriptionScore:
    """As :func:`score_description`, of examples."""
    active, is_present = examples.is_active, examples.is_present
    sentences = examples.sentences
    iou, f1 = overlap(active, is_present, sentences)
    return DescriptionScore(
        description=description,
        threshold=examples.threshold,
        n_examples=len(active),
        n_sentences=int(sentences.max()) + 1,
        prevalence=float(is_present.mean()),
        density=float(active.mean()),
        auprc=average_precision(examples.present, active, sentences),
        f1=f1,
        iou=iou,
        correlation=correlation(examples.present, examples.activations, sentences),
        inverse_auprc=average_precision(examples.activations, is_present, sentences),
    )
