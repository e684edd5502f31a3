"""The words of the embedded grammar, read from ``data/lexicon.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from neurox_lite.errors import InputError
from neurox_lite.input_files import read_yaml


class Noun(NamedTuple):
    """A noun; ``she`` is the probability that a pronoun for its singular is feminine."""

    singular: str
    plural: str
    kind: str
    she: float = 0.0

    @property
    def gender(self) -> str:
        """``Fem`` or ``Masc`` for a gendered noun, ``""`` for all others."""
        if self.kind != "person":
            return ""
        return {1.0: "Fem", 0.0: "Masc"}.get(self.she, "")


class Verb(NamedTuple):
    """The forms of a verb: she *knows*, they *know*, they *knew*, they have *known*."""

    singular: str
    plural: str
    past: str
    participle: str


class Name(NamedTuple):
    """A first name and its gender, ``Fem`` or ``Masc``."""

    form: str
    gender: str


@dataclass(frozen=True)
class Lexicon:
    """All words by category; the comments of ``data/lexicon.yaml`` explain them."""

    people: tuple[Noun, ...]
    animals: tuple[Noun, ...]
    objects: tuple[Noun, ...]
    names: tuple[Name, ...]
    verbs: dict[str, tuple[Verb, ...]]
    auxiliaries: dict[str, list[str]]
    adjectives: dict[str, list[str]]
    adverbs: dict[str, list[str]]
    prepositions: list[str]
    determiners: dict[str, list[str]]
    numerals: list[str]
    conjunctions: dict[str, Any]
    relative_pronouns: dict[str, list[str]]
    pronouns: dict[str, dict[str, str]]
    punctuation: list[str]

    def forms(self) -> list[str]:
        """Every word form once, sorted."""
        nouns = (*self.people, *self.animals, *self.objects)
        verbs = [verb for group in self.verbs.values() for verb in group]
        lists: list[Any] = [
            [form for noun in nouns for form in (noun.singular, noun.plural)],
            [name.form for name in self.names],
            [form for verb in verbs for form in verb],
            *self.auxiliaries.values(),
            *self.adjectives.values(),
            *self.adverbs.values(),
            *self.determiners.values(),
            *self.relative_pronouns.values(),
            *(cases.values() for cases in self.pronouns.values()),
            self.prepositions,
            self.numerals,
            self.conjunctions["coordinating"],
            self.conjunctions["subordinating"],
            self.punctuation,
            [self.conjunctions["complementizer"], "an"],
        ]
        return sorted({form for forms in lists for form in forms})


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a lexicon in the format of ``data/lexicon.yaml``; InputError when it is not one."""
    raw = read_yaml(path)
    try:
        groups = [*raw["people"], *raw["professions"]]
        made: dict[str, Any] = {
            "people": tuple(
                _noun(forms, "person", float(group["she"]))
                for group in groups
                for forms in group["nouns"]
            ),
            "animals": tuple(_noun(forms, "animal") for forms in raw["animals"]),
            "objects": tuple(_noun(forms, "object") for forms in raw["objects"]),
            "names": tuple(
                Name(form, gender)
                for key, gender in (("feminine", "Fem"), ("masculine", "Masc"))
                for form in raw["names"][key]
            ),
            "verbs": {
                category: tuple(_verb(forms) for forms in verbs)
                for category, verbs in raw["verbs"].items()
            },
        }
        lists = Lexicon.__annotations__.keys() - made.keys()
        return Lexicon(**made, **{category: raw[category] for category in lists})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: not a lexicon ({error}); compare it with data/lexicon.yaml"
        ) from None


def _noun(forms: str, kind: str, she: float = 0.0) -> Noun:
    singular, plural = forms.split()
    return Noun(singular, plural, kind, she)


def _verb(forms: str) -> Verb:
    singular, plural, past, *rest = forms.split()
    return Verb(singular, plural, past, participle=rest[0] if rest else past)
