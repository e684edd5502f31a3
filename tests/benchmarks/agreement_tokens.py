"""Do attributions of the verb's number go to the subject, and not to a noun between them?

    python -m tests.benchmarks.agreement_tokens [--models gpt2 lstm-0 ...] [--seeds 5] [--json]

On the embedded pairs with a noun of the other number between subject and verb ("The niece near the
cars *watches*"). The first tables say what share of words DiffMask keeps in each state; the last,
of all methods, in what share of the pairs the subject has the largest value of all words, and in
what share an attractor has more than the subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

import neurox_lite as nx
from neurox_lite.attribution import kept_by
from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.results.token_attributions import TokenAttributions
from tests.benchmarks.attribution_runs import (
    ESTIMATORS,
    Results,
    add,
    one_thread,
    parser_of,
    print_kept,
    run_methods,
    say,
    show,
)

MASK_OPTIONS = {"epsilon": 0.1, "n_steps": 500, "batch_size": 32}
MODELS = ("gpt2", "lstm-0", "lstm-1", "lstm-2")
SUBJECT, ATTRACTOR, SAME, OTHER = "subject", "attractor", "other noun", "other word"


@cache
def known_words() -> tuple[frozenset[str], frozenset[str]]:
    """Nouns, and what stands before one: determiners, numerals, adjectives."""
    lexicon = Grammar().lexicon
    nouns = (*lexicon.people, *lexicon.animals, *lexicon.objects)
    before = [*lexicon.determiners.values(), *lexicon.adjectives.values(), lexicon.numerals, ["an"]]
    return (
        frozenset(form for noun in nouns for form in (noun.singular, noun.plural)),
        frozenset(form for forms in before for form in forms),
    )


def roles(pair: MinimalPair) -> list[str]:
    """What each word of a prefix is: subject, the first noun; attractor, of the other number; ...

    A noun stands after a determiner, a numeral or an adjective; verbs such as "guards" do not, nor
    after the "that" of a relative clause, which follows a noun.
    """
    nouns, before = known_words()
    numbers = pair.condition.split("_")
    found, n_nouns = [OTHER], 0
    for previous, word in pairwise(pair.prefix):
        is_relative = previous == "that" and len(found) > 1 and found[-2] != OTHER
        if word not in nouns or previous.lower() not in before or is_relative:
            found.append(OTHER)
            continue
        same = SAME if numbers[n_nouns] == numbers[0] else ATTRACTOR
        found.append(same if n_nouns else SUBJECT)
        n_nouns += 1
    return found


def agreement_pairs() -> tuple[list[MinimalPair], list[MinimalPair]]:
    """Pairs to fit on, and others with an attractor to explain; joined subjects are left out."""
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    single = [pair for pair in pairs if pair.template != "conjunction"]
    with_attractor = [pair for pair in single[1::2] if ATTRACTOR in roles(pair)]
    return single[::2], with_attractor[::3]


def shares(attributions: TokenAttributions, pairs: Sequence[MinimalPair]) -> dict[str, float]:
    """Of pairs: where the subject is first of all words, and where an attractor is above it."""
    first, above = [], []
    for values, words, pair in zip(attributions.at(), attributions.words, pairs, strict=True):
        of_words = np.zeros(len(pair.prefix))
        start = min(word for word in words if word >= 0)
        for value, word in zip(np.abs(values), words, strict=True):
            if word >= 0:
                of_words[word - start] += value
        is_role = np.array(roles(pair))
        subject = of_words[is_role == SUBJECT][0]
        first.append(subject > of_words[is_role != SUBJECT].max())
        above.append((of_words[is_role == ATTRACTOR] > subject).any())
    return {"subject first": float(np.mean(first)), "attractor above": float(np.mean(above))}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    one_thread()
    train, test = agreement_pairs()
    labels = [role for pair in test for role in roles(pair)]
    options = {
        **dict.fromkeys(ESTIMATORS, MASK_OPTIONS),
        "exact-erasure": {"max_tokens": 64},
    }
    results: Results = {}
    for model in arguments.models:
        path = nx.embedded_path(f"models/{model}")
        to_fit, to_explain = (ExplainedTexts.of_pairs(path, pairs) for pairs in (train, test))
        for seed in range(arguments.seeds):
            say(model)
            for name, found, seconds in run_methods(
                arguments.methods, to_fit, to_explain, seed, options
            ):
                add(results, f"{model}, {name}", {**shares(found, test), "seconds": seconds})
                if found.states and not arguments.json:
                    print_kept(f"{model}, {name}, seed {seed}", kept_by(found, labels))
    say(f"{len(test)} pairs explained")
    show(results, as_json=arguments.json)


if __name__ == "__main__":
    main()
