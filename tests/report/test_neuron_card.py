"""A card says what each result says about one neuron, and refuses what says nothing about it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.description_effects import DescriptionEffect, DescriptionEffects
from neurox_lite.descriptions.formula_search import Formula
from neurox_lite.descriptions.neuron_description import NeuronDescription, NeuronDescriptions
from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign
from neurox_lite.descriptions.neuron_formulas import (
    CompositionalFormulas,
    NeuronFormula,
    ScoredFormula,
)
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.errors import InputError
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.intervals import Interval
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.metrics import accuracy
from neurox_lite.neurons import Neuron
from neurox_lite.own_files import is_ours
from neurox_lite.report.card_sections import KINDS
from neurox_lite.report.neuron_card import neuron_card

SPACE = nx.NeuronSpace("<b>model", "mlp", (0, 3), (2, 4), "r1")
ONE = Neuron(3, 1)  # column 3
SCORES = np.array([0.0, 5.0, 1.0, 3.0, 0.0, 0.0])
RANKING = nx.NeuronRanking.from_scores(
    SPACE, SCORES, "mine", classes=("NOUN", "<VERB>"), class_scores=np.stack([SCORES * 0, SCORES]),
    provenance={"labels": {"tag": "upos"}},
)  # fmt: skip
RANKS = (3, 0, 2, 1, 4, 5)
INTERVALS = RankIntervals(
    "mine", SPACE, 0.95, RANKS, (0,) * 6, (4,) * 6, (RANKS,), 6, (6,), True
)  # fmt: skip
SIDE = OneSign((Example(("a", "<i>cat"), 1, 2.5, (0.0, 2.5)),), (), ())
EXEMPLARS = NeuronExemplars(ONE, "sparse", 0.5, 0.1, 0.2, -1.0, 2.5, (3, 1), SIDE, SIDE)
WRITTEN = TokensWritten(
    SPACE, (ONE,), (("Ġcats",),), np.array([[2.0]]), (("dogs",),), np.array([[-2.0]]),
    np.array([1.0]), 1.0,
)  # fmt: skip
TWINS = NeuronTwins(SPACE, None, (ONE,), ((5,),), ((-0.75,),), 100)
KNOWN = Interval(0.25, 0.125, 0.5)
EFFECTS = DescriptionEffects(
    SPACE, "mean", (DescriptionEffect("word=cat", ONE, 9, 3, KNOWN, KNOWN, KNOWN, KNOWN),)
)
SCORED = ScoredFormula(Formula("word=cat", (("OR", "word=dog"),)), 0.5, KNOWN)
FORMULAS = CompositionalFormulas(
    SPACE, 0.05, 3, 5, 9, (9, 9), (9, 9), 0,
    (NeuronFormula(ONE, "highest", (9, 9), SCORED, SCORED, SCORED),
     NeuronFormula(ONE, "lowest", (0, 0), reason="never active")),
)  # fmt: skip
DESCRIPTIONS = NeuronDescriptions(
    SPACE, "corpus", (9, 9), (9, 9), 0.01, None, None, 0.0, (),
    tuple(NeuronDescription(ONE, sign, (), (), "no reason") for sign in ("highest", "lowest")),
    (EXEMPLARS,),
)  # fmt: skip
MASK = nx.NeuronMask.of(SPACE, [3], 0.0, method="found")

FIT = MaskFit(
    mask=MASK, size=1, objective="flip", alpha=1.0, feasible=True, converged=True, intact=-1.0,
    effect=1.5, held_out_intact=-1.0, held_out_effect=1.2, held_out_success=0.9,
    probabilities=SCORES / 8, max_replacement_z=2.0, sizes=(1.0,), effects=(1.0,), n_runs=1,
)  # fmt: skip


def probe():
    generator = np.random.default_rng(0)
    y = np.array(["a", "b", "c"])[np.arange(60) % 3]
    X = generator.normal(size=(60, 6)) + 3 * (y[:, None] == ["a", "b", "c", "", "", ""])
    fitted = nx.ElasticNetProbe(l1=0.02, tol=1e-2).fit(X, y)
    fitted.space_ = SPACE
    return fitted


def test_everything_on_one_card(tmp_path):
    results = (
        DESCRIPTIONS, EXEMPLARS, WRITTEN, RANKING, INTERVALS, FORMULAS, EFFECTS, TWINS, MASK, FIT,
        probe(),
    )  # fmt: skip
    shown = {kind for kind in KINDS if any(isinstance(result, kind) for result in results)}
    assert set(KINDS) - shown == {Exemplars}, "of which NeuronExemplars are a part"
    card = neuron_card("3:1", *results)
    text = str(card)
    assert text.splitlines()[0] == "Neuron 3:1 of <b>model, mlp"
    for line in (
        r"highest: none, no reason",
        r"2.5: a \[<i>cat\]",
        r"raises: Ġcats",
        r"mine \(upos\)  2 of 6  1 to 5 \(95 %\)  3      <VERB>",
        r"highest  \(?word=cat OR word=dog\)?\s+0.25 \(0.125 to 0.5\)",
        r"lowest   never active",
        r"word=cat +0.25 \(0.125 to 0.5\)",
        r"3:3     -0.75",
        r"  mask 'found'\n    one of its 1 neurons",
        r"one of its 1 neurons; probability of its gate 0.38",
    ):
        assert re.search(line, text), line
    shown = card._repr_html_()
    assert "<i>cat" not in shown and "&lt;i&gt;cat" in shown and "<b>model" not in shown
    assert shown.count("<div") == shown.count("</div>")
    assert [each.title.split(",")[0] for each in card.sections][:4] == [
        "descriptions", "exemplars", "tokens it writes", "ranks",
    ]  # fmt: skip
    card.save(tmp_path / "card.html")
    card.save(tmp_path / "card.txt")
    assert is_ours(tmp_path / "card.html")
    assert (tmp_path / "card.txt").read_text() == f"{text}\n"
    with pytest.raises(InputError, match=r"a card is saved as \.html or \.txt"):
        card.save(tmp_path / "card.pdf")


def test_a_neuron_that_a_method_does_not_tell_apart():
    text = str(neuron_card("0:0", RANKING))
    assert "one of the last 3, not told apart" in text
    assert "2 of 6" in str(neuron_card(3, RANKING)), "a column"
    assert "1 of 6  1 to 5 (95 %)" in str(neuron_card(Neuron(0, 1), INTERVALS))


def test_weights_of_classes():
    fitted = probe()
    text = str(neuron_card("0:1", fitted))
    weights = {name: fitted.coef_[place, 1] for place, name in enumerate("abc")}
    assert f"b      {weights['b']:.4g}" in text
    for name, weight in weights.items():
        assert (weight == 0) == (f"\n    {name}  " not in text)


def test_results_of_other_neurons_are_refused():
    other = nx.NeuronSpace("other", "mlp", (0, 3), (2, 4), "r2")
    elsewhere = replace(RANKING, space=other)
    with pytest.raises(InputError, match=r"'mine' is of neurons of other \(mlp\), not of neurons"):
        neuron_card("3:1", TWINS, elsewhere)
    heads = replace(RANKING, space=replace(SPACE, site="attention_heads"))
    with pytest.raises(InputError, match="give results of one model and site"):
        neuron_card("3:1", TWINS, heads)
    fewer = RANKING.restrict_to_layers(3)
    assert "1 of 4" in str(neuron_card("3:1", fewer, TWINS)), "other layers of the same model"
    with pytest.raises(InputError, match=r"NeuronRanking 'mine' has no neuron 0:1"):
        neuron_card("0:1", RANKING, fewer)
    with pytest.raises(InputError, match=r"NeuronExemplars has no neuron 0:1"):
        neuron_card("0:1", RANKING, EXEMPLARS)
    for result in (WRITTEN, TWINS, EFFECTS, FORMULAS, DESCRIPTIONS):
        with pytest.raises(InputError, match="0:1"):
            neuron_card("0:1", result)


@pytest.mark.parametrize("neuron", ["9:9", "x", None, 3.5, [0, 1], 99, "3:4"])
def test_neurons_that_are_none(neuron):
    for result in (RANKING, EXEMPLARS):
        with pytest.raises(InputError):
            neuron_card(neuron, result)


def test_what_says_nothing_about_one_neuron():
    with pytest.raises(InputError, match="a card needs results"):
        neuron_card("3:1")
    for wrong in (None, 3, [RANKING], accuracy, Interval(1, 1, 1)):
        with pytest.raises(InputError, match="says nothing about one neuron; a card takes"):
            neuron_card("3:1", wrong)
    with pytest.raises(InputError, match="ElasticNetProbe is not fitted"):
        neuron_card("3:1", nx.ElasticNetProbe())


def test_a_folder_gives_what_it_has_about_the_neuron(tmp_path):
    RANKING.save(tmp_path / "ranking.json")
    replace(RANKING, space=replace(SPACE, site="attention_heads")).save(tmp_path / "z.json")
    TWINS.save(tmp_path / "twins.json")
    INTERVALS.save(tmp_path / "intervals.json")
    probe().save(tmp_path / "probe")
    text = str(neuron_card("3:1", tmp_path))
    assert "mine (upos)  2 of 6  1 to 5 (95 %)" in text
    assert text.count("mine") == 1 and "-0.75" in text and "weights of the probe" in text
    other = str(neuron_card("0:1", str(tmp_path), RANKING))
    assert "twins" not in other and "1 of 6" in other
    with pytest.raises(InputError, match="no such folder"):
        neuron_card("3:1", tmp_path / "nothing")
    (tmp_path / "twins").mkdir()
    TWINS.save(tmp_path / "twins/twins.json")
    with pytest.raises(InputError, match="nothing in it is about neuron 0:0"):
        neuron_card("0:0", tmp_path / "twins")


def test_intervals_of_another_property_are_not_those_of_a_ranking():
    other = replace(INTERVALS, ranks=(0, 1, 2, 3, 4, 5), low=(0,) * 6, high=(5,) * 6)
    text = str(neuron_card("3:1", RANKING, other))
    assert re.search("2 of 6 +3 ", text) and "4 of 6  1 to 6 (95 %)" in text
