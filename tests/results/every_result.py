"""One of every result, with names from outside that would do harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurox_lite.attribution.agreement import AttributionAgreement
from neurox_lite.attribution.comparison import AttributionComparison
from neurox_lite.attribution.faithfulness import Faithfulness
from neurox_lite.attribution.kept_tokens import KeptTokens
from neurox_lite.correlation.clusters import NeuronClusters
from neurox_lite.correlation.neuron_twins import NeuronTwins
from neurox_lite.correlation.similarity import LayerSimilarity
from neurox_lite.descriptions.all_exemplars import Exemplars
from neurox_lite.descriptions.description_effects import DescriptionEffect, DescriptionEffects
from neurox_lite.descriptions.description_scores import DescriptionScore, DescriptionScores
from neurox_lite.descriptions.detection import Detection
from neurox_lite.descriptions.formula_search import Formula
from neurox_lite.descriptions.neuron_description import (
    Description,
    NeuronDescription,
    NeuronDescriptions,
)
from neurox_lite.descriptions.neuron_exemplars import Example, NeuronExemplars, OneSign, TopWord
from neurox_lite.descriptions.neuron_formulas import (
    CompositionalFormulas,
    NeuronFormula,
    ScoredFormula,
)
from neurox_lite.descriptions.neuron_tokens import TokensWritten
from neurox_lite.descriptions.reference_scores import MeanScores
from neurox_lite.evaluation.localisation import Localisation, Measure
from neurox_lite.evaluation.localisations import Localisations
from neurox_lite.evaluation.method_table import MethodTable
from neurox_lite.evaluation.minimal_set import MinimalSet
from neurox_lite.evaluation.rank_intervals import RankIntervals
from neurox_lite.evaluation.ranker_comparison import RankerComparison
from neurox_lite.intervals import Interval
from neurox_lite.interventions.side_effects import SideEffect, SideEffects
from neurox_lite.interventions.steering_curves import SteeringCurve, SteeringCurves
from neurox_lite.masking.mask_fit import MaskFit
from neurox_lite.masking.mask_overlaps import MaskOverlaps
from neurox_lite.masking.seed_spread import SeedSpread
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.pipeline.job_estimate import JobEstimate, StageEstimate
from neurox_lite.probing.confusion import Confusion
from neurox_lite.probing.layerwise import LayerScores
from neurox_lite.probing.learning_curve import LearningCurve
from neurox_lite.probing.online_code import OnlineCodeLength
from neurox_lite.probing.search import RegularisationSearch
from neurox_lite.probing.selectivity import Selectivity
from neurox_lite.ranking.agreement import AgreementMatrix
from neurox_lite.ranking.layer_profiles import LayerProfile, LayerProfiles
from neurox_lite.ranking.shared_neurons import SharedCount, SharedNeurons
from neurox_lite.results.ablation import AblationCurve, AblationCurves
from neurox_lite.results.neuron_mask import NeuronMask
from neurox_lite.results.ranking import NeuronRanking
from neurox_lite.results.sweep import Sweep
from neurox_lite.results.token_attributions import TokenAttributions, state_names
from neurox_lite.results.top_overlap import TopOverlap

EVIL = "=1+1|<script>\n\x1b[2J\u202e $x$ {a_b}"
N = 3000
SPACE = NeuronSpace(EVIL, "mlp", (0, 1), (N // 2, N // 2))
SHARES = (0.1, 0.5, 1.0)
THREE = (0.25, 0.5, 0.75)
SCORES = np.random.default_rng(0).random(N)

ranking = NeuronRanking.from_scores(
    SPACE, SCORES, EVIL, classes=(EVIL, "-LRB-"), class_scores=np.stack([SCORES, 1 - SCORES])
)
mask = NeuronMask.of(SPACE, [3, 1], 0.5, method=EVIL)
other_mask = NeuronMask.of(SPACE, [3, 2], 0.5, method="other")
sweep = Sweep(0.1, *(THREE,) * 5)
curve = AblationCurve(
    EVIL, False, "mean", "accuracy", N, SHARES, (1, 5, 10), sweep, Sweep(0.1, THREE), True
)
agreement = AgreementMatrix((EVIL, "b"), 5, N, *(((1.0, 0.5), (0.5, 1.0)),) * 3)
table = MethodTable.from_values({EVIL: {"seconds": [1.0, 2.0]}, "b": {}})
fit = MaskFit(
    mask=mask,
    size=2,
    objective="flip",
    alpha=1.0,
    feasible=True,
    converged=True,
    intact=-1.0,
    effect=1.5,
    held_out_intact=-1.0,
    held_out_effect=1.2,
    held_out_success=0.9,
    probabilities=SCORES,
    max_replacement_z=2.0,
    sizes=(3.0, 2.0),
    effects=(0.1, 1.0),
    n_runs=10,
)
steering = SteeringCurve(EVIL, "set", None, "all", N, 8, 2, (1, 2, 4), sweep, sweep)
search = RegularisationSearch(
    (0.1, 1.0), (0.1, 1.0), *(((0.1, 0.2), (0.3, 0.4)),) * 5, ((True, True), (True, False)),
    0.5, True, 0.1, 1.0, 1.0,
)  # fmt: skip
effect = SideEffect("KL", EVIL, 0.0, 0.1, 0.2, 0.1, 0.3)
intervals = RankIntervals(
    EVIL, SPACE, 0.95, *(tuple(range(N)),) * 3, (tuple(range(N)),) * 4, N, (N,) * 4, True
)
attributions = TokenAttributions(
    EVIL, ((EVIL, "a"), ("b",)), (np.array([[0.5, -1.0]] * 3), np.zeros((3, 1))), (EVIL, "no"),
    state_names(3), ((True, False), (False,)), (), {"seed": 0}, {"model": EVIL},
)  # fmt: skip
UNKNOWN, KNOWN = Interval(0.5, -np.inf, np.inf), Interval(0.5, 0.25, 0.75)
faithfulness = Faithfulness(
    (EVIL, "random order"), SHARES, "probability", N, KNOWN, UNKNOWN, *((KNOWN, UNKNOWN),) * 4,
    *((THREE, THREE),) * 2,
)  # fmt: skip
token_agreement = AttributionAgreement(
    (EVIL, "b"), 0.2, N, *(((KNOWN, KNOWN), (KNOWN, UNKNOWN)),) * 2, 0.2
)
kept = KeptTokens(EVIL, 0.5, (EVIL, "-LRB-"), (N, 1), (EVIL,), *(((KNOWN,), (UNKNOWN,)),) * 2, N)
description = DescriptionScore(EVIL, 0.5, N, 100, 0.1, 0.05, KNOWN, KNOWN, KNOWN, UNKNOWN, KNOWN)
described = DescriptionEffect(EVIL, Neuron(0, 1), 100, 10, KNOWN, KNOWN, UNKNOWN, KNOWN)
scored = ScoredFormula(Formula(EVIL, (("AND NOT", EVIL),)), 0.5, KNOWN)
formulas = CompositionalFormulas(
    SPACE, 0.05, 5, 10, N, (100, 99), (N, N), 0,
    (
        NeuronFormula(Neuron(0, 1), "highest", (100, 99), scored, scored, scored),
        NeuronFormula(Neuron(0, 1), "lowest", (0, 0), reason="constant"),
    ),
)  # fmt: skip
example = Example((EVIL, "a"), 0, 0.5, (0.5, None))
one_sign = OneSign((example,), (example, example), (TopWord(EVIL, EVIL, 5, KNOWN),))
exemplars_of_neuron = NeuronExemplars(
    Neuron(1, 2), "sparse", 0.1, 0.2, 0.3, -1.0, 1.0, (3, 0, 2), one_sign, one_sign
)
descriptions = NeuronDescriptions(
    SPACE, EVIL, (N, N), (5, 6), 0.01, 0.9, 0.1, 0.0,
    (MeanScores("constant", N, KNOWN, KNOWN, UNKNOWN, KNOWN),),
    (
        NeuronDescription(
            Neuron(0, 1), "highest",
            (Description(EVIL, "word", 8, 10, 0.1, 2.5, 1e-9, 1e-7, description),), (EVIL,),
        ),
        NeuronDescription(Neuron(0, 1), "lowest", (), (), EVIL),
    ),
    (exemplars_of_neuron,),
)  # fmt: skip
exemplars = Exemplars(
    NeuronSpace(EVIL, "mlp", (0,), (2,)), EVIL, N, N, ((EVIL, "a"),), (EVIL,), (EVIL,), (5,),
    {0: (EVIL,)},
    {
        **{f"{of}{name}": np.zeros((2, 2, 1), int) for of in ("", "quantile_")
           for name in ("values", "examples", "places")},
        **{name: np.zeros((2, 2, 1), int) for name in ("words", "word_means", "word_lows",
                                                       "word_highs")},
        **{name: np.zeros(2, int) for name in ("categories", "sparseness", "of_position", "of_word",
                                               "smallest", "largest")},
        "histogram": np.ones((2, 3), int),
        **{f"{of}levels": np.full((2, 2, 1, 31), 5, np.int8) for of in ("", "quantile_")},
        **{name: np.full(2, 0.5) for name in ("medians", "scales")},
    },
)  # fmt: skip
written = TokensWritten(
    SPACE, (Neuron(0, 3), Neuron(1, 7)), *(((EVIL, "-LRB-"),) * 2, np.array([[2.0, 0.5]] * 2)) * 2,
    np.array([0.1, 0.2]), 3.0,
)  # fmt: skip
localised = Localisation(
    EVIL, "m", EVIL, N, 0.9, 0.1, (1, 2, N), THREE,
    (
        Measure("neurons for 95 %", 2.0, 1.0, 4.0, None, (1.5, 3.0)),
        Measure("entropy over layers", None, None, None, None, (None, 0.5)),
        Measure("overlap of classes", 0.5, 0.25, 0.75, 0.1, (0.4, 0.6)),
    ),
    "words", N, N, False,
)  # fmt: skip
profile = LayerProfile(EVIL, EVIL, (0, 1), (N // 2, N // 2), (2, 1), (0.5, 0.75))
shared = SharedNeurons(
    (EVIL, "b"), SPACE, ((Neuron(0, 1),), (Neuron(0, 1), Neuron(1, 2))),
    (SharedCount(f"{EVIL} and b", 1, 0.1, 0, 2, 0.2, 0.5, 0.9),),
)  # fmt: skip
overlap = TopOverlap(EVIL, "b", N, (Neuron(0, 1),), (Neuron(0, 2),), (), 0.1, 0.5, 0.9)

EVERY = {
    type(result).__name__: result
    for result in (
        curve,
        AblationCurves((curve, curve)),
        agreement,
        Confusion.of([EVIL, EVIL, "-LRB-"], [EVIL, "-LRB-", "-LRB-"]),
        JobEstimate(
            (StageEstimate(EVIL, 1.5, 10, None), StageEstimate("rank", 0.0, 0, 9, True)), 5, 6
        ),
        description,
        DescriptionScores((description, description)),
        described,
        DescriptionEffects(SPACE, "mean", (described, described)),
        formulas,
        Detection(50, N, KNOWN, UNKNOWN),
        descriptions,
        exemplars,
        exemplars_of_neuron,
        RankerComparison((ranking,), table, agreement, AblationCurves((curve,)), True),
        Interval(0.5, 0.4, 0.6),
        LayerProfiles((profile, replace(profile, name="b", scores=None))),
        LayerScores("accuracy", (0, 1), (0.5, 0.75), (0.5, 0.8), 0.1, True),
        LayerSimilarity("cka", EVIL, "b", (0, 1), (0,), ((0.5,), (0.25,))),
        LearningCurve(SHARES, (10.0, 50.0, 100.0), *(THREE,) * 3, n_seeds=3, converged=True),
        localised,
        Localisations.of([localised, replace(localised, model=EVIL)]),
        fit,
        MaskOverlaps.of([mask, other_mask]),
        table,
        MinimalSet(EVIL, 0.01, 0.9, SHARES, THREE, tuple(range(N)), True),
        NeuronClusters(SPACE, 0.5, tuple(range(N))),
        NeuronTwins(SPACE, SPACE, (Neuron(0, 1), Neuron(1, 2)), ((2, 0), ()), ((0.9, -0.5), ()), N),
        mask,
        ranking,
        OnlineCodeLength(100.0, 200.0, (10, 20), (50.0, 50.0), True),
        intervals,
        search,
        shared,
        Selectivity(0.9, 0.5, 100, True, (0.4, 0.6)),
        SideEffects(2, 5, (effect,) * 9),
        effect,
        SeedSpread((fit, fit)),
        steering,
        SteeringCurves((steering,)),
        attributions,
        AttributionComparison((attributions,), (0.5,), faithfulness, None, (kept,), {EVIL: EVIL}),
        token_agreement,
        faithfulness,
        kept,
        overlap,
        written,
    )
}
