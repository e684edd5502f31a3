"""What is left out of the results, or of the report: no fault, but to be known."""

from __future__ import annotations

from neurox_lite.report.data import n_skipped
from neurox_lite.report.job_files import SUMMARY
from neurox_lite.report.subjects import Subjects


def notes(subjects: Subjects) -> list[str]:
    """Sentences with bad lines, words without activation, and damaged files."""
    found, said = subjects.found, []
    for home in found.homes:
        label = subjects.labels.get(home, "")
        before = f"{label}: " if label else ""
        skipped = n_skipped(found.folder / home / SUMMARY.name) if home in found.jobs else 0
        if skipped:
            said.append(f"{before}{skipped:,} sentences with bad lines are left out.")
        before = found.label_of_store(label)
        said += [f"{before}{each}" for each in _of_store(found.stores.get(home, {}))]
    said += [f"Left out of this report: {each}." for each in (*found.damaged, *found.no_stores)]
    return list(dict.fromkeys(said))


def _of_store(metadata: dict[str, int]) -> list[str]:
    said = []
    truncated, dropped = (metadata.get(f"n_{kind}_words", 0) for kind in ("truncated", "dropped"))
    if truncated or dropped:
        said.append(
            f"{truncated + dropped:,} words have no activation and are left out: {truncated:,} "
            f"beyond the model's limit, {dropped:,} dropped by the tokenizer."
        )
    return said
