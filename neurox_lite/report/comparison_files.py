"""The files at the top of a job of several tags or models."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.evaluation.localisation import Localisation
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.output_formats import FIGURE_FORMATS, TABLE_FORMATS
from neurox_lite.ranking.layer_profiles import LayerProfiles
from neurox_lite.ranking.shared_neurons import SharedNeurons
from neurox_lite.report.job_files import JOB, RECORD, REPORT, STORE, SUMMARY, JobFile

COMPARISON = "comparison"
"""The stage that writes them."""

REPORT_OF_ALL = "report of all"
"""The stage that writes the report of all tags and models."""

LAYER_PROFILES = JobFile("layer_profiles.json", COMPARISON, LayerProfiles.load)
LOCALISATIONS = JobFile("localisation.json", COMPARISON, Localisations.load)
ONE_BY_ONE = "localisation"
"""Folder with the localisation of each tag and model."""

TWINS_BETWEEN = "twins"
"""Folder with the twins of each model's neurons in each other model."""

SHARED = "shared_neurons"
RESERVED = {JOB, RECORD, STORE.name, SUMMARY.name, REPORT.name, ONE_BY_ONE, f"{SHARED}.json"}
RESERVED |= {LAYER_PROFILES.name, LOCALISATIONS.name, TWINS_BETWEEN}


def shared_file(model_folder: str) -> JobFile[SharedNeurons]:
    """Neurons that the tags of one model share; models have folders where there are several."""
    name = f"{SHARED}.json"
    path = name if model_folder == "." else f"{model_folder}/{name}"
    return JobFile(path, COMPARISON, SharedNeurons.load)


def localisation_file(leaf: str) -> JobFile[Localisation]:
    """How localised one tag is in one model, by the name of its folder."""
    return JobFile(f"{ONE_BY_ONE}/{leaf}.json", f"localise {leaf}", Localisation.load)


def twins_file(model_folder: str, other_folder: str) -> JobFile[NeuronTwins]:
    """Twins of one model's neurons in another, by the names of their folders."""
    name = f"{TWINS_BETWEEN}/{model_folder}/{other_folder}.json"
    return JobFile(name, f"twins of {model_folder} in {other_folder}", NeuronTwins.load)


def beside(name: str) -> list[str]:
    """Figures and tables that may stand beside a result."""
    suffixes = [*(f".{suffix}" for suffix in FIGURE_FORMATS), *TABLE_FORMATS.values()]
    return [str(Path(name).with_suffix(suffix)) for suffix in suffixes]
