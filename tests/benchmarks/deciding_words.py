"""Which words decide for a transformer? All methods where the deciding words are known.

    python -m tests.benchmarks.deciding_words [--task sentiment|questions] [--seeds 5] [--json]

Models are trained from the embedded BERT-style model where they are missing (minutes on one core)
and kept under ``--out``. Scores against the truth count the words of the text, not special tokens;
comprehensiveness and sufficiency are those of ERASER; seconds are per text, fitting counted. The
first tables say what share of words token masks keep in each state. `--conditions` gives hits at k
by condition instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from neurox_lite.attribution import faithfulness, kept_by, state_moments
from neurox_lite.interventions.explained_texts import ExplainedTexts
from tests.benchmarks.attribution_runs import (
    ESTIMATORS,
    PER_TEXT,
    Results,
    add,
    one_thread,
    parser_of,
    print_kept,
    run_methods,
    show,
)
from tests.benchmarks.attribution_scores import score_truth, without_special
from tests.benchmarks.deciding_models import (
    TASKS,
    Example,
    test_examples,
    train_examples,
    trained_model,
)
from tests.benchmarks.deciding_texts import LabelledText, Question, joined

N_FIT, N_EXPLAINED = 2000, 160
EPSILON = {"sentiment": 0.1, "questions": 1.0}
"""Nats, as the paper has it."""


def explained(path: Path, examples: list[Example]) -> ExplainedTexts:
    """What a model says of examples."""
    if isinstance(examples[0], LabelledText):
        return ExplainedTexts.of_texts(path, [joined(each.words) for each in examples])
    asked = [each for each in examples if isinstance(each, Question)]
    return ExplainedTexts.of_texts(
        path,
        [joined(each.question) for each in asked],
        contexts=[joined(each.context) for each in asked],
    )


def run_seed(results: Results, seed: int, arguments: argparse.Namespace) -> None:
    """Add the measures of all methods with the model of a seed."""
    path = trained_model(arguments.task, seed, arguments.out)
    examples = test_examples(arguments.task, N_EXPLAINED)
    truth = [each.truth for each in examples]
    to_fit = explained(path, train_examples(arguments.task, N_FIT))
    to_explain = explained(path, examples)
    mask = {"epsilon": EPSILON[arguments.task], "n_steps": arguments.steps}
    options = {
        **dict.fromkeys(ESTIMATORS, mask),
        **{name: {"epsilon": mask["epsilon"]} for name in PER_TEXT},
        "information-bottleneck": {"moments": state_moments(to_fit)},
        "exact-erasure": {"max_tokens": 64},
    }
    for name, found, seconds in run_methods(arguments.methods, to_fit, to_explain, seed, options):
        if found.states and not arguments.json:
            roles = [role for each in examples for role in each.roles]
            print_kept(f"{name}, seed {seed}", kept_by(found, roles))
        scores = score_truth(without_special(found), truth)
        if arguments.conditions:
            add(results, name, scores.hits_by([each.condition for each in examples]))
            continue
        faithful = faithfulness(to_explain, found)
        measures = {
            **scores.means(),
            "comprehensiveness": faithful.comprehensiveness[0].value,
            "sufficiency": faithful.sufficiency[0].value,
            "seconds": seconds,
        }
        add(results, name, measures)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--task", choices=TASKS, default=TASKS[0])
    parser.add_argument("--out", type=Path, default=Path("out/deciding-words"))
    parser.add_argument("--steps", type=int, default=800, help="of token masks, for each state")
    parser.add_argument("--conditions", action="store_true")
    arguments = parser.parse_args()
    one_thread()
    results: Results = {}
    for seed in range(arguments.seeds):
        run_seed(results, seed, arguments)
    show(results, as_json=arguments.json)


if __name__ == "__main__":
    main()
