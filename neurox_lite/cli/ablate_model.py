"""What `ablate --model` measures: a metric of the running model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurox_lite.choices import unknown_choice
from neurox_lite.cli.output import quiet_transformers
from neurox_lite.cli.pairs import chosen_pairs, position, read_all_pairs

if TYPE_CHECKING:
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.interventions.metrics import ModelMetric
    from neurox_lite.results.ranking import NeuronRanking

OF_PAIRS = ("log-odds", "accuracy")
OF_TEXT = ("perplexity", "kl", "accuracy")


def model_metric(
    model: str,
    ranking: NeuronRanking,
    pairs: list[str] | None,
    text: str | None,
    metric: str | None,
    condition: str | None,
    template: str | None,
    positions: str,
    skip_bad_lines: bool,
) -> tuple[ModelMetric, list[MinimalPair]]:
    """The metric asked for, at the site and layers of a ranking, and all pairs of the files.

    Raises
    ------
    InputError
        When there is not either pairs or text, or no such metric of it.
    """
    from neurox_lite.corpora.text_files import read_lines
    from neurox_lite.errors import InputError
    from neurox_lite.interventions import metrics as model_metrics
    from neurox_lite.interventions.pair_inputs import encode_pairs
    from neurox_lite.models.loading import load_model
    from neurox_lite.models.location import Location

    if bool(pairs) == bool(text):
        raise InputError("--model needs either --pairs or --text; give one of them")
    known = OF_PAIRS if pairs else OF_TEXT
    metric = known[0] if metric is None else metric
    if metric not in known:
        raise unknown_choice("metric", metric, known)
    quiet_transformers()
    loaded = load_model(model, head="language")
    if pairs:
        every = read_all_pairs(pairs, skip_bad_lines)
        chosen = chosen_pairs(every, condition, template)
        inputs = encode_pairs(loaded, chosen)
        where = Location.of_space(ranking.space, position(positions))
        of_pairs = {
            "log-odds": model_metrics.pair_log_odds,
            "accuracy": model_metrics.pair_accuracy,
        }
        return of_pairs[metric](loaded, inputs, where), every
    if positions != "all":
        raise InputError("--positions are of --pairs; a text has all of its words replaced")
    of_text = {
        "perplexity": model_metrics.perplexity,
        "kl": model_metrics.kl_from_intact,
        "accuracy": model_metrics.token_accuracy,
    }
    where = Location.of_space(ranking.space)
    return of_text[metric](loaded, read_lines(str(text)), where), []
