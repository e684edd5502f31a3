"""What results are of: which property, in which model, of which corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from neurox_lite.neurons import NeuronSpace
from neurox_lite.public_names import public_name, without_split
from neurox_lite.report.blocks import Block
from neurox_lite.report.found import Found, FoundResults
from neurox_lite.showing import short_repr


@dataclass(frozen=True)
class Subject:
    """Of a job, or of all results that belong to none.

    Attributes
    ----------
    tag : str
        As a person would call it; empty where it is not known, as is the corpus.
    models : tuple of str
        One of a job.
    corpus : str
    """

    tag: str
    models: tuple[str, ...]
    corpus: str

    @property
    def model(self) -> str:
        """All of them."""
        return " and ".join(self.models)

    @property
    def title(self) -> str:
        """``upos in bert``."""
        return " in ".join(part for part in (self.tag, self.model) if part)


@dataclass(frozen=True)
class Subjects:
    """Results, and what each of them is to be called.

    Attributes
    ----------
    found : FoundResults
    """

    found: FoundResults

    __repr__ = short_repr

    @cached_property
    def of_homes(self) -> dict[str, Subject]:
        """By the folder of a job."""
        return {home: self._subject(home) for home in self.found.homes}

    @cached_property
    def labels(self) -> dict[str, str]:
        """What tells a job from the others, by its folder; empty of a single one.

        Results of no job have none among jobs: they are told by the folder that they are in.
        """
        return self.labels_among(self.of_homes)

    def labels_among(self, homes: Iterable[str]) -> dict[str, str]:
        """The same of some folders: what tells each job from the others of these."""
        found = self.found
        labels = dict.fromkeys(homes, "")
        jobs = {
            home: self.of_homes[home]
            for home in labels
            if home in found.jobs and not found.is_several(home)
        }
        if len(jobs) < 2 and len(labels) == len(jobs):
            return labels
        for parts in (("tag",), ("tag", "model"), ("tag", "model", "corpus")):
            named = {
                home: ", ".join(filter(None, (getattr(s, part) for part in parts)))
                for home, s in jobs.items()
            }
            if len(set(named.values())) == len(named):
                return labels | named
        return labels | {home: home for home in jobs}

    def name(self, found: Found, *more: str) -> str:
        """What to call a result among the others of its kind; empty where it is the only one."""
        label = self.labels.get(found.home, "")
        same = self.found.of(found.kind, found.home)
        is_other = not label and found.home in self.of_homes and len(self.of_homes) > 1
        is_among = len(same) > 1 or is_other
        place = found.place or found.path.stem
        if [each.place for each in same].count(found.place) > 1 and found.path.suffix:
            place = "/".join(filter(None, (found.place, found.path.stem)))
        parts = (label, place if is_among else "", *more)
        return ", ".join(part for part in parts if part)

    def blocks(self, kind: str, draw: Callable[[Any, str], Iterable[Block]]) -> list[Block]:
        """What is drawn of every result of a kind, each given with what to call it."""
        return [
            block for found in self.found.of(kind) for block in draw(found.result, self.name(found))
        ]

    @property
    def title(self) -> str:
        """Of all results together."""
        subjects = list(self.of_homes.values())
        tags = ", ".join(dict.fromkeys(s.tag for s in subjects if s.tag))
        models = " and ".join(dict.fromkeys(m for s in subjects for m in s.models))
        return " in ".join(part for part in (tags, models) if part) or "Results"

    def _subject(self, home: str) -> Subject:
        job = self.found.jobs.get(home, {})
        model = str(job.get("model") or "")
        results = [each.result for each in self.found.results if each.home == home]
        known = dict.fromkeys(space.model for space in map(space_of, results) if space is not None)
        models = (public_name(model),) if model else tuple(known)
        if home in self.found.jobs:
            return Subject(str(job.get("tag") or ""), models, ", ".join(_files(job.get("corpus"))))
        noted = [labels for labels in map(_labels_of, results) if labels]
        tags = list(dict.fromkeys(map(_tag_of, noted)))
        files = (each for labels in noted for each in labels.get("corpus", ()))
        corpus = ", ".join(dict.fromkeys(without_split(str(file)) for file in files))
        return Subject(tags[0] if len(tags) == 1 else "", models, corpus)


def space_of(result: Any) -> NeuronSpace | None:
    """The neurons that a result is of, where it says so."""
    space = getattr(result, "space", None) or getattr(getattr(result, "mask", None), "space", None)
    return space if isinstance(space, NeuronSpace) else None


def _labels_of(result: Any) -> dict[str, Any]:
    """What `rank` and `probe` note of the labels that they were given."""
    is_plain = isinstance(result, Mapping)
    provenance = result.get("provenance") if is_plain else getattr(result, "provenance", None)
    labels = provenance.get("labels") if isinstance(provenance, Mapping) else None
    return dict(labels) if isinstance(labels, Mapping) else {}


def _tag_of(labels: Mapping[str, Any]) -> str:
    """``upos``, or ``NOUN of upos`` of one label against all others."""
    return " of ".join(str(labels[name]) for name in ("label", "tag") if labels.get(name))


def _files(corpus: Any) -> list[str]:
    files = corpus.values() if isinstance(corpus, Mapping) else [corpus] if corpus else []
    return list(dict.fromkeys(public_name(str(file)) for file in files))
