"""Planted aspects are described, at the right sign, and noise is not.

`neurox_lite.descriptions.describe`; `neurox_lite.descriptions.neuron_description`, and the parts
`neurox_lite.descriptions.halves`, `neurox_lite.descriptions.enriched`,
`neurox_lite.descriptions.held_out` and `neurox_lite.descriptions.reference_scores`
"""

from __future__ import annotations

import numpy as np
import pytest

from neurox_lite import InputError, TaggedCorpus
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.corpus_rows import corpus_rows
from neurox_lite.descriptions.describe import NOT_HELD, NOTHING, describe
from neurox_lite.descriptions.exemplars import exemplars
from neurox_lite.descriptions.page import page
from tests.benchmarks.descriptions import described, measures, planted


@pytest.mark.heavy
def test_planted_aspects_are_described_and_noise_is_not():
    case = planted(45, 3.0, 0.5, 0.5, 1)
    found = described(case)
    of = measures(case, found)
    assert of["precision@2"] >= 0.9 and of["recall@2"] >= 0.9 and of["two aspects, both"] >= 0.7
    assert of["silent on noise"] >= 0.9 and of["silent on shuffled"] >= 0.95
    assert of["jaccard"] >= 0.8 and of["jaccard by chance"] < 0.2


RNG = np.random.default_rng(0)
FORMS = [f"w{number}" for number in range(40)]
SENTENCES = [list(RNG.choice(FORMS, RNG.integers(3, 12))) for _ in range(1200)]
LABELS = [["X" if word in FORMS[:4] else "Y" for word in words] for words in SENTENCES]
CORPUS = TaggedCorpus(SENTENCES, {"kind": LABELS})
FLAT = np.array(CORPUS.words())


@pytest.fixture(scope="module")
def activations():
    X = RNG.standard_normal((CORPUS.n_words, 5))
    X[:, 0] += 5 * (FLAT == "w9")
    X[:, 1] -= 5 * np.isin(FLAT, FORMS[:4])
    X[:, 2] = 3.0
    X[:, 3] += 0.5 * np.repeat(np.diff(CORPUS.sentence_offsets), np.diff(CORPUS.sentence_offsets))
    return X


@pytest.fixture(scope="module")
def found(activations):
    return describe(activations, CORPUS)


def test_words_are_described_at_their_sign(found):
    highest, lowest = found.of(0)
    assert [(one.level, one.text) for one in highest.descriptions] == [("word", "word=w9")]
    assert not lowest.descriptions and "chance" in lowest.reason
    score = highest.descriptions[0].score
    assert score.inverse_auprc.low > 0.95
    # Nearly all active words are w9, and as many of these as are active.
    assert score.auprc.value == pytest.approx(score.density / score.prevalence, rel=0.1)
    highest, lowest = found.of("0:1")
    assert lowest.texts == ("word: kind=X",) and not highest.descriptions


def test_long_sentences_alone_say_nothing(found):
    """A neuron that is large in long sentences, which have nearly every descriptor."""
    assert not found.of(3)[0].descriptions
    assert found.of(3)[0].reason == NOTHING  # and its short ones are not too few
    assert found.described_by_chance == 0


def test_a_dead_neuron_has_a_reason(found):
    for one in found.of(2):
        assert not one.descriptions and one.reason == "dead: the same at every word"


def test_reasons_are_those_of_the_kind_of_neuron():
    """One that varies little about a large mean is not dead; one may rest nearly always."""
    small, rests = np.full((CORPUS.n_words, 2), [1000.0, 0]).T
    small += 1e-2 * RNG.standard_normal(len(small))
    rests[np.flatnonzero(FLAT == "w9")[:5]] = 1
    found = describe(np.stack([small, rests], axis=1), CORPUS)
    assert [own.category for own in found.exemplars] == ["dense", "sparse"]
    assert [one.reason for one in found.of(0)] == [NOTHING, NOTHING]
    assert "exemplars are too few; it takes 10" in found.of(1)[0].reason
    assert "no exemplars" in found.of(1)[1].reason


