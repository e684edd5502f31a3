"""Concepts of words, against a count by hand and one word at a time."""

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.descriptions.concepts import concepts_of

SENTENCES = [["The", "dogs", "bark"], ["the", "dog"], ["dogs"]]
UPOS = [["DET", "NOUN", "VERB"], ["DET", "NOUN"], ["NOUN"]]
NUMBER = [["", "Plur", ""], ["", "Sing"], ["Plur"]]
CORPUS = nx.TaggedCorpus(SENTENCES, {"upos": UPOS, "Number": NUMBER})


def words_of(concepts):
    return {name: np.flatnonzero(concepts.of(name)).tolist() for name in concepts.names}


def test_concepts_of_a_few_words():
    assert words_of(concepts_of(CORPUS, min_count=1)) == {
        "Number=Plur": [1, 5],  # as are word=dogs and others
        "Number=Sing": [4],
        "upos=DET": [0, 3],
        "upos=NOUN": [1, 4, 5],
        "upos=VERB": [2],
        "position=first": [0, 3, 5],
        "position=second": [1, 4],
        "position=last": [2, 4, 5],
        "first:Number=Plur": [1, 2, 5],
        "next:Number=Plur": [0],
        "next:Number=Sing": [3],
        "next:upos=VERB": [1],
    }
    found = concepts_of(CORPUS, min_count=2)
    assert set(found.names) == {name for name, rows in words_of(found).items() if len(rows) >= 2}
    assert "upos=VERB" not in found.names and "upos=NOUN" in found.names


def random_corpus(n_sentences=80, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 60, n_sentences)
    tags = {"a": 3, "b": 6}
    return nx.TaggedCorpus(
        [rng.choice(["x", "X", "y", "z"], n).tolist() for n in lengths],
        {
            tag: [rng.choice(["", *map(str, range(count))], n).tolist() for n in lengths]
            for tag, count in tags.items()
        },
    )


def holds(corpus, name, sentence, place):
    """Whether a word has a concept, by its name."""
    for before, step in (("previous:", -1), ("next:", 1)):
        if name.startswith(before):
            there = 0 <= place + step < len(corpus.sentences[sentence])
            return there and holds(corpus, name.removeprefix(before), sentence, place + step)
    for which, number in (("first:", 0), ("latest:", -1)):
        if name.startswith(which):
            tag, label = name.removeprefix(which).split("=")
            read = [one for one in corpus.tags[tag][sentence][: place + 1] if one]
            return bool(read) and read[number] == label
    length = len(corpus.sentences[sentence])
    if name.startswith("position>"):
        return place + 1 > int(name.removeprefix("position>"))
    if name.startswith("position="):
        return place == {"first": 0, "second": 1, "third": 2, "last": length - 1}[name[9:]]
    tag, label = name.split("=")
    if tag == "word":
        return corpus.sentences[sentence][place].lower() == label
    return corpus.tags[tag][sentence][place] == label


def test_one_word_at_a_time():
    corpus = random_corpus()
    concepts = concepts_of(corpus, min_count=1)
    places = [(s, p) for s, words in enumerate(corpus.sentences) for p in range(len(words))]
    labels = [f"a={n}" for n in range(3)] + [f"b={n}" for n in range(6)]
    kinds = [*labels, "word=x", "word=y", "word=z"]
    kinds += [f"{side}:{kind}" for side in ("previous", "next") for kind in kinds]
    kinds += [f"{which}:{label}" for which in ("first", "latest") for label in labels]
    kinds += [f"position={name}" for name in ("first", "second", "third", "last")]
    kinds += [f"position>{n}" for n in (10, 20, 40)]
    assert set(concepts.names) == set(kinds)
    for name in concepts.names:
        assert concepts.of(name).tolist() == [holds(corpus, name, *place) for place in places]


