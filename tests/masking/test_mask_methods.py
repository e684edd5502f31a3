"""Masks by name: what the functions of the methods give, from every seed."""

import pytest

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.masking.mask_methods import fit_neuron_masks

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def lstm():
    return nx.load_model(nx.embedded_path("models/lstm-0"), head="language")


@pytest.fixture(scope="module")
def by_number():
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))
    return {
        number: [p for p in pairs if p.template == "simple" and p.condition == number][::3]
        for number in ("singular", "plural")
    }


OPTIONS = {"layers": [1], "positions": "last", "alpha": 1.0}


def columns(fit):
    return fit.mask.columns.tolist()


def test_several_seeds_are_as_many_fits(lstm, by_number):
    pairs = by_number["singular"]
    spread = fit_neuron_masks(lstm, pairs, n_seeds=2, seed=3, n_steps=20, **OPTIONS)
    alone = [nx.fit_neuron_mask(lstm, pairs, seed=s, n_steps=20, **OPTIONS) for s in (3, 4)]
    assert [columns(fit) for fit in spread.fits] == [columns(fit) for fit in alone]


def test_methods_by_name_are_their_functions(lstm, by_number):
    singular, plural = by_number["singular"], by_number["plural"]
    where = {"layers": [1], "positions": "last"}
    for name, rank in {
        "integrated-gradients": nx.masking.rank_by_integrated_gradients,
        "activation-difference": nx.masking.rank_by_activation_difference,
    }.items():
        spread = fit_neuron_masks(lstm, singular, method=name, target_pairs=plural, **OPTIONS)
        by_hand = nx.fit_neuron_mask(
            lstm,
            singular,
            method=lambda train, rank=rank: rank(lstm, train, plural, **where),
            **OPTIONS,
        )
        assert spread.best.mask.method == name
        assert columns(spread.best) == columns(by_hand)
    ranking = nx.ranking.random_ranking(nx.neuron_space(lstm, None, [1]), 7)
    for method in ("random", ranking):
        found = fit_neuron_masks(lstm, singular, method=method, seed=7, **OPTIONS)
        assert set(columns(found.best)) == set(ranking.order[: found.best.size].tolist())


def test_what_cannot_be_is_said_at_once(lstm, by_number):
    pairs = by_number["singular"]
    for options, message in (
        ({"method": "magic"}, "unknown method 'magic'; use differentiable-mask, reinforce"),
        ({"method": "integrated-gradients"}, "needs target_pairs, those to turn to"),
        ({"target_pairs": pairs}, "target_pairs are of integrated-gradients and"),
        ({"n_seeds": 0}, "n_seeds is 0; give at least 1"),
    ):
        with pytest.raises(InputError, match=message):
            fit_neuron_masks(lstm, pairs, **options)
