"""Every public function says in one line what it wants, and takes numbers of any kind.

Also of ``neurox_lite.seeds``.
"""

import inspect
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from sklearn.base import clone

import neurox_lite as nx
from neurox_lite import arguments
from neurox_lite.errors import InputError
from neurox_lite.extraction.options import ExtractOptions
from neurox_lite.probing.learning_curve import LearningCurve

N, D = 60, 4
Y = np.array(["a", "b", "c"])[np.arange(N) % 3]
X = np.random.default_rng(0).normal(size=(N, D)) + np.eye(3, D)[np.arange(N) % 3] * 3
GROUPS = np.arange(N) // 6
PROBE = nx.ElasticNetProbe(tol=1e-2)
FITTED = clone(PROBE).fit(X, Y)
RANKING = nx.ranking.linguistic_correlation(FITTED)
CORPUS = nx.TaggedCorpus([["a", "b"], ["c"]], {"tag": [["x", "y"], ["x"]]})
PAIRS = [nx.MinimalPair(("the", "cat"), "sleeps", "sleep")]
TASK = nx.ranking.RankingTask(X, Y, X, Y, FITTED)

FIRST = {
    "AblationCurves": None,
    "ActivationStore": lambda it: nx.ActivationStore(it),
    "ElasticNetProbe": lambda it: clone(PROBE).fit(it, Y),
    "ElasticNetProbe.predict": lambda it: FITTED.predict(it),
    "ElasticNetRegression": lambda it: nx.probing.ElasticNetRegression().fit(it, X[:, 0]),
    "NeuronMask.of": lambda it: nx.NeuronMask.of(it, [0]),
    "TaggedCorpus": lambda it: nx.TaggedCorpus(it),
    "ablate": lambda it: nx.ablate(it, X, Y),
    "ablate X": lambda it: nx.ablate([RANKING], it, Y),
    "ablate_in_model": lambda it: nx.interventions.ablate_in_model(it, "metric"),
    "ablate_in_model metric": lambda it: nx.interventions.ablate_in_model([RANKING], it),
    "accuracy_interval": lambda it: nx.intervals.accuracy_interval(it, GROUPS),
    "align_stores": lambda it: nx.align_stores(it),
    "annotate": lambda it: nx.corpora.annotate(it, "layer", "a.*"),
    "annotate rule": lambda it: nx.corpora.annotate(CORPUS, "layer", it),
    "causal_effect": lambda it: nx.descriptions.causal_effect(it, ["a", "b"], "0:1", [0, 1]),
    "causal_effect texts": lambda it: nx.descriptions.causal_effect("nowhere", it, "0:1", [0]),
    "compare_rankers": lambda it: nx.evaluation.compare_rankers(it),
    "compositional_formulas": lambda it: nx.descriptions.compositional_formulas(it, CORPUS),
    "control_labels": lambda it: nx.probing.control_labels(it, []),
    "convert": lambda it: nx.convert(it, "nowhere/out.json"),
    "correlation_clusters": lambda it: nx.correlation.correlation_clusters(it),
    "twins": lambda it: nx.correlation.twins(it),
    "describe": lambda it: nx.describe(it, CORPUS),
    "describe corpus": lambda it: nx.describe(X, it),
    "detect": lambda it: nx.descriptions.detect(it, X[:, 0], GROUPS, threshold=0.5),
    "embedded_path": lambda it: nx.embedded_path(it),
    "encode_pairs": lambda it: nx.interventions.encode_pairs(it, PAIRS),
    "exemplars": lambda it: nx.descriptions.exemplars(it, CORPUS),
    "exemplars corpus": lambda it: nx.descriptions.exemplars(X, it),
    "extract": lambda it: nx.extract(it, CORPUS, "nowhere/out.h5"),
    "extract corpus": lambda it: nx.extract("nowhere", it, "nowhere/out.h5"),
    "fit_grid": lambda it: nx.probing.batched.fit_grid(it, X, Y, l1s=[0.1], l2s=[0.1]),
    "fit_layers": lambda it: nx.probing.fit_layers(it, X, Y, space=RANKING.space),
    "fit_neuron_mask": lambda it: nx.fit_neuron_mask(it, PAIRS),
    "fit_one_vs_rest": lambda it: nx.probing.fit_one_vs_rest(it, X, Y),
    "fit_probe_mask": lambda it: nx.masking.fit_probe_mask(it, X),
    "fit_probe_mask X": lambda it: nx.masking.fit_probe_mask(FITTED, it),
    "intervene": lambda it: nx.intervene(it, nx.NeuronMask.of(RANKING.space, [0])).__enter__(),
    "intervene mask": lambda it: nx.intervene(torch.nn.Linear(2, 2), it).__enter__(),
    "labelled_splits": lambda it: nx.labelled_splits(it, CORPUS, "tag"),
    "load_result": lambda it: nx.load_result(it),
    "layer_scores": lambda it: nx.probing.layer_scores(it, X, Y, X, Y, space=RANKING.space),
    "layer_similarity": lambda it: nx.correlation.layer_similarity(it, X),
    "layer_similarity other": lambda it: nx.correlation.layer_similarity(X, it),
    "learning_curve": lambda it: nx.probing.learning_curve(it, X, Y, GROUPS, X, Y),
    "learning_curve X": lambda it: nx.probing.learning_curve(PROBE, it, Y, GROUPS, X, Y),
    "linguistic_correlation": lambda it: nx.ranking.linguistic_correlation(it),
    "load_model": lambda it: nx.load_model(it),
    "minimal_set": lambda it: nx.minimal_set(it, FITTED, X, Y, X, Y),
    "minimal_set probe": lambda it: nx.minimal_set(RANKING, it, X, Y, X, Y),
    "neuron_space": lambda it: nx.neuron_space(it),
    "online_code_length": lambda it: nx.probing.online_code_length(it, X, Y, GROUPS),
    "random_ranking": lambda it: nx.ranking.random_ranking(it),
    "rank_by_activation_difference": lambda it: nx.masking.rank_by_activation_difference(
        it, PAIRS, PAIRS
    ),
    "rank_by_integrated_gradients": lambda it: nx.masking.rank_by_integrated_gradients(
        it, PAIRS, PAIRS
    ),
    "rank_by_neuron_mask": lambda it: nx.masking.rank_by_neuron_mask(it, PAIRS),
    "rank_by_single_replacement": lambda it: nx.masking.rank_by_single_replacement(it, PAIRS),
    "localisation": lambda it: nx.evaluation.localisation(it, "tag"),
    "rank_intervals": lambda it: nx.evaluation.rank_intervals(it, X, Y, GROUPS),
    "rank_intervals X": lambda it: nx.evaluation.rank_intervals(
        nx.ranking.probeless, it, Y, GROUPS
    ),
    "read_columns": lambda it: nx.corpora.columns.read_columns(it),
    "read_conllu": lambda it: nx.read_conllu(it),
    "read_corpus": lambda it: nx.read_corpus(it),
    "read_csv": lambda it: nx.corpora.csv_table.read_csv(it, text_column="text"),
    "read_pairs": lambda it: nx.read_pairs(it),
    "read_parallel": lambda it: nx.corpora.read_parallel(it, "nowhere"),
    "read_splits": lambda it: nx.read_splits(it),
    "read_text": lambda it: nx.corpora.annotation.read_text(it),
    "disjoint_minimal_sets": lambda it: nx.evaluation.disjoint_minimal_sets(
        it, nx.ranking.linguistic_correlation, X, Y, X, Y
    ),
    "regularisation_search": lambda it: nx.probing.regularisation_search(it, X, Y, X, Y),
    "run_job": lambda it: nx.run_job(it),
    "score_description": lambda it: nx.descriptions.scoring.score_description(
        it, X[:, 0], GROUPS, threshold=0.5
    ),
    "score_with_references": lambda it: nx.descriptions.score_with_references(
        it, X[:, 0], GROUPS, threshold=0.5
    ),
    "score_pairs": lambda it: nx.interventions.score_pairs(it, PAIRS),
    "selectivity": lambda it: nx.selectivity(it, None, None, ["a"]),
    "selectivity train": lambda it: nx.selectivity(FITTED, it, it, ["a"]),
    "side_effects": lambda it: nx.interventions.side_effects(
        it, nx.NeuronMask.of(RANKING.space, [0])
    ),
    "steer": lambda it: nx.interventions.steer(it, "nowhere", PAIRS, PAIRS),
    "steer pairs": lambda it: nx.interventions.steer(RANKING, "nowhere", it, PAIRS),
    "add_to_neurons": lambda it: nx.interventions.add_to_neurons(
        it, RANKING.space, np.zeros(D)
    ).__enter__(),
    "add_to_neurons space": lambda it: nx.interventions.add_to_neurons(
        torch.nn.Linear(2, 2), it, X[0]
    ).__enter__(),
    "word_filter": lambda it: nx.corpora.word_filter(it),
    "ranking.activation_difference": lambda it: nx.ranking.activation_difference(it, X),
    "ranking.activation_probability": lambda it: nx.ranking.activation_probability(it, Y),
    "ranking.agreement": lambda it: nx.ranking.agreement(it, 2),
    "ranking.average_precision": lambda it: nx.ranking.average_precision(it, Y),
    "ranking.differentiable_mask": lambda it: nx.ranking.differentiable_mask(it, X, Y),
    "ranking.extra_trees": lambda it: nx.ranking.extra_trees(it, Y),
    "ranking.gaussian": lambda it: nx.ranking.gaussian(it, Y, X, Y),
    "ranking.integrated_gradients": lambda it: nx.ranking.integrated_gradients(it, X, Y),
    "ranking.layer_profiles": lambda it: nx.ranking.layer_profiles(it),
    "ranking.shared_neurons": lambda it: nx.ranking.shared_neurons(it),
    "ranking.iou": lambda it: nx.ranking.iou(it, Y),
    "ranking.lape": lambda it: nx.ranking.lape(it, Y),
    "ranking.lin_reg": lambda it: nx.ranking.lin_reg(it, [X]),
    "ranking.max_corr": lambda it: nx.ranking.max_corr(it, [X]),
    "ranking.max_corr others": lambda it: nx.ranking.max_corr(X, it),
    "ranking.matching_pursuit": lambda it: nx.ranking.matching_pursuit(it, X, Y),
    "ranking.mean_select": lambda it: nx.ranking.mean_select(it, Y),
    "ranking.merge_layers": lambda it: nx.ranking.merge_layers(it),
    "ranking.min_corr": lambda it: nx.ranking.min_corr(it, [X]),
    "ranking.mutual_information": lambda it: nx.ranking.mutual_information(it, Y),
    "ranking.one_per_cluster": lambda it: nx.ranking.one_per_cluster(it, None),
    "ranking.one_per_cluster clusters": lambda it: nx.ranking.one_per_cluster(RANKING, it),
    "ranking.permutation_importance": lambda it: nx.ranking.permutation_importance(it, Y, X, Y),
    "ranking.permuted_overlap": lambda it: nx.ranking.permuted_overlap(
        it, nx.ranking.probeless, X, Y, k=2
    ),
    "ranking.point_biserial": lambda it: nx.ranking.point_biserial(it, Y),
    "ranking.probeless": lambda it: nx.ranking.probeless(it, Y),
    "ranking.rank": lambda it: nx.ranking.rank(it, TASK),
    "ranking.rank task": lambda it: nx.ranking.rank("probeless", it),
    "ranking.rank_biased_overlap": lambda it: nx.ranking.rank_biased_overlap(it, RANKING, 0.9),
    "ranking.svcca": lambda it: nx.ranking.svcca(it, [X]),
    "ranking.variance": lambda it: nx.ranking.variance(it),
    "ranking.vote": lambda it: nx.ranking.vote(it),
}
FIRST = {name: use for name, use in FIRST.items() if use is not None}
ATTRIBUTIONS = [n for n in nx.attribution.__all__ if inspect.isfunction(getattr(nx.attribution, n))]


