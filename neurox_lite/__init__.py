"""Which neurons of a language model carry a property, and does the model use them?

The public names are loaded when they are first used, so that importing the package is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "AblationCurve",
    "AblationCurves",
    "ActivationStore",
    "AgreementMatrix",
    "BakeOff",
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
    "OnlineCode",
    "RankIntervals",
    "RegularisationSearch",
    "Selectivity",
    "SideEffects",
    "SteeringCurves",
    "TaggedCorpus",
    "TopOverlap",
    "ablate",
    "ablate_in_model",
    "accuracy_interval",
    "aligned",
    "annotate",
    "bake_off",
    "control_labels",
    "convert",
    "correlation_clusters",
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
    "online_code",
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
    "redundancy",
    "regularisation_search",
    "run_job",
    "score_pairs",
    "selectivity",
    "side_effects",
    "steer",
    "translate",
    "word_filter",
]

if TYPE_CHECKING:
    from neurox_lite import ranking
    from neurox_lite.activations.aligned import aligned
    from neurox_lite.activations.convert import convert
    from neurox_lite.activations.labelled import labelled_splits
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
    from neurox_lite.correlation.clusters import correlation_clusters
    from neurox_lite.correlation.similarity import layer_similarity
    from neurox_lite.embedded import embedded_path
    from neurox_lite.errors import InputError
    from neurox_lite.evaluation import model_metrics
    from neurox_lite.evaluation.ablation import ablate
    from neurox_lite.evaluation.in_model import ablate_in_model
    from neurox_lite.evaluation.minimal_set import minimal_set, redundancy
    from neurox_lite.evaluation.rank_stability import rank_intervals
    from neurox_lite.evaluation.side_effects import side_effects
    from neurox_lite.evaluation.steering import steer
    from neurox_lite.extraction.extract import extract
    from neurox_lite.extraction.options import ExtractOptions
    from neurox_lite.intervals import accuracy_interval
    from neurox_lite.masking.neuron_mask import fit_neuron_mask, rank_by_neuron_mask
    from neurox_lite.masking.probe_mask import fit_probe_mask
    from neurox_lite.models.interventions import intervene
    from neurox_lite.models.loading import load_model
    from neurox_lite.models.pair_inputs import encode_pairs
    from neurox_lite.models.pair_scores import score_pairs
    from neurox_lite.models.spaces import neuron_space
    from neurox_lite.models.translation import translate
    from neurox_lite.neurons import Neuron, NeuronSpace
    from neurox_lite.pipeline.bake_off import bake_off
    from neurox_lite.pipeline.job import Job
    from neurox_lite.pipeline.run import run_job
    from neurox_lite.probing.control import control_labels
    from neurox_lite.probing.layerwise import fit_layers, layer_scores
    from neurox_lite.probing.learning_curve import learning_curve
    from neurox_lite.probing.online_code import online_code
    from neurox_lite.probing.probe import ElasticNetProbe
    from neurox_lite.probing.regression import ElasticNetRegression
    from neurox_lite.probing.search import regularisation_search
    from neurox_lite.probing.selectivity import selectivity
    from neurox_lite.probing.together import fit_grid, fit_one_vs_rest
    from neurox_lite.ranking.in_model import (
        rank_by_activation_difference,
        rank_by_integrated_gradients,
        rank_by_single_replacement,
    )
    from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
    from neurox_lite.ranking.random import random_ranking
    from neurox_lite.results import (
        AblationCurve,
        AblationCurves,
        AgreementMatrix,
        BakeOff,
        LayerScores,
        LayerSimilarity,
        LearningCurve,
        MaskFit,
        MethodTable,
        MinimalSet,
        NeuronClusters,
        NeuronMask,
        NeuronRanking,
        OnlineCode,
        RankIntervals,
        RegularisationSearch,
        Selectivity,
        SideEffects,
        SteeringCurves,
        TopOverlap,
    )

_MODULE_OF = {
    "AblationCurve": "results",
    "AblationCurves": "results",
    "ActivationStore": "activations.store",
    "AgreementMatrix": "results",
    "BakeOff": "results",
    "ElasticNetProbe": "probing.probe",
    "ElasticNetRegression": "probing.regression",
    "ExtractOptions": "extraction.options",
    "InputError": "errors",
    "Job": "pipeline.job",
    "LabelRules": "corpora.label_rules",
    "LayerScores": "results",
    "LayerSimilarity": "results",
    "LearningCurve": "results",
    "MaskFit": "results",
    "MethodTable": "results",
    "MinimalPair": "corpora.minimal_pairs",
    "MinimalSet": "results",
    "Neuron": "neurons",
    "NeuronClusters": "results",
    "NeuronMask": "results",
    "NeuronRanking": "results",
    "NeuronSpace": "neurons",
    "OnlineCode": "results",
    "RankIntervals": "results",
    "RegularisationSearch": "results",
    "Selectivity": "results",
    "SideEffects": "results",
    "SteeringCurves": "results",
    "TaggedCorpus": "corpora.tagged_corpus",
    "TopOverlap": "results",
    "ablate": "evaluation.ablation",
    "ablate_in_model": "evaluation.in_model",
    "accuracy_interval": "intervals",
    "aligned": "activations.aligned",
    "annotate": "corpora.annotation",
    "bake_off": "pipeline.bake_off",
    "control_labels": "probing.control",
    "convert": "activations.convert",
    "correlation_clusters": "correlation.clusters",
    "embedded_path": "embedded",
    "encode_pairs": "models.pair_inputs",
    "extract": "extraction.extract",
    "fit_grid": "probing.together",
    "fit_layers": "probing.layerwise",
    "fit_neuron_mask": "masking.neuron_mask",
    "fit_probe_mask": "masking.probe_mask",
    "fit_one_vs_rest": "probing.together",
    "intervene": "models.interventions",
    "labelled_splits": "activations.labelled",
    "layer_scores": "probing.layerwise",
    "layer_similarity": "correlation.similarity",
    "learning_curve": "probing.learning_curve",
    "linguistic_correlation": "ranking",
    "load_model": "models.loading",
    "minimal_set": "evaluation.minimal_set",
    "neuron_space": "models.spaces",
    "online_code": "probing.online_code",
    "random_ranking": "ranking",
    "rank_by_activation_difference": "ranking.in_model",
    "rank_by_integrated_gradients": "ranking.in_model",
    "rank_by_neuron_mask": "masking.neuron_mask",
    "rank_by_single_replacement": "ranking.in_model",
    "rank_intervals": "evaluation.rank_stability",
    "read_columns": "corpora.columns",
    "read_conllu": "corpora.conllu",
    "read_corpus": "corpora.reading",
    "read_csv": "corpora.csv_table",
    "read_pairs": "corpora.minimal_pairs",
    "read_parallel": "corpora.parallel",
    "read_splits": "corpora.reading",
    "read_text": "corpora.annotation",
    "redundancy": "evaluation.minimal_set",
    "regularisation_search": "probing.search",
    "run_job": "pipeline.run",
    "score_pairs": "models.pair_scores",
    "selectivity": "probing.selectivity",
    "side_effects": "evaluation.side_effects",
    "steer": "evaluation.steering",
    "translate": "models.translation",
    "word_filter": "corpora.word_filter",
}

_SUBPACKAGES = {"model_metrics": "evaluation.model_metrics", "ranking": "ranking"}


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"neurox_lite.{_SUBPACKAGES[name]}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'neurox_lite' has no attribute '{name}'")
    return getattr(import_module(f"neurox_lite.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
