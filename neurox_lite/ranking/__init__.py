"""One function per method, every one returns a NeuronRanking; and operations on rankings."""

from neurox_lite.ranking.activation_difference import activation_difference
from neurox_lite.ranking.activation_probability import activation_probability
from neurox_lite.ranking.agreement import agreement, rank_biased_overlap
from neurox_lite.ranking.average_precision import average_precision
from neurox_lite.ranking.cross_model import lin_reg, max_corr, min_corr, svcca
from neurox_lite.ranking.differentiable_mask import differentiable_mask
from neurox_lite.ranking.extra_trees import extra_trees
from neurox_lite.ranking.gaussian import gaussian
from neurox_lite.ranking.integrated_gradients import integrated_gradients
from neurox_lite.ranking.iou import iou
from neurox_lite.ranking.lape import lape
from neurox_lite.ranking.layer_profiles import layer_profiles
from neurox_lite.ranking.linguistic_correlation import linguistic_correlation
from neurox_lite.ranking.matching_pursuit import matching_pursuit
from neurox_lite.ranking.mean_select import mean_select
from neurox_lite.ranking.merging import merge_layers
from neurox_lite.ranking.methods import RankingTask, rank
from neurox_lite.ranking.mutual_information import mutual_information
from neurox_lite.ranking.one_per_cluster import one_per_cluster
from neurox_lite.ranking.permutation_importance import permutation_importance
from neurox_lite.ranking.permuted_overlap import permuted_overlap
from neurox_lite.ranking.point_biserial import point_biserial
from neurox_lite.ranking.probeless import probeless
from neurox_lite.ranking.shared_neurons import shared_neurons
from neurox_lite.ranking.variance import variance
from neurox_lite.ranking.voting import vote
from neurox_lite.ranking_methods import METHODS
from neurox_lite.results.random_ranking import random_ranking

__all__ = [
    "METHODS",
    "RankingTask",
    "activation_difference",
    "activation_probability",
    "agreement",
    "average_precision",
    "differentiable_mask",
    "extra_trees",
    "gaussian",
    "integrated_gradients",
    "iou",
    "lape",
    "layer_profiles",
    "lin_reg",
    "linguistic_correlation",
    "matching_pursuit",
    "max_corr",
    "mean_select",
    "merge_layers",
    "min_corr",
    "mutual_information",
    "one_per_cluster",
    "permutation_importance",
    "permuted_overlap",
    "point_biserial",
    "probeless",
    "random_ranking",
    "rank",
    "rank_biased_overlap",
    "shared_neurons",
    "svcca",
    "variance",
    "vote",
]