def test_saved_and_read_again(found, tmp_path):
    found.save(tmp_path / "d.json")
    again = type(found).load(tmp_path / "d.json")
    assert again.table() == found.table() and again == found


def test_sentences_that_are_repeated_count_once(activations, found):
    twice = TaggedCorpus(SENTENCES * 2, {"kind": LABELS * 2})
    again = describe(np.concatenate([activations, activations]), twice)
    assert again.neurons == found.neurons


def test_the_order_of_sentences_does_not_matter():
    """Not even where many sentences are of one length, and many activations the same."""
    rng = np.random.default_rng(3)
    lengths = np.diff(CORPUS.sentence_offsets)
    X = np.round(rng.standard_normal((CORPUS.n_words, 8)) + np.isin(FLAT, FORMS[:4])[:, None])
    order = rng.permutation(len(SENTENCES))
    rows = [np.arange(end - n, end) for end, n in zip(np.cumsum(lengths), lengths, strict=True)]
    moved = TaggedCorpus(
        [SENTENCES[one] for one in order], {"kind": [LABELS[one] for one in order]}
    )
    again = describe(X[np.concatenate([rows[one] for one in order])], moved, share=0.05)
    for one, other in zip(describe(X, CORPUS, share=0.05).neurons, again.neurons, strict=True):
        assert (one.texts, one.other_half) == (other.texts, other.other_half)
        for each, same in zip(one.descriptions, other.descriptions, strict=True):
            assert (each.n_with, each.p) == pytest.approx((same.n_with, same.p))


def test_some_neurons_are_as_among_all(activations):
    few = describe(activations, CORPUS, ["0:1", "0:0", "0:1"])
    assert [own.neuron.unit for own in few.exemplars] == [1, 0]
    assert [one.neuron.unit for one in few.neurons] == [1, 1, 0, 0]
    assert few.of(1)[1].texts == ("word: kind=X",)


def test_one_neuron_has_no_other_to_agree_with(activations, found):
    alone = describe(activations, CORPUS, [0])
    assert alone.jaccard == 1 and alone.jaccard_by_chance is None
    assert "<h1>1 neuron of " in page(alone) and "<p>1 has a description" in page(alone)
    (stands,) = [line for line in page(alone).split("</p>") if "both halves" in line]
    assert "agree to 100 % (Jaccard, the one sign that has any)." in stands
    assert "mean of the 2 neurons and signs with any; those of different neurons" in page(found)


def test_a_generator_is_asked_for_sentences(activations):
    """What it says of a sentence no word of it has."""
    asked = []

    def propose(texts):
        asked.extend(texts)
        return [["Begins low."] if text.split()[0] in FORMS[:9] else [] for text in texts]

    lengths = np.diff(CORPUS.sentence_offsets)
    begins_low = np.repeat([words[0] in FORMS[:9] for words in SENTENCES], lengths)
    values = RNG.standard_normal(CORPUS.n_words)
    values += 4 * (begins_low & (RNG.random(CORPUS.n_words) < 0.5))
    found = describe(values[:, None], CORPUS, propose=propose)
    assert set(asked) == set(map(" ".join, SENTENCES)) and len(asked) == len(set(asked))
    assert found.of(0)[0].texts == ("sentence: begins low",)


def test_descriptors_are_enough_where_no_word_says_anything(activations):
    """Words that are all different have no form in common, and no label."""
    words = iter(range(CORPUS.n_words))
    distinct = [[f"v{next(words)}" for _ in one] for one in SENTENCES]
    corpus = TaggedCorpus(distinct, {"position": distinct})

    def propose(texts):
        return [["numbers low"] if int(text.split()[0][1:]) < 2000 else [] for text in texts]

    low = np.arange(CORPUS.n_words) < 2000
    values = RNG.standard_normal(CORPUS.n_words) + 4 * (low & (RNG.random(len(low)) < 0.5))
    found = describe(values[:, None], corpus, propose=propose, min_count=80)
    assert found.n_descriptors == (0, 1)
    assert found.of(0)[0].texts == ("sentence: numbers low",)
    with pytest.raises(InputError, match="nothing to describe neurons by"):
        describe(values[:, None], corpus, propose=propose, min_count=400)


