"""The attribution methods, a row each: all that is to be known of one without running it.

``attribute_by``, the command, the contract test and the docs read these rows. They name functions
of ``attribution``, which import torch, and import none: ``--help`` is fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from neurox_lite.method_option import MethodOption


@dataclass(frozen=True)
class AttributionMethod:
    """A method that gives every token of a text a number.

    Attributes
    ----------
    function : str
        Its name, and that of its module in ``attribution``.
    options : tuple of MethodOption
    extra : str, optional
        The optional package that it runs on.
    name : str
        That of the function, with hyphens, if not given.
    learns : bool
        Whether it is fitted to the texts: values of one depend on the others.
    """

    function: str
    options: tuple[MethodOption, ...] = ()
    extra: str | None = None
    name: str = ""
    learns: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.function.replace("_", "-"))

    @property
    def module(self) -> str:
        """Where the function is."""
        return f"attribution.{self.function}"

    @property
    def is_installed(self) -> bool:
        return self.extra is None or find_spec(self.extra) is not None


_STATE = MethodOption("state", 0, "state of the model, 0 for the word embeddings")
_STEPS = MethodOption("n_steps", 500, "forward and backward passes, for each state")
_SEED = MethodOption("seed", 0, "seed of what is random")
_EPSILON = MethodOption("epsilon", 0.1, "how far the output may move, in nats")
_SIZE = MethodOption("size", "log", "log or count: what is least")

ATTRIBUTION_METHODS: dict[str, AttributionMethod] = {
    method.name: method
    for method in (
        AttributionMethod(
            "diffmask",
            (
                MethodOption("variant", "input", "input or hidden: what is masked"),
                _SIZE,
                _EPSILON,
                MethodOption("placeholder", "learned", "learned or zero"),
                _STEPS,
                MethodOption("batch_size", 64, "texts of a pass"),
                _SEED,
            ),
            learns=True,
        ),
        AttributionMethod("diffmask_per_text", (_STATE, _EPSILON, _SIZE, _STEPS, _SEED)),
        AttributionMethod("reinforce", (_STATE, _EPSILON, _SIZE, _STEPS, _SEED)),
        AttributionMethod(
            "information_bottleneck",
            (_STATE, MethodOption("kl_weight", 10.0, "weight of the information"), _STEPS, _SEED),
        ),
        AttributionMethod(
            "noise",
            (_STATE, MethodOption("entropy_weight", 1.0, "weight of the noise"), _STEPS, _SEED),
        ),
        AttributionMethod(
            "integrated_gradients",
            (
                _STATE,
                MethodOption("baseline", "zero", "zero or placeholder"),
                MethodOption("n_points", 50, "points of the integral"),
            ),
            extra="captum",
        ),
        AttributionMethod("gradient_times_input", (_STATE,)),
        AttributionMethod("attention_rollout"),
        AttributionMethod("leave_one_out", (_STATE,)),
        AttributionMethod(
            "exact_erasure",
            (
                _STATE,
                MethodOption("keep", "prediction", "prediction or output: what has to stay"),
                _EPSILON,
                MethodOption("max_tokens", 12, "most tokens of a text"),
            ),
        ),
        AttributionMethod("uniform"),
        AttributionMethod("random_attribution", (_SEED,), name="random"),
    )
}
