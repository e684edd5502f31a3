"""What a command is going to write is checked, and kept from others, before it begins to work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from neurox_lite.files import refuse_file
from neurox_lite.outputs import find_files, refuse_input, reserve_file, reserve_folder

Inputs = str | Sequence[str] | None


def claim_file(context: typer.Context, out: str, overwrite: bool, *inputs: Inputs) -> None:
    """Let nobody else write a file until the command ends.

    Raises InputError when it exists and may not be overwritten, cannot be written, is one of the
    inputs, or another process writes it.
    """
    refuse_input(out, *_files(inputs))
    context.with_resource(reserve_file(out, overwrite))


def claim_folder(
    context: typer.Context, out: str, names: Sequence[str], overwrite: bool, *inputs: Inputs
) -> None:
    """Let nobody else write into a folder until the command ends.

    Parameters
    ----------
    context : typer.Context
    out : str
    names : sequence of str
        Patterns of the files to be written; those there must have been written by neurox_lite.
    overwrite : bool
    *inputs
        Files and folders that are read, as the command line has them.
    """
    refuse_file(out)
    files = list(_files(inputs))
    for place in (Path(out), *find_files(Path(out), names)):
        refuse_input(place, *files)
    context.with_resource(reserve_folder(out, names, overwrite))


def refuse_inputs(out: str, *inputs: Inputs) -> None:
    """Raise InputError when an output is one of the inputs, or inside of a model's folder."""
    refuse_input(out, *_files(inputs))


def _files(inputs: Sequence[Inputs]) -> Iterator[str]:
    for given in inputs:
        for text in [given] if isinstance(given, str) else given or ():
            split, is_split, file = text.partition("=")
            yield file if is_split and split in ("train", "dev", "test") else text
