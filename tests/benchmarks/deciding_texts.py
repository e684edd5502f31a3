"""Sentences and questions in which it is known which words decide, by the project's grammar.

**Sentiment.** What is said of the subject of the main clause is good or bad: "The nurse near the
sad boys is happy ." The word that says so decides, and so does a word that negates it ("is never
happy", "No nurse is happy"). Sentiment words elsewhere are distractors: before nouns, and in a
clause about someone else, which may be negated, too, or what somebody says.

**Questions.** "who helps the man", asked of three sentences: one that answers, one with the verb
and another object, one with the object and another verb. Verb and object decide, in the question
and in the sentence that answers; the answer is that sentence's subject, a name.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from neurox_lite.corpora.grammar import (
    PAST,
    SINGULAR,
    Grammar,
    SentenceWriter,
    Subject,
    Word,
    capitalise,
)
from neurox_lite.corpora.lexicon import Verb

ADJECTIVES = {
    "good": ("happy", "clever", "kind", "brave", "friendly", "lucky"),
    "bad": ("sad", "tired", "angry", "hungry", "nervous", "strange"),
}
VERBS = {"good": ("smiles", "laughs"), "bad": ("cries", "hides")}
"""By their singular."""

NEVER = "never"
NEGATORS = ("no", NEVER)
OTHER = "other word"
ADVERBS = ("often", "always", "usually", "sometimes")
LABELS = ("bad", "good")
N_ASKED = 6
"""Verbs and objects that are asked for: few, so that a small model learns to find them again."""

CONDITIONS = ("plain", "negation", "distractor", "both")


@dataclass(frozen=True)
class LabelledText:
    """A text, what a classifier has to say of it, and the words that decide.

    Attributes
    ----------
    words : tuple of str
    label : int
        Of ``LABELS``.
    deciding : tuple of int
        Positions.
    condition : str
        Of ``CONDITIONS``.
    elsewhere : tuple of int
        Positions of words of sentiment and negators that do not decide.
    """

    words: tuple[str, ...]
    label: int
    deciding: tuple[int, ...]
    condition: str
    elsewhere: tuple[int, ...] = ()

    @property
    def truth(self) -> np.ndarray:
        """(n_words,) of bool."""
        return np.isin(np.arange(len(self.words)), self.deciding)

    @property
    def roles(self) -> list[str]:
        """What each word is."""
        found = [OTHER] * len(self.words)
        for place in self.deciding:
            negates = self.words[place].lower() in NEGATORS
            found[place] = "negator that decides" if negates else "sentiment that decides"
        for place in self.elsewhere:
            found[place] = "either elsewhere"
        return found


@dataclass(frozen=True)
class Question:
    """A question, the words it is asked of, and the words that decide.

    Attributes
    ----------
    question, context : tuples of str
    answer : (first, last)
        Positions in the context.
    deciding : tuple of int
        Positions in question and context, one after the other.
    """

    question: tuple[str, ...]
    context: tuple[str, ...]
    answer: tuple[int, int]
    deciding: tuple[int, ...]
    condition: str = "question"

    @property
    def truth(self) -> np.ndarray:
        """(n_words,) of bool, question and context."""
        return np.isin(np.arange(len(self.question) + len(self.context)), self.deciding)

    @property
    def roles(self) -> list[str]:
        """What each word is."""
        n, asked = len(self.question), (self.question[1], self.question[3])
        found = [OTHER] * n + [
            "either elsewhere" if word in asked else OTHER for word in self.context
        ]
        for place in self.deciding:
            found[place] = f"decides, {'asked' if place < n else 'in the answer'}"
        found[n + self.answer[0]] = "the answer"
        return found


class DecidingWriter:
    """Writes both, with one random generator."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.writer = SentenceWriter(Grammar().lexicon, self.rng)
        verbs = [verb for group in self.writer.lexicon.verbs.values() for verb in group]
        by_form = {verb.singular: verb for verb in verbs}
        self.verbs = {name: [by_form[form] for form in forms] for name, forms in VERBS.items()}
        self.sentiment = {form for forms in ADJECTIVES.values() for form in forms} | {
            form for group in self.verbs.values() for verb in group for form in verb
        }
        self.telling = self.sentiment | set(NEGATORS)

    def sentiment_text(self) -> LabelledText:
        """One sentence about a person."""
        sides = [self.rng.choice(LABELS) for _ in range(2)]
        subject = self.person()
        negated = subject.words[0].form == "no"
        words = list(subject.words)
        if self.writer.chance(0.6):
            words += self.writer.modifier(subject, 1)
        said, deciding = self.predicate(subject, sides[0], may_negate=not negated)
        places = [len(words) + place for place in deciding]
        words += said
        if self.writer.chance(0.5):
            words += self.clause(sides[1])
        forms = [word.form for word in capitalise(words)] + ["."]
        if negated:
            places.insert(0, 0)
        others = [place for place in range(len(forms)) if place not in places]
        has_negation = len(places) == 2
        has_distractor = any(forms[place] in self.sentiment for place in others)
        return LabelledText(
            tuple(forms),
            LABELS.index(sides[0]) ^ has_negation,
            tuple(places),
            CONDITIONS[has_negation + 2 * has_distractor],
            tuple(place for place in others if forms[place].lower() in self.telling),
        )

    def person(self) -> Subject:
        return self.writer.noun_phrase(self.writer.number(), 0, ("person",))

    def predicate(
        self, subject: Subject, side: str, *, may_negate: bool = True
    ) -> tuple[list[Word], list[int]]:
        """Such as "is never happy", and where in it negator and sentiment word are."""
        said: list[Word] = []
        if may_negate and self.writer.chance(0.35):
            said = [Word(NEVER, "ADV")]
        elif self.writer.chance(0.5):
            said = [Word(self.rng.choice(ADVERBS), "ADV")]
        tense = self.writer.tense()
        if self.writer.chance(0.7):
            copula = self.writer.auxiliary("be", subject.number, tense, 0)
            words = [copula, *said, Word(self.rng.choice(ADJECTIVES[side]), "ADJ")]
        else:
            verb = self.rng.choice(self.verbs[side])
            words = [*said, Word(finite(verb, subject.number, tense), "VERB")]
        negators = [place for place, word in enumerate(words) if word.form == NEVER]
        return words, [*negators, len(words) - 1]

    def clause(self, side: str) -> list[Word]:
        """Something about someone else: "while the boys are sad", or what somebody says of them."""
        conjunction = self.rng.choice(self.writer.lexicon.conjunctions["subordinating"])
        words = [Word(conjunction, "SCONJ")]
        if self.writer.chance(0.3):
            speaker = self.person()
            verb = self.rng.choice(self.writer.lexicon.verbs["reporting"])
            said = Word(finite(verb, speaker.number, self.writer.tense()), "VERB")
            words += [*speaker.words, said, Word("that", "SCONJ")]
        other = self.person()
        return [*words, *other.words, *self.predicate(other, side)[0]]

    def question(self, *, may_be_easy: bool = False) -> Question:
        """One question asked of three sentences in random order.

        An easy one has sentences with a verb and an object of their own, of which one is enough.
        """
        lexicon = self.writer.lexicon
        verbs = self.rng.sample(lexicon.verbs["transitive"][:N_ASKED], 3)
        objects = self.rng.sample(lexicon.people[:N_ASKED], 3)
        verb, object_ = verbs[0], objects[0].singular
        asked = [self.fact(verb, object_)]
        if may_be_easy and self.writer.chance(0.5):
            asked += [self.fact(verbs[1], objects[1].singular)]
            asked += [self.fact(verbs[2], objects[2].singular)]
        else:
            asked += [self.fact(verb, objects[1].singular), self.fact(verbs[1], object_)]
        answering = asked[0]
        self.rng.shuffle(asked)
        question = ("who", verb.singular, "the", object_)
        before = sum(map(len, asked[: asked.index(answering)]))
        end = before + len(answering)
        context = tuple(form for sentence in asked for form in sentence)
        n = len(question)
        # "... helps the man .": the verb is the fourth from the end, the object the second.
        deciding = (1, 3, n + end - 4, n + end - 2)
        return Question(question, context, (before, end - 5), deciding)

    def fact(self, verb: Verb, object_: str) -> tuple[str, ...]:
        """Such as "Mary helps the man ."."""
        (name,) = self.writer.name(0).words
        return (name.form, verb.singular, "the", object_, ".")


def finite(verb: Verb, number: str, tense: str) -> str:
    """The form that agrees."""
    if tense == PAST:
        return verb.past
    return verb.singular if number == SINGULAR else verb.plural


def sentiment_texts(count: int, seed: int) -> list[LabelledText]:
    """Distinct texts, as many of each label and condition; a multiple of 8."""
    writer, found = DecidingWriter(seed), dict[tuple[str, ...], LabelledText]()
    missing = Counter(dict.fromkeys(product(range(2), CONDITIONS), count // 8))
    while missing.total():
        text = writer.sentiment_text()
        if missing[text.label, text.condition] and text.words not in found:
            missing[text.label, text.condition] -= 1
            found[text.words] = text
    return list(found.values())


def questions(count: int, seed: int, *, may_be_easy: bool = False) -> list[Question]:
    """Distinct questions with their contexts; to be learned, half of them are easy."""
    writer, found = DecidingWriter(seed), dict[tuple[str, ...], Question]()
    while len(found) < count:
        question = writer.question(may_be_easy=may_be_easy)
        found[question.question + question.context] = question
    return list(found.values())


def joined(words: Sequence[str]) -> str:
    """As a model reads them."""
    return " ".join(words)
