"""Every argument of a wrong kind is refused in one line, and not by a traceback from inside."""

import inspect
import warnings
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.activations.labelled_splits import LabelledSplits
from neurox_lite.activations.writer import open_writer
from neurox_lite.errors import InputError

N, D = 60, 4
Y = np.array(["a", "b", "c"])[np.arange(N) % 3]
X = np.random.default_rng(0).normal(size=(N, D)) + np.eye(3, D)[np.arange(N) % 3] * 3
DATA = {"X": X, "y": Y}
DEV, TEST = {"X_dev": X, "y_dev": Y}, {"X_test": X, "y_test": Y}
GROUPS = np.arange(N) // 6
PROBE = nx.ElasticNetProbe(tol=1e-2)
FITTED = clone(PROBE).fit(X, Y)
RANKING = nx.ranking.linguistic_correlation(FITTED)
PART = LabelledActivations(X, Y, np.arange(N), GROUPS)
WORDS = [f"w{number % 7}" for number in range(N)]
SENTENCES = [WORDS[first : first + 6] for first in range(0, N, 6)]
TAGS = {"tag": [Y[first : first + 6].tolist() for first in range(0, N, 6)]}
CORPUS = nx.TaggedCorpus(SENTENCES, TAGS, ["train"] * 6 + ["dev"] * 2 + ["test"] * 2)
SHARES = (0.5, 1.0)

WRONG = {
    "object": object(),
    "dict": {"a": 1},
    "float": 3.7,
    "str": "x",
    "negative": -1,
    "None": None,
    "list of None": [None],
}

