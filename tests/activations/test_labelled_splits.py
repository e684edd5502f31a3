"""Also of ``neurox_lite.corpora.balance``."""

import numpy as np
import pytest

from neurox_lite.activations.labelled_splits import labelled_splits
from neurox_lite.activations.matrix import ActivationMatrix
from neurox_lite.activations.store import ActivationStore
from neurox_lite.activations.writer import open_writer
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.errors import InputError

# One letter per word: its label, "." for none. Row r holds the activations [r, -r] in layer 0
# and [100 r] in layer 1.
SENTENCES = {"train": ["AB.", "BA", "A"], "dev": ["AB"], "test": ["B.", "A"]}
METADATA = {"model": "tiny", "revision": "", "site": "hidden_states"}


def make(tmp_path, sentences=SENTENCES, missing=(), splits=True, words=None):
    labels = [[c.replace(".", "") for c in s] for rows in sentences.values() for s in rows]
    corpus = TaggedCorpus(
        words or [["word"] * len(s) for s in labels],
        {"tag": labels},
        [split for split, rows in sentences.items() for _ in rows] if splits else (),
        source="tags.txt",
    )
    rows = np.arange(corpus.n_words, dtype=np.float32)[:, None]
    layers = {0: np.hstack([rows, -rows]), 1: 100 * rows}
    for array in layers.values():
        array[list(missing)] = np.nan
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=METADATA) as writer:
        writer.append(layers, missing)
        writer.finish({})
    return ActivationStore(tmp_path / "s.h5"), corpus


def test_rows_and_labels_belong_together(tmp_path):
    splits = labelled_splits(*make(tmp_path), "tag")

    assert splits.train.rows.tolist() == [0, 1, 3, 4, 5]
    assert splits.train.y.tolist() == ["A", "B", "B", "A", "A"]
    assert splits.dev.rows.tolist() == [6, 7]
    assert splits.dev.y.tolist() == ["A", "B"]
    assert splits.test.rows.tolist() == [8, 10]
    assert [part.sentences.tolist() for part in (splits.train, splits.dev, splits.test)] == [
        [0, 0, 1, 1, 2],
        [3, 3],
        [4, 5],
    ]
    assert splits.test.y.tolist() == ["B", "A"]
    np.testing.assert_array_equal(splits.test.X[:], [[8, -8, 800], [10, -10, 1000]])
    assert splits.left_out == {}


def test_words_without_activations_are_left_out(tmp_path):
    splits = labelled_splits(*make(tmp_path, missing=[4, 8]), "tag", layers=[1])

    assert splits.train.rows.tolist() == [0, 1, 3, 5]
    assert splits.train.y.tolist() == ["A", "B", "B", "A"]
    np.testing.assert_array_equal(splits.test.X[:], [[1000]])


def test_min_count_leaves_out_rare_classes_everywhere_and_counts_them(tmp_path):
    sentences = {"train": ["AABB", "CD."], "dev": ["ABC"], "test": ["DABE"]}
    splits = labelled_splits(*make(tmp_path, sentences), "tag", min_count=2)

    assert splits.left_out == {"C": 2, "D": 2, "E": 1}
    assert splits.train.rows.tolist() == [0, 1, 2, 3]
    assert splits.dev.rows.tolist() == [7, 8]
    assert splits.test.rows.tolist() == [11, 12]


def test_min_count_keeps_a_class_seen_often_enough(tmp_path):
    sentences = {"train": ["AABBBC"], "dev": ["AB"], "test": ["AB"]}

    assert labelled_splits(*make(tmp_path, sentences), "tag", min_count=1).left_out == {}


def test_words_that_are_not_kept_are_left_out_of_every_split(tmp_path):
    # Row   0 1 2   3 4   5   6 7   8 9  10
    # Tag   A B .   B A   A   A B   B .  A
    keep = np.array([1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0], dtype=bool)
    splits = labelled_splits(*make(tmp_path), "tag", keep=keep)

    assert splits.train.rows.tolist() == [0, 1, 3, 5]
    assert splits.train.y.tolist() == ["A", "B", "B", "A"]
    assert splits.dev.rows.tolist() == [7]
    assert splits.test.rows.tolist() == [8]
    np.testing.assert_array_equal(splits.test.X[:], [[8, -8, 800]])


def test_only_kept_words_are_counted_as_training_words(tmp_path):
    sentences = {"train": ["AABBCC"], "dev": ["ABC"], "test": ["ABC"]}
    store, corpus = make(tmp_path, sentences)
    keep = np.ones(12, dtype=bool)
    keep[[4, 8]] = False  # one C of train, that of dev

    with pytest.raises(InputError, match="class 'C' of 'tag' occurs once in train"):
        labelled_splits(store, corpus, "tag", keep=keep)
    splits = labelled_splits(store, corpus, "tag", keep=keep, min_count=2)
    assert splits.left_out == {"C": 2}
    assert splits.test.rows.tolist() == [9, 10]
    keep[[5, 11]] = False  # now no C is kept at all
    assert labelled_splits(store, corpus, "tag", keep=keep).left_out == {}


