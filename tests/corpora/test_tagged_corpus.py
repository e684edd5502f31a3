"""Also of ``neurox_lite.corpora.corpus_checks``, ``neurox_lite.corpora.corpus_hash``."""

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

SENTENCES = [["dogs", "bark"], ["a", "cat", "sleeps"]]
NUMBER = [["Plur", "Plur"], ["", "Sing", "Sing"]]

word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda w: not w.isspace()
)
sentences = st.lists(st.lists(word, min_size=1, max_size=4), min_size=1, max_size=5)


def numbered(n):
    return TaggedCorpus([["sentence", str(i)] for i in range(n)])


def test_rows_follow_the_sentences():
    corpus = TaggedCorpus(SENTENCES, {"Number": NUMBER}, splits=["test", "train"])

    assert len(corpus) == 2
    assert corpus.n_words == 5
    assert corpus.sentence_offsets.tolist() == [0, 2, 5]
    assert corpus.words() == ["dogs", "bark", "a", "cat", "sleeps"]
    assert corpus.text(1) == "a cat sleeps"
    assert corpus.labels("Number").tolist() == ["Plur", "Plur", "", "Sing", "Sing"]
    assert corpus.rows("train").tolist() == [2, 3, 4]
    assert corpus.rows("test").tolist() == [0, 1]


def computed(corpus):
    """All that a corpus computes once."""
    arrays = [corpus.sentence_offsets, corpus.labels("Number"), corpus.rows("train")]
    hashes = [corpus.words_hash, corpus.text_hash, corpus.content_hash]
    return [corpus.words(), *(array.tolist() for array in arrays), *hashes]