def of_attribution(name):
    """A function of attributions; what else it must have is nothing."""
    function = getattr(nx.attribution, name)
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    others = [None for p in required[1:] if p.kind is p.POSITIONAL_OR_KEYWORD]
    return lambda it: function(it, *others)


FIRST["write_report"] = lambda it: nx.write_report(it, "report.html")
FIRST["neuron_card"] = lambda it: nx.neuron_card("0:1", it)
FIRST["tokens_written"] = lambda it: nx.descriptions.tokens_written(it)
FIRST |= {f"attribution.{name}": of_attribution(name) for name in ATTRIBUTIONS}
FIRST["attribution.attribute_by texts"] = lambda it: nx.attribution.attribute_by("uniform", it)

WRONG = {
    "None": lambda: None,
    "int": lambda: 3,
    "float": lambda: 1.5,
    "bool": lambda: True,
    "str": lambda: "hello",
    "bytes": lambda: b"hello",
    "Path": lambda: Path("nowhere"),
    "list": lambda: [],
    "list of str": lambda: ["hello"],
    "list of None": lambda: [None],
    "dict": lambda: {},
    "dict of str": lambda: {"a": "b"},
    "set": lambda: {"hello"},
    "generator": lambda: (word for word in ["hello"]),
    "object": object,
    "class": lambda: nx.TaggedCorpus,
    "DataFrame": lambda: pandas.DataFrame({"word": ["a"], "tag": ["b"]}),
    "Series": lambda: pandas.Series(["a"]),
    "strings": lambda: np.array(["a", "b"]),
    "number array": lambda: np.array(3),
}