def test_missing_kept_and_disjoint_words_have_to_agree(tmp_path):
    sentences = {"train": ["ABAB", "AB"], "dev": ["AB", "ABAB"], "test": ["AB", "BA"]}
    words = [list(sentence) for sentence in ("pqrs", "vw", "tu", "pqrs", "tu", "rq")]
    store, corpus = make(tmp_path, sentences, missing=[6], words=words)
    keep = np.array([word != "r" for word in corpus.words()])

    splits = labelled_splits(store, corpus, "tag", keep=keep, disjoint="sentences")
    assert splits.train.rows.tolist() == [0, 1, 3, 4, 5]  # 2 is not kept
    assert splits.dev.rows.tolist() == [7]  # 6 is missing, 8 to 11 are train's sentence
    assert splits.test.rows.tolist() == [15]  # 12 and 13 are dev's sentence, 14 is not kept


def test_types_are_drawn_by_the_seed(tmp_path):
    words = [[f"{letter}{i}" for i in range(40) for letter in "ab"] for _ in range(3)]
    words = [[*sentence, f"last {i}"] for i, sentence in enumerate(words)]
    sentences = {split: ["AB" * 40 + "A"] for split in ("train", "dev", "test")}
    store, corpus = make(tmp_path, sentences, words=words)

    def drawn(seed):
        splits = labelled_splits(store, corpus, "tag", disjoint="types", seed=seed)
        found = [part.rows for part in (splits.train, splits.dev, splits.test)]
        return [{corpus.words()[row] for row in rows} for rows in found]

    train, dev, test = drawn(0)
    assert not (train & dev or train & test or dev & test)
    assert len(train) > len(dev) + len(test) > 0
    assert drawn(0) == [train, dev, test] != drawn(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"keep": np.ones(10, dtype=bool)},
            r"shape \(10,\); give one bool for each of its 11 rows",
        ),
        ({"keep": np.arange(11)}, "keep has type int64"),
        ({"keep": np.arange(11) < 8}, "no word labelled 'tag' in split 'test' is left; choose "),
        ({"keep": np.arange(11) == 7}, "class 'B' of 'tag' occurs never in train"),
        ({"disjoint": "words"}, "disjoint is 'words'; give sentences or types"),
    ],
)
def test_bad_choices_of_words(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        labelled_splits(*make(tmp_path), "tag", **options)


@pytest.mark.parametrize(
    ("sentences", "missing", "message"),
    [
        ({**SENTENCES, "train": ["AABBC"]}, (), r"class 'C' of 'tag' occurs once .*--min-count 2"),
        ({**SENTENCES, "dev": ["ABD"]}, (), "class 'D' of 'tag' occurs never in train"),
        (SENTENCES, (1,), "class 'B' of 'tag' occurs once in train, too rare to be learnt"),
        ({**SENTENCES, "train": ["AABC"]}, (), "'B' .* once in train, and 1 more classes once"),
        (
            {"train": ["AAA"], "dev": ["A"], "test": ["A"]},
            (),
            "fewer than two classes to tell apart in train, only 'A'; give a tag with two$",
        ),
        (
            {**SENTENCES, "test": [".."]},
            (),
            "no word labelled 'tag' in split 'test' is left; choose",
        ),
        ({"train": ["AABB"], "dev": ["AB"]}, (), r"split 'test' \(splits present: train, dev\)"),
    ],
)
def test_errors_say_what_and_what_to_do(tmp_path, sentences, missing, message):
    store, corpus = make(tmp_path, sentences, missing)

    with pytest.raises(InputError, match=f"^tags.txt: .*{message}"):
        labelled_splits(store, corpus, "tag")


def test_one_class_left_by_min_count(tmp_path):
    with pytest.raises(InputError, match=r"in train, only 'A'; .* two, or a lower min_count"):
        labelled_splits(*make(tmp_path), "tag", min_count=3)


def test_unknown_tag_and_no_splits(tmp_path):
    store, corpus = make(tmp_path, splits=False)

    with pytest.raises(InputError, match="no labels called 'pos'; this corpus has: tag"):
        labelled_splits(store, corpus, "pos")
    with pytest.raises(InputError, match=r"split 'train' .*with_random_split\(\)"):
        labelled_splits(store, corpus, "tag")


def test_another_corpus(tmp_path):
    store, _ = make(tmp_path)
    other = TaggedCorpus([["other"]], {"tag": [["A"]]}, ["train"], source="other.txt")

    with pytest.raises(InputError, match=r"made from another corpus than other\.txt"):
        labelled_splits(store, other, "tag")


def test_numbers_are_never_rare(tmp_path):
    sentences = {"train": ["0123", "01"], "dev": ["019"], "test": ["02."]}
    splits = labelled_splits(*make(tmp_path, sentences), "tag", numeric=True)

    assert splits.train.y.tolist() == ["0", "1", "2", "3", "0", "1"]
    assert splits.dev.y.tolist() == ["0", "1", "9"]
    assert splits.test.y.tolist() == ["0", "2"]
    assert splits.left_out == {}


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        (
            SENTENCES,
            {},
            r"tags.txt: label 'A' of 'tag' is not a finite number, which a regression needs",
        ),
        (
            {"train": ["01"], "dev": [["1", "nan"]], "test": ["01"]},
            {},
            "label 'nan' of 'tag' is not a finite number",
        ),
        (
            {"train": ["01"], "dev": [["1", "01"]], "test": ["01"]},
            {},
            "all labels 'tag' in split 'dev' are 1; a regression needs numbers that differ",
        ),
        ({"train": ["01"], "dev": ["01"], "test": ["01"]}, {"min_count": 2}, "min_count is for"),
    ],
)
def test_labels_that_are_no_numbers(tmp_path, sentences, options, message):
    with pytest.raises(InputError, match=message):
        labelled_splits(*make(tmp_path, sentences), "tag", numeric=True, **options)


