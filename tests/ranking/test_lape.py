"""LAPE and activation probability of counts known by hand.

Also of ``neurox_lite.ranking.activation_probability`` and ``neurox_lite.ranking.positive_shares``.
"""

from __future__ import annotations

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.writer import open_writer
from neurox_lite.errors import InputError
from neurox_lite.ranking import activation_probability, lape

LANGUAGES = np.repeat(["de", "en", "fr"], [4, 8, 4])
N_POSITIVE = {
    "specific to fr": (0, 0, 4),
    "of two languages": (2, 4, 0),
    "everywhere": (2, 4, 2),
    "rare": (0, 1, 0),
    "never": (0, 0, 0),
    "always": (4, 8, 4),
    "but not in en": (4, 0, 4),
}
NAMES = list(N_POSITIVE)


def activations() -> np.ndarray:
    """A column for every row of the table: 1 on so many words of a language, else -0.1 or -0.2."""
    ends = {"de": (0, 4), "en": (4, 12), "fr": (12, 16)}
    X = np.where(np.arange(16)[:, None] % 2, -0.1, -0.2) * np.ones(len(NAMES))
    for column, counts in enumerate(N_POSITIVE.values()):
        for (start, _), count in zip(ends.values(), counts, strict=True):
            X[start : start + count, column] = 1 + np.arange(count)
    return X


def by_name(values) -> dict:
    return dict(zip(NAMES, values.tolist(), strict=True))


def test_scores_are_those_by_hand():
    scores = by_name(lape(activations(), LANGUAGES, min_quantile=0).scores)
    log = np.log
    assert scores["specific to fr"] == scores["rare"] == 0
    assert scores["of two languages"] == pytest.approx(-log(2))  # both 1/2, whatever their sizes
    assert scores["but not in en"] == pytest.approx(-log(2))
    assert scores["everywhere"] == scores["always"] == pytest.approx(-log(3))
    assert np.isnan(scores["never"])


def test_neurons_that_are_rarely_active_come_after_all_others():
    ranking = lape(activations(), LANGUAGES, min_quantile=0.5)  # which is 1/2
    assert [NAMES[column] for column in ranking.order] == [
        "specific to fr",
        "of two languages",
        "but not in en",
        "everywhere",
        "always",
        "rare",
        "never",
    ]
    assert by_name(ranking.scores)["rare"] == pytest.approx(-2 * np.log(3))


def test_a_ranking_of_one_language():
    for min_quantile in (0, 0.5):
        of_en = lape(activations(), LANGUAGES, min_quantile=min_quantile).for_class("en")
        scores = by_name(of_en.scores)
        assert scores["specific to fr"] == scores["but not in en"] == 0
    ranking = lape(activations(), LANGUAGES, min_quantile=0.5)
    of_fr = ranking.for_class("fr")
    scores = by_name(of_fr.scores)
    assert NAMES[of_fr.order[0]] == "specific to fr"
    assert scores["specific to fr"] == pytest.approx(np.log(3))
    assert scores["but not in en"] == pytest.approx(np.log(3) - np.log(2))
    assert scores["of two languages"] == scores["rare"] == 0
    assert NAMES[ranking.for_class("de").order[0]] in ("of two languages", "but not in en")


def test_differences_of_activation_probabilities():
    ranking = activation_probability(activations(), LANGUAGES)
    of_class = {name: by_name(ranking.for_class(name).scores) for name in ranking.classes}
    assert of_class["fr"]["specific to fr"] == 1
    assert of_class["de"]["specific to fr"] == pytest.approx(4 / 12)  # its words of other languages
    assert of_class["en"]["but not in en"] == 1
    assert of_class["en"]["rare"] == pytest.approx(1 / 8)
    scores = by_name(ranking.scores)
    assert scores["always"] == scores["never"] == scores["everywhere"] == 0
    assert NAMES[ranking.for_class("fr").order[0]] == "specific to fr"
    assert {NAMES[column] for column in ranking.order[:2]} == {"specific to fr", "but not in en"}


@pytest.mark.parametrize("rank", [lape, activation_probability])
def test_a_warning_where_most_neurons_have_one_sign(rank, caplog):
    X = activations()
    rank(X, LANGUAGES)
    assert not caplog.records
    rank(np.abs(X), LANGUAGES)
    (record,) = caplog.records
    assert "7 of 7 neurons are above 0 on all words or on none" in record.getMessage()


def test_a_warning_of_a_site_without_a_zero(tmp_path, caplog):
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    corpus = nx.TaggedCorpus([["word"] * 16])
    with open_writer(tmp_path / "s.h5", corpus, dtype="float32", metadata=metadata) as writer:
        writer.append({0: activations().astype(np.float32)})
        writer.finish({})
    lape(nx.ActivationStore(tmp_path / "s.h5").matrix(), LANGUAGES)
    (record,) = caplog.records
    assert "means nothing at the site 'hidden_states'" in record.getMessage()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_no_quantile(share):
    with pytest.raises(InputError, match="min_quantile is"):
        lape(activations(), LANGUAGES, min_quantile=share)


def test_resamples_do_not_warn_again(caplog):
    X, groups = np.abs(activations()), np.arange(len(LANGUAGES))
    nx.evaluation.rank_intervals(lape, X, LANGUAGES, groups, n_resamples=3)
    assert sum("on all words or on none" in each.getMessage() for each in caplog.records) == 1