MANY = nx.TaggedCorpus(
    [[*words[:-1], f"{n}"] for n in range(4) for words in SENTENCES], {"tag": TAGS["tag"] * 4}
)
SCORED = {"present": Y == "a", "activations": X[:, 0], "sentences": GROUPS, "threshold": 0.5}
VALID = {
    "ablate": {"rankings": [RANKING], **DATA, **TEST, "probe": FITTED, "shares": SHARES},
    "correlation.correlation_clusters": {"X": X},
    "correlation.layer_similarity": {"X": X, "other": X},
    "correlation.twins": {"activations": X},
    "corpora.annotate": {"corpus": CORPUS, "tag": "new", "rule": "w1.*"},
    "corpora.word_filter": {"corpus": CORPUS},
    "descriptions.compositional_formulas": {"X": X, "corpus": CORPUS, "min_count": 2},
    "describe": {"activations": np.tile(X, (4, 1)), "corpus": MANY, "min_count": 1},
    "descriptions.detect": SCORED,
    "descriptions.exemplars": {"activations": X, "corpus": CORPUS, "min_count": 2},
    "descriptions.score_with_references": SCORED,
    "intervals.accuracy_interval": {"right": Y == "a", "groups": GROUPS},
    "evaluation.compare_rankers": {
        "splits": LabelledSplits(PART, PART, PART, {}),
        "methods": ["variance"],
        "shares": (1.0,),
        "n_resamples": 0,
    },
    "evaluation.disjoint_minimal_sets": {
        "probe": FITTED,
        "rank": nx.ranking.linguistic_correlation,
        **DATA,
        **DEV,
    },
    "evaluation.localisation": {
        "splits": LabelledSplits(PART, PART, PART, {}),
        "tag": "tag",
        "shares": (0.9,),
        "n_resamples": 2,
        "space": RANKING.space,
    },
    "evaluation.rank_intervals": {
        "rank": nx.ranking.probeless,
        **DATA,
        "groups": GROUPS,
        "n_resamples": 2,
    },
    "masking.fit_probe_mask": {"probe": FITTED, "X": X[Y == "a"], "n_steps": 2},
    "minimal_set": {"ranking": RANKING, "probe": FITTED, **DATA, **DEV, "shares": SHARES},
    "probing.control_labels": {"words": WORDS, "task_labels": Y},
    "probing.batched.fit_grid": {"probe": PROBE, **DATA, "l1s": [0.1], "l2s": [0.1]},
    "probing.fit_layers": {"probe": PROBE, **DATA, "space": RANKING.space},
    "probing.fit_one_vs_rest": {"probe": PROBE, **DATA},
    "probing.layer_scores": {"probe": PROBE, **DATA, **TEST, "space": RANKING.space},
    "probing.learning_curve": {
        "probe": PROBE,
        **DATA,
        "groups": GROUPS,
        **TEST,
        "shares": SHARES,
        "n_seeds": 1,
    },
    "probing.online_code_length": {"probe": PROBE, **DATA, "groups": GROUPS},
    "probing.regularisation_search": {
        "probe": PROBE,
        **DATA,
        **DEV,
        "l1s": [0.1],
        "l2s": [0.1],
    },
    "ranking.activation_difference": {"X": X, "X_other": X + 1},
    "ranking.activation_probability": DATA,
    "ranking.agreement": {"rankings": [RANKING, RANKING], "k": 2},
    "ranking.average_precision": DATA,
    "ranking.extra_trees": {**DATA, "n_trees": 5},
    "ranking.gaussian": {**DATA, **DEV, "n_neurons": 2},
    "ranking.integrated_gradients": {"probe": FITTED, **DATA, "n_rows": 5, "n_steps": 2},
    "ranking.iou": DATA,
    "ranking.lape": DATA,
    "ranking.layer_profiles": {"rankings": {"a": RANKING}, "k": 2},
    "ranking.lin_reg": {"X": X, "others": [X]},
    "ranking.linguistic_correlation": {"probe": FITTED},
    "ranking.matching_pursuit": {"probe": FITTED, **DATA, "n_neurons": 2},
    "ranking.max_corr": {"X": X, "others": [X]},
    "ranking.mean_select": DATA,
    "ranking.merge_layers": {"rankings": [RANKING]},
    "ranking.min_corr": {"X": X, "others": [X]},
    "ranking.mutual_information": DATA,
    "ranking.one_per_cluster": {
        "ranking": RANKING,
        "clusters": nx.correlation.correlation_clusters(X),
    },
    "ranking.permutation_importance": {**DATA, **DEV, "n_trees": 5},
    "ranking.permuted_overlap": {
        "first": nx.ranking.probeless,
        "second": nx.ranking.mean_select,
        **DATA,
        "k": 2,
        "n_permutations": 2,
    },
    "ranking.point_biserial": DATA,
    "ranking.probeless": DATA,
    "ranking.random_ranking": {"space": RANKING.space},
    "ranking.rank": {"method": "probeless", "task": nx.ranking.RankingTask(X, Y)},
    "ranking.rank_biased_overlap": {"first": RANKING, "second": RANKING, "p": 0.9},
    "ranking.shared_neurons": {"rankings": {"a": RANKING, "b": RANKING}, "k": 2},
    "ranking.svcca": {"X": X, "others": [X]},
    "ranking.variance": {"X": X},
    "ranking.vote": {"rankings": [RANKING]},
    "selectivity": {"probe": FITTED, "train": PART, "test": PART, "words": WORDS},
}
TOO_SLOW = {
    # None is all methods; its arguments are in tests/attribution/test_comparison.py.
    "attribution.compare_attributions",
    "interventions.metrics.classification_accuracy",  # no embedded model classifies
    "fit_neuron_mask",  # but see the last test
    "masking.rank_by_integrated_gradients",
    "masking.rank_by_neuron_mask",
    "masking.rank_by_single_replacement",
    "ranking.differentiable_mask",
}
OF_ONE_NAME_OR_NOTHING = {"diagnose", "embedded_path", "run_job"}
OF_RESULTS = {"neuron_card"}  # any number of them, see tests/report/test_neuron_card.py


