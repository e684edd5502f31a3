"""Rules that change the labels of a tag: prefixes stripped, labels mapped to others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.whole_words import whole_word
from neurox_lite.errors import InputError
from neurox_lite.labels import UNLABELLED

BIO = re.compile(r"[BIESLUM]-(.+)", re.DOTALL)
"""Labels of the schemes BIO, BIOES, BILOU and BMES; ``O`` has no prefix."""


@dataclass(frozen=True)
class LabelRules:
    r"""What is done to the labels of a tag before anything else; by default nothing.

    Attributes
    ----------
    strip_bio : bool
        ``B-PER`` and ``I-PER`` become ``PER``; ``O`` stays. Before ``label_map``.
    label_map : sequence of str
        ``"pattern=label"``: a label that the regular expression matches as a whole becomes the
        other one, in which ``\1`` is the pattern's first group. Of several the first that matches
        is used. Nothing after ``=`` makes it no label.

    Raises
    ------
    InputError
        When a rule is not of this form.
    """

    strip_bio: bool = False
    label_map: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.label_map, str | Mapping):
            raise InputError(
                f"label_map is {self.label_map!r}; give a list of rules, as ['nsubj:.*=nsubj']"
            )
        for rule in self.label_map:
            _parts(rule)

    def apply(self, corpus: TaggedCorpus, tag: str) -> TaggedCorpus:
        """The corpus with the labels of a tag changed.

        Raises InputError when it has no such labels, no prefix to strip, or a rule is for none.
        """
        if not self.strip_bio and not self.label_map:
            return corpus
        distinct = sorted(set(corpus.labels(tag).tolist()) - {UNLABELLED})
        new = {label: label for label in distinct}
        if self.strip_bio:
            new = {label: _without_prefix(label) for label in distinct}
            if all(old == label for old, label in new.items()):
                raise InputError(
                    f"{corpus.source}: no label of '{tag}' has a prefix as in B-PER; leave out "
                    "strip_bio (--strip-bio)"
                )
        if self.label_map:
            mapped = _mapped(sorted(set(new.values())), self.label_map, f"{corpus.source}: '{tag}'")
            new = {old: mapped[label] for old, label in new.items()}
        new[UNLABELLED] = UNLABELLED
        rows = tuple(tuple(new[label] for label in row) for row in _rows(corpus, tag))
        return replace(corpus, tags={**corpus.tags, tag: rows})

    def by_tag(self, corpus: TaggedCorpus, tags: Sequence[str]) -> dict[str, LabelRules]:
        """For each of several tags the rules that are for labels of it.

        Raises InputError when one is for none of the tags.
        """
        found = {tag: self._of(set(corpus.labels(tag).tolist()) - {UNLABELLED}) for tag in tags}
        where = f"{corpus.source}: {', '.join(tags)}"
        if self.strip_bio and not any(rules.strip_bio for rules in found.values()):
            raise InputError(f"{where}: no label has a prefix as in B-PER; leave out strip_bio")
        for rule in self.label_map:
            if not any(rule in rules.label_map for rules in found.values()):
                raise InputError(
                    f"{where}: label_map '{rule}': it matches no label of any of them that no "
                    "earlier rule matches"
                )
        return found

    def _of(self, labels: set[str]) -> LabelRules:
        strip_bio = self.strip_bio and any(BIO.fullmatch(label) for label in labels)
        if strip_bio:
            labels = {_without_prefix(label) for label in labels}
        used = {
            next((r for r in self.label_map if _parts(r)[0].fullmatch(label)), None)
            for label in labels
        }
        return LabelRules(strip_bio, [rule for rule in self.label_map if rule in used])


def _parts(rule: str) -> tuple[re.Pattern[str], str]:
    if not isinstance(rule, str) or "=" not in rule:
        raise InputError(
            f"label_map: {rule!r} is not a rule; give PATTERN=LABEL, as 'nsubj:.*=nsubj'"
        )
    pattern, _, label = rule.rpartition("=")
    expression = whole_word(pattern, "label_map")
    try:
        re.compile(pattern + "|").sub(label, "")
    except (re.error, IndexError) as error:
        raise InputError(f"label_map: '{rule}': {error}; correct the label") from None
    return expression, label


def _without_prefix(label: str) -> str:
    found = BIO.fullmatch(label)
    return found[1] if found else label


def _mapped(labels: Sequence[str], rules: Sequence[str], where: str) -> dict[str, str]:
    mapped = {label: label for label in labels}
    unused = dict.fromkeys(rules)
    for label in labels:
        for rule in rules:
            pattern, new = _parts(rule)
            found = pattern.fullmatch(label)
            if found:
                mapped[label] = found.expand(new)
                unused.pop(rule, None)
                break
    for rule in unused:
        shadowed = any(_parts(rule)[0].fullmatch(label) for label in labels)
        why = "an earlier rule takes all labels it matches" if shadowed else "it matches no label"
        shown = ", ".join(labels[:20])
        raise InputError(f"{where}: label_map '{rule}': {why}; the labels are: {shown}")
    return mapped


def _rows(corpus: TaggedCorpus, tag: str) -> Sequence[Sequence[str]]:
    if tag in corpus.tags:
        return corpus.tags[tag]
    flat = iter(corpus.labels(tag).tolist())
    return [[next(flat) for _ in words] for words in corpus.sentences]