@pytest.mark.parametrize("use", FIRST.values(), ids=FIRST)
def test_a_first_argument_of_another_kind_is_refused_in_one_line(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, make in WRONG.items():
        with pytest.raises(InputError) as refused:
            use(make())
            pytest.fail(f"{name} passed")
        assert "\n" not in str(refused.value), name
        assert len(str(refused.value)) < 500, name
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_every_public_function_is_tried():
    groups = {name for name in nx.__all__ if inspect.ismodule(getattr(nx, name))}
    places = [nx, *(getattr(nx, name) for name in groups - {"attribution", "ranking"})]
    functions = {n for p in places for n in p.__all__ if inspect.isfunction(getattr(p, n))}
    rankers = {n for n in nx.ranking.__all__ if inspect.isfunction(getattr(nx.ranking, n))}
    assert functions - {"diagnose"} <= set(FIRST), "diagnose takes nothing"
    assert {n if n in FIRST else f"ranking.{n}" for n in rankers} <= set(FIRST)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: nx.labelled_splits("a.h5", CORPUS, "t"), "store is 'a.h5'; .*ActivationStore"),
        (lambda: nx.corpora.word_filter([["a"]]), "corpus is a list; give a TaggedCorpus"),
        (
            lambda: nx.corpora.word_filter(CORPUS, words="abc"),
            "words are one string, 'abc'; give a list",
        ),
        (lambda: nx.corpora.word_filter(CORPUS, words=[1]), "words: number 0 is 1; give strings"),
        (lambda: nx.probing.control_labels("abc", Y), "words are one string, 'abc'"),
        (lambda: clone(PROBE).fit(nx.TaggedCorpus, Y), "X is a type; give an array"),
        (
            lambda: nx.interventions.steer(RANKING, "m", "p.tsv", PAIRS),
            "not 'p.tsv'; read a file of them",
        ),
        (lambda: nx.ranking.linguistic_correlation(PROBE), "the probe is not fitted"),
        (lambda: nx.ablate([RANKING, "a"], X, Y), "one of the rankings is 'a'; give a NeuronRank"),
        (lambda: nx.ranking.vote([]), "no rankings; give at least one"),
    ],
)
def test_the_line_says_what_to_give(use, message):
    with pytest.raises(InputError, match=message):
        use()


