"""What summary.md says about the words, labels and activations that the results are of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neurox_lite.corpora.label_rules import LabelRules
from neurox_lite.corpora.word_selection import WordSelection
from neurox_lite.escaping import markdown, markdown_code
from neurox_lite.models.vocabulary import WARN_SHARE
from neurox_lite.public_names import public_name
from neurox_lite.report.markdown import percent
from neurox_lite.results.ranking import NeuronRanking

SKIPPED = re.compile(r"^\*\*([\d,]+) sentences with bad lines are left out\*\*", re.MULTILINE)
MOST_LINES = 20
"""Bad lines that are listed; ``neurox-lite run --json`` has all."""


def changed_labels(rules: LabelRules) -> str:
    """What was done to the labels, nothing if they are those of the file."""
    done = ["prefixes as in B-PER stripped"] * rules.strip_bio
    done += [markdown(rule) for rule in rules.label_map]
    return f"; labels changed: {', '.join(done)}" if done else ""


def skipped_lines(skipped: Sequence[str]) -> str:
    """How many sentences of a corpus have bad lines, and which are the first."""
    lines = [f"- {markdown(line)}" for line in skipped[:MOST_LINES]]
    if len(skipped) > MOST_LINES:
        lines.append("- ...")
    head = f"**{len(skipped):,} sentences with bad lines are left out**:"
    return "\n".join([head, "", *lines])


def n_skipped(summary: Path) -> int:
    """How many sentences :func:`skipped_lines` says are left out, in a summary; 0 without one."""
    if not summary.is_file():
        return 0
    said = SKIPPED.search(summary.read_text("utf-8", "replace"))
    return int(said[1].replace(",", "")) if said else 0


def chosen_words(words: WordSelection) -> str:
    """The options that choose words, none if all words are used."""
    default = asdict(WordSelection())
    chosen = {k: value for k, value in asdict(words).items() if value != default[k]}
    if words.where:
        tags = ((t, [v] if isinstance(v, str) else v) for t, v in words.where.items())
        chosen["where"] = " ".join(f"{tag}={','.join(labels)}" for tag, labels in tags)
    if words.file is not None:
        chosen["file"] = public_name(words.file)
    options = [f"{k} {markdown_code(value)}" for k, value in chosen.items()]
    return f"; only words chosen by {', '.join(options)}" if options else ""


def setting(
    ranking: NeuronRanking, metadata: dict[str, Any], n_words: int, evaluation: dict[str, Any]
) -> str:
    """Which neurons and words there are, and which words are left out."""
    space = ranking.space
    pooling = metadata.get("pooling")
    unit = "sentences" if pooling else "words"
    rows = f"{pooling} of a sentence" if pooling else f"{metadata['aggregation']} subword"
    lines = [
        f"{space.n_neurons:,} neurons: {space.site}, layers {', '.join(map(str, space.layers))}; "
        f"{n_words:,} {unit}, {rows}, stored as {metadata['dtype']}. "
        f"Labelled {unit}: {evaluation['n_train']:,} train, {evaluation['n_dev']:,} dev, "
        f"{evaluation['n_test']:,} test."
    ]
    lost = metadata["n_truncated_words"] + metadata["n_dropped_words"]
    if lost:
        lines.append(
            f"**{lost:,} words have no activation and are left out**: "
            f"{metadata['n_truncated_words']:,} beyond the model's limit, "
            f"{metadata['n_dropped_words']:,} dropped by the tokenizer."
        )
    lines.append(_known_words(metadata))
    if evaluation["left_out"]:
        rare = ", ".join(
            f"{markdown(name)} ({count})" for name, count in evaluation["left_out"].items()
        )
        lines.append(f"Classes left out because they are rare in train, with their words: {rare}.")
    return "\n\n".join(lines)


def _known_words(metadata: dict[str, Any]) -> str:
    """How many words the tokenizer did not know or split."""
    if "n_unknown_words" not in metadata:
        return "How many words the tokenizer did not know was not counted."
    n_words, n_unknown, n_split = (
        metadata[f"n_{kind}words"] for kind in ("", "unknown_", "split_")
    )
    unknown = f"{n_unknown:,} of {n_words:,} words ({percent(n_unknown / n_words)})"
    if n_unknown >= WARN_SHARE * n_words:
        unknown = f"**{unknown}**"
    return (
        f"{unknown} hold the unknown token of the tokenizer; {n_split:,} "
        f"({percent(n_split / n_words)}) are split into several subwords."
    )
