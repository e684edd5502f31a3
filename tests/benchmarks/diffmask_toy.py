"""Which symbols decide the toy task of De Cao et al. (2020)? All methods against the truth.

    python -m tests.benchmarks.diffmask_toy [--at encoder|embeddings] [--seeds 5] [--json]

KL(truth || attribution) and the Jensen-Shannon divergence in nats, over the validation examples
that hold a symbol of the query. "one that suffices" is what exact erasure leaves of a perfect
classifier; with "uniform" it checks the generator: .68 / .20 and infinite / .26.
"""

from __future__ import annotations

from collections.abc import Sequence

from neurox_lite.attribution import state_moments
from tests.benchmarks.attribution_runs import (
    ESTIMATORS,
    PER_TEXT,
    Results,
    add,
    one_thread,
    parser_of,
    run_methods,
    say,
    show,
)
from tests.benchmarks.attribution_scores import score_truth
from tests.benchmarks.toy_task import (
    EMBEDDINGS,
    ENCODER,
    accuracy,
    explained_toy,
    train_and_validation,
    train_toy,
)

LEAST_ACCURACY = 0.99
MASK_OPTIONS = {"epsilon": 0.05, "n_steps": 2000, "batch_size": 128}


def run_seed(results: Results, seed: int, names: Sequence[str], at: str) -> None:
    """Add the measures of all methods with the classifier of a seed."""
    train, validation = train_and_validation(seed)
    model = train_toy(train, seed)
    reached = accuracy(model, validation)
    say(f"seed {seed}: accuracy {reached:.4f}")
    if reached < LEAST_ACCURACY:
        raise SystemExit(f"seed {seed}: accuracy {reached:.4f}, less than {LEAST_ACCURACY}")
    to_fit, to_explain = (
        explained_toy(model, examples, at=at, train=train) for examples in (train, validation)
    )
    # As the paper has it: 500 points, and what tokens are on average in all training examples.
    options = {
        **dict.fromkeys(ESTIMATORS, MASK_OPTIONS),
        **{name: {"epsilon": MASK_OPTIONS["epsilon"]} for name in PER_TEXT},
        "integrated-gradients": {"n_points": 500},
        "information-bottleneck": {"moments": state_moments(to_fit)},
    }
    for name, found, seconds in run_methods(names, to_fit, to_explain, seed, options):
        add(
            results, name, {**score_truth(found.at(), validation.truth).means(), "seconds": seconds}
        )
    enough = score_truth(validation.one_that_suffices, validation.truth).means()
    add(results, "one that suffices", {**enough, "seconds": 0.0})


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--at", choices=[ENCODER, EMBEDDINGS], default=ENCODER)
    arguments = parser.parse_args()
    one_thread()
    results: Results = {}
    for seed in range(arguments.seeds):
        run_seed(results, seed, arguments.methods, arguments.at)
    show(results, as_json=arguments.json)


if __name__ == "__main__":
    main()
