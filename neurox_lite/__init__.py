"""Which neurons of a language model carry a property, and does the model use them?

What most users need has its name here; the rest is in groups, as ``nx.ranking.probeless``. All are
loaded when they are first used, so that importing the package is fast.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurox_lite.version import __version__ as __version__

__all__ = [
    "ActivationStore",
    "ElasticNetProbe",
    "InputError",
    "Job",
    "Location",
    "MinimalPair",
    "Neuron",
    "NeuronMask",
    "NeuronRanking",
    "NeuronSpace",
    "TaggedCorpus",
    "ablate",
    "align_stores",
    "attribution",
    "convert",
    "corpora",
    "correlation",
    "describe",
    "descriptions",
    "diagnose",
    "embedded_path",
    "evaluation",
    "extract",
    "fit_neuron_mask",
    "intervene",
    "interventions",
    "labelled_splits",
    "load_model",
    "load_result",
    "masking",
    "minimal_set",
    "neuron_card",
    "neuron_space",
    "probing",
    "ranking",
    "read_conllu",
    "read_corpus",
    "read_pairs",
    "read_splits",
    "run_job",
    "selectivity",
    "write_report",
]

if TYPE_CHECKING:
    from neurox_lite import (
        attribution,
        corpora,
        correlation,
        descriptions,
        evaluation,
        interventions,
        masking,
        probing,
        ranking,
    )
    from neurox_lite.activations.align_stores import align_stores
    from neurox_lite.activations.convert import convert
    from neurox_lite.activations.labelled_splits import labelled_splits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.conllu import read_conllu
    from neurox_lite.corpora.minimal_pairs import MinimalPair
    from neurox_lite.corpora.pair_files import read_pairs
    from neurox_lite.corpora.reading import read_corpus, read_splits
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.descriptions.describe import describe
    from neurox_lite.diagnosis.diagnose import diagnose
    from neurox_lite.embedded import embedded_path
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.evaluation.minimal_set import minimal_set
    from neurox_lite.extraction.extract import extract
    from neurox_lite.interventions.intervene import intervene
    from neurox_lite.masking.neuron_mask import fit_neuron_mask
    from neurox_lite.models.loading import load_model
    from neurox_lite.models.location import Location
    from neurox_lite.models.neuron_spaces import neuron_space
    from neurox_lite.neurons import Neuron, NeuronSpace
    from neurox_lite.pipeline.job import Job
    from neurox_lite.pipeline.run import run_job
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.selectivity import selectivity
    from neurox_lite.report.html_report import write_report
    from neurox_lite.report.neuron_card import neuron_card
    from neurox_lite.results.neuron_mask import NeuronMask
    from neurox_lite.results.ranking import NeuronRanking
    from neurox_lite.saved_results import load_result

_GROUPS = (
    "attribution",
    "corpora",
    "correlation",
    "descriptions",
    "evaluation",
    "interventions",
    "masking",
    "probing",
    "ranking",
)
_MODULE_OF = {
    "ActivationStore": "activations.store",
    "ElasticNetProbe": "probing.probe",
    "InputError": "errors",
    "Job": "pipeline.job",
    "Location": "models.location",
    "MinimalPair": "corpora.minimal_pairs",
    "Neuron": "neurons",
    "NeuronMask": "results.neuron_mask",
    "NeuronRanking": "results.ranking",
    "NeuronSpace": "neurons",
    "TaggedCorpus": "corpora.tagged_corpus",
    "ablate": "evaluation.ablation",
    "align_stores": "activations.align_stores",
    "convert": "activations.convert",
    "describe": "descriptions.describe",
    "diagnose": "diagnosis.diagnose",
    "embedded_path": "embedded",
    "extract": "extraction.extract",
    "fit_neuron_mask": "masking.neuron_mask",
    "intervene": "interventions.intervene",
    "labelled_splits": "activations.labelled_splits",
    "load_model": "models.loading",
    "load_result": "saved_results",
    "minimal_set": "evaluation.minimal_set",
    "neuron_card": "report.neuron_card",
    "neuron_space": "models.neuron_spaces",
    "read_conllu": "corpora.conllu",
    "read_corpus": "corpora.reading",
    "read_pairs": "corpora.pair_files",
    "read_splits": "corpora.reading",
    "run_job": "pipeline.run",
    "selectivity": "probing.selectivity",
    "write_report": "report.html_report",
}


# In a notebook without ipywidgets, tqdm has bars of text instead; nobody needs to act on that.
warnings.filterwarnings("ignore", "IProgress not found")


def __getattr__(name: str) -> Any:
    if name in _GROUPS:
        return import_module(f"neurox_lite.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'neurox_lite' has no attribute '{name}'")
    return getattr(import_module(f"neurox_lite.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
