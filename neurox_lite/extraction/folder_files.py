"""The files of the folder of an extraction: their names, whose they are, and removing them."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from pathlib import Path
from typing import Any

from neurox_lite.activations.store import IN_FOLDER
from neurox_lite.errors import InputError
from neurox_lite.files import leftovers, remove_leftovers
from neurox_lite.json_files import read_json
from neurox_lite.locks import hold_lock, lock_of

FORMAT = "neurox_lite extraction"
VERSION = 1
MANIFEST, SHARDS, BATCH = "manifest.json", "shards", "batch_tokens.json"
OUR_NAMES = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(BATCH)}|{re.escape(IN_FOLDER)}|{SHARDS}/\d{{5,}}\.h5|"
    rf"\.lock[^/]*|({SHARDS}/)?\.[^/]+\.(lock|[0-9a-f]{{12}}\.partial)"
)
"""The files of an extraction's folder."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder that an extraction has made; empty if there is none."""
    try:
        manifest = read_json(folder / MANIFEST)
    except InputError:
        return {}
    is_ours = isinstance(manifest, dict) and manifest.get("format") == FORMAT
    return manifest if is_ours else {}


def is_damaged(folder: Path) -> bool:
    """Whether a folder has a manifest of an extraction that cannot be read."""
    file = folder / MANIFEST
    return file.is_file() and FORMAT.encode() in file.read_bytes() and not read_manifest(folder)


def refuse_other_than_store(folder: Path) -> None:
    """Raise InputError when a folder is not a store, or has more in it than one."""
    foreign = foreign_file(folder)
    if not (foreign or read_manifest(folder) or is_damaged(folder)):
        foreign = folder
    if foreign:
        raise InputError(
            f"{foreign}: was not written by neurox_lite as part of the store {folder}, which would "
            "be replaced; move it away or give another output"
        )


def foreign_file(folder: Path) -> Path | None:
    """A file in a folder whose name is none that an extraction gives, or a symbolic link."""
    for place, folders, files in os.walk(folder):
        for path in [Path(place, name) for name in (*files, *folders)]:
            name = path.relative_to(folder).as_posix()
            is_folder = path.is_dir() and name == SHARDS
            if path.is_symlink() or not (is_folder or OUR_NAMES.fullmatch(name)):
                return path
    return None


def remove_leftovers_of(store: Path) -> None:
    """Remove what killed processes were writing of a finished store, unless one is writing it."""
    places = {store.parent: [glob.escape(store.name)], store: [IN_FOLDER, f"{SHARDS}/*.h5"]}
    if any(leftovers(folder, names) for folder, names in places.items()):
        with contextlib.suppress(InputError, OSError), hold_lock(store, lock_of(store)):
            for folder, names in places.items():
                remove_leftovers(folder, names)


def remove_ours(folder: Path) -> None:
    """Remove the files that an extraction has written, and the folder if nothing else is there."""
    for path in (*folder.glob("*"), *folder.glob(f"{SHARDS}/*")):
        if OUR_NAMES.fullmatch(path.relative_to(folder).as_posix()):
            with contextlib.suppress(OSError):
                path.unlink()
    for place in (folder / SHARDS, folder):
        with contextlib.suppress(OSError):  # something else is there
            place.rmdir()
