"""The project's own grammar of English: sentences written together with their labels.

One writer of all phrases, and long since they contain one another.

Labels are named as CoNLL-U names them:

``upos``
    Universal part of speech: NOUN, PROPN, PRON, VERB, AUX, ADJ, ADV, ADP, DET, NUM, CCONJ, SCONJ,
    PUNCT.
``Number``
    Sing or Plur on nouns, names, personal pronouns, number-marked determiners and numerals,
    present verbs and auxiliaries, and *was* / *were*.
``Tense``
    Pres or Past on verbs and auxiliaries; participles are Past.
``Gender``
    Masc or Fem on gendered nouns, names, and *he, him, his, himself, she, her, herself*.
    Professions have none.
``Depth``
    How many prepositional phrases and subordinate (relative, complement or adverbial) clauses the
    word is inside of: "The boy behind the car near the tree smiles ." has
    0 0 1 1 1 2 2 2 0 0, since *near* belongs to *car*. The word that opens a phrase or clause
    counts as inside of it; coordination adds no depth.

A pronoun in a subordinate clause refers to the subject of the main clause; a reflexive ("admires
herself") or possessive ("loves her car") refers to the subject of its verb. All pronouns for one
subject are the same: *they* for a plural, *it* for an animal or thing; for a singular person *she*
with the probability ``she`` of the noun in the lexicon (1 and 0 for gendered nouns and names, .95,
.8, .5, .2 or .05 for professions, .5 for others), drawn once per noun phrase, otherwise *he*.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from neurox_lite.corpora.lexicon import Lexicon, Noun, Verb, read_lexicon
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError

SINGULAR, PLURAL = "Sing", "Plur"
PRESENT, PAST = "Pres", "Past"
# Objects that are deeper than this get no modifier, so that sentences stay readable.
DEEPEST_MODIFIER = 1

Item = TypeVar("Item")


class Word(NamedTuple):
    """A word and its labels; ``""`` is "no label"."""

    form: str
    upos: str
    number: str = ""
    tense: str = ""
    gender: str = ""
    depth: int = 0


class Subject(NamedTuple):
    """A noun phrase and what verbs and pronouns need to know about it.

    ``pronoun`` is ``feminine``, ``masculine``, ``neuter`` or ``plural``.
    """

    words: list[Word]
    number: str
    kind: str
    pronoun: str


class Grammar:
    """Writes labelled sentences from the embedded lexicon.

    Attributes
    ----------
    lexicon : Lexicon
    """

    def __init__(self) -> None:
        self.lexicon: Lexicon = read_lexicon(embedded_path("lexicon.yaml"))

    def corpus(self, n_sentences: int, seed: int) -> TaggedCorpus:
        """Sentences with the tags upos, Number, Tense, Gender and Depth; at least one.

        The same seed gives the same sentences, on every machine.
        """
        if n_sentences < 1:
            raise InputError(f"n_sentences is {n_sentences}; ask for at least 1")
        writer = SentenceWriter(self.lexicon, random.Random(seed))
        return to_corpus([writer.sentence() for _ in range(n_sentences)])


def to_corpus(sentences: Sequence[Sequence[Word]]) -> TaggedCorpus:
    """Turn written sentences into a corpus, with one tag per kind of label."""
    by_tag = {
        "upos": [[word.upos for word in words] for words in sentences],
        "Number": [[word.number for word in words] for words in sentences],
        "Tense": [[word.tense for word in words] for words in sentences],
        "Gender": [[word.gender for word in words] for words in sentences],
        "Depth": [[str(word.depth) for word in words] for words in sentences],
    }
    forms = [[word.form for word in words] for words in sentences]
    return TaggedCorpus(forms, by_tag, source="embedded grammar")


def capitalise(words: Sequence[Word]) -> list[Word]:
    """The same words, the first with a capital letter."""
    first = words[0]
    return [first._replace(form=first.form[0].upper() + first.form[1:]), *words[1:]]


class SentenceWriter:
    """Writes sentences, and the phrases they consist of, with one random generator."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        self.lexicon = lexicon
        self.rng = rng

    # --- sentences -------------------------------------------------------------------------

    def sentence(self) -> list[Word]:
        """One sentence, from the capital letter to the full stop."""
        tense = self.tense()
        words = self.opening(tense) if self.chance(0.08) else []
        subject = self.subject()
        words += subject.words
        if subject.kind == "person" and self.chance(0.25):
            words += self.reporting(subject, tense)
        else:
            words += self.predicate(subject, tense)
            if self.chance(0.15):
                conjunction = self.pick(self.lexicon.conjunctions["coordinating"])
                words += [Word(conjunction, "CCONJ"), *self.predicate(subject, tense)]
            if self.chance(0.25):
                conjunction = self.pick(self.lexicon.conjunctions["subordinating"])
                words += [Word(conjunction, "SCONJ", depth=1)]
                words += self.subordinate_clause(subject, tense)
        return capitalise([*words, Word(".", "PUNCT")])

    def opening(self, tense: str) -> list[Word]:
        """An adverb before the subject, such as "Yesterday ,"."""
        time = "present_time" if tense == PRESENT else "past_time"
        adverbs = self.lexicon.adverbs
        return [Word(self.pick(adverbs[time] + adverbs["sentence"]), "ADV"), Word(",", "PUNCT")]

    def reporting(self, subject: Subject, tense: str) -> list[Word]:
        """A predicate such as "probably said that she knows the king"."""
        verb = self.pick(self.lexicon.verbs["reporting"])
        words = self.adverbs(0) if self.chance(0.15) else []
        words += self.verb_group(verb, subject.number, tense, 0)
        words += [Word(self.lexicon.conjunctions["complementizer"], "SCONJ", depth=1)]
        return words + self.subordinate_clause(subject, self.tense())

    def subordinate_clause(self, referent: Subject, tense: str) -> list[Word]:
        """A clause of depth 1; most have a pronoun that refers to the main subject."""
        kind = self.rng.random()
        if kind < 0.65:
            pronoun = self.pronoun(referent.pronoun, "subject", 1)
            return [pronoun, *self.predicate(referent, tense, 1)]
        new = self.noun_phrase(self.number(), 1, ("person",))
        if kind < 0.8:
            verb = self.pick(self.lexicon.verbs["transitive"])
            group = self.verb_group(verb, new.number, tense, 1)
            return [*new.words, *group, self.pronoun(referent.pronoun, "object", 1)]
        return [*new.words, *self.predicate(new, tense, 1)]

    # --- predicates ------------------------------------------------------------------------

    def predicate(self, subject: Subject, tense: str, depth: int = 0) -> list[Word]:
        """A verb that agrees with the subject, with adverbs and an object or complement."""
        if self.chance(0.2):
            return self.copula(subject, tense, depth)
        words = self.adverbs(depth) if self.chance(0.3) else []
        if subject.kind == "object":
            category = "inanimate"
        else:
            category = "transitive" if self.chance(0.7) else "intransitive"
        verb = self.pick(self.lexicon.verbs[category])
        words += self.verb_group(verb, subject.number, tense, depth)
        if category == "transitive":
            words += self.object_of(subject, depth)
        elif self.chance(0.2):
            words += self.prepositional_phrase(depth + 1)
        return words

    def copula(self, subject: Subject, tense: str, depth: int) -> list[Word]:
        """A form of *be* with an adjective or a place."""
        words = [self.auxiliary("be", subject.number, tense, depth)]
        if self.chance(0.2):
            words.append(Word(self.pick(self.lexicon.adverbs["frequency"]), "ADV", depth=depth))
        if self.chance(0.3):
            return words + self.prepositional_phrase(depth + 1)
        return [*words, self.adjective(subject.kind, depth)]

    def verb_group(self, verb: Verb, number: str, tense: str, depth: int) -> list[Word]:
        """A finite verb, or a form of *have* with the participle."""
        if self.chance(0.12):
            have = self.auxiliary("have", number, tense, depth)
            return [have, Word(verb.participle, "VERB", tense=PAST, depth=depth)]
        if tense == PAST:
            return [Word(verb.past, "VERB", tense=PAST, depth=depth)]
        form = verb.singular if number == SINGULAR else verb.plural
        return [Word(form, "VERB", number, PRESENT, depth=depth)]

    def auxiliary(self, name: str, number: str, tense: str, depth: int) -> Word:
        """A form of *be* or *have*; only *had* is the same in both numbers."""
        forms = self.lexicon.auxiliaries[name]
        form = forms[2 * (tense == PAST) + (number == PLURAL)]
        marked = form != "had"
        return Word(form, "AUX", number if marked else "", tense, depth=depth)

    def adverbs(self, depth: int) -> list[Word]:
        """One adverb, a degree with an adverb, or two adverbs joined by *and*."""
        adverbs = self.lexicon.adverbs
        kind = self.pick(("sentence", "sentence", "manner", "frequency", "degree", "conjunction"))
        if kind == "degree":
            forms = [self.pick(adverbs["degree"]), self.pick(adverbs["sentence"])]
        elif kind == "conjunction":
            first, second = self.rng.sample(adverbs["manner"], 2)
            return [
                Word(first, "ADV", depth=depth),
                Word("and", "CCONJ", depth=depth),
                Word(second, "ADV", depth=depth),
            ]
        else:
            forms = [self.pick(adverbs[kind])]
        return [Word(form, "ADV", depth=depth) for form in forms]

    def object_of(self, subject: Subject, depth: int) -> list[Word]:
        """An object, which may be the subject itself or something of the subject's."""
        kind = self.rng.random()
        if kind < 0.12:
            return [self.pronoun(subject.pronoun, "reflexive", depth)]
        phrase = self.object(depth)
        if kind < 0.35 and phrase[0].upos == "DET":
            return [self.pronoun(subject.pronoun, "possessive", depth), *phrase[1:]]
        return phrase

    def object(self, depth: int) -> list[Word]:
        """A noun phrase or a name after a verb."""
        if self.chance(0.1):
            return self.name(depth).words
        phrase = self.noun_phrase(self.number(), depth)
        if depth <= DEEPEST_MODIFIER and self.chance(0.1):
            return [*phrase.words, *self.modifier(phrase, depth + 1)]
        return phrase.words

    # --- noun phrases ----------------------------------------------------------------------

    def subject(self) -> Subject:
        """The subject of a main clause."""
        kind = self.rng.random()
        if kind < 0.05:
            gender = self.pick(("feminine", "masculine", "plural"))
            pronoun = self.pronoun(gender, "subject", 0)
            return Subject([pronoun], pronoun.number, "person", gender)
        if kind < 0.12:
            return self.name(0)
        if kind < 0.2:
            return self.coordination()
        kinds = self.pick((("person",), ("person",), ("person",), ("animal", "object")))
        phrase = self.noun_phrase(self.number(), 0, kinds)
        if self.chance(0.6):
            return phrase._replace(words=[*phrase.words, *self.modifier(phrase, 1)])
        return phrase

    def coordination(self) -> Subject:
        """Two persons joined by *and*: always plural."""
        first = self.noun_phrase(self.number(), 0, ("person",))
        second = self.noun_phrase(self.number(), 0, ("person",))
        words = [*first.words, Word("and", "CCONJ"), *second.words]
        return Subject(words, PLURAL, "person", "plural")

    def noun_phrase(
        self,
        number: str,
        depth: int,
        kinds: Sequence[str] = ("person", "person", "animal", "object", "object"),
        marked: bool = True,
    ) -> Subject:
        """Determiner, sometimes an adjective, noun; without modifiers after the noun.

        Parameters
        ----------
        number : {"Sing", "Plur"}
        depth : int
        kinds : sequence of {"person", "animal", "object"}
            One is drawn.
        marked : bool
            Whether the determiner may show the number.
        """
        noun = self.noun(self.pick(kinds))
        determiner = self.determiner(number, depth, marked)
        words = [determiner]
        if self.chance(0.15):
            words.append(self.adjective(noun.kind, depth))
        form = noun.singular if number == SINGULAR else noun.plural
        words.append(Word(form, "NOUN", number, gender=noun.gender, depth=depth))
        if determiner.form == "a" and words[1].form[0] in "aeiou":
            words[0] = determiner._replace(form="an")
        return Subject(words, number, noun.kind, self.pronoun_for(noun, number))

    def noun(self, kind: str) -> Noun:
        """A noun of a kind."""
        lexicon = self.lexicon
        nouns = {"person": lexicon.people, "animal": lexicon.animals, "object": lexicon.objects}
        return self.pick(nouns[kind])

    def determiner(self, number: str, depth: int, marked: bool) -> Word:
        """A determiner or numeral; half of them show the number where they may."""
        if not marked or self.chance(0.5):
            return Word(self.pick(self.lexicon.determiners["unmarked"]), "DET", depth=depth)
        if number == PLURAL and self.chance(0.3):
            return Word(self.pick(self.lexicon.numerals), "NUM", PLURAL, depth=depth)
        key = "singular" if number == SINGULAR else "plural"
        return Word(self.pick(self.lexicon.determiners[key]), "DET", number, depth=depth)

    def adjective(self, kind: str, depth: int) -> Word:
        """An adjective that suits living beings or things."""
        key = "inanimate" if kind == "object" else "animate"
        return Word(self.pick(self.lexicon.adjectives[key]), "ADJ", depth=depth)

    def name(self, depth: int) -> Subject:
        """A first name."""
        name = self.pick(self.lexicon.names)
        word = Word(name.form, "PROPN", SINGULAR, gender=name.gender, depth=depth)
        pronoun = "feminine" if name.gender == "Fem" else "masculine"
        return Subject([word], SINGULAR, "person", pronoun)

    def pronoun_for(self, noun: Noun, number: str) -> str:
        """Which pronouns refer to a noun; for stereotypes a matter of chance."""
        if number == PLURAL:
            return "plural"
        if noun.kind != "person":
            return "neuter"
        return "feminine" if self.chance(noun.she) else "masculine"

    def pronoun(self, gender: str, case: str, depth: int) -> Word:
        """A personal, possessive or reflexive pronoun."""
        number = PLURAL if gender == "plural" else SINGULAR
        label = {"feminine": "Fem", "masculine": "Masc"}.get(gender, "")
        return Word(self.lexicon.pronouns[case][gender], "PRON", number, gender=label, depth=depth)

    # --- modifiers -------------------------------------------------------------------------

    def modifier(self, head: Subject, depth: int) -> list[Word]:
        """What stands between a noun and its verb; the nouns in it attract agreement."""
        kind = self.rng.random()
        if kind < 0.4:
            return self.prepositional_phrase(depth)
        if kind < 0.55:
            return [*self.prepositional_phrase(depth), *self.prepositional_phrase(depth + 1)]
        if kind < 0.75:
            return self.subject_relative(head, depth)
        return self.object_relative(head, depth)

    def prepositional_phrase(self, depth: int, number: str = "") -> list[Word]:
        """A preposition with a noun phrase; a name now and then when no number is asked for."""
        preposition = Word(self.pick(self.lexicon.prepositions), "ADP", depth=depth)
        if not number and self.chance(0.1):
            return [preposition, *self.name(depth).words]
        return [preposition, *self.noun_phrase(number or self.number(), depth).words]

    def subject_relative(self, head: Subject, depth: int, number: str = "") -> list[Word]:
        """A clause such as "who admires the cars", whose verb agrees with the head."""
        relative = self.relative_pronoun(head, depth)
        if head.kind == "object":
            words = [self.auxiliary("be", head.number, self.tense(), depth)]
            return [relative, *words, *self.prepositional_phrase(depth + 1, number)]
        words = self.adverbs(depth) if self.chance(0.15) else []
        verb = self.pick(self.lexicon.verbs["transitive"])
        words += self.verb_group(verb, head.number, self.tense(), depth)
        return [relative, *words, *self.noun_phrase(number or self.number(), depth).words]

    def object_relative(self, head: Subject, depth: int, number: str = "") -> list[Word]:
        """A clause such as "that the boys admire", whose verb agrees with its own subject."""
        inner = self.noun_phrase(number or self.number(), depth, ("person",))
        words = [self.relative_pronoun(head, depth), *inner.words]
        if not number and depth <= DEEPEST_MODIFIER and self.chance(0.1):
            words += self.prepositional_phrase(depth + 1)
        words += self.adverbs(depth) if self.chance(0.1) else []
        verb = self.pick(self.lexicon.verbs["transitive"])
        return words + self.verb_group(verb, inner.number, self.tense(), depth)

    def relative_pronoun(self, head: Subject, depth: int) -> Word:
        """*who* and *that* for persons, *that* and *which* for others."""
        key = "people" if head.kind == "person" else "things"
        return Word(self.pick(self.lexicon.relative_pronouns[key]), "PRON", depth=depth)

    # --- chance ----------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.rng.random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of several, each equally probable."""
        return self.rng.choice(items)

    def number(self) -> str:
        """Singular or plural."""
        return self.pick((SINGULAR, PLURAL))

    def tense(self) -> str:
        """Present in seven of ten clauses, since only the present shows agreement."""
        return PRESENT if self.chance(0.7) else PAST