def test_what_a_caller_changes_is_not_the_corpus():
    corpus = TaggedCorpus(SENTENCES, {"Number": NUMBER}, splits=["test", "train"])
    before = computed(corpus)

    corpus.words().clear()
    corpus.labels("Number")[:] = "Dual"
    corpus.rows("train")[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        corpus.sentence_offsets[0] = 1

    assert computed(corpus) == before


def test_another_corpus_computes_its_own():
    corpus = TaggedCorpus(SENTENCES, {"Number": NUMBER}, splits=["test", "train"])
    computed(corpus)
    other = {"sentences": [["a"], ["b"]], "tags": {"Number": [["x"], [""]]}}

    changed = replace(corpus, **other)

    assert computed(changed) == computed(TaggedCorpus(**other, splits=corpus.splits))
    assert set(map(str, computed(changed))).isdisjoint({*map(str, computed(corpus))} - {""})


@pytest.mark.parametrize("copied", [deepcopy, lambda corpus: pickle.loads(pickle.dumps(corpus))])
def test_copies_and_pickles_are_the_same_without_what_was_computed(copied):
    corpus = TaggedCorpus(SENTENCES, {"Number": NUMBER}, splits=["test", "train"])
    size, before = len(pickle.dumps(corpus)), computed(corpus)

    other = copied(corpus)

    assert other == corpus
    assert len(pickle.dumps(corpus)) == size
    assert "words_hash" not in vars(other)
    assert computed(other) == before


def test_every_corpus_has_positions():
    assert TaggedCorpus(SENTENCES).labels("position").tolist() == ["0", "1", "0", "1", "2"]
    assert TaggedCorpus([["w"] * 12]).labels("position")[-1] == "11"


def test_positions_of_the_corpus_itself_come_first():
    own = TaggedCorpus(SENTENCES, {"position": NUMBER})
    assert own.labels("position").tolist() == ["Plur", "Plur", "", "Sing", "Sing"]


def test_with_tags_leaves_the_original_alone():
    corpus = TaggedCorpus(SENTENCES)
    tagged = corpus.with_tags("Number", NUMBER)

    assert not corpus.tags
    assert tagged.labels("Number").shape == (5,)
    assert tagged.words_hash == corpus.words_hash
    assert tagged.content_hash != corpus.content_hash


@pytest.mark.parametrize(
    "other",
    [
        [["ab"]],
        [["a b"]],
        [["a"], ["b"]],
        [["b", "a"]],
        [["a", "b", "a", "b"]],
        [["a1:b"]],
    ],
)
def test_words_hash_depends_on_words_order_and_boundaries(other):
    assert TaggedCorpus(other).words_hash != TaggedCorpus([["a", "b"]]).words_hash


@given(sentences, sentences)
def test_words_hash_is_equal_for_equal_sentences_only(one, other):
    hashes = TaggedCorpus(one).words_hash, TaggedCorpus(other).words_hash
    assert (hashes[0] == hashes[1]) == (one == other)
    assert hashes[0] == TaggedCorpus(tuple(map(tuple, one)), source="elsewhere").words_hash


def test_words_hash_never_changes_between_versions():
    # Activation stores on disk carry this hash. By hand: sha256(b"[2]1:a2:\xc3\xa9[1]1:b").
    corpus = TaggedCorpus([["a", "é"], ["b"]])
    expected = "67d22273da4d0fde2438c355d24b6e8ca39b61f18c7be21bf6c746a03d0161a6"
    assert corpus.words_hash == expected


def test_content_hash_depends_on_labels_their_name_and_splits_but_not_on_the_order_of_tags():
    corpus = TaggedCorpus([["a", "b"]], {"x": [["1", ""]], "y": [["2", "2"]]})
    variants = [
        corpus,
        TaggedCorpus(corpus.sentences, {"x": [["", "1"]], "y": [["2", "2"]]}),
        TaggedCorpus(corpus.sentences, {"x": [["2", "2"]], "y": [["1", ""]]}),
        TaggedCorpus(corpus.sentences, {"x": [["1", ""]], "z": [["2", "2"]]}),
        TaggedCorpus(corpus.sentences, {"x": [["1", ""]]}),
        TaggedCorpus(corpus.sentences, corpus.tags, splits=["train"]),
        TaggedCorpus(corpus.sentences, corpus.tags, splits=["dev"]),
        TaggedCorpus([["a", "c"]], corpus.tags),
    ]
    assert len({variant.content_hash for variant in variants}) == len(variants)

    reordered = TaggedCorpus([["a", "b"]], {"y": [["2", "2"]], "x": [["1", ""]]})
    assert reordered.content_hash == corpus.content_hash


@given(st.lists(st.integers(0, 40), max_size=80), st.integers(0, 5))
def test_random_split_keeps_equal_sentences_together(repeated, seed):
    distinct = numbered(30).sentences
    corpus = TaggedCorpus([*distinct, *(["sentence", str(i)] for i in repeated)])
    split = corpus.with_random_split(seed)

    texts = {
        name: {split.text(i) for i, s in enumerate(split.splits) if s == name}
        for name in ("train", "dev", "test")
    }
    assert not texts["train"] & texts["dev"]
    assert not texts["train"] & texts["test"]
    assert not texts["dev"] & texts["test"]

    rows = np.concatenate([split.rows(name) for name in texts])
    assert sorted(rows.tolist()) == list(range(corpus.n_words))


def test_random_split_sees_the_text_as_a_model_does():
    twins = [["New York", "sleeps"], ["New", "York", "sleeps"]]
    for seed in range(20):
        corpus = TaggedCorpus([*numbered(20).sentences, *twins]).with_random_split(seed)
        assert corpus.splits[-1] == corpus.splits[-2]


def test_random_split_has_the_shares_and_is_decided_by_the_seed():
    corpus = numbered(200)
    split = corpus.with_random_split(seed=3, shares=(0.7, 0.2, 0.1))

    assert [split.splits.count(s) for s in ("train", "dev", "test")] == [140, 40, 20]
    assert split.splits == corpus.with_random_split(seed=3, shares=(0.7, 0.2, 0.1)).splits
    assert split.splits != corpus.with_random_split(seed=4, shares=(0.7, 0.2, 0.1)).splits


def test_random_split_does_not_depend_on_the_order_of_the_sentences():
    corpus = numbered(50)
    backwards = TaggedCorpus(corpus.sentences[::-1])
    assert backwards.with_random_split().splits[::-1] == corpus.with_random_split().splits


def test_random_split_may_leave_a_split_out():
    assert set(numbered(10).with_random_split(shares=(0.5, 0, 0.5)).splits) == {"train", "test"}


def test_from_splits_joins_and_fills_missing_tags():
    corpus = TaggedCorpus.from_splits(
        {
            "train": TaggedCorpus([["a", "b"]], {"x": [["1", "2"]]}, source="one.txt"),
            "test": TaggedCorpus([["c"], ["d"]], {"y": [["3"], [""]]}, source="two.txt"),
        }
    )
    assert corpus.splits == ("train", "test", "test")
    assert corpus.labels("x").tolist() == ["1", "2", "", ""]
    assert corpus.labels("y").tolist() == ["", "", "3", ""]
    assert corpus.source == "one.txt + two.txt"


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: TaggedCorpus([], source="f.txt"), ["f.txt", "no sentences"]),
        (lambda: TaggedCorpus([["a"], []], source="f.txt"), ["f.txt", "sentence 2", "no words"]),
        (lambda: TaggedCorpus([["a", " "]], source="f.txt"), ["f.txt", "sentence 1", "empty word"]),
        (
            lambda: TaggedCorpus(SENTENCES, {"Number": NUMBER[:1]}, source="f.txt"),
            ["f.txt", "2 sentences", "1 label lines", "'Number'"],
        ),
        (
            lambda: TaggedCorpus(SENTENCES, {"n": [["", ""], ["", ""]]}, source="f.txt"),
            ["f.txt", "sentence 2", "3 words", "2 labels", "'n'"],
        ),
        (
            lambda: TaggedCorpus(SENTENCES, splits=["train"], source="f.txt"),
            ["f.txt", "2 sentences", "1 splits"],
        ),
        (
            lambda: TaggedCorpus(SENTENCES, splits=["train", "eval"], source="f.txt"),
            ["f.txt", "'eval'", "train, dev, test"],
        ),
        (
            lambda: TaggedCorpus(SENTENCES, {"b": NUMBER, "a": NUMBER}).labels("upos"),
            ["corpus", "'upos'", "a, b, position"],
        ),
        (lambda: TaggedCorpus(SENTENCES).labels("upos"), ["'upos'", "has: position"]),
        (lambda: TaggedCorpus(SENTENCES).rows("dev"), ["'dev'", "none", "with_random_split"]),
        (lambda: numbered(4).with_random_split(), ["4 distinct sentences"]),
        (lambda: numbered(90).with_random_split(shares=(0.5, 0.1, 0.1)), ["(0.5, 0.1, 0.1)"]),
    ],
)
def test_errors_name_the_place_and_the_counts(make, parts):
    with pytest.raises(InputError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


# Parts and views.


def test_by_sentence_makes_a_word_of_every_text_and_keeps_labels_that_are_constant():
    corpus = TaggedCorpus(
        SENTENCES,
        {
            "topic": [["animals", "animals"], ["sleep"] * 3],
            "Number": NUMBER,
            "rare": [["x", "x"], [""] * 3],
            "mixed": [["x", ""], ["y"] * 3],
        },
        splits=["test", "train"],
        source="f.txt",
    )

    by_sentence = corpus.by_sentence()

    assert [list(words) for words in by_sentence.sentences] == [["dogs bark"], ["a cat sleeps"]]
    assert sorted(by_sentence.tags) == ["rare", "topic"]
    assert by_sentence.labels("topic").tolist() == ["animals", "sleep"]
    assert by_sentence.labels("rare").tolist() == ["x", ""]
    assert by_sentence.splits == ["test", "train"]
    assert by_sentence.rows("train").tolist() == [1]
    assert by_sentence.source == "f.txt"
    assert corpus.n_words == 5


@given(sentences)
def test_by_sentence_reads_the_same_text_and_is_its_own_by_sentence(made):
    corpus = TaggedCorpus(made, {"n": [[str(i)] * len(words) for i, words in enumerate(made)]})
    by_sentence = corpus.by_sentence()

    texts = [corpus.text(i) for i in range(len(corpus))]
    assert [by_sentence.text(i) for i in range(len(by_sentence))] == by_sentence.words() == texts
    assert by_sentence.labels("n").tolist() == [str(i) for i in range(len(made))]
    assert by_sentence.by_sentence().content_hash == by_sentence.content_hash


def test_a_section_has_the_words_of_neighbouring_sentences_only():
    corpus = TaggedCorpus(
        [["a"], ["b", "c"], ["d"]], {"n": [["1"], ["2", "3"], ["4"]]}, (), "f.txt"
    )

    section = corpus.section(range(1, 3))

    assert section.words() == ["b", "c", "d"]
    assert section.sentence_offsets.tolist() == [0, 2, 3]
    assert not section.tags and not section.splits
    assert section.source == "f.txt"
    assert corpus.section(range(3)).words_hash == corpus.words_hash


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([], [["a", "b"], ["c", "d", "e"]]),
        ([0], [["b"], ["c", "d", "e"]]),
        ([1, 2], [["a"], ["d", "e"]]),
        ([4, 3], [["a", "b"], ["c"]]),
    ],
)
def test_rows_are_left_out_with_their_words(rows, left):
    corpus = TaggedCorpus([["a", "b"], ["c", "d", "e"]], source="f.txt")

    rest = corpus.without_rows(np.array(rows, dtype=np.int64))

    assert [list(words) for words in rest.sentences] == left
    assert rest.source == "f.txt"