@pytest.mark.parametrize(
    "parts",
    [(None, "a", "b"), (3, "a", "b"), ({}, "a", "b"), (("the", 1), "a", "b"), (("the",), 1, "b")],
)
def test_a_pair_is_of_strings(parts):
    with pytest.raises(InputError, match=r"prefix|right"):
        nx.MinimalPair(*parts)


def test_one_ranking_is_a_list_of_one():
    curves = nx.ablate(RANKING, X, Y, retrain=False, shares=0.5)
    assert [curve.method for curve in curves.curves] == ["linguistic-correlation"]
    np.testing.assert_array_equal(nx.ranking.vote(RANKING).order, nx.ranking.vote([RANKING]).order)
    assert nx.ranking.merge_layers(RANKING).space == RANKING.space
    assert nx.ranking.agreement(RANKING, 2).overlap == ((1.0,),)


# Numbers.


def test_numbers_of_numpy_and_torch(tmp_path):
    plain = nx.probing.learning_curve(
        PROBE, X, Y, GROUPS, X, Y, shares=(0.5, 1.0), n_seeds=2, seed=3
    )
    shares = np.array([0.5, 1.0], dtype=np.float32)
    of_numpy = nx.probing.learning_curve(
        PROBE, X, Y, GROUPS, X, Y, shares=shares, n_seeds=np.int64(2), seed=np.uint8(3)
    )
    assert of_numpy == plain
    of_numpy.save(tmp_path / "curve.json")
    assert LearningCurve.load(tmp_path / "curve.json") == plain

    curves = nx.ablate([RANKING], X, Y, shares=shares, n_random=np.int8(2), seed=torch.tensor(1))
    assert curves == nx.ablate([RANKING], X, Y, shares=[0.5, 1], n_random=2, seed=1)
    curves.save(tmp_path / "ablation.json")

    grid = nx.probing.batched.fit_grid(
        PROBE, X, Y, l1s=np.array([0.1, 0.01]), l2s=[np.float32(0.5)]
    )
    assert set(grid) == {(0.1, 0.5), (0.01, 0.5)}
    clone(PROBE).set_params(l1=np.float32(0.1), l2=np.array(0.1)).fit(X, Y).save(tmp_path / "p")

    ranking = nx.ranking.vote([RANKING], np.int64(2))
    ranking.save(tmp_path / "vote.json")
    assert nx.NeuronRanking.load(tmp_path / "vote.json").parameters["k"] == 2
    assert RANKING.top(np.int64(2)) == RANKING.top(torch.tensor(2)) == RANKING.top(2)
    nx.ranking.random_ranking(RANKING.space, np.int64(1)).save(tmp_path / "random.json")
    chosen = nx.ranking.gaussian(X, Y, X, Y, n_neurons=np.int64(2), n_dev=np.int32(50))
    chosen.save(tmp_path / "gaussian.json")
    nx.correlation.correlation_clusters(X, threshold=np.float32(0.5)).save(
        tmp_path / "clusters.json"
    )
    found, _ = nx.probing.regularisation_search(PROBE, X, Y, X, Y, l1s=np.array([0.1]), l2s=[0.1])
    found.save(tmp_path / "search.json")