@pytest.fixture(scope="module")
def of_files(tmp_path_factory):
    """Valid calls of functions that read files, or a model."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "c.txt").write_text("\n".join(" ".join(words) for words in SENTENCES))
    (folder / "l.txt").write_text("\n".join(" ".join(row) for row in TAGS["tag"]))
    (folder / "c.tsv").write_text("a\tx\nb\ty\n\nc\tx\n")
    (folder / "c.csv").write_text("text,label\na b,x\nc,y\n")
    (folder / "c.conllu").write_text("1\ta\ta\tNOUN\t_\t_\t0\troot\t_\t_\n\n")
    RANKING.save(folder / "r.json")
    metadata = {"model": "m", "revision": "", "site": "hidden_states"}
    with open_writer(folder / "s.h5", CORPUS, dtype="float32", metadata=metadata) as writer:
        writer.append({0: X.astype("f4")})
        writer.finish({})
    store = nx.ActivationStore(folder / "s.h5")
    splits = dict.fromkeys(("train", "dev", "test"), folder / "c.conllu")
    model = nx.load_model(nx.embedded_path("models/lstm-0"), device="cpu", head="language")
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[:200]
    singular, plural = [
        [pair for pair in pairs if pair.right.endswith("s") == is_singular][:6]
        for is_singular in (True, False)
    ]
    texts = [" ".join(pair.prefix) for pair in pairs[:3]]
    space = nx.neuron_space(model)
    mask, ranking = nx.NeuronMask.of(space, [0, 1]), nx.ranking.random_ranking(space)
    of_pairs = {"model": model, "pairs": singular}
    encoded = nx.interventions.encode_pairs(model, singular)
    of_metric = {"model": model, "inputs": encoded, "where": nx.Location()}
    perplexity = nx.interventions.metrics.perplexity(model, texts)
    gates = np.zeros((1, space.n_neurons))
    transformer = nx.load_model(nx.embedded_path("models/gpt2"), device="cpu", head="language")
    explained = nx.attribution.ExplainedTexts.of_texts(transformer, [texts[0]])
    uniform = nx.attribution.uniform(explained)
    with_words = replace(uniform, words=(tuple(range(len(uniform.tokens[0]))),))
    other = replace(uniform, method="other")
    return {
        "align_stores": {"stores": [store, store]},
        "attribution.agreement": {"attributions": [uniform, other]},
        "attribution.attention_rollout": {"explained": explained},
        "attribution.attribute_by": {"method": "uniform", "explained": explained},
        "attribution.diffmask": {"explained": explained, "n_steps": 1},
        "attribution.diffmask_per_text": {"explained": explained, "n_steps": 1},
        "attribution.exact_erasure": {"explained": explained},
        "attribution.faithfulness": {
            "explained": explained,
            "attributions": uniform,
            "n_random": 1,
        },
        "attribution.gradient_times_input": {"explained": explained},
        "attribution.information_bottleneck": {"explained": explained, "n_steps": 1},
        "attribution.integrated_gradients": {"explained": explained, "n_points": 2},
        "attribution.kept_by": {
            "attributions": with_words,
            "labels": ["a", "b"] * len(uniform.tokens[0]),
        },
        "attribution.leave_one_out": {"explained": explained},
        "attribution.noise": {"explained": explained, "n_steps": 1},
        "attribution.random_attribution": {"explained": explained},
        "attribution.reinforce": {"explained": explained, "n_steps": 1},
        "attribution.state_moments": {"explained": explained},
        "attribution.uniform": {"explained": explained},
        "convert": {"source": folder / "s.h5", "out": folder / "o.json", "overwrite": True},
        "corpora.columns.read_columns": {"path": folder / "c.tsv", "columns": ["word", "tag"]},
        "corpora.csv_table.read_csv": {"path": folder / "c.csv", "text_column": "text"},
        "corpora.read_parallel": {"text_path": folder / "c.txt", "labels_path": folder / "l.txt"},
        "corpora.annotation.read_text": {"path": folder / "c.txt"},
        "extract": {
            "model": model,
            "corpus": nx.TaggedCorpus([text.split() for text in texts]),
            "out": folder / "e.h5",
            "overwrite": True,
        },
        "descriptions.causal_effect": {
            "model": model,
            "texts": texts,
            "neuron": "0:1",
            "present": [1, 0, 0],
            "n_random": 1,
        },
        "descriptions.tokens_written": {"model": transformer, "neurons": ["0:1"]},
        "intervene": {"model": model, "mask": mask},
        "interventions.ablate_in_model": {
            "rankings": ranking,
            "metric": perplexity,
            "shares": (0.5,),
            "n_random": 1,
        },
        "interventions.add_to_neurons": {
            "model": model,
            "space": space,
            "shift": np.zeros(space.n_neurons),
        },
        "interventions.encode_pairs": of_pairs,
        "interventions.score_pairs": of_pairs,
        **{
            f"interventions.metrics.{name}": of_metric
            for name in ("kl_elsewhere", "pair_accuracy", "pair_changes", "pair_log_odds")
        },
        **{
            f"interventions.metrics.{name}": {"model": model, "texts": texts}
            for name in ("kl_from_intact", "perplexity", "token_accuracy")
        },
        "interventions.metrics.custom_metric": {
            "name": "own",
            "model": model,
            "texts": texts,
            "function": lambda logits, rows: rows.double(),
        },
        "interventions.metrics.evaluate": {
            "metric": perplexity,
            "gates": gates,
            "values": gates[0],
        },
        "interventions.metrics.evaluate_additions": {"metric": perplexity, "shifts": gates},
        "interventions.side_effects": {**of_pairs, "mask": mask, "texts": texts, "n_random": 1},
        "interventions.steer": {
            "rankings": ranking,
            **of_pairs,
            "target_pairs": plural,
            "shares": (0.5,),
            "n_random": 1,
        },
        "labelled_splits": {"store": store, "corpus": CORPUS, "tag": "tag"},
        "load_model": {"name": nx.embedded_path("models/lstm-0"), "device": "cpu"},
        "masking.rank_by_activation_difference": {**of_pairs, "target_pairs": plural},
        "load_result": {"path": folder / "r.json"},
        "neuron_space": {"model": model},
        "read_conllu": {"path": folder / "c.conllu"},
        "read_corpus": {"path": folder / "c.conllu"},
        "read_pairs": {"path": nx.embedded_path("corpora/number-pairs.tsv")},
        "read_splits": {"corpus": splits},
        "write_report": {"folder": folder, "path": folder / "r.html"},
    }


def plain(name):
    return attrgetter(name)(nx)


def function(name):
    """A function; what it gives is entered, if it is only then that it does something."""
    found = plain(name)

    @wraps(found)
    def use(**arguments):
        result = found(**arguments)
        if isinstance(result, AbstractContextManager) and not isinstance(result, Path):
            with result:
                pass

    return use


def problems(name, valid):
    """Calls with one argument of another kind that end neither well nor in one line."""
    use, found = function(name), []
    parameters = inspect.signature(use).parameters.values()
    for parameter in (p.name for p in parameters if p.kind is not p.VAR_KEYWORD):
        for kind, value in WRONG.items():
            try:
                use(**{**valid, parameter: value})
            except InputError as error:
                if "\n" in str(error) or len(str(error)) > 500:
                    found.append(f"{parameter}={kind}: {error}")
            except Exception as error:
                found.append(f"{parameter}={kind}: {type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize("name", VALID)
def test_an_argument_of_another_kind_is_refused_in_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(name)(**VALID[name])
        assert problems(name, VALID[name]) == []


@pytest.mark.heavy
def test_and_so_is_one_of_functions_that_read_files(of_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, valid in of_files.items():
        function(name)(**valid)
        assert problems(name, valid) == [], name


@pytest.mark.parametrize("argument", ["bounds_from", "others", "method"])
@pytest.mark.parametrize(
    "value", [object(), 3.7, "x", [None]], ids=["object", "float", "str", "list"]
)
def test_and_so_are_those_of_a_mask_that_takes_time_to_fit(argument, value):
    pairs = nx.read_pairs(nx.embedded_path("corpora/number-pairs.tsv"))[:2]
    with pytest.raises(InputError, match=r"MinimalPair|method"):
        nx.fit_neuron_mask(nx.embedded_path("models/lstm-0"), pairs, **{argument: value})


def test_every_public_function_is_in_the_tables(of_files):
    groups = [name for name in nx.__all__ if inspect.ismodule(getattr(nx, name))]
    names = {f"{group}.{name}" for group in groups for name in getattr(nx, group).__all__}
    names |= {f"interventions.metrics.{name}" for name in nx.interventions.metrics.__all__}
    names |= set(nx.__all__)
    functions = {name for name in names if inspect.isfunction(plain(name))}
    no_table = {*TOO_SLOW, *OF_ONE_NAME_OR_NOTHING, *OF_RESULTS}
    tried = {plain(name) for name in {*VALID, *of_files, *no_table}}
    assert [name for name in functions if plain(name) not in tried] == []
