"""Minimal pairs written by the grammar: number agreement and the gender of pronouns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from neurox_lite.corpora.grammar import (
    PAST,
    PLURAL,
    PRESENT,
    SINGULAR,
    Grammar,
    SentenceWriter,
    Subject,
    Word,
    capitalise,
)
from neurox_lite.corpora.lexicon import Noun
from neurox_lite.corpora.minimal_pairs import MinimalPair
from neurox_lite.errors import InputError

# So many known prefixes in a row mean that there are hardly any others.
MOST_REPETITIONS = 200


def _nothing(writer: SentenceWriter, subject: Subject) -> list[Word]:
    return []


def _adverbs(writer: SentenceWriter, subject: Subject) -> list[Word]:
    return writer.adverbs(0)


def _prepositional_phrases(writer: SentenceWriter, subject: Subject, *numbers: str) -> list[Word]:
    phrases = [
        writer.prepositional_phrase(depth, number) for depth, number in enumerate(numbers, start=1)
    ]
    return [word for phrase in phrases for word in phrase]


def _phrase_and_adverbs(writer: SentenceWriter, subject: Subject, number: str) -> list[Word]:
    return writer.prepositional_phrase(1, number) + writer.adverbs(0)


def _subject_relative(writer: SentenceWriter, subject: Subject, number: str) -> list[Word]:
    return writer.subject_relative(subject, 1, number)


def _object_relative(writer: SentenceWriter, subject: Subject, number: str) -> list[Word]:
    return writer.object_relative(subject, 1, number)


def _conjunction(writer: SentenceWriter, subject: Subject, number: str) -> list[Word]:
    return [Word("and", "CCONJ"), *writer.noun_phrase(number, 0, ("person",), marked=False).words]


# Per template: what follows the subject's noun, and the number of further nouns in it.
_NUMBER_TEMPLATES: dict[str, tuple[Callable[..., list[Word]], int]] = {
    "simple": (_nothing, 0),
    "adv": (_adverbs, 0),
    "nounpp": (_prepositional_phrases, 1),
    "nounpp_adv": (_phrase_and_adverbs, 1),
    "two_pp": (_prepositional_phrases, 2),
    "subject_relative": (_subject_relative, 1),
    "object_relative": (_object_relative, 1),
    "conjunction": (_conjunction, 1),
}


def number_pairs(grammar: Grammar, n: int, seed: int) -> list[MinimalPair]:
    """Pairs of a verb's singular and plural form after a subject of known number.

    Eight templates: ``simple`` "The athlete", ``adv`` "... probably", ``nounpp`` "... behind the
    bikes", ``nounpp_adv``, ``two_pp`` "... near the car behind the bikes", ``subject_relative``
    "... who admires the boys", ``object_relative`` "... that the boys admire", ``conjunction``
    "... and the boy". A condition names the number of every noun in order; all conditions of a
    template are equally frequent. The right form is that of the first noun, except that joined
    subjects are plural. No determiner or adverb of the subject shows its number.

    Parameters
    ----------
    grammar : Grammar
    n : int
        Pairs per template and condition, with different prefixes.
    seed : int

    Raises
    ------
    InputError
        When ``n`` is less than 1, or the grammar has too few prefixes for a template.
    """
    writer = SentenceWriter(grammar.lexicon, random.Random(seed))
    pairs = []
    for template, (_, n_attractors) in _NUMBER_TEMPLATES.items():
        for condition in range(2 ** (n_attractors + 1)):
            numbers = [
                PLURAL if condition >> bit & 1 else SINGULAR
                for bit in reversed(range(n_attractors + 1))
            ]
            pairs += _distinct(partial(_number_pair, writer, template, numbers), n)
    return pairs


def _number_pair(writer: SentenceWriter, template: str, numbers: list[str]) -> MinimalPair:
    after_subject = _NUMBER_TEMPLATES[template][0]
    subject = writer.noun_phrase(numbers[0], 0, ("person",), marked=False)
    prefix = capitalise(subject.words + after_subject(writer, subject, *numbers[1:]))
    verb = writer.pick(writer.lexicon.verbs["transitive"])
    forms = (verb.singular, verb.plural)
    plural = numbers[0] == PLURAL or template == "conjunction"
    names = {SINGULAR: "singular", PLURAL: "plural"}
    return MinimalPair(
        prefix=_forms(prefix),
        right=forms[plural],
        wrong=forms[not plural],
        suffix=_forms([*writer.noun_phrase(writer.number(), 0).words, Word(".", "PUNCT")]),
        template=template,
        condition="_".join(names[number] for number in numbers),
    )


def gender_pairs(grammar: Grammar, n: int, seed: int) -> list[MinimalPair]:
    """Pairs of *she* and *he* after a clause about one person.

    Two templates: ``reporting`` "The nurse said that" and ``because`` "The nurse smiled because".
    Conditions: ``definitional_feminine`` and ``definitional_masculine`` for gendered nouns,
    ``stereotype_feminine`` and ``stereotype_masculine`` for professions, where ``right`` is the
    pronoun that is more frequent in the grammar. Nouns without a preference are left out.
    Parameters and errors are those of :func:`number_pairs`.
    """
    writer = SentenceWriter(grammar.lexicon, random.Random(seed))
    nouns: dict[str, list[Noun]] = {
        "definitional_feminine": [noun for noun in grammar.lexicon.people if noun.she == 1],
        "definitional_masculine": [noun for noun in grammar.lexicon.people if noun.she == 0],
        "stereotype_feminine": [noun for noun in grammar.lexicon.people if 0.5 < noun.she < 1],
        "stereotype_masculine": [noun for noun in grammar.lexicon.people if 0 < noun.she < 0.5],
    }
    pairs = []
    for template in ("reporting", "because"):
        for condition, choice in nouns.items():
            pairs += _distinct(partial(_gender_pair, writer, template, condition, choice), n)
    return pairs


def _gender_pair(
    writer: SentenceWriter, template: str, condition: str, nouns: Sequence[Noun]
) -> MinimalPair:
    noun = writer.pick(nouns)
    determiner = writer.determiner(SINGULAR, 0, marked=False)
    tense = writer.pick((PRESENT, PAST))
    category, opening = {
        "reporting": ("reporting", "that"),
        "because": ("intransitive", "because"),
    }[template]
    verb = writer.pick(writer.lexicon.verbs[category])
    clause = writer.verb_group(verb, SINGULAR, tense, 0)
    words = [determiner, Word(noun.singular, "NOUN"), *clause, Word(opening, "SCONJ")]
    pronouns = ("he", "she")
    feminine = noun.she > 0.5
    subject = Subject([], SINGULAR, noun.kind, "feminine" if feminine else "masculine")
    return MinimalPair(
        prefix=_forms(capitalise(words)),
        right=pronouns[feminine],
        wrong=pronouns[not feminine],
        suffix=_forms([*writer.predicate(subject, tense, 1), Word(".", "PUNCT")]),
        template=template,
        condition=condition,
    )


def _forms(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(word.form for word in words)


def _distinct(write: Callable[[], MinimalPair], n: int) -> list[MinimalPair]:
    """Write pairs until n of them have different prefixes."""
    if n < 1:
        raise InputError(f"minimal pairs: n is {n}; ask for at least 1")
    pairs: dict[tuple[str, ...], MinimalPair] = {}
    repetitions = 0
    while len(pairs) < n:
        pair = write()
        repetitions = repetitions + 1 if pair.prefix in pairs else 0
        if repetitions == MOST_REPETITIONS:
            raise InputError(
                f"minimal pairs: found only {len(pairs)} different prefixes of {n}; ask for fewer"
            )
        pairs.setdefault(pair.prefix, pair)
    return list(pairs.values())
