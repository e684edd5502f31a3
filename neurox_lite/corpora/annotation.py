"""Plain text, and labels made from it by a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from pathlib import Path

from neurox_lite.arguments import expect
from neurox_lite.corpora.tagged_corpus import TaggedCorpus
from neurox_lite.corpora.text_files import open_text, split_words
from neurox_lite.corpora.whole_words import whole_word
from neurox_lite.errors import InputError
from neurox_lite.labels import is_missing

POSITIVE, NEGATIVE = "positive", "negative"

Rule = str | re.Pattern[str] | Set[str] | Callable[[str], str]


def read_text(path: str | Path) -> TaggedCorpus:
    """Read plain text: one sentence per line, words separated by whitespace, no labels.

    Parameters
    ----------
    path : str or Path
        Read as gzip when its name ends in ``.gz``. Blank lines are skipped.

    Returns
    -------
    TaggedCorpus

    Raises
    ------
    InputError
        When the file cannot be read or has no words.
    """
    with open_text(path) as file:
        sentences = tuple(
            split_words(line, f"{path}: line {number}")
            for number, line in enumerate(file, start=1)
            if not line.isspace()
        )
    return TaggedCorpus(sentences, source=str(path))


def annotate(corpus: TaggedCorpus, tag: str, rule: Rule) -> TaggedCorpus:
    """Label every word of a corpus by a rule.

    Parameters
    ----------
    corpus : TaggedCorpus
    tag : str
        What to call the labels; a tag of this name is replaced.
    rule : str, re.Pattern, set of str or function
        A regular expression (the words it matches as a whole are ``"positive"``, the others
        ``"negative"``), a set of words (its members are ``"positive"``), or a function from a
        word to its label, ``""`` for none.

    Returns
    -------
    TaggedCorpus
        The same words and tags, and the new one.

    Raises
    ------
    InputError
        When the rule is of another type or not a valid regular expression, a function returns
        something other than a str, or all labelled words get the same label, so that there is
        nothing to tell apart.
    """
    expect(corpus, TaggedCorpus, "corpus", "a TaggedCorpus, such as nx.read_corpus(path)")
    expect(tag, str, "tag", "a name, as a string")
    label = _as_function(rule, tag)
    label_of = {word: label(word) for word in dict.fromkeys(corpus.words())}
    for word, value in label_of.items():
        if not isinstance(value, str):
            raise InputError(
                f"annotation '{tag}': the function returned {value!r} for '{word}'; "
                "return a str, '' for no label"
            )
    distinct = {value for value in label_of.values() if not is_missing(value)}
    if len(distinct) < 2:
        what = f"only the label '{distinct.pop()}'" if distinct else "no label at all"
        raise InputError(
            f"{corpus.source}: annotation '{tag}' by {_shown(rule)} gives {what}; "
            "give a rule that tells words apart"
        )
    rows = tuple(tuple(label_of[word] for word in words) for words in corpus.sentences)
    return corpus.with_tags(tag, rows)


def _as_function(rule: Rule, tag: str) -> Callable[[str], str]:
    if isinstance(rule, str):
        rule = whole_word(rule, f"annotation '{tag}'")
    if isinstance(rule, re.Pattern):
        pattern = rule
        return lambda word: POSITIVE if pattern.fullmatch(word) else NEGATIVE
    if isinstance(rule, Set):
        members = rule
        return lambda word: POSITIVE if word in members else NEGATIVE
    if not callable(rule):
        raise InputError(
            f"annotation '{tag}': a rule cannot be a {type(rule).__name__}; "
            "give a regular expression, a set of words or a function"
        )
    return rule


def _shown(rule: Rule) -> str:
    if isinstance(rule, str | re.Pattern):
        return f"the pattern '{rule if isinstance(rule, str) else rule.pattern}'"
    if isinstance(rule, Set):
        return f"a set of {len(rule)} words"
    return f"the function {getattr(rule, '__name__', repr(rule))}"
