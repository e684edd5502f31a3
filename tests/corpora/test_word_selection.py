import pytest

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.errors import InputError

CORPUS = TaggedCorpus(
    [["a", "New York"], ["a", "c"], ["b", "c"], ["a", "c"]],
    splits=["train", "train", "test", "test"],
)


def test_by_default_all_words():
    assert WordSelection().mask(CORPUS, seed=0).all()


def test_words_of_a_file_one_per_line(tmp_path):
    (tmp_path / "words.txt").write_text("c\n\n New York \nA\n")
    selection = WordSelection(file=str(tmp_path / "words.txt"))
    assert selection.mask(CORPUS, seed=0).tolist() == [0, 1, 0, 1, 0, 1, 0, 1]


def test_filters_and_disjoint_splits_have_to_agree():
    selection = WordSelection(pattern=".", max_frequency=1, disjoint="sentences")
    assert selection.mask(CORPUS, seed=0).tolist() == [0, 0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "["}, "is not a regular expression"),
        ({"min_frequency": -1}, "min_frequency is -1"),
        ({"max_frequency": -1}, "max_frequency is -1; give at least min_frequency, 0"),
        ({"disjoint": "all"}, "disjoint is 'all'; give sentences or types"),
    ],
)
def test_bad_options_are_said_before_a_corpus_is_read(options, message):
    with pytest.raises(InputError, match=message):
        WordSelection(**options)


def test_bad_files(tmp_path):
    (tmp_path / "words.txt").write_text("\n \n")
    with pytest.raises(InputError, match=r"words\.txt: no words; give one per line"):
        WordSelection(file=str(tmp_path / "words.txt")).mask(CORPUS, seed=0)
    with pytest.raises(InputError, match=r"nothing\.txt: no such file"):
        WordSelection(file=str(tmp_path / "nothing.txt")).mask(CORPUS, seed=0)
