"""What neurons are about: at most two descriptions a sign, or none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurox_lite.descriptions.description_scores import DescriptionScore
from neurox_lite.descriptions.exemplars_html import descriptions_html
from neurox_lite.descriptions.neuron_exemplars import NeuronExemplars
from neurox_lite.descriptions.page import page
from neurox_lite.descriptions.reference_scores import MeanScores
from neurox_lite.errors import InputError
from neurox_lite.escaping import figure_text
from neurox_lite.figures import MOST, PALETTE, Given, finish, known_title, panels
from neurox_lite.files import write_text
from neurox_lite.json_files import write_json
from neurox_lite.neurons import Neuron, NeuronSpace
from neurox_lite.results.saving import SavedResult
from neurox_lite.results.tables import Table, as_pandas, is_table_name, write_table
from neurox_lite.showing import short_repr, summary

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from neurox_lite.descriptions.neuron_tokens import TokensWritten

SIGNS = ("highest", "lowest")
WORD, SENTENCE = "word", "sentence"
MOST_BARS = 30


@dataclass(frozen=True)
class Description:
    """Something that a neuron's exemplars have more often than others.

    Attributes
    ----------
    text : str
        As ``upos=VERB`` of the word at which the neuron is largest, or ``fresh bread`` of the
        sentence.
    level : {"word", "sentence"}
        Which of these.
    n_with, n_exemplars : int
        Exemplars that have it, and all.
    share : float
        Of the sentences that have it, or how likely a word of a sentence has it.
    log_odds : float
    p, q : float
        The probability of so many by chance, and the false discovery rate (Benjamini & Hochberg)
        over all neurons and descriptors. Below 1e-300 they are 0.
    score : DescriptionScore
        On the other half of the sentences.
    """

    text: str
    level: str
    n_with: int
    n_exemplars: int
    share: float
    log_odds: float
    p: float
    q: float
    score: DescriptionScore

    __repr__ = short_repr


@dataclass(frozen=True)
class NeuronDescription:
    """Of one neuron at one sign.

    Attributes
    ----------
    neuron : Neuron
    sign : {"highest", "lowest"}
        Whether its largest activations are described, or its smallest.
    descriptions : tuple of Description
        At most two, the best first.
    other_half : tuple of str
        What the other half of the sentences says, in the same way.
    reason : str
        Why there is none.
    """

    neuron: Neuron
    sign: str
    descriptions: tuple[Description, ...]
    other_half: tuple[str, ...]
    reason: str = ""

    __repr__ = short_repr

    @property
    def texts(self) -> tuple[str, ...]:
        """Of the descriptions, with their level."""
        return tuple(f"{one.level}: {one.text}" for one in self.descriptions)

    @property
    def jaccard(self) -> float | None:
        """Of the descriptions that both halves give; None where neither gives any."""
        return jaccard(self.texts, self.other_half)


def jaccard(one: tuple[str, ...], other: tuple[str, ...]) -> float | None:
    """Size of the intersection over that of the union; None of two empty sets."""
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else None


@dataclass(frozen=True)
class NeuronDescriptions(SavedResult):
    """Descriptions of neurons, and what chance would give.

    Attributes
    ----------
    space : NeuronSpace
    source : str
        The corpus.
    n_sentences : (int, int)
        Of the half that descriptions are made from, and of the one they are scored on.
    n_descriptors : (int, int)
        Of words, and of sentences.
    share : float
        Of the sentences that are exemplars.
    jaccard, jaccard_by_chance : float, optional
        Mean over described neurons and signs, and the same with the other half of another neuron;
        None where nothing is described, the second also of one neuron alone.
    described_by_chance : float
        Share of neurons and signs that would be described among these if their activations were
        shuffled.
    means : tuple of MeanScores
        Of the descriptions, of a constant one in their place, and of these with shuffled
        activations; empty where nothing is described.
    neurons : tuple of NeuronDescription
        Two for each neuron.
    exemplars : tuple of NeuronExemplars
        Of each neuron.
    """

    space: NeuronSpace
    source: str
    n_sentences: tuple[int, int]
    n_descriptors: tuple[int, int]
    share: float
    jaccard: float | None
    jaccard_by_chance: float | None
    described_by_chance: float
    means: tuple[MeanScores, ...]
    neurons: tuple[NeuronDescription, ...]
    exemplars: tuple[NeuronExemplars, ...]

    KIND = "neuron descriptions"
    __repr__ = short_repr
    to_pandas = as_pandas

    def _repr_html_(self) -> str:
        """The best descriptions, each with sentences at which the neuron is largest."""
        own = {each.neuron: each for each in self.exemplars}
        return descriptions_html(self, [(one, own.get(one.neuron)) for one in self._described()])

    def __str__(self) -> str:
        n_described = len({one.neuron for one in self.neurons if one.descriptions})
        facts = {
            "described": f"{n_described} of {len({one.neuron for one in self.neurons})} neurons",
            "same in both halves": self.jaccard,
            "by chance": self.jaccard_by_chance,
            "described when shuffled": self.described_by_chance,
        }
        lines = [
            *(f"mean AUPRC of {mean.of} {mean.auprc}" for mean in self.means),
            *(f"{one.neuron} {one.sign}: {', '.join(one.texts)}" for one in self._described()),
        ]
        return summary(f"NeuronDescriptions of {self.space.model} in {self.source}", facts, lines)

    def of(self, neuron: Any) -> tuple[NeuronDescription, NeuronDescription]:
        """Of one neuron, its highest and its lowest activations.

        Raises
        ------
        InputError
            When there is no such neuron, or it was not asked for.
        """
        (column,) = self.space.columns_of(neuron).tolist()
        wanted = self.space.neuron(column)
        found = [one for one in self.neurons if one.neuron == wanted]
        if not found:
            raise InputError(f"neuron {wanted} was not described; describe it, too")
        return found[0], found[1]

    def _described(self) -> list[NeuronDescription]:
        """Those with descriptions, the best first."""
        some = [one for one in self.neurons if one.descriptions]
        return sorted(some, key=lambda one: -one.descriptions[0].score.auprc.value)

    def table(self) -> Table:
        """A header, and a row per description; one without text where there is none.

        The last rows are means of the scores: of all descriptions, of a constant one and of
        shuffled activations.
        """
        measures = ("auprc", "f1", "iou", "correlation")
        ends = [f"{name}{end}" for name in measures for end in ("", " low", " high")]
        names = ["neuron", "sign", "level", "description", "with", "exemplars", "share"]
        rows: Table = [[*names, "log_odds", "p", "q", *ends, "density", "prevalence", "reason"]]
        for one in self.neurons:
            for each in one.descriptions:
                counted = [each.level, each.text, each.n_with, each.n_exemplars, each.share]
                scores = [end for name in measures for end in getattr(each.score, name).as_json()]
                rest = [each.score.density, each.score.prevalence, None]
                odds = [each.log_odds, each.p, each.q]
                rows.append([str(one.neuron), one.sign, *counted, *odds, *scores, *rest])
            if not one.descriptions:
                empty = [None] * (len(rows[0]) - 3)
                rows.append([str(one.neuron), one.sign, *empty, one.reason])
        for mean in self.means:
            scores = [end for name in measures for end in getattr(mean, name).as_json()]
            rows.append(["mean", None, None, mean.of, *[None] * 6, *scores, *[None] * 3])
        return rows

    def plot(self, ax: Given = None, *, title: str | None = None) -> Figure:
        """AUPRC of the best descriptions with their intervals, and what a constant one has."""
        shown = self._described()[:MOST_BARS]
        axes = panels(ax, size=(7.5, 1.2 + 0.25 * max(1, len(shown))))
        axis = axes[0]
        places = np.arange(len(shown))
        scores = [one.descriptions[0].score for one in shown]
        values = np.array([score.auprc.value for score in scores])
        low = np.array([max(0, score.auprc.low) for score in scores])
        high = np.array([min(1, score.auprc.high) for score in scores])
        axis.barh(
            places,
            values,
            xerr=(values - low, high - values),
            height=0.6,
            color=PALETTE[0],
            ecolor="0.4",
        )
        axis.plot([score.density for score in scores], places, "|", color="black", label="chance")
        labels = (f"{one.neuron} {one.sign}: {one.descriptions[0].text}" for one in shown)
        axis.set_yticks(places, [figure_text(label, MOST) for label in labels])
        axis.invert_yaxis()
        axis.set_xlim(0, 1)
        axis.set_xlabel("AUPRC on held-out sentences")
        axis.set_title("the best description of each neuron and sign", fontsize=10)
        known = known_title(ax, title, self.space.model, self.source)
        return finish(axes, ax, known, legend=1)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, or under a name in ``.csv`` or ``.tex`` the table."""
        if is_table_name(path):
            write_table(path, self.table())
            return
        neurons = [
            {
                **asdict(one),
                "descriptions": [
                    {**asdict(each), "score": each.score.as_json()} for each in one.descriptions
                ],
            }
            for one in self.neurons
        ]
        head = {"kind": self.KIND, **vars(self), "space": self.space.to_dict()}
        parts = {
            "means": [one.as_json() for one in self.means],
            "neurons": neurons,
            "exemplars": [asdict(one) for one in self.exemplars],
        }
        write_json(path, {**head, **parts})

    def save_page(self, path: str | Path, written: TokensWritten | None = None) -> None:
        """Write a page (HTML) with the descriptions, words and sentences of every neuron.

        Parameters
        ----------
        path : str or Path
        written : TokensWritten, optional
            The tokens they write, see :func:`neurox_lite.descriptions.tokens_written`.

        Raises
        ------
        InputError
            When ``written`` is of another model or site, or not of all of the neurons.
        """
        if written is not None:
            written.require_space(self.space)
        write_text(path, page(self, written))

    @staticmethod
    def from_json(fields: dict[str, Any]) -> dict[str, Any]:
        neurons = []
        for one in fields["neurons"]:
            descriptions = (
                Description(
                    **{
                        **each,
                        "score": DescriptionScore(**DescriptionScore.from_json(each["score"])),
                    }
                )
                for each in one["descriptions"]
            )
            neuron = Neuron(*one["neuron"])
            neurons.append(
                NeuronDescription(**{**one, "neuron": neuron, "descriptions": tuple(descriptions)})
            )
        exemplars = map(NeuronExemplars.from_json, fields["exemplars"])
        return {
            **fields,
            "space": NeuronSpace.from_dict(fields["space"]),
            "means": tuple(map(MeanScores.from_json, fields["means"])),
            "neurons": tuple(neurons),
            "exemplars": tuple(NeuronExemplars(**own) for own in exemplars),
        }