def test_a_sentence_whose_rows_are_all_left_out_is_an_error():
    with pytest.raises(InputError, match="sentence 2 has no words"):
        TaggedCorpus([["a", "b"], ["c"]]).without_rows(np.array([2]))


@given(sentences, st.data())
def test_rows_added_and_left_out_leave_the_corpus(made, data):
    framed, special, row = [], [], 0
    for words in made:
        before, after = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))
        framed.append(["<s>"] * before + words + ["</s>"] * after)
        special += range(row, row + before)
        row += len(framed[-1])
        special += range(row - after, row)

    rest = TaggedCorpus(framed).without_rows(np.array(special, dtype=np.int64))

    assert rest.words_hash == TaggedCorpus(made).words_hash


def test_one_label_against_the_rest():
    tags = {"upos": [["NOUN", ""], ["VERB", "ADJ", "NOUN"]]}
    corpus = TaggedCorpus([["a", "b"], ["c", "d", "e"]], tags, ("train", "test"), "f.txt")

    binary = corpus.against_rest("upos", "NOUN")

    assert binary.labels("upos").tolist() == ["NOUN", "", "not NOUN", "not NOUN", "NOUN"]
    assert binary.words_hash == corpus.words_hash
    assert corpus.against_rest("position", "2").labels("position").tolist()[-1] == "2"
    with pytest.raises(InputError, match="no label 'X' in 'upos'; it has: ADJ, NOUN, VERB"):
        corpus.against_rest("upos", "X")