def test_what_was_read_is_not_asked_of_tags_that_all_words_have():
    names = concepts_of(CORPUS, min_count=1).names
    assert not [name for name in names if name.startswith(("first:upos", "latest:upos"))]
    corpus = nx.TaggedCorpus([["a", "b", "c"]] * 2, {"t": [["", "x", "y"], ["y", "", ""]]})
    # "y" is the latest of the second sentence, not of the first word of the first one.
    assert words_of(concepts_of(corpus, min_count=1))["latest:t=y"] == [2, 3, 4, 5]
    assert words_of(concepts_of(corpus, min_count=1))["first:t=x"] == [1, 2]


def test_of_some_words_only_those_are_counted():
    corpus = random_corpus()
    everywhere = concepts_of(corpus, min_count=1)
    some = np.flatnonzero(np.arange(corpus.n_words) % 3 == 0)
    found = concepts_of(corpus, min_count=60, words=some)
    assert found.n_words == len(some) and 0 < len(found) < len(everywhere)
    for name in everywhere.names:
        rows = everywhere.of(name)[some]
        assert (name in found.names) == (60 <= rows.sum() < len(some))
        if name in found.names:
            np.testing.assert_array_equal(found.of(name), rows)
            np.testing.assert_array_equal(found.take(rows).of(name), True)


def test_the_order_of_tags_is_no_matter():
    other = nx.TaggedCorpus(SENTENCES, {"Number": NUMBER, "upos": UPOS})
    assert concepts_of(other, min_count=1).names == concepts_of(CORPUS, min_count=1).names
    assert words_of(concepts_of(other, tags=["upos"], min_count=1)) == words_of(
        concepts_of(CORPUS, tags=("upos", "upos"), min_count=1)
    )


def test_of_the_same_words_the_first_tag_by_name_whatever_its_case():
    """Not the identifiers that a treebank has in its last column."""
    labels = [["a", "b", ""], ["a", "c"], ["b"]]
    identifiers = [[label and f"{label}_0" for label in row] for row in labels]
    corpus = nx.TaggedCorpus(SENTENCES, {"LId": identifiers, "lemma": labels})
    names = concepts_of(corpus, min_count=1).names
    assert "lemma=b" in names and not any(name.startswith("LId") for name in names)


def test_tags_of_sentences_and_those_called_as_ours():
    moods = [["good"] * 3, ["bad"] * 2, ["good"]]
    corpus = nx.TaggedCorpus(SENTENCES, {"mood": moods, "word": UPOS}, sentence_tags=("mood",))
    names = concepts_of(corpus, min_count=1).names
    assert {"mood=good", "mood=bad", "word=NOUN", "next:word=VERB"} <= set(names)
    assert not [name for name in names if ":mood" in name or "dog" in name]
    corpus = nx.TaggedCorpus(SENTENCES, {"position": UPOS})
    assert "position=first" not in concepts_of(corpus, min_count=1).names


def test_concepts_of_all_words_are_none():
    corpus = nx.TaggedCorpus([["a", "b"]] * 3, {"t": [["x", "x"]] * 3})
    assert "t=x" not in concepts_of(corpus, min_count=1).names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tags": ["uops"]}, "no labels called 'uops'; .* did you mean 'upos'"),
        ({"tags": "upos"}, "tags are one string"),
        ({"min_count": 0}, "min_count is 0; give at least 1"),
        ({"min_count": 7}, "none of its labels and forms is of 7 words or more"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(nx.InputError, match=message):
        concepts_of(CORPUS, **options)
    with pytest.raises(nx.InputError, match=r"no concept 'upos=X'; .* as 'Number=Plur'"):
        concepts_of(CORPUS, min_count=1).of("upos=X")
    with pytest.raises(nx.InputError, match="did you mean 'Number=Plur'"):
        concepts_of(CORPUS, min_count=1).of("number=plr")
    with pytest.raises(nx.InputError, match="corpus is 'x'; give a TaggedCorpus"):
        concepts_of("x")
