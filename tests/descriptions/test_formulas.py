"""Formulas of neurons, where it is known what they are."""

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.writer import open_writer
from neurox_lite.descriptions.concepts import concepts_of
from neurox_lite.descriptions.corpus_rows import corpus_rows
from neurox_lite.descriptions.formula_search import Formula
from neurox_lite.descriptions.formulas import compositional_formulas
from neurox_lite.descriptions.neuron_formulas import CompositionalFormulas

UPOS = {"the": "DET", "a": "DET", "sees": "VERB", "see": "VERB", "old": "ADJ", "new": "ADJ"}
PLURAL, SINGULAR = ("dogs", "cats", "birds", "people"), ("dog", "cat")
NUMBER = dict.fromkeys(PLURAL, "Plur") | dict.fromkeys(SINGULAR, "Sing")


def make_corpus(n_sentences=500, seed=0):
    rng = np.random.default_rng(seed)
    forms = [*UPOS, *NUMBER, "and", "of", "in", "on", "at", "by", "to", "so"]
    sentences = [rng.choice(forms, rng.integers(5, 14)).tolist() for _ in range(n_sentences)]
    tags = {
        "upos": [[UPOS.get(w, "NOUN" if w in NUMBER else "X") for w in s] for s in sentences],
        "Number": [[NUMBER.get(word, "") for word in words] for words in sentences],
    }
    return nx.TaggedCorpus(sentences, tags)


CORPUS = make_corpus()
CONCEPTS = concepts_of(CORPUS, min_count=1)
NOT_PEOPLE = Formula("Number=Plur", (("AND NOT", "word=people"),))
NO_NOUN_NEXT = Formula("upos=DET", (("AND NOT", "next:upos=NOUN"),))
AFTER_NOUN = Formula("previous:upos=NOUN", (("AND", "upos=NOUN"),))


def noise(n_neurons, seed=0, n_words=CORPUS.n_words):
    return np.random.default_rng(seed).normal(size=(n_words, n_neurons)).astype(np.float32)


def make_activations():
    """Neuron 0 is high, 1 low and 2 both on words of formulas; 3 to 5 are noise."""
    X = noise(6)
    X[:, 0] += 4 * NOT_PEOPLE.holds(CONCEPTS)
    X[:, 1] -= 4 * AFTER_NOUN.holds(CONCEPTS)
    X[:, 2] += 4 * NO_NOUN_NEXT.holds(CONCEPTS) - 4.0 * AFTER_NOUN.holds(CONCEPTS)
    return X


X = make_activations()


@pytest.fixture(scope="module")
def found():
    return compositional_formulas(X, CORPUS, share=0.1)


@pytest.mark.parametrize(
    ("neuron", "sign", "planted"),
    [
        (0, "highest", NOT_PEOPLE),
        (1, "lowest", AFTER_NOUN),
        (2, "highest", NO_NOUN_NEXT),
        (2, "lowest", AFTER_NOUN),
    ],
)
def test_what_is_planted_is_found_in_noise(found, neuron, sign, planted):
    (one,) = [each for each in found.of(neuron) if each.sign == sign]
    expected = planted.holds(CONCEPTS)
    got = one.best.formula.holds(CONCEPTS)
    # All but a few words that the noise of the half searched speaks for.
    assert (got & expected).sum() / (got | expected).sum() > 0.9
    assert one.best.held_out.low > 3 * one.shuffled.held_out.high
    assert one.best.held_out.value > one.concept.held_out.value
    assert one.best.iou >= one.concept.iou
    assert len(one.concept.formula) == 1 and 2 <= len(one.best.formula) <= 5


def test_scores_by_hand(found):
    """Held out are the sentences on which it was not searched; together they are all."""
    one = found.of("0:0")[0]
    active = X[:, 0] >= np.sort(X[:, 0])[-round(0.1 * len(X))]
    holds = one.best.formula.holds(CONCEPTS)
    ((n, m), each) = one.n_active, one.best
    assert n + m == active.sum() and sum(found.n_words) == len(X)
    assert abs(found.n_sentences[0] - found.n_sentences[1]) <= 1
    both, either = (holds & active).sum(), (holds | active).sum()
    low, high = sorted([each.iou, each.held_out.value])
    assert low <= both / either <= high
    assert each.held_out.low < each.held_out.value < each.held_out.high


def test_what_says_nothing_of_other_sentences_is_near_chance():
    """Of noise, too, the search finds something, which does not hold on the other half."""
    found = compositional_formulas(noise(12, seed=1), CORPUS)
    scored = [each for one in found.formulas for each in (one.best, one.shuffled)]
    assert np.mean([each.iou for each in scored]) > 0.08
    # Of independent sets of shares p and q, p q / (p + q - p q): at most p.
    assert 0.02 < np.mean([each.held_out.value for each in scored]) < 0.05
    assert np.mean([each.held_out.low < 0.05 for each in scored]) >= 0.9


def test_neither_the_order_of_columns_nor_the_company_matters(found):
    order = [4, 1, 5, 0, 2, 3]
    other = compositional_formulas(X[:, order], CORPUS, share=0.1)
    for place, column in enumerate(order):
        for one, another in zip(other.of(place), found.of(column), strict=True):
            assert (one.best, one.concept, one.shuffled) == (
                another.best, another.concept, another.shuffled,
            )  # fmt: skip
    some = compositional_formulas(X, CORPUS, ["0:3", 0, nx.Neuron(0, 3)], share=0.1)
    assert some.formulas == (*found.of(3), *found.of(0), *found.of(3))
    assert some.of(1) == ()


