"""What the results are of, and what made them."""

from __future__ import annotations

from typing import Any

from neurox_lite.report.encoded import encoded
from neurox_lite.report.main_ranking import main_rankings
from neurox_lite.report.subjects import Subjects
from neurox_lite.version import __version__

NAMES = ("property", "model", "revision", "corpus")
"""Facts that are told without the job that they are of."""


def provenance(subjects: Subjects) -> list[list[str]]:
    """Names and values; what differs between jobs is told of each."""
    of_homes = {home: _of_home(subjects, home) for home in subjects.found.homes}
    names = list(dict.fromkeys(name for facts in of_homes.values() for name in facts))
    rows = []
    for name in names:
        values = {home: facts[name] for home, facts in of_homes.items() if name in facts}
        if len(set(values.values())) == 1:
            rows.append([name, next(iter(values.values()))])
        else:
            said = (_of_several(subjects, home, name, value) for home, value in values.items())
            rows.append([name, "; ".join(dict.fromkeys(said))])
    return [*rows, ["report by", f"neurox_lite {__version__}"]]


def _of_several(subjects: Subjects, home: str, name: str, value: str) -> str:
    if name in NAMES:
        return value
    return f"{subjects.labels[home] or 'other results'}: {value}"


def _of_home(subjects: Subjects, home: str) -> dict[str, str]:
    subject, job = subjects.of_homes[home], subjects.found.jobs.get(home, {})
    facts: dict[str, str] = {}
    if subject.tag:
        facts["property"] = subject.tag
    if subject.model:
        facts["model"] = subject.model
    if subject.corpus:
        facts["corpus"] = subject.corpus
    ranking = main_rankings(subjects).get(home)
    if ranking is not None:
        space = ranking.space
        if space.revision:
            facts["revision"] = space.revision
        layers = ", ".join(map(str, space.layers))
        facts[space.unit_name] = f"{space.n_neurons:,} of {space.site}, layers {layers}"
        facts["ranked by"] = ranking.method
    facts |= _of_store(subjects.found.stores.get(home))
    for one in encoded(subjects):
        if one.home == home and not one.name.count(","):
            splits = ("train", "dev", "test")
            counts = (f"{one.evaluation[f'n_{split}']:,} {split}" for split in splits)
            facts["labelled"] = ", ".join(counts)
            left_out = one.evaluation.get("left_out")
            if left_out:
                rare = ", ".join(f"{name} ({count})" for name, count in left_out.items())
                facts["left out as rare in train"] = rare
            break
    return facts | _of_job(job)


def _of_store(metadata: dict[str, Any] | None) -> dict[str, str]:
    if metadata is None:
        return {}
    pooling = metadata.get("pooling")
    rows = f"{pooling} of a sentence" if pooling else f"{metadata.get('aggregation')} subword"
    unit = "sentences" if pooling else "words"
    facts = {
        "activations": f"{metadata['n_rows']:,} {unit}, {rows}, stored as {metadata.get('dtype')}"
    }
    if metadata.get("package_version"):
        facts["extracted by"] = f"neurox_lite {metadata['package_version']}"
    lost = metadata.get("n_truncated_words", 0) + metadata.get("n_dropped_words", 0)
    if lost:
        facts["without activation"] = (
            f"{lost:,} words, which are left out: {metadata['n_truncated_words']:,} beyond the "
            f"model's limit, {metadata['n_dropped_words']:,} dropped by the tokenizer"
        )
    if "n_unknown_words" in metadata:
        counts = (metadata[f"n_{kind}words"] for kind in ("", "unknown_", "split_"))
        n_words, n_unknown, n_split = (f"{count:,}" for count in counts)
        facts["tokenizer"] = f"{n_unknown} of {n_words} words unknown, {n_split} split"
    return facts


def _of_job(job: dict[str, Any]) -> dict[str, str]:
    facts = {}
    if "seed" in job:
        facts["seed"] = str(job["seed"])
    probe = job.get("probe")
    if isinstance(probe, dict) and not probe.get("search"):
        facts["penalties"] = f"l1 = {probe.get('l1')}, l2 = {probe.get('l2')}"
    rules = job.get("label_map") or []
    if job.get("strip_bio"):
        rules = ["prefixes as in B-PER stripped", *rules]
    if rules:
        facts["labels changed"] = ", ".join(map(str, rules))
    words = job.get("words")
    if isinstance(words, dict):
        chosen = {key: value for key, value in words.items() if value not in (None, 0, {}, [])}
        if chosen:
            facts["words chosen by"] = ", ".join(f"{k} {v}" for k, v in chosen.items())
    return facts