def test_dev_is_taken_from_train():
    sentences = [[f"w{i % 40}"] for i in range(50)] + [["w0"], ["x"]]
    corpus = TaggedCorpus(sentences, {}, ["train"] * 50 + ["test"] * 2)

    drawn = corpus.with_dev_from_train(seed=3)

    assert drawn.splits[50:] == ("test", "test")
    dev = {drawn.text(i) for i in range(50) if drawn.splits[i] == "dev"}
    train = {drawn.text(i) for i in range(50) if drawn.splits[i] == "train"}
    assert len(dev) == 4
    assert not dev & train
    assert drawn.words_hash == corpus.words_hash
    assert corpus.with_dev_from_train(seed=3).splits == drawn.splits
    with pytest.raises(InputError, match="too small to take dev from it"):
        TaggedCorpus([["a"], ["b"]], {}, ["train", "test"]).with_dev_from_train()


# What is a word, and what is a label.


@pytest.mark.parametrize(
    "none",
    [None, float("nan"), np.float32("nan"), pandas.NA, pandas.NaT, np.ma.masked, "", " ", "\u00a0"],
)
def test_what_says_that_there_is_no_label(none):
    tags = {"Number": [["Plur", none], [none, "Sing", "Sing"]], "full": [["a", "b"], ["c"] * 3]}
    corpus = TaggedCorpus(SENTENCES, tags)

    assert corpus.labels("Number").tolist() == ["Plur", "", "", "Sing", "Sing"]
    assert corpus.content_hash == corpus.with_tags("full", tags["full"]).content_hash
    assert tags["Number"][0][1] is none  # what was given is not changed


def test_nothing_labelled():
    corpus = TaggedCorpus(SENTENCES, {"Number": [[None] * 2, [None] * 3]})
    assert corpus.labels("Number").tolist() == [""] * 5


@pytest.mark.parametrize("label", [1, 0.0, True, b"NN", ["NN"], np.int64(1), object()])
def test_a_label_that_is_no_string_is_refused(label):
    with pytest.raises(InputError, match=r"c: sentence 2 has the label .* in tag 'x'; labels are"):
        TaggedCorpus(SENTENCES, {"x": [["a", "b"], ["c", label, "c"]]}, source="c")


@pytest.mark.parametrize("word", [1, None, float("nan"), b"a", ["a"]])
def test_a_word_that_is_no_string_is_refused(word):
    with pytest.raises(InputError, match=r"sentence 2 has the word|an empty word"):
        TaggedCorpus([["a"], ["b", word]])


