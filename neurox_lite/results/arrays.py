"""A folder with JSON and the arrays that go with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurox_lite.errors import InputError
from neurox_lite.files import hash_file, write_bytes
from neurox_lite.input_files import refuse_special
from neurox_lite.json_files import open_json, write_json
from neurox_lite.outputs import atomic_write_folder

if TYPE_CHECKING:
    import numpy as np

CHECKSUM = "sha256 of arrays"
METADATA = {"written_by": "neurox_lite"}

Arrays = dict[str, "np.ndarray"]


def write_with_arrays(
    folder: str | Path, name: str, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write ``NAME.safetensors``, and ``NAME.json`` with its checksum.

    Raises
    ------
    InputError
        When the data has no form in JSON, or as :func:`atomic_write_folder`.
    UnfinishedError
        When the disk is full.
    """
    import numpy as np
    from safetensors.numpy import save

    # It writes the memory of an array, not what a view of it reads.
    content = save({key: np.ascontiguousarray(array) for key, array in arrays.items()}, METADATA)
    with atomic_write_folder(folder) as new:
        checksum = hashlib.sha256(content).hexdigest()
        write_json(new / f"{name}.json", {**data, CHECKSUM: checksum})
        write_bytes(new / f"{name}.safetensors", content)


@contextmanager
def reading_with_arrays(
    folder: str | Path, name: str
) -> Iterator[tuple[Any, Callable[[], Arrays]]]:
    """Give the data, and a function that reads the arrays, of :func:`write_with_arrays`.

    Both are checked after the block, which may say better what is wrong.

    Raises
    ------
    InputError
        When a file was changed, or they were not written together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    file, arrays = Path(folder) / f"{name}.json", Path(folder) / f"{name}.safetensors"

    def read() -> Arrays:
        refuse_special(arrays)
        try:
            return load_file(arrays)
        except SafetensorError as error:
            raise ValueError(str(error)) from None

    with open_json(file) as data:
        yield data, read
    if data.get(CHECKSUM) not in (None, hash_file(arrays)):
        raise InputError(
            f"{arrays}: is not what {file.name} was written with (its checksum differs); make both "
            'again, or, if you changed it yourself, remove the lines "checksum" and '
            f'"{CHECKSUM}" from {file.name}'
        )
