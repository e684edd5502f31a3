"""Token masks find the tokens that decide, where these are known.

`neurox_lite.masking.token_mask`, `neurox_lite.masking.token_search`,
`neurox_lite.masking.token_draws`, `neurox_lite.masking.masked_texts`,
`neurox_lite.masking.token_objective`, `neurox_lite.masking.gate_network`,
`neurox_lite.masking.state_fit`
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

import neurox_lite as nx
from neurox_lite.errors import InputError
from neurox_lite.interventions import explained_texts
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.token_states import keep_tokens
from neurox_lite.masking import TokenMask, gate_network
from neurox_lite.masking.gate_network import GateNetwork, bounded
from neurox_lite.masking.masked_texts import IntactTexts, masked_output
from neurox_lite.masking.token_draws import (
    Drawn,
    draw_bernoulli,
    draw_hard_concrete,
    drawing,
    exploring,
    keeping,
)
from neurox_lite.neurons import IN_MEMORY
from tests.masking.token_truth import DECIDING, TEXTS, YES, some_texts, texts_of_words

pytestmark = pytest.mark.heavy

SHORT = {"epsilon": 0.02, "n_steps": 500, "batch_size": 32, "placeholder": "zero"}
STEPS = {"input": 500, "hidden": 800}
"""Gates of the hidden variant learn from their own steps alone."""


@pytest.fixture(scope="module")
def explained():
    return texts_of_words(TEXTS)


@pytest.fixture(scope="module")
def masks(explained):
    return {v: TokenMask(v, **{**SHORT, "n_steps": n}).fit(explained) for v, n in STEPS.items()}


@pytest.fixture(scope="module")
def pairs():
    every = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[::160]
    return ExplainedTexts.of_pairs(nx.embedded_path("models/gpt2"), every)


def smallest_set(explained, row, placeholder, epsilon):
    """The fewest tokens that keep the output, of all subsets."""
    rows = torch.tensor([row])
    n_tokens = len(explained.inputs.tokens[row])
    for size in range(n_tokens + 1):
        for kept in combinations(range(n_tokens), size):
            gates = torch.zeros(1, n_tokens)
            gates[0, list(kept)] = 1
            parts = explained.parts(rows, 0, keep_tokens(gates, placeholder))
            if explained.output.divergence(explained.intact(rows), parts) <= epsilon:
                return list(kept)
    raise AssertionError


@pytest.mark.parametrize("variant", ["input", "hidden"])
def test_the_tokens_that_are_kept_are_the_smallest_set_that_suffices(masks, variant):
    mask = masks[variant]
    assert mask.holds, mask.status
    new = texts_of_words(some_texts(40, seed=1))
    found = mask.explain(new)
    for row, values in enumerate(found.values):
        deciding = [k for k, token in enumerate(new.inputs.tokens[row]) if token in DECIDING]
        assert smallest_set(new, row, torch.zeros(6), 0.02) == deciding
        for of_state in values:
            assert np.flatnonzero(of_state > 0.5).tolist() == deciding
    for fit in mask.fits_:
        assert fit.cut_divergence < 0.02 < fit.erased_divergence
        assert 0.2 < fit.kept < 0.5


@pytest.mark.parametrize("variant", ["input", "hidden"])
def test_a_learned_placeholder_stands_for_neither_of_two_deciding_words(variant, explained):
    """If it did, texts with that word would need no token."""
    mask = TokenMask(variant, **{**SHORT, "placeholder": "learned"}).fit(explained)
    found = mask.explain(explained)
    for tokens, values in zip(found.tokens, found.values, strict=True):
        for of_state in values:
            assert [token in DECIDING for token in tokens] == list(of_state > 0.5)
    prior = np.bincount([YES in row for row in TEXTS]) / len(TEXTS)
    for fit in mask.fits_:
        assert fit.erased_divergence == pytest.approx(-(prior * np.log(prior)).sum(), abs=0.1)


def test_special_tokens_are_kept_and_count_for_nothing(pairs):
    """Of word embeddings; states of special tokens are masked as any other."""
    special = pairs.inputs.is_special
    assert special[:, 0].all()
    mask = TokenMask(n_steps=1, states=[0, 1]).fit(pairs)
    hidden = TokenMask("hidden", n_steps=1, states=[1]).fit(pairs)
    for of_text, of_hidden, flags in zip(
        mask.explain(pairs).values, hidden.explain(pairs).values, special, strict=True
    ):
        flags = flags[: of_text.shape[1]].numpy()
        assert (of_text[:, flags] == 1).all()
        assert (of_text[:, ~flags] < 1).all()
        assert (of_hidden < 1).all()
    phi = torch.zeros(len(pairs), 2, special.shape[1])
    drawn = keeping(draw_bernoulli(phi, torch.rand(phi.shape)), special)
    assert (drawn.gates[special] == 1).all()
    assert (drawn.log_kept[special] == 0).all()
    assert (drawn.log_probability[special] == 0).all()


def test_gates_find_their_way_back():
    """Far beyond its bounds tanh has no slope; towards 0 there is some."""
    x = torch.tensor([-9.0, -0.5, 0.5, 9.0], requires_grad=True)
    for sign in (1.0, -1.0):
        (slope,) = torch.autograd.grad(sign * bounded(x).sum(), x)
        back = sign * x.detach() > 0
        slope, exact = sign * slope, 1 - torch.tanh(x.detach()) ** 2
        torch.testing.assert_close(slope[~back], exact[~back])
        torch.testing.assert_close(slope[back], exact[back].clamp(min=0.2))
    torch.testing.assert_close(bounded(x), torch.tanh(x))


def test_reinforce_finds_them_too(explained):
    mask = TokenMask("hidden", **SHORT, estimator="reinforce", states=[1]).fit(explained)
    found = mask.explain(explained)
    for tokens, values in zip(found.tokens, found.values, strict=True):
        assert [tokens[k] in DECIDING for k in range(len(tokens))] == list(values[0] > 0.5)
    assert found.method == "reinforce"


def test_open_gates_change_no_bit(pairs):
    rows = torch.arange(len(pairs))
    intact = pairs.intact(rows)[0]

    def open_all(phi):
        return Drawn(phi, torch.ones_like(phi[:, 0]), phi[:, 0])

    for is_input in (True, False):
        for state in range(pairs.n_states):

            def locations(states, n_read=2 if is_input else 1):
                assert len(states) == n_read
                return states[-1].mean(-1)[:, None]

            known = IntactTexts(pairs, [0, state])
            parts, _ = masked_output(
                known, rows, [state], is_input, locations, torch.zeros(128), open_all
            )
            assert torch.equal(parts[0], intact)


def test_more_gates_keep_less_and_hidden_ones_depend_on_their_state_alone(masks, explained):
    for values in masks["input"].explain(explained).values:
        assert (np.diff(values, axis=0) <= 0).all()
    found = masks["hidden"].explain(explained)
    kept = {token: [] for tokens in found.tokens for token in tokens}
    for tokens, values in zip(found.tokens, found.values, strict=True):
        for token, value in zip(tokens, values.T, strict=True):
            kept[token].append(value)
    for values in kept.values():
        np.testing.assert_allclose(np.ptp(values, axis=0), 0, atol=1e-5)


def test_a_saved_mask_is_the_same(masks, explained, tmp_path):
    for variant, mask in masks.items():
        mask.save(tmp_path / variant)
        again = nx.load_result(tmp_path / variant)
        assert str(again) == str(mask)
        assert again.fits_ == mask.fits_
        assert again.get_params() == {**mask.get_params(), "states": [0, 1]}
        found = (each.explain(explained).values for each in (mask, again))
        assert all(map(np.array_equal, *found))


def test_a_mask_of_another_model_or_of_another_output_is_refused(masks, pairs):
    with pytest.raises(InputError, match=r"widths \(6, 3\), not \(128, 128"):
        masks["input"].explain(pairs)
    mask = TokenMask(**{**SHORT, "n_steps": 1}).fit(
        texts_of_words(TEXTS[:9], model="words", revision="a")
    )
    with pytest.raises(InputError, match=r"is of words \(a\), not of words \(b\); fit"):
        mask.explain(texts_of_words(TEXTS[:9], model="words", revision="b"))
    # A hash of weights in memory says nothing about one of files.
    mask.explain(texts_of_words(TEXTS[:9], revision=f"{IN_MEMORY}b"))
    mask.provenance_["explained"] = "prediction of 3 classes"
    of_two = texts_of_words(TEXTS[:9])
    of_two.provenance["explained"] = "prediction of 2 classes"
    with pytest.raises(InputError, match="the prediction of 3 classes, not prediction of 2"):
        mask.explain(of_two)


def test_what_is_no_mask_is_said(tmp_path, masks):
    with pytest.raises(InputError, match=r"token_mask\.json"):
        TokenMask.load(tmp_path)
    masks["hidden"].save(tmp_path / "mask")
    file = tmp_path / "mask" / "token_mask.json"
    file.write_text(file.read_text().replace('"token mask"', '"probe"'))
    with pytest.raises(InputError, match="does not hold a token mask"):
        TokenMask.load(tmp_path / "mask")


def test_attributions_do_not_depend_on_batches(masks, explained, monkeypatch):
    together = masks["input"].explain(explained)
    monkeypatch.setattr(explained_texts, "TOKENS_AT_ONCE", 1)
    for one, other in zip(together.values, masks["input"].explain(explained).values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_the_same_seed_gives_the_same_mask():
    few = texts_of_words(TEXTS[:20])
    one, again, other = (
        TokenMask(epsilon=0.02, placeholder="zero", n_steps=of(5), batch_size=of(32), seed=of(seed))
        .fit(few)
        .explain(few)
        .values
        for of, seed in ((int, 0), (np.int64, 0), (int, 1))
    )
    assert all(map(np.array_equal, one, again))
    assert not np.array_equal(one[0], other[0])


def test_a_search_that_ends_too_early_is_infeasible(explained, monkeypatch):
    monkeypatch.setattr(gate_network, "FIRST_LOCATION", -2.0)
    mask = TokenMask(**{**SHORT, "n_steps": 1}).fit(explained)
    assert mask.infeasible_ == (0, 1)
    assert not mask.holds
    assert mask.status == "infeasible: embeddings, output"
    assert "infeasible" in str(mask)


def test_a_model_that_always_says_the_same_is_said(caplog):
    same = texts_of_words([row for row in TEXTS if YES in row])
    mask = TokenMask(**{**SHORT, "n_steps": 2}).fit(same)
    assert not mask.holds
    assert mask.status == "the model always says 'yes'"
    assert f"'yes' of all {len(same)} texts: what it" in caplog.text
    assert "give texts of which it says different things" in caplog.text
    TokenMask(**{**SHORT, "n_steps": 1}).fit(texts_of_words([[YES]]))
    assert "'yes' of the one text: what it" in caplog.text


def test_an_output_that_needs_no_token_is_said():
    filler = texts_of_words([[3, 4], [5, 6], [7, 3], [4, 4]])
    mask = TokenMask(**{**SHORT, "n_steps": 2, "placeholder": "zero"}).fit(filler)
    assert {fit.status for fit in mask.fits_} == {"needs no token"}
    assert not mask.holds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "both"}, "unknown variant 'both'; use input or hidden"),
        ({"size": "sum"}, "unknown size"),
        ({"placeholder": "mean"}, "unknown placeholder"),
        ({"estimator": "reinforced"}, "did you mean 'reinforce'"),
        ({"epsilon": 0}, "epsilon is 0.0; give nats above 0"),
        ({"n_steps": 0}, "n_steps"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"states": [2]}, r"states are \[2\]; give some of 0 to 1, on which the output depends"),
        ({"states": 1}, "a list of states"),
        ({"states": np.int64(1)}, "a list of states"),
    ],
)
def test_what_is_out_of_range_is_said(explained, options, message):
    with pytest.raises(InputError, match=message):
        TokenMask(**options).fit(explained)


def test_only_explained_texts_are_taken():
    with pytest.raises(InputError, match="ExplainedTexts"):
        TokenMask().fit(["The nurse sings ."])


def test_draws_have_the_probabilities_of_their_closed_forms():
    phi = torch.tensor([[[-2.0, 0.0, 3.0]], [[0.5, 1.0, -1.0]]]).repeat(1, 2, 1)
    noise = torch.rand((100_000, 2, 2, 3), generator=torch.Generator().manual_seed(0))
    for draw in (draw_hard_concrete, draw_bernoulli):
        gates = torch.stack([draw(phi, each).gates for each in noise[:2000]])
        expected = draw(phi, noise[0]).log_kept.exp()
        torch.testing.assert_close((gates > 0).float().mean(0), expected, atol=0.04, rtol=0)


@pytest.mark.parametrize("estimator", ["hard-concrete", "reinforce"])
@pytest.mark.parametrize(("location", "odds"), [(-9.0, -1.0), (9.0, 1.0)])
def test_an_eighth_of_the_texts_explores(estimator, location, odds):
    """There a token that is as good as closed, or open, is kept as often as the odds say."""
    phi = torch.full((8000, 1, 3), location, requires_grad=True)
    draw = drawing(estimator, torch.Generator().manual_seed(0), phi.device)
    plain, found = draw(phi), exploring(draw)(phi)
    assert found.n_exploring == 1000
    is_closed = location < 0
    assert ((plain.gates > 0) == is_closed).float().mean() < 0.01
    kept = (found.gates > 0).float()
    # The odds are those of a location: a hard-concrete gate is above 0 a little more often.
    expected = draw(torch.full((1, 1, 1), odds)).log_kept.exp().item()
    assert kept[:1000].mean().item() == pytest.approx(expected, abs=0.03)
    assert (kept[1000:] == is_closed).float().mean() < 0.01
    assert torch.equal(found.log_kept, plain.log_kept)
    drawn = found.gates if estimator == "hard-concrete" else found.log_probability
    (gradient,) = torch.autograd.grad(drawn[:1000].sum(), phi)
    assert (gradient[:1000].abs().sum((1, 2)) > 0).float().mean() > 0.3
    assert not gradient[1000:].any()


@pytest.mark.parametrize(("n_texts", "n_exploring"), [(1, 0), (2, 1), (7, 1), (8, 1), (16, 2)])
def test_small_batches_explore_too(n_texts, n_exploring):
    draw = drawing("hard-concrete", torch.Generator().manual_seed(0), torch.device("cpu"))
    assert exploring(draw)(torch.zeros(n_texts, 1, 3)).n_exploring == n_exploring


def test_what_explores_teaches_the_placeholder_nothing(explained):
    placeholder = torch.zeros(6, requires_grad=True)
    rows = torch.arange(8)

    def draw(phi):
        gates = torch.zeros(phi.shape[0], phi.shape[2])
        return Drawn(phi, gates, phi[:, 0], n_exploring=2)

    def locations(states):
        return states[0][..., 0][:, None].detach()

    intact = IntactTexts(explained, [0])
    parts, _ = masked_output(intact, rows, [0], True, locations, placeholder, draw)
    of_each = [
        torch.autograd.grad(each, placeholder, retain_graph=True)[0].abs().sum()
        for each in parts[0][:, 0]
    ]
    assert [bool(each > 0) for each in of_each] == [False, False, *[True] * 6]


def test_gates_begin_open():
    """By chance none is closed, whatever it reads."""
    torch.manual_seed(0)
    network = GateNetwork(torch.zeros(64), torch.ones(64), 32)
    phi = network(torch.randn(1000, 64))
    assert (phi - 5).abs().max() < 1


def test_a_mask_that_keeps_all_tokens_does_not_hold(explained):
    mask = TokenMask(**{**SHORT, "n_steps": 2, "epsilon": 0.2}).fit(explained)
    assert mask.status == "masks no token: embeddings, output"
    assert not mask.holds
