"""Which input tokens does a model's output depend on, and from which state on? DiffMask."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurox_lite.arguments import expect, real_number, whole_number
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InputError
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.interventions.text_attributions import collect_attributions
from neurox_lite.interventions.text_outputs import Parts
from neurox_lite.masking.gate_network import TokenGates
from neurox_lite.masking.masked_texts import IntactTexts
from neurox_lite.masking.state_fit import STATUSES, StateFit, score_state
from neurox_lite.masking.token_draws import ESTIMATORS, LOG_OPEN, SIZES, drawing
from neurox_lite.masking.token_search import search_gates
from neurox_lite.neurons import is_other_revision
from neurox_lite.results.arrays import reading_with_arrays, write_with_arrays
from neurox_lite.results.token_attributions import TokenAttributions, state_names
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import summary

logger = logging.getLogger(__name__)

KIND, NAME = "token mask", "token_mask"
HELD_OUT, MOST_HELD_OUT = 0.2, 1000
CHOICES = {
    "variant": ("input", "hidden"),
    "size": tuple(SIZES),
    "placeholder": ("learned", "zero"),
    "estimator": tuple(ESTIMATORS),
}


class TokenMask(BaseEstimator):
    """DiffMask (De Cao et al. 2020): gates learn to keep the tokens that the output needs.

    Gates are read off the states of tokens by a network for each state, trained on texts, so that
    the attribution of one more text takes one forward pass. State 0 are the word embeddings, the
    last state is what the last block puts out. For each state l

        min size  with  E[KL(p || p~)] <= epsilon,

    p what the model says, p~ what it says when tokens are replaced by a placeholder b,
    ``h~ = z h + (1 - z) b``. See :mod:`neurox_lite.masking.token_search` for the steps.

    - ``variant="input"``: which words can be left out, as known in state l? Gate k reads
      ``[h^0; h^k]``; ``z = prod_{k <= l} z_k`` masks word embeddings.
    - ``variant="hidden"``: which tokens are still read from state l? Gate l reads and masks h^l.

    Parameters
    ----------
    variant : {"input", "hidden"}
    size : {"log", "count"}
        What is least: the mean over tokens of ``sum_{k <= l} log P(z_k != 0)``, as in the original
        code, or of the probability itself.
    epsilon : float
        Divergence allowed, in nats; the paper takes 0.1 for sentiment, 1 for answers.
    placeholder : {"learned", "zero"}
        One vector for all tokens. A learned one is such that the model says what can be known from
        the tokens that are left; it begins at the embedding of the mask token where there is one,
        of other states at the mean.
    n_steps : int
        For each state, a forward and a backward pass of a batch each; a third more with a learned
        placeholder.
    batch_size : int
        Texts.
    seed : int
    states : sequence of int, optional
        Those with gates, all by default.
    estimator : {"hard-concrete", "reinforce"}
        Gradients through gates, or the score function, with the multiplier on the score, too.

    Attributes
    ----------
    fits_ : tuple of StateFit
        How the gates of each state do, on a fifth of the texts (1,000 at most) that was held out;
        of fewer than three texts, on those they were trained on.
    infeasible_ : tuple of int
        States where the output moves further than ``epsilon`` allows.
    always_ : str or None
        What the model says, when it says the same of every text.
    gates_ : TokenGates
    widths_ : tuple of int
        Of all states of the model.
    provenance_ : dict
        Model, revision, and what is explained.
    """

    fits_: tuple[StateFit, ...]
    infeasible_: tuple[int, ...]
    always_: str | None
    gates_: TokenGates
    widths_: tuple[int, ...]
    provenance_: dict[str, Any]

    def __init__(
        self,
        variant: str = "input",
        *,
        size: str = "log",
        epsilon: float = 0.1,
        placeholder: str = "learned",
        n_steps: int = 500,
        batch_size: int = 64,
        seed: int = 0,
        states: Sequence[int] | None = None,
        estimator: str = "hard-concrete",
    ):
        self.variant = variant
        self.size = size
        self.epsilon = epsilon
        self.placeholder = placeholder
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.seed = seed
        self.states = states
        self.estimator = estimator

    def fit(self, explained: ExplainedTexts) -> TokenMask:
        """Train the gates on texts.

        Raises
        ------
        InputError
            When a parameter is out of range, or there is no such state.
        """
        self._check(explained)
        states = _chosen(self.states, explained.n_states)
        seed = validate_seed(self.seed)
        generator = torch.Generator().manual_seed(seed)
        device = explained.inputs.lengths.device
        train, test = _split(len(explained), seed, device)
        intact = IntactTexts(explained, [0, *states], keep_states=self._is_input)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            gates = TokenGates(
                self._is_input, intact.means, intact.stds, self._starts(explained, states, intact)
            ).to(device)
        histories = search_gates(
            explained,
            gates,
            states,
            intact,
            train,
            epsilon=float(self.epsilon),
            size=self.size,
            estimator=self.estimator,
            learn_placeholder=self.placeholder == "learned",
            n_steps=int(self.n_steps),
            batch_size=int(self.batch_size),
            generator=generator,
        )
        gates.requires_grad_(False)
        draw = drawing(self.estimator, torch.Generator().manual_seed(seed + 1), device)
        names = state_names(len(explained.states))
        self.fits_ = tuple(
            score_state(
                explained,
                gates,
                states[: number + 1],
                names[state],
                intact,
                test,
                histories[number],
                epsilon=float(self.epsilon),
                draw=draw,
            )
            for number, state in enumerate(states)
        )
        self.gates_ = gates
        self.widths_ = tuple(explained.states.widths)
        self.provenance_ = dict(explained.provenance)
        self.always_ = next(iter(intact.said)) if len(intact.said) == 1 else None
        self.infeasible_ = tuple(fit.state for fit in self.fits_ if fit.infeasible)
        if self.always_ is not None:
            n_texts = len(explained)
            logger.warning(
                "the model says '%s' of %s: what it says otherwise, and by which tokens, "
                "cannot be seen; give texts of which it says different things",
                self.always_,
                f"all {n_texts} texts" if n_texts > 1 else "the one text",
            )
        return self

    def explain(self, explained: ExplainedTexts) -> TokenAttributions:
        """How likely each token is to be kept, by state: one forward pass.

        ``exp(sum_{k <= l} log P(z_k != 0))``, or ``P(z_l != 0)`` of hidden states.

        Raises
        ------
        InputError
            When the mask is of another model, or explains something else.
        """
        check_is_fitted(self)
        self._check(explained)
        self._check_model(explained)
        states = [fit.state for fit in self.fits_]
        gates = self.gates_.to(explained.inputs.lengths.device)

        @torch.no_grad()
        def read(rows: torch.Tensor) -> tuple[torch.Tensor, Parts]:
            found, intact = explained.states_and_parts(rows)
            if gates.is_input:
                phi = gates.locations(len(states) - 1, [found[state] for state in (0, *states)])
                kept = LOG_OPEN[self.estimator](phi).cumsum(1).exp()
                special = explained.inputs.is_special[rows][:, : kept.shape[-1]]
                return kept.masked_fill(special[:, None], 1), intact
            each = [gates.locations(k, [found[state]]) for k, state in enumerate(states)]
            return LOG_OPEN[self.estimator](torch.cat(each, dim=1)).exp(), intact

        found = collect_attributions(
            explained,
            "reinforce" if self.estimator == "reinforce" else "diffmask",
            read,
            names_of_states=tuple(fit.name for fit in self.fits_),
            **{**self.get_params(), "states": states},
        )
        return replace(found, status=self.status)

    @property
    def holds(self) -> bool:
        """Whether all states are within ``epsilon`` and settled, and the model says more things.

        Not where a state needs no token, since the placeholder says it all, nor where all tokens
        are kept, for which gates may not have begun to close.
        """
        check_is_fitted(self)
        return self.always_ is None and all(fit.status == "holds" for fit in self.fits_)

    @property
    def status(self) -> str:
        """``holds``, or what does not, and in which states."""
        check_is_fitted(self)
        if self.always_ is not None:
            return f"the model always says '{self.always_}'"
        said = []
        for status in STATUSES[:-1]:
            states = [fit.name for fit in self.fits_ if fit.status == status]
            if states:
                said.append(f"{status}: {', '.join(states)}")
        return "; ".join(said) or "holds"

    def __str__(self) -> str:
        if not hasattr(self, "gates_"):
            return f"{self!r}, not fitted"
        facts = {"states": len(self.fits_), "epsilon": float(self.epsilon), "status": self.status}
        lines = (str(fit) for fit in self.fits_)
        return summary(f"TokenMask of {self.provenance_.get('model', 'a model')}", facts, lines)

    def save(self, folder: str | Path) -> None:
        """Write ``token_mask.safetensors`` (networks, placeholders) and ``token_mask.json``."""
        check_is_fitted(self)
        data = {
            "kind": KIND,
            "parameters": {**self.get_params(), "states": [fit.state for fit in self.fits_]},
            "widths": self.widths_,
            "fits": [asdict(fit) for fit in self.fits_],
            "always": self.always_,
            "provenance": self.provenance_,
        }
        arrays = {name: each.cpu().numpy() for name, each in self.gates_.state_dict().items()}
        write_with_arrays(folder, NAME, data, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> TokenMask:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            When a file is missing, damaged or holds something else.
        """
        with reading_with_arrays(folder, NAME) as (data, read_arrays):
            if not isinstance(data, dict) or data.get("kind") != KIND:
                raise InputError(
                    f"{Path(folder) / NAME}.json: does not hold a {KIND}; make it again"
                )
            try:
                mask = cls(**data["parameters"])
                mask.widths_ = tuple(data["widths"])
                mask.fits_ = tuple(map(StateFit.from_dict, data["fits"]))
                mask.infeasible_ = tuple(fit.state for fit in mask.fits_ if fit.infeasible)
                mask.always_, mask.provenance_ = data["always"], dict(data["provenance"])
                zeros = [
                    torch.zeros(mask.widths_[state])
                    for state in (0, *(fit.state for fit in mask.fits_))
                ]
                starts = zeros[:1] if mask._is_input else zeros[1:]
                mask.gates_ = TokenGates(mask._is_input, zeros, zeros, starts)
                arrays = {name: torch.from_numpy(each) for name, each in read_arrays().items()}
                mask.gates_.load_state_dict(arrays)
                mask.gates_.requires_grad_(False)
            except (OSError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(
                    f"{folder}: the mask cannot be read ({reason}); make it again"
                ) from None
            return mask

    @property
    def _is_input(self) -> bool:
        return self.variant == "input"

    def _starts(
        self, explained: ExplainedTexts, states: Sequence[int], intact: IntactTexts
    ) -> list[torch.Tensor]:
        """Where placeholders begin: of word embeddings, or of each state."""
        masked = [0] if self._is_input else states
        if self.placeholder == "zero":
            return [torch.zeros(explained.states.widths[state]) for state in masked]
        means = dict(zip(states, intact.means[1:], strict=True))
        return [explained.states.placeholder.float() if k == 0 else means[k] for k in masked]

    def _check(self, explained: ExplainedTexts) -> None:
        """Raise InputError when a parameter is out of range."""
        expect(explained, ExplainedTexts, "explained", "what ExplainedTexts.of_texts returns")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown_choice(name, getattr(self, name), known)
        epsilon = real_number(self.epsilon, "epsilon")
        if not 0 < epsilon < float("inf"):
            raise InputError(f"epsilon is {epsilon}; give nats above 0")
        for name in ("n_steps", "batch_size"):
            whole_number(getattr(self, name), name, least=1)

    def _check_model(self, explained: ExplainedTexts) -> None:
        """Raise InputError when the mask is of another model, or explains something else."""
        if tuple(explained.states.widths) != self.widths_:
            raise InputError(
                f"the mask is of a model with states of widths {self.widths_}, not "
                f"{tuple(explained.states.widths)}; fit one to this model"
            )
        mine, theirs = self.provenance_, explained.provenance
        if is_other_revision(mine.get("revision", ""), theirs.get("revision", "")):
            names = (f"{each.get('model')} ({each['revision']})" for each in (mine, theirs))
            raise InputError(f"the mask is of {', not of '.join(names)}; fit one to this model")
        what, now = mine.get("explained"), theirs.get("explained")
        if what and now and what != now:
            raise InputError(f"the mask explains the {what}, not {now}; fit one to this")


def _chosen(states: Sequence[int] | None, n_states: int) -> list[int]:
    """States with gates, ascending."""
    if states is None:
        return list(range(n_states))
    if isinstance(states, str) or np.ndim(states) != 1:
        raise InputError(f"states is {states!r}; give a list of states")
    given = [whole_number(state, "one of the states") for state in states]
    if not given or not all(0 <= state < n_states for state in given):
        raise InputError(
            f"states are {given}; give some of 0 to {n_states - 1}, on which the output depends"
        )
    return sorted(set(given))


def _split(n_texts: int, seed: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of texts to train on, and of those to hold out, of few the same."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n_texts)).to(device)
    n_out = min(round(HELD_OUT * n_texts), MOST_HELD_OUT)
    return (order[n_out:], order[:n_out].sort().values) if n_out else (order, order)
