"""Which neurons of a language model carry a property, and does the model use them?

The public names are loaded when they are first used, so that importing the package is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurox_lite.version import __version__ as __version__

__all__ = [
    "AblationCurve",
    "AblationCurves",
    "ActivationStore",
    "AgreementMatrix",
    "ElasticNetProbe",
    "ElasticNetRegression",
    "ExtractOptions",
    "InputError",
    "Job",
    "LabelRules",
    "LayerScores",
    "LayerSimilarity",
    "LearningCurve",
    "MaskFit",
    "MethodTable",
    "MinimalPair",
    "MinimalSet",
    "Neuron",
    "NeuronClusters",
    "NeuronMask",
    "NeuronRanking",
    "NeuronSpace",
    "OnlineCodeLength",
    "RankIntervals",
    "RankerComparison",
    "RegularisationSearch",
    "Selectivity",
    "SideEffects",
    "SteeringCurves",
    "TaggedCorpus",
    "TopOverlap",
    "ablate",
    "ablate_in_model",
    "accuracy_interval",
    "add_to_neurons",
    "align_stores",
    "annotate",
    "compare_rankers",
    "control_labels",
    "convert",
    "correlation_clusters",
    "disjoint_minimal_sets",
    "embedded_path",
    "encode_pairs",
    "extract",
    "fit_grid",
    "fit_layers",
    "fit_neuron_mask",
    "fit_one_vs_rest",
    "fit_probe_mask",
    "intervene",
    "labelled_splits",
    "layer_scores",
    "layer_similarity",
    "learning_curve",
    "linguistic_correlation",
    "load_model",
    "minimal_set",
    "model_metrics",
    "neuron_space",
    "online_code_length",
    "random_ranking",
    "rank_by_activation_difference",
    "rank_by_integrated_gradients",
    "rank_by_neuron_mask",
    "rank_by_single_replacement",
    "rank_intervals",
    "ranking",
    "read_columns",
    "read_conllu",
    "read_corpus",
    "read_csv",
    "read_pairs",
    "read_parallel",
    "read_splits",
    "read_text",
    "regularisation_search",
    "run_job",
    "score_pairs",
    "selectivity",
    "side_effects",
    "steer",
    "word_filter",
]

if TYPE_CHECKING:
    from neurox_lite import ranking
    from neurox_lite.activations.align_stores import align_stores
    from neurox_lite.activations.convert import convert
    from neurox_lite.activations.labelled_splits import labelled_splits
    from neurox_lite.activations.store import ActivationStore
    from neurox_lite.corpora.annotation import annotate, read_text
    from neurox_lite.corpora.columns import read_columns
    from neurox_lite.corpora.conllu import read_conllu
    from neurox_lite.corpora.csv_table import read_csv
    from neurox_lite.corpora.label_rules import LabelRules
    from neurox_lite.corpora.minimal_pairs import MinimalPair, read_pairs
    from neurox_lite.corpora.parallel import read_parallel
    from neurox_lite.corpora.reading import read_corpus, read_splits
    from neurox_lite.corpora.tagged_corpus import TaggedCorpus
    from neurox_lite.corpora.word_filter import word_filter
    from neurox_lite.correlation.clusters import NeuronClusters, correlation_clusters
    from neurox_lite.correlation.similarity import LayerSimilarity, layer_similarity
    from neurox_lite.embedded import embedded_path
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.evaluation.method_table import MethodTable
    from neurox_lite.evaluation.minimal_set import MinimalSet, disjoint_minimal_sets, minimal_set
    from neurox_lite.evaluation.rank_intervals import RankIntervals, rank_intervals
    from neurox_lite.evaluation.ranker_comparison import RankerComparison, compare_rankers
    from neurox_lite.extraction.extract import extract
    from neurox_lite.extraction.options import ExtractOptions
    from neurox_lite.intervals import accuracy_interval
    from neurox_lite.interventions import metrics as model_metrics
    from neurox_lite.interventions.ablation import ablate_in_model
    from neurox_lite.interventions.addition import add_to_neurons
    from neurox_lite.interventions.intervene import intervene
    from neurox_lite.interventions.pair_inputs import encode_pairs
    from neurox_lite.interventions.pair_scores import score_pairs
    from neurox_lite.interventions.side_effects import SideEffects, side_effects
    from neurox_lite.interventions.steering import steer
    from neurox_lite.interventions.steering_curves import SteeringCurves
    from neurox_lite.masking.baselines import (
        rank_by_activation_difference,
        rank_by_integrated_gradients,
        rank_by_single_replacement,
    )
    from neurox_lite.masking.mask_fit import MaskFit
    from neurox_lite.masking.neuron_mask import fit_neuron_mask, rank_by_neuron_mask
    from neurox_lite.masking.probe_mask import fit_probe_mask
    from neurox_lite.models.loading import load_model
    from neurox_lite.models.neuron_spaces import neuron_space
    from neurox_lite.neurons import Neuron, NeuronSpace
    from neurox_lite.pipeline.job import Job
    from neurox_lite.pipeline.run import run_job
    from neurox_lite.probing.batched import fit_grid, fit_one_vs_rest
    from neurox_lite.probing.control import control_labels
    from neurox_lite.probing.layerwise import LayerScores, fit_layers, layer_scores
    from neurox_lite.probing.learning_curve import LearningCurve, learning_curve
    from neurox_lite.probing.online_code import OnlineCodeLength, online_code_length
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.regression import ElasticNetRegression
    from neurox_lite.probing.search import RegularisationSearch, regularisation_search
    from neurox_lite.probing.selectivity import Selectivity, selectivity
    from neurox_lite.ranking.agreement import AgreementMatrix
    from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
    from neurox_lite.ranking.random import random_ranking
    from neurox_lite.results.ablation import AblationCurve, AblationCurves
    from neurox_lite.results.neuron_mask import NeuronMask
    from neurox_lite.results.ranking import NeuronRanking
    from neurox_lite.results.top_overlap import TopOverlap

_MODULE_OF = {
    "AblationCurve": "results.ablation",
    "AblationCurves": "results.ablation",
    "ActivationStore": "activations.store",
    "AgreementMatrix": "ranking.agreement",
    "RankerComparison": "evaluation.ranker_comparison",
    "ElasticNetProbe": "probing.probe",
    "ElasticNetRegression": "probing.regression",
    "ExtractOptions": "extraction.options",
    "InputError": "errors",
    "Job": "pipeline.job",
    "LabelRules": "corpora.label_rules",
    "LayerScores": "probing.layerwise",
    "LayerSimilarity": "correlation.similarity",
    "LearningCurve": "probing.learning_curve",
    "MaskFit": "masking.mask_fit",
    "MethodTable": "evaluation.method_table",
    "MinimalPair": "corpora.minimal_pairs",
    "MinimalSet": "evaluation.minimal_set",
    "Neuron": "neurons",
    "NeuronClusters": "correlation.clusters",
    "NeuronMask": "results.neuron_mask",
    "NeuronRanking": "results.ranking",
    "NeuronSpace": "neurons",
    "OnlineCodeLength": "probing.online_code",
    "RankIntervals": "evaluation.rank_intervals",
    "RegularisationSearch": "probing.search",
    "Selectivity": "probing.selectivity",
    "SideEffects": "interventions.side_effects",
    "SteeringCurves": "interventions.steering_curves",
    "TaggedCorpus": "corpora.tagged_corpus",
    "TopOverlap": "results.top_overlap",
    "ablate": "evaluation.ablation",
    "ablate_in_model": "interventions.ablation",
    "accuracy_interval": "intervals",
    "align_stores": "activations.align_stores",
    "annotate": "corpora.annotation",
    "compare_rankers": "evaluation.ranker_comparison",
    "control_labels": "probing.control",
    "convert": "activations.convert",
    "correlation_clusters": "correlation.clusters",
    "embedded_path": "embedded",
    "encode_pairs": "interventions.pair_inputs",
    "extract": "extraction.extract",
    "fit_grid": "probing.batched",
    "fit_layers": "probing.layerwise",
    "fit_neuron_mask": "masking.neuron_mask",
    "fit_probe_mask": "masking.probe_mask",
    "fit_one_vs_rest": "probing.batched",
    "intervene": "interventions.intervene",
    "labelled_splits": "activations.labelled_splits",
    "layer_scores": "probing.layerwise",
    "layer_similarity": "correlation.similarity",
    "learning_curve": "probing.learning_curve",
    "linguistic_correlation": "ranking",
    "load_model": "models.loading",
    "minimal_set": "evaluation.minimal_set",
    "neuron_space": "models.neuron_spaces",
    "online_code_length": "probing.online_code",
    "random_ranking": "ranking",
    "rank_by_activation_difference": "masking.baselines",
    "rank_by_integrated_gradients": "masking.baselines",
    "rank_by_neuron_mask": "masking.neuron_mask",
    "rank_by_single_replacement": "masking.baselines",
    "rank_intervals": "evaluation.rank_intervals",
    "read_columns": "corpora.columns",
    "read_conllu": "corpora.conllu",
    "read_corpus": "corpora.reading",
    "read_csv": "corpora.csv_table",
    "read_pairs": "corpora.minimal_pairs",
    "read_parallel": "corpora.parallel",
    "read_splits": "corpora.reading",
    "read_text": "corpora.annotation",
    "disjoint_minimal_sets": "evaluation.minimal_set",
    "regularisation_search": "probing.search",
    "run_job": "pipeline.run",
    "score_pairs": "interventions.pair_scores",
    "selectivity": "probing.selectivity",
    "side_effects": "interventions.side_effects",
    "steer": "interventions.steering",
    "add_to_neurons": "interventions.addition",
    "word_filter": "corpora.word_filter",
}

_SUBPACKAGES = {"model_metrics": "interventions.metrics", "ranking": "ranking"}


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"neurox_lite.{_SUBPACKAGES[name]}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'neurox_lite' has no attribute '{name}'")
    return getattr(import_module(f"neurox_lite.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
