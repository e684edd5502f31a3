"""The ranking methods, a row each: all that is to be known of one without running it.

``rank``, the comparison, the command, the contract test and the docs read these rows. They name
functions of ``ranking``, which import torch and scikit-learn, and import none: ``--help`` is fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from neurox_lite.method_option import MethodOption


@dataclass(frozen=True)
class RankingMethod:
    """A method that ranks neurons.

    Attributes
    ----------
    function : str
        Its name, and that of its module in ``ranking``.
    needs : tuple of str
        What it takes of a :class:`~neurox_lite.ranking.RankingTask`, named as the parameters of the
        function; ``probe`` is the fitted one.
    options : tuple of MethodOption
    extra : str, optional
        The optional package that it runs on.
    name : str
        That of the function, with hyphens, if not given.
    module : str
        Where the function is, if not in a module of its name in ``ranking``.
    takes_units : bool
        Whether the function itself ranks groups of neurons, if it is given ``units``.
    """

    function: str
    needs: tuple[str, ...]
    options: tuple[MethodOption, ...] = ()
    extra: str | None = None
    name: str = ""
    module: str = ""
    takes_units: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.function.replace("_", "-"))
        object.__setattr__(self, "module", self.module or f"ranking.{self.function}")

    @property
    def needs_probe(self) -> bool:
        return "probe" in self.needs

    @property
    def needs_labels(self) -> bool:
        """A probe is fitted on labels, if none is given."""
        return self.needs_probe or "y" in self.needs

    @property
    def needs_activations(self) -> bool:
        return "X" in self.needs

    @property
    def selects(self) -> bool:
        """Whether it selects some neurons one by one, and only these by what they add."""
        return any(option.flag == "--select" for option in self.options)

    @property
    def is_installed(self) -> bool:
        return self.extra is None or find_spec(self.extra) is not None


CROSS_MODEL_METHODS = ("max-corr", "min-corr", "lin-reg", "svcca")
"""Methods that rank by what other models have of a neuron; see ``ranking.cross_model``."""

_N_ROWS = MethodOption("n_rows", 5000, "words to sample")
_OF_TREES = (
    MethodOption("n_rows", 10_000, _N_ROWS.help),
    MethodOption("n_trees", 200, "how many trees to grow"),
)

METHODS: dict[str, RankingMethod] = {
    method.name: method
    for method in (
        RankingMethod(
            "linguistic_correlation",
            ("probe",),
            (
                MethodOption(
                    "aggregation",
                    "variance",
                    "variance or mass: how the weights of several classes make a score",
                ),
            ),
        ),
        RankingMethod(
            "matching_pursuit",
            ("probe", "X", "y", "seed"),
            (
                MethodOption("n_neurons", 150, "how many neurons to select", "--select"),
                MethodOption("n_rows", 20_000, _N_ROWS.help),
            ),
        ),
        RankingMethod("probeless", ("X", "y")),
        RankingMethod(
            "gaussian",
            ("X", "y", "X_dev", "y_dev", "X_test", "y_test", "seed"),
            (MethodOption("n_neurons", 50, "how many neurons to select", "--select"),),
        ),
        RankingMethod(
            "iou",
            ("X", "y"),
            (MethodOption("quantile", 0.05, "share of the words a neuron is active on"),),
        ),
        RankingMethod("average_precision", ("X", "y")),
        RankingMethod("mean_select", ("X", "y")),
        RankingMethod("point_biserial", ("X", "y")),
        RankingMethod("activation_probability", ("X", "y")),
        RankingMethod(
            "lape",
            ("X", "y"),
            (MethodOption("min_quantile", 0.95, "quantile that a neuron has to reach in a class"),),
        ),
        RankingMethod("mutual_information", ("X", "y", "seed"), (_N_ROWS,)),
        RankingMethod("extra_trees", ("X", "y", "seed"), _OF_TREES),
        RankingMethod(
            "permutation_importance",
            ("X", "y", "X_dev", "y_dev", "seed"),
            (*_OF_TREES, MethodOption("n_repeats", 5, "how often dev is shuffled")),
        ),
        RankingMethod(
            "integrated_gradients",
            ("probe", "X", "y", "seed"),
            (
                MethodOption("n_rows", 1000, _N_ROWS.help),
                MethodOption("baseline", "mean", "mean or zero"),
            ),
            extra="captum",
        ),
        RankingMethod(
            "differentiable_mask",
            ("probe", "X", "y", "seed"),
            (_N_ROWS, MethodOption("objective", "sufficiency", "sufficiency or flip")),
            takes_units=True,
        ),
        RankingMethod("variance", ("X",)),
        RankingMethod(
            "random_ranking",
            ("space", "seed", "constant"),
            name="random",
            module="results.random_ranking",
        ),
    )
}
