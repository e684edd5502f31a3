"""Minimal pairs: two words of which only one may follow a prefix."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neurox_lite.corpora.grammar import (
    PAST,
    PLURAL,
    PRESENT,
    SINGULAR,
    Grammar,
    SentenceWriter,
    Subject,
    Word,
    capitalised,
)
from neurox_lite.corpora.lexicon import Noun
from neurox_lite.errors import InputError

# So many known prefixes in a row mean that there are hardly any others.
MOST_REPETITIONS = 200
HEADER = ["prefix", "right", "wrong", "suffix", "template", "condition"]


@dataclass(frozen=True)
class MinimalPair:
    """A prefix, the word that may follow it, and one that may not.

    Parameters
    ----------
    prefix : tuple of str
        The words before; a model reads them joined by single spaces.
    right, wrong : str
        A model is right when ``right`` is more probable than ``wrong`` after the prefix.
    suffix : tuple of str
        The words after, for models that read both sides.
    template, condition : str
        Where the pair comes from, such as ``nounpp`` and ``singular_plural`` (the number of the
        subject, then of each noun between it and the verb).
    """

    prefix: tuple[str, ...]
    right: str
    wrong: str
    suffix: tuple[str, ...] = ()
    template: str = ""
    condition: str = ""


# --- number ------------------------------------------------------------------------------------


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
    prefix = capitalised(subject.words + after_subject(writer, subject, *numbers[1:]))
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


# --- gender ------------------------------------------------------------------------------------


def gender_pairs(grammar: Grammar, n: int, seed: int) -> list[MinimalPair]:
    """Pairs of *she* and *he* after a clause about one person.

    Two templates: ``reporting`` "The nurse said that" and ``because`` "The nurse smiled because".
    Conditions: ``definitional_feminine`` and ``definitional_masculine`` for gendered nouns,
    ``stereotype_feminine`` and ``stereotype_masculine`` for professions, where ``right`` is the
    pronoun that is more frequent in the grammar. Nouns without a preference are left out.

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
        prefix=_forms(capitalised(words)),
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


# --- files -------------------------------------------------------------------------------------


def write_pairs(path: str | Path, pairs: Sequence[MinimalPair]) -> None:
    """Write pairs as tab-separated text with a header line."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        writer.writerow(HEADER)
        for pair in pairs:
            prefix, suffix = " ".join(pair.prefix), " ".join(pair.suffix)
            writer.writerow([prefix, pair.right, pair.wrong, suffix, pair.template, pair.condition])


def read_pairs(path: str | Path) -> list[MinimalPair]:
    """Read pairs written by `write_pairs`.

    Raises
    ------
    InputError
        When the file cannot be read, has another header, no pairs, or a line that is no pair.
    """
    header, *rows = _rows(path)
    if header != HEADER:
        raise InputError(f"{path}, line 1: the header is not '{' '.join(HEADER)}'; add it")
    if not rows:
        raise InputError(f"{path}: no pairs after the header; give at least one")
    pairs = []
    for line, row in enumerate(rows, start=2):
        if len(row) != len(HEADER):
            raise InputError(
                f"{path}, line {line}: {len(row)} columns instead of {len(HEADER)}; "
                "separate them by tabs"
            )
        prefix, right, wrong, suffix, template, condition = row
        pair = MinimalPair(
            tuple(prefix.split()), right, wrong, tuple(suffix.split()), template, condition
        )
        _check(pair, f"{path}, line {line}")
        pairs.append(pair)
    return pairs


def read_number_agreement(path: str | Path) -> list[MinimalPair]:
    """Read a template file of Lakretz et al. (2019).

    Every line has a sentence that ends in the verb, the condition, "correct" or "wrong", and the
    pair's id; a pair is two consecutive lines with the same id. The file's name is the template.

    Raises
    ------
    InputError
        When the file cannot be read or is empty, or a line or pair is not of this form.
    """
    rows = _rows(path)
    if len(rows) % 2:
        raise InputError(f"{path}: {len(rows)} lines, but pairs need an even number; add the other")
    pairs = []
    for line in range(1, len(rows), 2):
        both = {row[2]: row for row in rows[line - 1 : line + 1] if len(row) == 4}
        if set(both) != {"correct", "wrong"} or both["correct"][3] != both["wrong"][3]:
            raise InputError(
                f"{path}, line {line}: this line and the next are no pair; each needs sentence, "
                "condition, correct or wrong, and the same id, separated by tabs"
            )
        *prefix, right = both["correct"][0].split()
        *other, wrong = both["wrong"][0].split()
        if prefix != other:
            raise InputError(
                f"{path}, line {line}: the sentences of the pair differ before the last word; "
                "make them equal"
            )
        condition = both["correct"][1]
        pair = MinimalPair(tuple(prefix), right, wrong, (), Path(path).stem, condition)
        _check(pair, f"{path}, line {line}")
        pairs.append(pair)
    return pairs


def _rows(path: str | Path) -> list[list[str]]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a UTF-8 text file") from None
    if not lines:
        raise InputError(f"{path}: the file is empty; give a file with pairs")
    return [line.split("\t") for line in lines]


def _check(pair: MinimalPair, place: str) -> None:
    if not pair.prefix or not pair.right or not pair.wrong:
        raise InputError(f"{place}: prefix, right or wrong is empty; fill it in")
    if pair.right == pair.wrong:
        raise InputError(f"{place}: right and wrong are both '{pair.right}'; they must differ")
