"""The texts of the benchmarks in which it is known which words decide."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from transformers import AutoTokenizer

import neurox_lite as nx
from tests.benchmarks.agreement_tokens import (
    ATTRACTOR,
    OTHER,
    SAME,
    SUBJECT,
    agreement_pairs,
    roles,
)
from tests.benchmarks.deciding_models import shuffled_batches
from tests.benchmarks.deciding_texts import (
    CONDITIONS,
    NEVER,
    DecidingWriter,
    questions,
    sentiment_texts,
)

GOOD = {"happy", "clever", "kind", "brave", "friendly", "lucky"} | {
    "smiles",
    "smile",
    "smiled",
    "laughs",
    "laugh",
    "laughed",
}
BAD = {"sad", "tired", "angry", "hungry", "nervous", "strange"} | {
    "cries",
    "cry",
    "cried",
    "hides",
    "hide",
    "hid",
}
NEGATORS = {NEVER, "No"}


@pytest.fixture(scope="module")
def texts():
    return sentiment_texts(400, seed=3)


@pytest.fixture(scope="module")
def asked():
    return questions(200, seed=3)


def test_the_label_follows_from_the_deciding_words_alone(texts):
    for text in texts:
        *negators, sentiment = (text.words[place] for place in text.deciding)
        assert set(negators) <= NEGATORS and len(negators) <= 1
        assert sentiment in GOOD | BAD
        assert text.label == ((sentiment in GOOD) != bool(negators))


def test_conditions_say_what_there_is_and_are_equally_frequent(texts):
    counts = Counter((text.label, text.condition) for text in texts)
    assert counts == dict.fromkeys([(x, c) for x in (0, 1) for c in CONDITIONS], 50)
    for text in texts:
        elsewhere = [word for place, word in enumerate(text.words) if not text.truth[place]]
        assert (len(text.deciding) == 2) == (text.condition in ("negation", "both"))
        has_distractor = not (GOOD | BAD).isdisjoint(elsewhere)
        assert has_distractor == (text.condition in ("distractor", "both"))


def test_distractors_do_not_tell_the_label(texts):
    """As many speak for the label as against it, also where they are negated."""
    agree = Counter()
    for text in texts:
        elsewhere = {word for place, word in enumerate(text.words) if not text.truth[place]}
        for label, words in enumerate((BAD, GOOD)):
            if elsewhere & words:
                agree[label == text.label] += 1
    assert agree[True] / agree.total() == pytest.approx(0.5, abs=0.1)
    # A negator stands in clauses of someone else, too, so that it is not enough to find one.
    assert any(NEVER in text.words and len(text.deciding) == 1 for text in texts)


def test_roles_say_what_decides_and_what_looks_like_it(texts):
    for text in texts:
        for word, decides, role in zip(text.words, text.truth, text.roles, strict=True):
            expected = "other word"
            if word in GOOD | BAD | NEGATORS | {"no"}:
                kind = "sentiment" if word in GOOD | BAD else "negator"
                expected = f"{kind} that decides" if decides else "either elsewhere"
            assert role == expected


def test_the_deciding_predicate_is_that_of_the_main_clause():
    """It ends before the clause about someone else begins."""
    for text in sentiment_texts(80, seed=4):
        for conjunction in {"because", "while", "when", "although"} & set(text.words):
            assert text.deciding[-1] == text.words.index(conjunction) - 1


def test_a_question_has_one_answer_that_needs_verb_and_object(asked):
    for question in asked:
        _, verb, _, object_ = question.question
        sentences = " ".join(question.context).split(" .")[:3]
        both = [s for s in sentences if f" {verb} the {object_}" in s]
        assert len(both) == 1
        first, last = question.answer
        answer = " ".join(question.context[first : last + 1])
        assert both[0].strip() == f"{answer} {verb} the {object_}"
        assert sum(f" {verb} the " in s for s in sentences) == 2
        assert sum(s.endswith(f" the {object_}") for s in sentences) == 2
        words = question.question + question.context
        assert [words[place] for place in question.deciding] == [verb, object_] * 2
        assert question.deciding[2] == len(question.question) + last + 1
        by_role = {role: [] for role in question.roles}
        for word, role in zip(words, question.roles, strict=True):
            by_role[role].append(word)
        assert by_role["decides, asked"] == by_role["decides, in the answer"] == [verb, object_]
        assert sorted(by_role["either elsewhere"]) == sorted([verb, object_])
        assert by_role["the answer"] == [answer]


def test_one_of_both_is_enough_for_an_easy_question():
    for question in questions(30, seed=0, may_be_easy=True):
        n_verbs = question.context.count(question.question[1])
        n_objects = question.context.count(question.question[3])
        assert (n_verbs, n_objects) in {(1, 1), (2, 2)}


def test_texts_are_those_of_the_seed():
    assert sentiment_texts(16, seed=5) == sentiment_texts(16, seed=5)
    assert questions(5, seed=5) == questions(5, seed=5)
    assert DecidingWriter(1).question() != DecidingWriter(2).question()


def test_every_word_is_one_known_token_of_the_embedded_model(texts, asked):
    tokenizer = AutoTokenizer.from_pretrained(nx.embedded_path("models/bert"))
    words = {word for text in texts for word in text.words}
    words |= {word for each in asked for word in each.question + each.context}
    for word in sorted(words):
        (token,) = tokenizer.tokenize(word)
        assert token != tokenizer.unk_token


def test_roles_of_nouns_in_pairs():
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    for pair in pairs:
        if pair.template != "conjunction":
            numbers = pair.condition.split("_")
            found = [role for role in roles(pair) if role != OTHER]
            rest = [SAME if number == numbers[0] else ATTRACTOR for number in numbers[1:]]
            assert found == [SUBJECT, *rest], pair
    train, test = agreement_pairs()
    assert not {pair.prefix for pair in train} & {pair.prefix for pair in test}
    assert all(ATTRACTOR in roles(pair) for pair in test)


def test_batches_have_every_row_once_and_similar_lengths():
    torch.manual_seed(0)
    lengths = torch.randint(5, 30, (1000,)).tolist()
    batches = shuffled_batches(lengths)
    assert sorted(torch.cat(batches).tolist()) == list(range(1000))
    spans = [max(lengths[i] for i in rows) - min(lengths[i] for i in rows) for rows in batches]
    assert sum(spans) / len(spans) < 4
