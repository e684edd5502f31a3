"""Activations and labels are given as ``(X, y)``, or as LabelledActivations in the place of X."""

import dataclasses

import numpy as np
import pytest

import neurox_lite as nx
from neurox_lite.activations.inputs import LabelledActivations
from neurox_lite.errors import InputError
from tests.test_every_argument import GROUPS, PART, RANKING, VALID, X, Y, plain

PARTS = ("", "_dev", "_test")
NUMBERS = X[:, 0] - X[:, 1]
OF_NUMBERS = LabelledActivations(X, NUMBERS)


def calls(*names):
    """Public functions that take arguments of these names, and valid arguments."""
    return {
        name: (plain(name), arguments)
        for name, arguments in VALID.items()
        if all(argument in arguments for argument in names)
    }


LABELLED = {
    **calls("X", "y"),
    "ranking.gaussian with test": (
        nx.ranking.gaussian,
        {**VALID["ranking.gaussian"], "X_test": X, "y_test": Y},
    ),
    "ranking.differentiable_mask": (
        nx.ranking.differentiable_mask,
        {"probe": VALID["ablate"]["probe"], "X": X, "y": Y, "n_rows": 12},
    ),
    "ablate without a probe": (
        nx.ablate,
        {"rankings": [RANKING], "X": X, "y": Y, "retrain": False},
    ),
    "rank_intervals of a probe": (
        nx.evaluation.rank_intervals,
        {
            **VALID["evaluation.rank_intervals"],
            "rank": nx.ranking.linguistic_correlation,
            "probe": VALID["ablate"]["probe"],
        },
    ),
    "ElasticNetProbe.fit": (nx.ElasticNetProbe().fit, {"X": X, "y": Y}),
    "ElasticNetProbe.score": (nx.ElasticNetProbe().fit(X, Y).score, {"X": X, "y": Y}),
}


def in_place_of_X(arguments):
    """The same, of words with their labels and sentences."""
    given = dict(arguments)
    given.pop("groups", None)
    for part in PARTS:
        if f"X{part}" in given:
            labels = given.pop(f"y{part}")
            given[f"X{part}"] = LabelledActivations(given[f"X{part}"], labels, sentences=GROUPS)
    return given


def content(result):
    """All that a result holds, as what can be compared by its text."""
    if isinstance(result, dict):
        return {key: content(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return [content(value) for value in result]
    if isinstance(result, np.ndarray):
        return result.tolist()
    if dataclasses.is_dataclass(result):
        return [content(getattr(result, field.name)) for field in dataclasses.fields(result)]
    if hasattr(result, "coef_"):
        return content({name: vars(result)[name] for name in sorted(vars(result))})
    return result


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", LABELLED)
def test_labelled_activations_are_as_good_as_X_and_y(name):
    function, arguments = LABELLED[name]
    assert repr(content(function(**in_place_of_X(arguments)))) == repr(
        content(function(**arguments))
    )


@pytest.mark.parametrize("name", LABELLED)
def test_labels_are_given_once_and_where_they_belong(name):
    function, arguments = LABELLED[name]
    labelled = in_place_of_X(arguments)
    for part in [part for part in PARTS if f"X{part}" in arguments]:
        with pytest.raises(InputError, match=f"^X{part} has labels of its own; leave out y{part}$"):
            function(**{**labelled, f"y{part}": Y})
        place = "give it as X_dev= or X_test="
        with pytest.raises(InputError, match=f"^y{part} is LabelledActivations; {place}$"):
            function(**{**labelled, f"y{part}": PART})
        missing = {**arguments}
        del missing[f"y{part}"]
        if part == "_test" and name.startswith("ablate"):
            wanted = "^X_test and y_test belong together; give both or neither$"
        elif name in ("ElasticNetProbe.fit", "probing.batched.fit_grid", "probing.fit_one_vs_rest"):
            wanted = "^requires y to be passed, but the target y is None; give one label a row$"
        else:
            wanted = f"^y{part} is None; give one label per row, as a list or an array$"
        with pytest.raises(InputError, match=wanted):
            function(**missing)


def test_sentences_can_be_told_otherwise():
    probe = nx.ElasticNetProbe(tol=1e-2)
    told = nx.probing.online_code_length(probe, PART, groups=np.arange(len(Y)))
    assert told == nx.probing.online_code_length(probe, X, Y, np.arange(len(Y)))
    assert told != nx.probing.online_code_length(probe, PART)
    with pytest.raises(InputError, match="groups is None; give one label per row"):
        nx.probing.online_code_length(probe, X, Y)


def test_dev_by_position_is_refused_with_the_name_it_needs():
    for ranker in (nx.ranking.gaussian, nx.ranking.probeless):
        with pytest.raises(InputError, match="y is LabelledActivations; give it as X_dev="):
            ranker(PART, PART)


OTHERS = ("X", "other", "X_other", "others")
"""Names of activations without labels."""
UNLABELLED = {name: call for name, call in calls("X").items() if "y" not in call[1]}


@pytest.mark.parametrize("name", UNLABELLED)
def test_where_no_labels_are_needed_theirs_do_not_matter(name):
    function, arguments = UNLABELLED[name]
    given = dict(arguments)
    for argument in (each for each in OTHERS if each in given):
        value = given[argument]
        if isinstance(value, list):
            given[argument] = [LabelledActivations(each, np.zeros(len(each))) for each in value]
        else:
            given[argument] = LabelledActivations(value, np.zeros(len(value)))
    assert repr(content(function(**given))) == repr(content(function(**arguments)))


def test_probes_answer_for_them():
    probe = nx.ElasticNetProbe().fit(PART)
    for method in ("predict", "predict_proba", "decision_function", "logits"):
        np.testing.assert_array_equal(getattr(probe, method)(PART), getattr(probe, method)(X))
    regression = nx.probing.ElasticNetRegression(l1=0.1).fit(OF_NUMBERS)
    np.testing.assert_array_equal(regression.predict(OF_NUMBERS), regression.predict(X))
    assert regression.score(OF_NUMBERS) == regression.score(X, NUMBERS) > 0.5
    for score in (probe.score, regression.score):
        with pytest.raises(InputError, match="X has labels of its own; leave out y"):
            score(OF_NUMBERS, NUMBERS)


def test_a_ranking_task_takes_its_parts_apart():
    task = nx.ranking.RankingTask(PART, X_dev=PART, X_test=PART)
    for values in ((task.X, task.y), (task.X_dev, task.y_dev), (task.X_test, task.y_test)):
        assert values == (PART.X, PART.y)
    with pytest.raises(InputError, match="X_dev has labels of its own; leave out y_dev"):
        nx.ranking.RankingTask(PART, X_dev=PART, y_dev=Y)


def test_they_are_not_put_into_each_other():
    with pytest.raises(InputError, match="give its activations and labels"):
        LabelledActivations(PART, Y)
