"""Any result that was saved, read again."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.choices import listed
from neurox_lite.errors import InputError
from neurox_lite.json_files import open_json

CLASS_OF = {
    "ablation curves": "results.ablation.AblationCurves",
    "agreement of attributions": "attribution.agreement.AttributionAgreement",
    "agreement of rankings": "ranking.agreement.AgreementMatrix",
    "compositional formulas": "descriptions.neuron_formulas.CompositionalFormulas",
    "confusion": "probing.confusion.Confusion",
    "control task": "probing.selectivity.Selectivity",
    "description effects": "descriptions.description_effects.DescriptionEffects",
    "description score": "descriptions.description_scores.DescriptionScore",
    "description scores": "descriptions.description_scores.DescriptionScores",
    "detection": "descriptions.detection.Detection",
    "faithfulness": "attribution.faithfulness.Faithfulness",
    "kept tokens": "attribution.kept_tokens.KeptTokens",
    "layer profiles": "ranking.layer_profiles.LayerProfiles",
    "layer scores": "probing.layerwise.LayerScores",
    "layer similarity": "correlation.similarity.LayerSimilarity",
    "learning curve": "probing.learning_curve.LearningCurve",
    "localisation": "evaluation.localisation.Localisation",
    "localisations": "evaluation.localisations.Localisations",
    "mask overlaps": "masking.mask_overlaps.MaskOverlaps",
    "method table": "evaluation.method_table.MethodTable",
    "minimal set": "evaluation.minimal_set.MinimalSet",
    "neuron clusters": "correlation.clusters.NeuronClusters",
    "neuron descriptions": "descriptions.neuron_description.NeuronDescriptions",
    "neuron exemplars": "descriptions.neuron_exemplars.NeuronExemplars",
    "neuron ranking": "results.ranking.NeuronRanking",
    "neuron twins": "correlation.neuron_twins.NeuronTwins",
    "online code": "probing.online_code.OnlineCodeLength",
    "rank intervals": "evaluation.rank_intervals.RankIntervals",
    "regularisation search": "probing.search.RegularisationSearch",
    "shared neurons": "ranking.shared_neurons.SharedNeurons",
    "side effects": "interventions.side_effects.SideEffects",
    "steering curves": "interventions.steering_curves.SteeringCurves",
    "token attributions": "results.token_attributions.TokenAttributions",
    "tokens written": "descriptions.neuron_tokens.TokensWritten",
}
"""Of the ``kind`` that a JSON file says it is."""

IN_FOLDERS = {
    "exemplars.json": "descriptions.all_exemplars.Exemplars",
    "fit.json": "masking.mask_fit.MaskFit",
    "mask.json": "results.neuron_mask.NeuronMask",
    "token_mask.json": "masking.token_mask.TokenMask",
}
"""By a file in the folder, the first that is there."""

BY_NAME = {
    "evaluation.json": "probing.evaluation.read_evaluation",
    "redundancy.json": "evaluation.minimal_set.read_minimal_sets",
}
"""What reads the files that do not say their kind, by their names."""

PROBES = ("probe.json", "one_vs_rest.json")
"""Files of a probe, or of one per label."""


def load_result(path: str | Path) -> Any:
    """Read a result, whatever it is, that a command or ``save`` wrote.

    Parameters
    ----------
    path : path
        A JSON file, or the folder of a probe, exemplars, mask or fit of a mask. ``evaluation.json``
        is given as what is in it, ``redundancy.json`` as a list of MinimalSet.

    Returns
    -------
    NeuronRanking, AblationCurves, ElasticNetProbe, MaskFit, ...

    Raises
    ------
    InputError
        When the file is missing, damaged, or no result that can be read alone.
    """
    path = as_path(path)
    if path.is_dir():
        return _of_folder(path)
    if path.name in BY_NAME:
        return named(BY_NAME[path.name])(path)
    with open_json(path) as data:
        kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind in CLASS_OF:
        return named(CLASS_OF[kind]).load(path)
    if path.name in (*IN_FOLDERS, *PROBES):
        return _of_folder(path.parent)
    raise InputError(f"{path}: not one of {listed(list(CLASS_OF))}; see docs/formats.md")


def _of_folder(folder: Path) -> Any:
    held = {path.name for path in folder.glob("*.json")}
    found = next((name for file, name in IN_FOLDERS.items() if file in held), None)
    if found is not None:
        return named(found).load(folder)
    if held.isdisjoint(PROBES):
        files = f", such as {listed(sorted(held))}" if held else ""
        raise InputError(
            f"{folder}: a folder without a probe, mask or exemplars of its own; give a folder of "
            f"one of these, or a JSON file{files}"
        )
    from neurox_lite.probing.loading import load_probe

    return load_probe(folder)


def named(name: str) -> Any:
    """Of a module of this package."""
    module, name = name.rsplit(".", 1)
    return getattr(import_module(f"neurox_lite.{module}"), name)
