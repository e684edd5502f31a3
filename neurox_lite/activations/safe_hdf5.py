"""HDF5 files that nobody need trust: opened, and their parts looked at before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from neurox_lite.activations.checksums import DamagedError
from neurox_lite.errors import InputError
from neurox_lite.input_files import refuse_special

HARMLESS_FILTERS = {h5py.h5z.FILTER_FLETCHER32}
"""Filters of HDF5 that a store may have: not those that make much out of little."""

MOST_PACKED = 1100
"""How many times smaller than its data a file can be: HDF5's deflate reaches 1032."""


def open_hdf5(path: str | Path) -> h5py.File:
    """Open an HDF5 file for reading; InputError when it is none, or one that is cut short."""
    try:
        refuse_special(path)
        return h5py.File(path, "r")
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: not a readable HDF5 file ({reason}); give another file, put back a copy or "
            "make it again"
        ) from None


@contextmanager
def one_line(where: str | Path) -> Iterator[None]:
    """Make one DamagedError of whatever h5py raises while it reads a damaged or hostile file."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(
            f"{where}: damaged, it cannot be read ({reason}); put back a copy or extract again"
        ) from None


def check_links(group: h5py.Group, path: str | Path) -> None:
    """Raise InputError for a link in a group to something elsewhere."""
    for name in group:
        kind = type(group.get(name, getlink=True))
        if kind is not h5py.HardLink:
            where = "another file" if kind is h5py.ExternalLink else "another place"
            raise InputError(
                f"{path}: {group.name.rstrip('/')}/{name} is a link to {where}, which is not "
                "followed; give a file that holds its own data"
            )


def dataset(
    group: h5py.Group, name: str, path: str | Path, *, virtual: bool = False
) -> h5py.Dataset:
    """A dataset that has its data in its own file, all of it, and unpacked.

    Raises InputError when it has its data in other files, or is packed, and DamagedError when it
    is missing, or has less data than its shape says.
    """
    where = f"{path}: {group.name.rstrip('/')}/{name}"
    found = group.get(name)
    if not isinstance(found, h5py.Dataset):
        raise DamagedError(f"{where} is missing; put back a copy or extract again")
    check_inside(found, where, virtual=virtual)
    if not filters_of(found) <= HARMLESS_FILTERS:
        raise InputError(
            f"{where} is compressed, as no store of neurox_lite is; unpack it with "
            "'h5repack -f NONE' or extract again"
        )
    if not found.is_virtual and found.size and found.id.get_storage_size() < found.nbytes:
        raise DamagedError(
            f"{where} has {found.id.get_storage_size()} bytes, too few for its shape "
            f"{found.shape}; put back a copy or extract again"
        )
    return found


def check_inside(
    found: h5py.Dataset, where: str, *, virtual: bool = False, most_packed: int = 1
) -> None:
    """Raise InputError for a dataset that has its data in other files, or not at all."""
    if found.external is not None or (found.is_virtual and not virtual):
        raise InputError(
            f"{where} has its data in other files, which are not read; give a file that holds its "
            "own data"
        )
    if found.shape is None:
        raise DamagedError(f"{where} has no shape; put back a copy or extract again")
    size = found.dtype.itemsize
    for length in found.shape:
        size *= length
    if not found.is_virtual and size > Path(found.file.filename).stat().st_size * most_packed:
        raise DamagedError(
            f"{where} of shape {found.shape} cannot be in a file of this size; make it again"
        )


def filters_of(found: h5py.Dataset) -> set[int]:
    """What a dataset is packed and checked by."""
    filters = found.id.get_create_plist()
    return {filters.get_filter(number)[0] for number in range(filters.get_nfilters())}


def is_text(found: h5py.Dataset) -> bool:
    """Whether it holds strings of any length."""
    text = h5py.check_string_dtype(found.dtype)
    return text is not None and text.length is None
