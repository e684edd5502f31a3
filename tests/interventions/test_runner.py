"""A model with its inputs: which activations it reads, in which batches, and what it refuses.

Of `runner`, `activation_range` and `models.predictions`.
"""

import numpy as np
import pytest
import torch
import transformers as tf

from neurox_lite.errors import InputError
from neurox_lite.interventions import runner as masked_model
from neurox_lite.interventions.intervene import intervene
from neurox_lite.interventions.runner import InterventionRunner
from neurox_lite.models.loading import LoadedModel
from neurox_lite.models.location import Location
from neurox_lite.results.neuron_mask import NeuronMask
from tests.architectures import ARCHITECTURES, build

LENGTHS = (7, 3, 5, 1, 5)
IDS = torch.randint(5, 99, (5, 7), generator=torch.Generator().manual_seed(0))
MASK = (torch.arange(7) < torch.tensor(LENGTHS)[:, None]).long()


@pytest.fixture(scope="module")
def loaded():
    return LoadedModel(build("gpt2", 99, "AutoModelForCausalLM"), None, "tiny", "sha256:1")


def masked(loaded, predict_at=None, **where):
    location = Location(**({"site": "hidden_states"} | where))
    return InterventionRunner(loaded, IDS, MASK, location, predict_at=predict_at)


def states_by_hand(loaded, layers):
    """Hidden states of each input alone, (n_tokens, n_neurons) each."""
    found = []
    for ids, length in zip(IDS, LENGTHS, strict=True):
        with torch.no_grad():
            states = loaded.model(ids[None, :length], output_hidden_states=True).hidden_states
        found.append(torch.cat([states[layer][0] for layer in layers], dim=-1))
    return found


@pytest.mark.parametrize("layers", [None, [1], [3, 0], [-1]])
def test_activations_are_those_of_every_real_token(loaded, layers, monkeypatch):
    model = masked(loaded, layers=layers)
    numbers = {None: [0, 1, 2, 3], (-1,): [3]}.get(layers and tuple(layers), layers)
    assert model.space.layers == tuple(numbers)
    assert (model.space.model, model.space.revision) == ("tiny", "sha256:1")
    expected = torch.cat(states_by_hand(loaded, numbers))
    torch.testing.assert_close(model.activations(), expected)
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", 1)
    torch.testing.assert_close(model.activations(), expected)


@pytest.mark.parametrize("positions", ["last", [6, 0, 2, 0, 4]])
def test_activations_at_one_token_of_each_input(loaded, positions):
    model = masked(loaded, positions=positions)
    places = [length - 1 for length in LENGTHS] if positions == "last" else positions
    states = states_by_hand(loaded, range(4))
    expected = torch.stack([s[place] for s, place in zip(states, places, strict=True)])
    torch.testing.assert_close(model.activations(), expected)


def test_activations_and_replacement_at_some_tokens_of_each_input(loaded, monkeypatch):
    chosen = (MASK != 0) & (torch.arange(7) % 3 != 1)
    model = masked(loaded, positions=chosen)
    of_each = zip(states_by_hand(loaded, range(4)), chosen, LENGTHS, strict=True)
    expected = torch.cat([states[own[:length]] for states, own, length in of_each])
    torch.testing.assert_close(model.activations(), expected)
    mask = NeuronMask.of(model.space, range(0, model.space.n_neurons, 3), 1.0)
    gates, values = (torch.tensor(each).float() for each in (mask.gates, mask.replacement))
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", 10)
    for rows in (*model.batches(), torch.tensor([1, 3, 1])):
        found = model.logits(gates, values, rows)
        for row, logits in zip(rows, found, strict=True):
            own = slice(LENGTHS[row])
            with torch.no_grad(), intervene(loaded, mask, positions=chosen[row, None, own]):
                expected = loaded.model(IDS[row, None, own]).logits[0]
            torch.testing.assert_close(logits[own], expected)
    some = model.select(torch.tensor([3, 0]))
    torch.testing.assert_close(some.positions, chosen[[3, 0]])
    of_padding, without = chosen.clone(), chosen.clone()
    of_padding[3, 3], without[2] = True, False
    for wrong in (of_padding, without, chosen[:, :5]):
        with pytest.raises(InputError, match="positions"):
            masked(loaded, positions=wrong)