@pytest.mark.parametrize(
    "use",
    [
        lambda number: nx.probing.learning_curve(PROBE, X, Y, GROUPS, X, Y, n_seeds=number),
        lambda number: nx.probing.learning_curve(PROBE, X, Y, GROUPS, X, Y, seed=number),
        lambda number: nx.ablate([RANKING], X, Y, n_random=number),
        lambda number: nx.ablate([RANKING], X, Y, seed=number),
        lambda number: nx.evaluation.disjoint_minimal_sets(
            FITTED, nx.ranking.linguistic_correlation, X, Y, X, Y, n_sets=number
        ),
        lambda number: nx.evaluation.rank_intervals(
            nx.ranking.probeless, X, Y, GROUPS, n_resamples=number
        ),
        lambda number: nx.evaluation.rank_intervals(
            nx.ranking.probeless, X, Y, GROUPS, seed=number
        ),
        lambda number: nx.probing.control_labels(["a"], Y, number),
        lambda number: nx.probing.online_code_length(PROBE, X, Y, GROUPS, seed=number),
        lambda number: nx.masking.fit_probe_mask(FITTED, X, n_rows=number),
        lambda number: nx.ranking.gaussian(X, Y, X, Y, n_neurons=number),
        lambda number: nx.ranking.mutual_information(X, Y, n_rows=number),
        lambda number: nx.ranking.extra_trees(X, Y, n_trees=number),
        lambda number: nx.ranking.permutation_importance(X, Y, X, Y, n_repeats=number),
        lambda number: nx.ranking.differentiable_mask(FITTED, X, Y, n_rows=number),
        lambda number: nx.ranking.random_ranking(RANKING.space, number),
        lambda number: nx.ranking.vote([RANKING], number),
        lambda number: nx.ranking.agreement([RANKING], number),
        lambda number: nx.corpora.word_filter(CORPUS, min_frequency=number),
        lambda number: RANKING.top(number),
        lambda number: ExtractOptions(batch_tokens=number),
    ],
)
def test_what_is_no_whole_number(use):
    for number in (1.5, 2.0, True, "1", np.float64(1.0), [1], -1, float("nan")):
        with pytest.raises(InputError) as refused:
            use(number)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["0.1", None, True, [0.1], {"a": 1}, object()])
