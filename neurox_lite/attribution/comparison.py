"""Attribution methods side by side: how faithful each is, whether they agree, what it costs."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.arguments import expect, one_or_more, strings
from neurox_lite.attribution.agreement import AttributionAgreement, agreement
from neurox_lite.attribution.collecting import check_explained
from neurox_lite.attribution.faithfulness import Faithfulness, faithfulness
from neurox_lite.attribution.kept_tokens import KeptTokens, kept_by
from neurox_lite.attribution.methods import OwnMethod, attribute_by
from neurox_lite.attribution.states import validate_state
from neurox_lite.attribution_methods import ATTRIBUTION_METHODS
from neurox_lite.choices import unknown_choice
from neurox_lite.errors import InapplicableError, InputError
from neurox_lite.figures import Given, save_result
from neurox_lite.interventions.explained_texts import ExplainedTexts
from neurox_lite.measure import measure
from neurox_lite.outputs import atomic_write_folder, result_names
from neurox_lite.results.html import as_html
from neurox_lite.results.tables import Table, as_pandas, write_table
from neurox_lite.results.token_attributions import TokenAttributions
from neurox_lite.seeds import validate_seed
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

WANTED = "names of methods, functions of ExplainedTexts, or TokenAttributions"

NAMES = (
    *result_names("faithfulness", "agreement", "comparison"),
    *(f"{name}.html" for name in ATTRIBUTION_METHODS),
    *result_names(*ATTRIBUTION_METHODS, *(f"kept-{name}" for name in ATTRIBUTION_METHODS)),
)
"""Of the files that :meth:`AttributionComparison.save` writes."""


@dataclass(frozen=True)
class AttributionComparison:
    """Attributions of the same texts by several methods, or one.

    Attributes
    ----------
    attributions : tuple of TokenAttributions
    seconds : tuple of float
        Of each, per text; NaN where they were given.
    faithfulness : Faithfulness
    agreement : AttributionAgreement, optional
        Of two methods or more.
    kept : tuple of KeptTokens
        Of the methods that know states, where words have labels.
    left_out : dict
        Methods that these texts or this model do not admit, with the reason.
    """

    attributions: tuple[TokenAttributions, ...]
    seconds: tuple[float, ...]
    faithfulness: Faithfulness
    agreement: AttributionAgreement | None
    kept: tuple[KeptTokens, ...]
    left_out: Mapping[str, str]

    __repr__ = short_repr
    to_pandas = as_pandas
    _repr_html_ = as_html

    @property
    def doubts(self) -> dict[str, str]:
        """The methods whose training does not hold, with what does not."""
        return {each.method: each.status for each in self.attributions if not each.holds}

    def __str__(self) -> str:
        facts = {"texts": self.faithfulness.n_texts, "left out": len(self.left_out)}
        lines = str(self.faithfulness).splitlines()[2:]
        return summary(f"AttributionComparison of {len(self.attributions)} methods", facts, lines)

    def table(self) -> Table:
        """A header, and a row per method: seconds per text, and what is known of faithfulness."""
        header, *rows = self.faithfulness.table()
        seconds = [*self.seconds, None]  # of the random order
        return [
            [header[0], "seconds per text", *header[1:]],
            *([row[0], cost, *row[1:]] for row, cost in zip(rows, seconds, strict=True)),
        ]

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """Faithfulness; the other parts draw themselves."""
        return self.faithfulness.plot(ax, title=title)

    def save(
        self,
        folder: str | Path,
        *,
        title: str | None = None,
        figure_format: str = "png",
        table_format: str | None = None,
    ) -> None:
        """Write the attributions (JSON, CSV, HTML, a heat map of the first text), and the rest.

        Files are called as their methods; signs that no file should have in its name become ``-``.

        Parameters
        ----------
        folder : path
            Files of the same names in it are replaced, if neurox_lite wrote them.
        title : str, optional
            Of figures.
        figure_format : {"png", "pdf", "svg"}
        table_format : {"csv", "latex"}, optional
            Of what has JSON alone.

        Raises
        ------
        InputError
            When files of two would have the same name.
        """
        rest: dict[str, Any] = {"faithfulness": self.faithfulness, "agreement": self.agreement}
        rest |= {f"kept-{_file_name(each.method)}": each for each in self.kept}
        names = [_file_name(each.method) for each in self.attributions]
        for name, each in zip(names, self.attributions, strict=True):
            if [*names, *rest, "comparison"].count(name) > 1:
                raise InputError(
                    f"attributions '{each.method}': other files are called {name}; give another "
                    "name, dataclasses.replace(attributions, method=...)"
                )
        with atomic_write_folder(folder, NAMES) as new:
            for name, each in zip(names, self.attributions, strict=True):
                path = new / f"{name}.json"
                save_result(each, path, title=title, figure_format=figure_format)
                each.save(path.with_suffix(".csv"))
                each.save(path.with_suffix(".html"))
            for name, result in rest.items():
                if result is not None:
                    save_result(
                        result,
                        new / f"{name}.json",
                        title=title,
                        figure_format=figure_format,
                        table_format=table_format,
                    )
            write_table(new / "comparison.csv", self.table())


def _file_name(method: str) -> str:
    """Of a method, whatever others called it."""
    return re.sub(r"[^\w-]+", "-", method)


def compare_attributions(
    explained: ExplainedTexts,
    methods: Sequence[str | OwnMethod | TokenAttributions] | None = None,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    labels: Sequence[str] | None = None,
    seed: int = 0,
) -> AttributionComparison:
    """Explain texts by several methods, and compare them.

    Parameters
    ----------
    explained : ExplainedTexts
    methods : sequence of str, function or TokenAttributions, optional
        Names, functions of one's own as for :func:`~neurox_lite.attribution.attribute_by`, or
        attributions that there are already. By default all methods that are installed.
    options : mapping from a method's name to its options, optional
    labels : (n_words,) sequence of str, optional
        Of the words of the texts, such as ``corpus.labels("upos")``, to see which kinds are kept
        from state to state; see :func:`~neurox_lite.attribution.kept_by`.
    seed : int
        Of methods and of faithfulness.

    Raises
    ------
    InputError
        When a method that was named does not exist or fails. Of all methods those are left out
        that these texts or this model do not admit, and the result says why.
    """
    check_explained(explained)
    seed = validate_seed(seed)
    options = expect({} if options is None else options, Mapping, "options", "a dict per method")
    if labels is not None:
        labels = strings(labels, "labels")
    chosen: list[Any] = [row.name for row in ATTRIBUTION_METHODS.values() if row.is_installed]
    if methods is not None:
        chosen = one_or_more(methods, (str, TokenAttributions, Callable), "methods", WANTED)
    names = [method for method in chosen if isinstance(method, str)]
    for name in names:
        if name not in ATTRIBUTION_METHODS:
            raise unknown_choice("method", name, ATTRIBUTION_METHODS, "or a function")
        if names.count(name) > 1:
            raise InputError(f"method '{name}' is given twice; give it once")
    for name in options:
        if name not in names:
            raise unknown_choice("method in options", name, names)
        given = expect(options[name], Mapping, f"options of '{name}'", "a dict")
        if "state" in given:
            validate_state(explained, given["state"])  # before other methods take hours
    found, seconds, left_out = [], [], {}
    for method in chosen:
        if isinstance(method, TokenAttributions):
            found.append(method)
            seconds.append(float("nan"))
            continue
        try:
            with measure() as cost:
                found.append(attribute_by(method, explained, **_options(method, options, seed)))
        except InapplicableError as error:
            if methods is not None:
                raise
            left_out[str(method)] = str(error)
            logger.info("%s is left out: %s", method, error)
            continue
        seconds.append(cost.seconds / len(explained))
    faith = faithfulness(explained, found, seed=seed)
    said = {each for method in found for each in method.said}
    says_so = {row.name for row in ATTRIBUTION_METHODS.values() if row.learns}
    learned = any(each.method in says_so for each in found)
    if len(said) == 1 and len(explained) > 1 and faith.measure == "probability" and not learned:
        logger.warning(
            "the model says '%s' of all %d texts: which tokens speak for something else cannot be "
            "seen; give texts of which it says different things",
            *said,
            len(explained),
        )
    if labels is not None and not any(each.states for each in found):
        logger.warning("no method has values by state, so that labels of words tell nothing")
    kept = () if labels is None else tuple(kept_by(each, labels) for each in found if each.states)
    return AttributionComparison(
        tuple(found),
        tuple(seconds),
        faith,
        agreement(found) if len(found) > 1 else None,
        kept,
        left_out,
    )


def _options(
    method: str | OwnMethod, options: Mapping[str, Mapping[str, Any]], seed: int
) -> dict[str, Any]:
    """A method's options, and the seed where it takes one."""
    if not isinstance(method, str) or method not in ATTRIBUTION_METHODS:
        return {}
    takes = {option.name for option in ATTRIBUTION_METHODS[method].options}
    return {**({"seed": seed} if "seed" in takes else {}), **options.get(method, {})}
