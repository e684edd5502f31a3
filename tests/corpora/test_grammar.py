"""The embedded grammar: labels checked against words listed here by hand, not by the grammar."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.lexicon import read_lexicon
from neurox_lite.embedded import embedded_path
from neurox_lite.errors import InputError

TAGS = ("upos", "Number", "Tense", "Gender", "Depth")


@pytest.fixture(scope="module")
def grammar():
    return Grammar()


@pytest.fixture(scope="module")
def corpus(grammar):
    return grammar.corpus(3000, seed=11)


def rows(corpus):
    """Per sentence, its words with their labels as (word, upos, number, tense, gender, depth)."""
    tags = [corpus.tags[tag] for tag in TAGS]
    for row in zip(corpus.sentences, *tags, strict=True):
        yield list(zip(*row, strict=True))


def test_every_label_is_of_its_tag(corpus):
    seen = {tag: set(corpus.labels(tag)) for tag in TAGS}
    upos = "ADJ ADP ADV AUX CCONJ DET NOUN NUM PRON PROPN PUNCT SCONJ VERB"
    assert " ".join(sorted(seen["upos"])) == upos
    assert seen["Number"] == {"", "Sing", "Plur"}
    assert seen["Tense"] == {"", "Pres", "Past"}
    assert seen["Gender"] == {"", "Masc", "Fem"}
    assert {"0", "1", "2", "3"} <= seen["Depth"] <= set("012345")


def test_sentences_start_with_a_capital_and_end_with_a_stop(corpus):
    for words in corpus.sentences:
        assert words[0][0].isupper()
        assert words[-1] == "."
        assert all(re.fullmatch(r"[A-Za-z]+|[.,]", word) for word in words)


def test_the_lexicon_has_several_hundred_words_and_all_of_them_are_written(grammar, corpus):
    forms = set(grammar.lexicon.forms())
    assert 400 <= len(forms) <= 700
    assert {"athlete", "admires", "behind", "bike", "probably"} <= forms
    lower = {word if word in forms else word.lower() for word in corpus.words()}
    assert lower == forms


@pytest.mark.parametrize(
    ("word", "labels"),
    [
        ("women", ("NOUN", "Plur", "", "Fem")),
        ("king", ("NOUN", "Sing", "", "Masc")),
        ("nurse", ("NOUN", "Sing", "", "")),
        ("mice", ("NOUN", "Plur", "", "")),
        ("admires", ("VERB", "Sing", "Pres", "")),
        ("admire", ("VERB", "Plur", "Pres", "")),
        ("admired", ("VERB", "", "Past", "")),
        ("known", ("VERB", "", "Past", "")),
        ("is", ("AUX", "Sing", "Pres", "")),
        ("were", ("AUX", "Plur", "Past", "")),
        ("had", ("AUX", "", "Past", "")),
        ("she", ("PRON", "Sing", "", "Fem")),
        ("them", ("PRON", "Plur", "", "")),
        ("herself", ("PRON", "Sing", "", "Fem")),
        ("his", ("PRON", "Sing", "", "Masc")),
        ("it", ("PRON", "Sing", "", "")),
        ("every", ("DET", "Sing", "", "")),
        ("the", ("DET", "", "", "")),
        ("two", ("NUM", "Plur", "", "")),
        ("Mary", ("PROPN", "Sing", "", "Fem")),
        ("probably", ("ADV", "", "", "")),
        ("behind", ("ADP", "", "", "")),
    ],
)
def test_labels_of_unambiguous_words(corpus, word, labels):
    found = {row[1:5] for sentence in rows(corpus) for row in sentence if row[0] == word}
    assert found == {labels}


def test_the_form_of_a_word_does_not_always_tell_its_part_of_speech(corpus):
    tags = defaultdict(set)
    for sentence in rows(corpus):
        for word, upos, *_ in sentence:
            tags[word].add(upos)
    assert tags["that"] == {"DET", "PRON", "SCONJ"}
    assert tags["watch"] == {"NOUN", "VERB"}
    assert tags["cooks"] == {"NOUN", "VERB"}


def test_main_verbs_agree_with_their_subject_across_attractors(corpus):
    """An independent parse of depth 0: the nouns before the first finite verb are its subject."""
    checked = attracted = 0
    for sentence in rows(corpus):
        main = [row for row in sentence if row[5] == "0"]
        verbs = [i for i, row in enumerate(main) if row[3] == "Pres" or row[0] in ("was", "were")]
        heads = [i for i, row in enumerate(main) if row[1] in ("NOUN", "PROPN", "PRON")]
        if not verbs or not heads or any(row[3] for row in main[: verbs[0]]):
            continue
        subject = [main[i] for i in heads if i < verbs[0]]
        expected = "Plur" if len(subject) > 1 else subject[0][2]
        assert main[verbs[0]][2] == expected, " ".join(row[0] for row in sentence)
        checked += 1
        between = sentence[sentence.index(subject[-1]) : sentence.index(main[verbs[0]])]
        attracted += any(row[1] == "NOUN" and row[2] != expected for row in between)
    assert checked > 1500
    assert attracted > 300


def test_verbs_joined_by_and_agree_too(corpus):
    checked = 0
    for sentence in rows(corpus):
        verbs = [row for row in sentence if row[5] == "0" and row[3] == "Pres" and row[2]]
        if len(verbs) > 1:
            assert len({row[2] for row in verbs}) == 1
            checked += 1
    assert checked > 100


def test_determiners_agree_with_their_noun(corpus):
    for sentence in rows(corpus):
        for i, (_, upos, number, *_) in enumerate(sentence):
            if upos in ("DET", "NUM") and number:
                noun = next(row for row in sentence[i:] if row[1] == "NOUN")
                assert noun[2] == number


def test_an_stands_before_vowels(corpus):
    pairs = [
        (first.lower(), second) for words in corpus.sentences for first, second in pairwise(words)
    ]
    after_a = {second[0] for first, second in pairs if first == "a"}
    after_an = {second[0] for first, second in pairs if first == "an"}
    assert after_an
    assert after_an <= set("aeiou")
    assert not after_a & set("aeiou")


def test_depth_grows_and_falls_with_phrases_and_clauses(corpus):
    for sentence in rows(corpus):
        depths = [int(row[5]) for row in sentence]
        assert depths[0] == depths[-1] == 0
        for (*_, before), (word, upos, *_, after) in pairwise(sentence):
            if int(after) > int(before):
                assert int(after) == int(before) + 1
                assert upos in ("ADP", "SCONJ") or word in ("who", "that", "which")


def test_depth_of_a_sentence_by_hand(corpus):
    wanted = re.compile(r"DET NOUN ADP DET NOUN ADP DET NOUN (VERB|AUX)")
    for sentence in rows(corpus):
        if wanted.match(" ".join(row[1] for row in sentence)):
            assert "".join(row[5] for row in sentence[:9]) == "001112220"
            return
    pytest.fail("no sentence with two prepositional phrases")


@pytest.mark.heavy
def test_pronouns_follow_gender_and_stereotype(grammar):
    """Shares of feminine pronouns where only the subject can be meant, as the lexicon says."""
    counts = defaultdict(Counter)
    corpus = grammar.corpus(30_000, seed=5)
    subject_and_pronoun = re.compile(r"DET (NOUN)(?: AUX)? VERB(?: SCONJ)? PRON ")
    for sentence in rows(corpus):
        match = subject_and_pronoun.match(" ".join(row[1] for row in sentence))
        if match:
            _, _, number, _, gender, _ = sentence[match.group().count(" ") - 1]
            counts[sentence[1][0]][gender or number] += 1

    def share(*nouns):
        total = sum((counts[noun] for noun in nouns), Counter())
        assert total["Fem"] + total["Masc"] >= 30
        return total["Fem"] / (total["Fem"] + total["Masc"])

    assert share("woman", "girl", "aunt", "queen", "mother", "sister", "bride") == 1
    assert share("man", "boy", "uncle", "king", "father", "brother", "groom") == 0
    assert share("nurse", "secretary", "librarian", "nanny", "hairdresser") > 0.85
    assert 0.35 < share("doctor", "singer", "artist", "poet", "judge", "cook", "writer") < 0.65
    assert share("carpenter", "engineer", "mechanic", "plumber", "pilot") < 0.15
    assert set(counts["women"]) == {"Plur"}


def test_same_seed_same_corpus_whatever_the_hash_seed():
    code = "from neurox_lite.corpora.grammar import Grammar as G; print(G().corpus(200, 3).{})"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code.format("content_hash")],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(hashes) == 1
    assert hashes.pop().strip() == Grammar().corpus(200, 3).content_hash


def test_other_seed_other_corpus(grammar):
    assert grammar.corpus(50, 0).words_hash != grammar.corpus(50, 1).words_hash


def test_no_sentences_is_an_input_error(grammar):
    with pytest.raises(InputError, match="at least 1"):
        grammar.corpus(0, seed=0)


def test_a_file_that_is_no_lexicon_is_named(tmp_path):
    path = tmp_path / "words.yaml"
    path.write_text("people: []\n")
    with pytest.raises(InputError, match=r"words\.yaml: not a lexicon .*professions"):
        read_lexicon(path)


def test_gendered_means_certain(grammar):
    lexicon = read_lexicon(embedded_path("lexicon.yaml"))
    genders = {noun.singular: noun.gender for noun in lexicon.people + lexicon.objects}
    assert genders["queen"] == "Fem"
    assert genders["groom"] == "Masc"
    assert genders["nurse"] == genders["athlete"] == genders["bike"] == ""