def test_what_does_not_hold_in_the_other_half_is_left_out(activations, found):
    """A neuron that likes a word in the first half of the sentences only."""
    in_first = np.zeros(CORPUS.n_words, bool)
    (places, _) = corpus_rows(activations, CORPUS).halves(0)
    in_first[corpus_rows(activations, CORPUS).rows_of(places)[0]] = True
    values = np.random.default_rng(7).standard_normal((CORPUS.n_words, 1))
    values[:, 0] += 5 * ((FLAT == "w9") & in_first)
    (highest, _) = describe(values, CORPUS).of(0)
    assert not highest.descriptions and highest.reason == NOT_HELD
    # All that is said has an interval above what chance has.
    for one in found.neurons:
        for each in one.descriptions:
            assert each.score.auprc.value > each.score.density


def test_mean_scores_stand_beside_those_of_nothing(found):
    own, constant, shuffled = found.means
    assert [one.of for one in found.means] == ["descriptions", "constant", "shuffled activations"]
    assert own.n == constant.n == 2
    scores = [each.score for one in found.neurons for each in one.descriptions]
    assert own.auprc.value == pytest.approx(np.mean([one.auprc.value for one in scores]))
    densities = np.array([one.density for one in scores])
    assert constant.auprc.value == constant.iou.value == pytest.approx(densities.mean())
    assert constant.f1.value == pytest.approx((2 * densities / (1 + densities)).mean())
    assert shuffled.auprc.value < 3 * densities.mean() < own.auprc.value
    assert [row[3] for row in found.table()[-3:]] == [one.of for one in found.means]


def test_bad_input(activations, caplog):
    few = CORPUS.select(range(10))
    with pytest.raises(InputError, match="10 different sentences are too few"):
        describe(activations[: few.n_words], few)
    with pytest.raises(InputError, match=r"share is 0\.5"):
        describe(activations, CORPUS, share=0.5)
    with pytest.raises(InputError, match="no unit 9"):
        describe(activations, CORPUS, ["0:9"])
    with pytest.raises(InputError, match="no neurons to describe"):
        describe(activations, CORPUS, [])
    with pytest.raises(InputError, match="embed gave"):
        describe(activations, CORPUS, [0], embed=lambda names: np.zeros((1, 2)))
    some = CORPUS.select(range(200))
    describe(activations[: some.n_words], some, [0])
    assert "200 different sentences are few" in caplog.text


def test_exemplars_that_are_there_are_not_found_again(activations, found, tmp_path, monkeypatch):
    every = exemplars(activations, CORPUS)
    every.save(tmp_path)
    monkeypatch.setitem(describe.__globals__, "find_exemplars", None)
    again = describe(activations, CORPUS, exemplars=Exemplars.load(tmp_path))
    assert again == found
    for other in (
        exemplars(activations, CORPUS, neurons=[0]),
        exemplars(activations[:, :4], CORPUS),
    ):
        with pytest.raises(InputError, match="give those of all neurons of this store and corpus"):
            describe(activations, CORPUS, exemplars=other)


def test_intervals_of_means_are_shares(activations):
    """Of one or two described neurons."""
    means = describe(activations, CORPUS, [0, 1]).means
    assert means[0].n == 2
    for mean in means:
        for one in (mean.auprc, mean.f1, mean.iou):
            assert 0 <= one.low <= one.value <= one.high <= 1
        assert -1 <= mean.correlation.low <= mean.correlation.high <= 1