@pytest.mark.parametrize("positions", ["all", "last", [6, 0, 2, 0, 4]])
def test_some_inputs_are_as_if_alone(loaded, positions):
    """Chosen, and at every token: not checked again, and the runner they are of stays as it was."""
    rows = torch.tensor([3, 0])
    model = masked(loaded, positions=positions, predict_at=torch.tensor([1, 0, 2, 0, 3]))
    own = positions if isinstance(positions, str) else torch.tensor(positions)[rows]
    alone = InterventionRunner(
        loaded,
        IDS[rows],
        MASK[rows],
        Location("hidden_states", positions=own),
        predict_at=torch.tensor([0, 1]),
    )
    some, both = model.select(rows), torch.tensor([0, 1])
    assert len(some) == 2 and len(model) == 5
    torch.testing.assert_close(some.activations(), alone.activations())
    torch.testing.assert_close(some.intact_logits(both), alone.intact_logits(both))
    assert (some.n_runs, model.n_runs) == (2, 0)
    every = masked(loaded, positions="all").activations()
    torch.testing.assert_close(model.everywhere().activations(), every)


def test_the_range_of_the_activations(loaded):
    model = masked(loaded)
    X = torch.cat(states_by_hand(loaded, range(4))).double().numpy()
    found = model.activation_range()
    for part, expected in (
        (found.mean, X.mean(0)),
        (found.std, X.std(0)),
        (found.low, X.min(0)),
        (found.high, X.max(0)),
    ):
        assert part.dtype == torch.float32
        np.testing.assert_allclose(part, expected, atol=1e-5)


class Told:
    """A model of one layer whose states are given, token for token."""

    def __init__(self, monkeypatch, loaded, states):
        self.runner = masked(loaded, layers=[1])
        ends = np.cumsum(LENGTHS)
        self.of_input = [states[end - n : end] for n, end in zip(LENGTHS, ends, strict=True)]
        monkeypatch.setattr(
            self.runner,
            "_states",
            lambda: (
                (rows.repeat_interleave(torch.tensor(LENGTHS)[rows]), [self.states(rows)])
                for rows in self.runner.batches()
            ),
        )

    def states(self, rows):
        return torch.cat([self.of_input[row] for row in rows.tolist()])