@pytest.mark.parametrize(("balance", "n"), [("under", 2), ("over", 6)])
def test_balance_gives_train_equally_many_words_of_every_class(tmp_path, balance, n):
    sentences = {"train": ["AAAAB.", "AABCCC"], "dev": ["ABC"], "test": ["AABC"]}
    store, corpus = make(tmp_path, sentences)
    plain = labelled_splits(store, corpus, "tag")
    splits = labelled_splits(store, corpus, "tag", balance=balance, seed=1)

    labels = corpus.labels("tag")
    assert np.unique(splits.train.y, return_counts=True)[1].tolist() == [n, n, n]
    assert (np.diff(splits.train.rows) >= 0).all()
    assert (labels[splits.train.rows] == splits.train.y).all()
    np.testing.assert_array_equal(np.asarray(splits.train.X)[:, 0], splits.train.rows)
    for part, whole in ((splits.dev, plain.dev), (splits.test, plain.test)):
        assert part.rows.tolist() == whole.rows.tolist()
    if balance == "over":  # nothing is lost, and no word is repeated once more than another twice
        assert set(splits.train.rows) == set(plain.train.rows)
        for label in "ABC":
            times = np.unique(splits.train.rows[splits.train.y == label], return_counts=True)[1]
            assert np.ptp(times) <= 1
    else:
        assert len(set(splits.train.rows)) == len(splits.train.rows)
    assert (splits.majority, plain.majority) == ("A", None)
    again = labelled_splits(store, corpus, "tag", balance=balance, seed=1)
    assert again.train.rows.tolist() == splits.train.rows.tolist()
    others = [
        labelled_splits(store, corpus, "tag", balance=balance, seed=s).train.rows.tolist()
        for s in range(10)
    ]
    assert (splits.train.rows.tolist() in others) and (balance == "over" or others[0] != others[-1])


def test_repeated_rows_are_read_as_often(tmp_path):
    store, _ = make(tmp_path)
    for rows in ([0, 0, 2], [0, 0, 0, 3, 3, 4, 10], [5, 5], [1, 2, 3]):
        X = ActivationMatrix(store, store.space, np.array(rows))
        for size in (1, 2, 3, 100):
            blocks = [block for _, block in X.blocks(size)]
            assert all(len(block) <= size for block in blocks)
            np.testing.assert_array_equal(np.concatenate(blocks)[:, 0], rows)
        np.testing.assert_array_equal(X[1:][:, 2], np.multiply(rows[1:], 100))


def test_balance_is_of_classes(tmp_path):
    store, corpus = make(tmp_path)
    with pytest.raises(InputError, match="balance is 'both'; give under or over"):
        labelled_splits(store, corpus, "tag", balance="both")
    with pytest.raises(InputError, match="balance is for classes"):
        labelled_splits(store, corpus, "position", balance="under", numeric=True)


def test_words_are_matched_by_their_place(tmp_path):
    store, corpus = make(tmp_path)
    other = TaggedCorpus(
        [[f"Ġ{word}" for word in words] for words in corpus.sentences],
        corpus.tags,
        corpus.splits,
        source="other.txt",
    )
    with pytest.raises(InputError, match="--by-position"):
        labelled_splits(store, other, "tag")
    found = labelled_splits(store, other, "tag", by_position=True)
    expected = labelled_splits(store, corpus, "tag")
    for part, same in ((found.train, expected.train), (found.test, expected.test)):
        assert part.rows.tolist() == same.rows.tolist()
        np.testing.assert_array_equal(part.X[:], same.X[:])


@pytest.mark.parametrize(
    ("sentences", "says"),
    [
        ({"train": ["AB.", "BA", "A"], "dev": ["AB"], "test": ["B."]}, "6 sentences, but tags.txt"),
        ({"train": ["AB", ".BA", "A"], "dev": ["AB"], "test": ["B.", "A"]}, "sentence 1 has 3"),
    ],
)
def test_places_that_do_not_fit_are_refused(tmp_path, sentences, says):
    store, _ = make(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = make(tmp_path / "other", sentences)
    with pytest.raises(InputError, match=says):
        labelled_splits(store, other, "tag", by_position=True)
