"""Hashes of words and labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def hash_rows(rows: Sequence[Sequence[str]]) -> str:
    """SHA-256 of nested strings, unambiguously: every string is preceded by its length.

    Activation stores on disk carry it, so it never changes.
    """
    # Each distinct string is encoded once: a treebank has fifty tags of a few labels each.
    framed = {item: b"%d:%b" % (len(item.encode()), item.encode()) for item in set().union(*rows)}
    digest = hashlib.sha256()
    for row in rows:
        digest.update(b"[%d]" % len(row))
        digest.update(b"".join(map(framed.__getitem__, row)))
    return digest.hexdigest()