def test_sentences_that_occur_twice_count_once(found):
    twice = nx.TaggedCorpus(
        [*CORPUS.sentences, *CORPUS.sentences],
        {tag: [*rows, *rows] for tag, rows in CORPUS.tags.items()},
    )
    again = compositional_formulas(np.concatenate([X, noise(6, 7)]), twice, share=0.1)
    assert again == found


def test_rows_of_equal_sentences_are_those_of_the_first():
    corpus = nx.TaggedCorpus([["a", "b"], ["c"], ["a", "b"], ["b"], ["c"]])
    rows = corpus_rows(np.arange(7.0).reshape(7, 1), corpus)
    assert rows.words.tolist() == rows.X[:, 0].tolist() == [0, 1, 2, 5]
    assert rows.sentences.tolist() == [0, 1, 3] and rows.starts.tolist() == [0, 2, 3, 4]


def test_a_store_is_as_good_as_an_array(found, tmp_path):
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(tmp_path / "s.h5", CORPUS, dtype="float32", metadata=metadata) as writer:
        writer.append({3: X[:, :2], 5: X[:, 2:]})
        writer.finish({})
    with nx.ActivationStore(tmp_path / "s.h5") as store:
        for of_store in (
            compositional_formulas(store.matrix(), CORPUS, ["3:1", "5:0"], share=0.1),
            compositional_formulas(store, CORPUS, ["3:1", "5:0"], share=0.1),
            compositional_formulas(store.matrix([5, 3]), CORPUS, ["3:1", "5:0"], share=0.1),
        ):
            assert [str(one.best) for one in of_store.formulas] == [
                str(one.best) for one in (*found.of(1), *found.of(2))
            ]
            assert of_store.of("3:1")[0].neuron == nx.Neuron(3, 1)
        with pytest.raises(nx.InputError, match="made from another corpus"):
            compositional_formulas(store.matrix(), make_corpus(seed=1))
        with pytest.raises(nx.InputError, match=f"9 of its {len(X)} rows; give all"):
            compositional_formulas(store.matrix(rows=np.arange(9)), CORPUS)


def test_neurons_of_which_nothing_can_be_said():
    Z = noise(5)
    Z[:, 0] = 1e4 + 1e-3 * (np.arange(len(Z)) % 2)  # as rounding leaves it
    Z[:, 1] = np.maximum(Z[:, 1], 1)
    Z[:, 2] = np.arange(len(Z)) < 5
    Z[:, 3] = NOT_PEOPLE.holds(CONCEPTS)
    found = compositional_formulas(Z, CORPUS)
    reasons = [[one.reason for one in found.of(column)] for column in range(5)]
    tied = "more than half of the words are tied at this end"
    assert reasons[:2] == [["constant"] * 2, ["", tied]]
    assert "sentences of one half; it takes 10 of each" in reasons[2][0]
    assert reasons[2][1] == tied and reasons[3] == ["", tied] and reasons[4] == ["", ""]
    for one in found.formulas:
        assert (one.best is None) == (one.concept is None) == bool(one.reason)
    # One that is on where a formula holds, which are more words than asked for.
    assert str(found.of(3)[0].best.formula) == str(NOT_PEOPLE)
    assert found.of(3)[0].best.held_out.value == 1
    assert "constant" in str(found.of(0)[0])


@pytest.mark.parametrize("n_sentences", [1, 2, 10])
def test_too_few_sentences_are_said(n_sentences):
    few = CORPUS.select(range(n_sentences))
    found = compositional_formulas(noise(2, 0, few.n_words), few, min_count=1)
    assert all("sentences of one half" in one.reason for one in found.formulas)
    assert "with a formula 0" in str(found)
    assert len(found.to_pandas()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0}, "share is 0.0; give a share of the words above 0 and up to 0.5"),
        ({"share": 0.6}, "share is 0.6"),
        ({"share": "x"}, "share is 'x'; give a number"),
        ({"max_length": 0}, "max_length is 0; give at least 1"),
        ({"beam_width": 1.5}, "beam_width is 1.5; give a whole number"),
        ({"neurons": "1:0"}, "no layer 1"),
        ({"tags": ["xpos"]}, "no labels called 'xpos'"),
        ({"seed": -1}, "seed is -1"),
        ({"X": X[:-1]}, "give a row for each word"),
        ({"corpus": "x"}, "corpus is 'x'; give a TaggedCorpus"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(nx.InputError, match=message):
        compositional_formulas(**{"X": X, "corpus": CORPUS, **options})


def test_nan_is_refused_with_its_place():
    Z = X.copy()
    Z[7, 2] = np.nan
    with pytest.raises(nx.InputError, match="neuron 0:2 in row 7 is NaN"):
        compositional_formulas(Z, CORPUS, [0])


def test_as_a_file_and_a_table(found, tmp_path):
    found.save(tmp_path / "f.json")
    assert nx.load_result(tmp_path / "f.json") == found
    assert (
        CompositionalFormulas.load(tmp_path / "f.json").of(0)[0].best.formula.holds(CONCEPTS).any()
    )
    frame = found.to_pandas()
    assert len(frame) == 12
    row = frame[(frame.unit == 1) & (frame.sign == "lowest")].iloc[0]
    best = found.of(1)[1].best
    assert row.formula == str(best.formula) and row.held_out_low == best.held_out.low