@pytest.mark.parametrize("most", [1, 9, 10**6])
def test_the_range_of_activations_that_are_hard_to_add_up(loaded, most, monkeypatch):
    """Means far above the deviation, one value only, and one neuron that leaps."""
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", most)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(sum(LENGTHS), 16)).astype(np.float32)
    X[:, :4] += 1e4
    X[:, 4] = 0.1
    X[:, 5] = -3e5
    X[7, 6] = 1e6
    told = Told(monkeypatch, loaded, torch.from_numpy(X))
    assert told.runner.activations().numpy().tobytes() == X.tobytes()
    found = told.runner.activation_range()
    exact = X.astype(np.float64)
    np.testing.assert_allclose(found.mean, exact.mean(0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.std, exact.std(0), rtol=1e-6)
    assert found.std[4:6].tolist() == [0, 0]
    assert np.array_equal(found.low, X.min(0)) and np.array_equal(found.high, X.max(0))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_there_is_no_range_of_what_is_no_number(loaded, wrong, monkeypatch):
    X = torch.ones(sum(LENGTHS), 16)
    X[9, 3] = wrong
    told = Told(monkeypatch, loaded, X)
    with pytest.raises(InputError, match="activation of layer 1 is NaN or infinite; load"):
        told.runner.activation_range()


@pytest.mark.parametrize("positions", ["all", "last", [6, 0, 2, 0, 4]])
@pytest.mark.parametrize("layers", [[1], [3, 0]])
def test_the_range_is_that_of_the_activations_whatever_the_batch(
    loaded, positions, layers, monkeypatch
):
    model = masked(loaded, layers=layers, positions=positions)
    X = model.activations().double()
    for most in (1, 12, 10**6):
        monkeypatch.setattr(masked_model, "BATCH_TOKENS", most)
        found = model.activation_range()
        for part, expected in (
            (found.mean, X.mean(0)),
            (found.std, X.std(0, correction=0)),
            (found.low, X.amin(0)),
            (found.high, X.amax(0)),
        ):
            torch.testing.assert_close(part.double(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("most", [1, 9, 12, 10**6])
@pytest.mark.parametrize("n_copies", [1, 3])
def test_batches_hold_every_input_once_and_fit(loaded, most, n_copies, monkeypatch):
    monkeypatch.setattr(masked_model, "BATCH_TOKENS", most)
    batches = masked(loaded).batches(n_copies)
    assert sorted(torch.cat(batches).tolist()) == [0, 1, 2, 3, 4]
    lengths = torch.tensor(LENGTHS)
    for rows in batches:
        assert len(rows) == 1 or len(rows) * int(lengths[rows].max()) * n_copies <= most
    assert len(batches) == (1 if most > 1000 else len(batches))


@pytest.mark.parametrize("positions", ["all", "last", [6, 0, 2, 0, 4]])
def test_each_row_has_its_own_mask(loaded, positions):
    """Inputs may come in any order and several times."""
    model = masked(loaded, positions=positions, layers=[1, 2])
    generator = torch.Generator().manual_seed(1)
    rows = torch.tensor([4, 1, 1, 2])
    gates = (torch.rand(4, 32, generator=generator) < 0.3).float()
    values = torch.randn(4, 32, generator=generator)
    with torch.no_grad():
        found = model.logits(gates, values, rows)
    assert model.n_runs == 4
    assert found.shape == (4, 5, 99)
    for row, gate, value, logits in zip(rows.tolist(), gates, values, found, strict=True):
        length = LENGTHS[row]
        mask = NeuronMask(model.space, gate.double().numpy(), value.double().numpy())
        place = positions if isinstance(positions, str) else np.array([positions[row]])
        with torch.no_grad(), intervene(loaded, mask, positions=place):
            expected = loaded.model(IDS[row : row + 1, :length]).logits[0]
        torch.testing.assert_close(logits[:length], expected)


def test_the_intact_model(loaded):
    model = masked(loaded)
    found = model.intact_logits(torch.tensor([1, 2]))
    with torch.no_grad():
        expected = loaded.model(IDS[1:2, :3]).logits[0]
    torch.testing.assert_close(found[0, :3], expected)
    assert model.n_runs == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"site": "lstm_cell"}, "another site"),
        ({"layers": [4]}, "no layer 4 at 'hidden_states'; the model has layers 0, 1, 2, 3"),
        ({"layers": [-5]}, "no layer -5"),
        ({"layers": []}, "at least one layer"),
        ({"layers": [1, -3]}, "give each layer once"),
        ({"positions": "first"}, "unknown positions 'first'; use all, last or one per input"),
        ({"positions": [0, 0, 0, 0]}, r"positions of shape \(4,\); give a token of every input"),
        ({"positions": [0, 3, 0, 0, 0]}, "give a token of every input"),
        ({"positions": [0, -1, 0, 0, 0]}, "give a token of every input"),
        ({"positions": [0.0, 1.0, 0.0, 0.0, 0.0]}, "give a token of every input"),
        (
            {"positions": MASK[:, :5] > 0},
            r"positions of shape \(5, 5\); give a token of every input",
        ),
    ],
)
def test_what_is_refused(loaded, options, message):
    with pytest.raises(InputError, match=message):
        masked(loaded, **options)


@pytest.mark.parametrize("mask", [MASK.flip(1), MASK * 0, MASK[:, :-1]])
def test_inputs_that_are_not_padded_on_the_right(loaded, mask):
    with pytest.raises(InputError, match="pad every input on the right"):
        InterventionRunner(loaded, IDS, mask, Location("mlp"))


def test_a_model_in_training_mode():
    model = build("gpt2", 99, "AutoModelForCausalLM").train()
    with pytest.raises(InputError, match=r"tiny is in training mode.*call model.eval\(\)"):
        masked(LoadedModel(model, None, "tiny", ""))


@pytest.mark.parametrize("bias", [0.0, -1000.0])
def test_a_model_whose_predictions_depend_on_padding(bias):
    """What all logits have in common predicts nothing."""
    torch.manual_seed(0)
    config = tf.FNetConfig(vocab_size=99, hidden_size=16, num_hidden_layers=2, intermediate_size=24)
    loaded = LoadedModel(tf.FNetForMaskedLM(config).eval(), None, "tiny", "")
    with torch.no_grad():
        loaded.model.cls.predictions.bias += bias
    with pytest.raises(InputError, match="tiny: padding changes its predictions, by up to"):
        masked(loaded)
    alike = InterventionRunner(
        loaded, IDS[:2], torch.ones_like(MASK[:2]), Location("hidden_states")
    )
    assert alike.intact_logits(torch.tensor([0, 1])).shape == (2, 7, 99)