def test_what_is_no_number(value):
    with pytest.raises(InputError, match=r"^x is .*; give a number$"):
        arguments.real_number(value, "x")
    for use in (
        lambda: clone(PROBE).set_params(l1=value).fit(X, Y),
        lambda: nx.correlation.correlation_clusters(X, threshold=value),
        lambda: nx.minimal_set(RANKING, FITTED, X, Y, X, Y, delta=value),
        lambda: RANKING.salient(value),
    ):
        with pytest.raises(InputError):
            use()


@pytest.mark.parametrize(
    "bad", ["0.1", [], [0], [1.1], [0.5, "a"], {"a": 1}, None, True, float("nan"), [[0.1]]]
)
def test_what_are_no_shares(bad):
    for use in (
        lambda: nx.ablate([RANKING], X, Y, shares=bad),
        lambda: nx.minimal_set(RANKING, FITTED, X, Y, X, Y, shares=bad),
        lambda: nx.probing.learning_curve(PROBE, X, Y, GROUPS, X, Y, shares=bad),
    ):
        with pytest.raises(InputError, match="share"):
            use()


def test_rankings_and_masks_of_lists(tmp_path):
    space = nx.NeuronSpace.of_array(3)
    ranking = nx.NeuronRanking(
        space, [2, 0, 1], [1, 0, 2], "own", tuple(np.array([0, 1])), [[1, 0, 2], [0, 1, 2]]
    )
    ranking.save(tmp_path / "own.json")
    again = nx.NeuronRanking.load(tmp_path / "own.json")
    assert again.top(1) == ranking.top(1) == [(0, 2)]
    assert again.classes == ranking.classes == (0, 1)
    mask = nx.NeuronMask(space, [0, 1, 0], [0.5, 0, 0])
    mask.save(tmp_path / "mask")
    assert nx.NeuronMask.load(tmp_path / "mask").neurons == mask.neurons == [(0, 1)]
    for use in (
        lambda: nx.NeuronRanking("m", [0], [1.0], "own"),
        lambda: nx.NeuronRanking(space, ["a", "b", "c"], [1, 2, 3], "own"),
        lambda: nx.NeuronRanking.from_scores(None, [1.0], "own"),
        lambda: nx.NeuronRanking.from_scores(space, ["a"] * 3, "own"),
        lambda: nx.NeuronMask(None, [0], [1]),
        lambda: nx.NeuronMask(space, ["a"] * 3, [0] * 3),
        lambda: mask.compare(ranking),
        lambda: RANKING.overlap(mask, 2),
    ):
        with pytest.raises(InputError):
            use()
