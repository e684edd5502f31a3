"""Which symbols decide the toy task of De Cao et al. (2020)? All methods against the truth.

    python -m tests.benchmarks.diffmask_toy [--at encoder|embeddings] [--seeds 5] [--json]

KL(truth || attribution) and the Jensen-Shannon divergence in nats, over the validation examples
that hold a symbol of the query. "one that suffices" is what exact erasure leaves of a perfect
classifier; with "uniform" it checks the generator: .68 / .20 and infinite / .26.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch

from tests.benchmarks.attribution_runs import Results, add, parser_of, run_methods, show
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


def run_seed(seed: int, names: Sequence[str], at: str) -> dict[str, dict[str, float]]:
    """Measures of all methods with the classifier of a seed."""
    train, validation = train_and_validation(seed)
    model = train_toy(train, seed)
    reached = accuracy(model, validation)
    print(f"seed {seed}: accuracy {reached:.4f}", file=sys.stderr, flush=True)
    if reached < LEAST_ACCURACY:
        raise SystemExit(f"seed {seed}: accuracy {reached:.4f}, less than {LEAST_ACCURACY}")
    to_fit, to_explain = (
        explained_toy(model, examples, at=at, train=train) for examples in (train, validation)
    )
    truth = validation.truth
    found = run_methods(
        names, to_fit, to_explain, seed, lambda found: score_truth(found.at(), truth).means()
    )
    enough = score_truth(validation.one_that_suffices, truth).means()
    return {**found, "one that suffices": {**enough, "seconds": 0.0}}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--at", choices=[ENCODER, EMBEDDINGS], default=ENCODER)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results: Results = {}
    for seed in range(arguments.seeds):
        add(results, run_seed(seed, arguments.methods, arguments.at))
    show(results, as_json=arguments.json)


if __name__ == "__main__":
    main()