def test_a_model_that_says_nothing_but_nan():
    """It is for what is made of the predictions to refuse them."""
    model = build("gpt2", 99, "AutoModelForCausalLM")
    with torch.no_grad():
        model.get_output_embeddings().weight.fill_(torch.nan)
    found = masked(LoadedModel(model, None, "tiny", "")).intact_logits(torch.arange(5))
    assert found.isnan().all()


def test_a_head_that_never_calls_its_output_layer():
    torch.manual_seed(0)
    config = tf.MobileBertConfig(
        vocab_size=99,
        hidden_size=16,
        embedding_size=8,
        intra_bottleneck_size=8,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    loaded = LoadedModel(tf.MobileBertForMaskedLM(config).eval(), None, "tiny", "")
    tokens, rows = torch.tensor([6, 0, 2, 0, 1]), torch.arange(5)
    # It reads the next token beside each: padding has to be that of the model, an embedding of 0.
    every, one = (
        InterventionRunner(loaded, IDS * MASK, MASK, predict_at=at) for at in (None, tokens)
    )
    found = one.intact_logits(rows)
    assert found.shape == (5, 1, 99)
    torch.testing.assert_close(found[:, 0], every.intact_logits(rows)[rows, tokens])
    # Its configuration knows of no end of text.
    assert not hasattr(config, "eos_token_id")
    assert InterventionRunner(loaded, IDS * MASK, MASK, Location("mlp")).space.n_neurons > 0


@pytest.mark.parametrize(("kind", "shape"), [("Token", (5, 7, 2)), ("Sequence", (5, 2))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_classifiers_of_tokens_and_of_texts(kind, shape, dtype):
    model = build("bert", 99, f"AutoModelFor{kind}Classification").to(dtype)
    loaded = LoadedModel(model, None, "tiny", "")
    assert masked(loaded).intact_logits(torch.arange(5)).shape == shape


def test_a_model_whose_neurons_nobody_finds_can_be_read():
    torch.manual_seed(0)
    config = tf.MambaConfig(vocab_size=99, hidden_size=16, num_hidden_layers=2, state_size=4)
    loaded = LoadedModel(tf.MambaForCausalLM(config).eval(), None, "tiny", "")
    model = InterventionRunner(loaded, IDS, MASK)
    assert model.intact_logits(torch.arange(5)).shape == (5, 7, 99)
    with pytest.raises(InputError, match="extract modules by name"):
        _ = model.space


LANGUAGE_MODELS = [
    name
    for name, kind in ARCHITECTURES.items()
    if kind.head in ("AutoModelForCausalLM", "AutoModelForMaskedLM")
]


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_predictions_of_one_token_are_those_of_all(name):
    """Intact, replaced and added to; gradients reach the gates."""
    loaded = LoadedModel(build(name, 99, ARCHITECTURES[name].head), None, "tiny", "")
    tokens, rows = torch.tensor([6, 0, 2, 0, 1]), torch.tensor([2, 0, 4, 2])
    site = "lstm_cell" if name == "lstm" else "hidden_states"
    every, one = (masked(loaded, site=site, layers=[1], predict_at=at) for at in (None, tokens))
    gates = torch.rand(every.space.n_neurons, generator=torch.Generator().manual_seed(1))
    values = torch.ones_like(gates)
    gates.requires_grad_()
    for run in (
        lambda masked: masked.intact_logits(rows),
        lambda masked: masked.logits(gates, values, rows),
        lambda masked: masked.logits_with_addition(values, rows),
    ):
        expected = run(every)[torch.arange(4), tokens[rows]][:, None]
        torch.testing.assert_close(run(one), expected, atol=1e-5, rtol=1e-4)
    one.logits(gates, values, rows).sum().backward()
    assert gates.grad.abs().sum() > 0
    assert not loaded.model.get_output_embeddings()._forward_pre_hooks