@pytest.mark.parametrize(
    "same",
    [
        np.array([["a", "b"], ["c", "d"]]),
        np.array([["a", "b"], ["c", "d"]], dtype=object),
        [np.array(["a", "b"]), ("c", "d")],
        pandas.Series([["a", "b"], ["c", "d"]], index=[5, 3]),
        [pandas.Series(["a", "b"]), pandas.Series(["c", "d"], dtype="string")],
    ],
    ids=lambda value: type(value).__name__,
)
def test_words_and_labels_in_arrays(same):
    corpus = TaggedCorpus(same, {"x": same}, splits=np.array(["train", "test"]))

    rows = [["a", "b"], ["c", "d"]]
    plain = TaggedCorpus(rows, {"x": rows}, splits=["train", "test"])
    assert corpus.words_hash == plain.words_hash
    assert corpus.content_hash == plain.content_hash
    assert corpus.text(1) == "c d"


@pytest.mark.parametrize(
    "bad",
    [
        "hello",
        ["hello"],
        ["hello", "world"],
        [["a"], "hello"],
        [b"hello"],
        None,
        3,
        [3],
        [None],
        {"a": 1},
        [{"a": 1}],
        [{"a"}],
        (["a"] for _ in range(2)),
        pandas.DataFrame({"a": [["b"]]}),
    ],
    ids=lambda bad: repr(bad).partition(" at 0x")[0],
)
def test_what_is_no_list_of_sentences(bad):
    with pytest.raises(InputError, match=r"^corpus: sentences.*give a list of words") as refused:
        TaggedCorpus(bad)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("bad", ["ab", ["ab", "abc"], [["x", "y"], "abc"], None, {"a": 1}, 3])
def test_labels_that_are_no_list_of_lists(bad):
    with pytest.raises(InputError, match=r"tag 'x'.* give a list of labels of each sentence"):
        TaggedCorpus(SENTENCES, {"x": bad})


def test_tags_and_splits_of_other_types():
    for tags in ([("x", [["a", "b"]])], "x", None):
        with pytest.raises(InputError, match=r"tags are .*; give a dict from the name of a tag"):
            TaggedCorpus([["a", "b"]], tags)
    for tag in (1, None, ""):
        with pytest.raises(InputError, match="name tags by strings"):
            TaggedCorpus([["a", "b"]], {tag: [["a", "b"]]})
        with pytest.raises(InputError, match=r"no labels called|named by strings"):
            TaggedCorpus([["a", "b"]]).labels(tag)
    for splits in ("train", 3, {"train": 1}):
        with pytest.raises(InputError, match=r"splits: .*give a list of split names"):
            TaggedCorpus([["a"]] * 5, splits=splits)


def test_one_label_against_the_rest_by_number():
    corpus = TaggedCorpus([["a", "b", "c"]], {"x": [["1", "2", "1"]]})
    assert corpus.against_rest("x", 1).labels("x").tolist() == ["1", "not 1", "1"]


def test_seeds_and_shares_of_numpy():
    corpus = numbered(20)
    shares = np.array([0.5, 0.25, 0.25], dtype=np.float32)
    drawn = corpus.with_random_split(np.int64(3), shares)
    assert drawn.splits == corpus.with_random_split(3, (0.5, 0.25, 0.25)).splits
    for seed in (1.5, True, -1, None, "1"):
        with pytest.raises(InputError, match="seed is"):
            corpus.with_random_split(seed)
    for bad in ("0.5", 1.0, (0.5, 0.5), (float("nan"), 0.5, 0.5)):
        with pytest.raises(InputError, match="share"):
            corpus.with_random_split(0, bad)


def test_tags_print_as_names_with_the_number_of_their_labels():
    corpus = TaggedCorpus(
        [["a", "b"]] * 500, {"upos": [["X", ""]] * 500, "x\x1b": [["1", "2"]] * 500}
    )
    assert str(corpus.tags) == "{'upos': 1 label, 'x\\x1b': 2 labels}"
    assert corpus.tags == {"upos": [["X", ""]] * 500, "x\x1b": [["1", "2"]] * 500}
    assert corpus.tags["upos"][499][0] == "X" and list(corpus.tags) == ["upos", "x\x1b"]
    assert str(TaggedCorpus([["a"]]).tags) == "{}"
    many = TaggedCorpus([["a"]], {f"t{number}": [["x"]] for number in range(99)})
    assert str(many.tags).endswith(", ... (99)}") and len(str(many.tags)) < 1000
