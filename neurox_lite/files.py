"""Writing files whole or not at all, and JSON that is the same for the same content."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError, UnfinishedError
from neurox_lite.input_files import open_input, parse_json, read_input
from neurox_lite.own_files import is_ours

LOCK = ".lock"
"""Keeps other processes out of a folder."""

PARTIAL = re.compile(r"\.(?:(?P<name>.+)\.)?[0-9a-f]{12}\.partial", re.DOTALL)
"""Names of what is being written; without a name in it, of several files of a folder."""

OUTSIDE_CAUSES = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM, errno.ESTALE),
    *(errno.EMFILE, errno.ENFILE),
}
"""Errors after which the same command may work without another output."""

_claimed: set[Path] = set()
"""Files and folders that this process keeps others from for longer than it writes them."""


@contextmanager
def atomic_write(path: str | Path, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    A block that raises leaves neither the temporary file nor a changed ``path``. No other process
    writes ``path`` meanwhile; what a killed one left of it is removed. Of a symbolic link the file
    it points to is replaced.

    Raises
    ------
    InputError
        When ``path`` is a folder, exists and ``overwrite`` is False, cannot be written, or another
        process writes it.
    UnfinishedError
        When the disk is full or fails.
    """
    path = Path(path)
    require_absent(path, overwrite)
    refuse_folder(path)
    refuse_foreign_link(path)
    target = real(path)
    with write_errors(path), ExitStack() as stack:
        if not is_claimed(target):
            stack.enter_context(locked(path, lock_of(target)))
            remove_leftovers(target.parent, [glob.escape(target.name)])
        # Unique also among machines that share a file system.
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.partial")
        stack.callback(partial.unlink, missing_ok=True)
        partial.touch()
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        require_absent(path, overwrite)
        partial.replace(target)


def is_claimed(path: Path) -> bool:
    """Whether this process keeps others from a file or folder already."""
    return real(path) in _claimed


@contextmanager
def claim(path: Path) -> Iterator[None]:
    """Let this process write a file or folder that it has locked."""
    _claimed.add(path)
    try:
        yield
    finally:
        _claimed.discard(path)


@contextmanager
def locked(
    path: Path, lock_file: Path, refusal: str = "another process writes there"
) -> Iterator[None]:
    """Hold a lock, which goes with the process; the folders made for it go again if empty."""
    from filelock import FileLock, Timeout

    made = [place for place in lock_file.parents if not place.exists()]
    lock = FileLock(lock_file, thread_local=False)  # a thread may end what another began
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InputError(f"{path}: {refusal}; wait for it or give another output") from None
        try:
            yield
        finally:
            # While it is held, and only what a lock is: an empty file.
            with suppress(OSError):
                if not lock_file.stat().st_size:
                    lock_file.unlink()
            lock.release()
    finally:
        for place in made:
            with suppress(OSError):  # something else is there
                place.rmdir()


def lock_of(file: Path) -> Path:
    """The lock of a single file."""
    return file.with_name(f".{file.name}.lock")


def real(path: Path) -> Path:
    """A path without symbolic links."""
    return Path(os.path.realpath(path))


def remove_leftovers(folder: Path, names: Sequence[str]) -> None:
    """Remove what killed processes were writing under these names; nobody may be writing them."""
    for path in leftovers(folder, names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def leftovers(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Partial files of these names, or patterns, in a folder, and partial folders of it."""
    found = []
    for below in {str(Path(name).parent) for name in names} | {"."}:
        of_place = [Path(name).name for name in names if str(Path(name).parent) == below]
        for place in [Path(folder)] if below == "." else Path(folder).glob(below):
            for path in place.glob(".*.partial"):
                match = PARTIAL.fullmatch(path.name)
                name = match and match["name"]
                if match and (
                    any(fnmatchcase(name, one) for one in of_place) if name else path.is_dir()
                ):
                    found.append(path)
    return found


def refuse_file(folder: str | Path) -> None:
    """Raise InputError when a folder to write into is a file, or cannot be written to."""
    folder = as_path(folder, "folder")
    if folder.is_file():
        raise InputError(f"{folder}: is a file; give a folder for the output")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot write there; choose another output")


def refuse_folder(path: str | Path) -> None:
    """Raise InputError when a file to write is a folder."""
    if as_path(path).is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")


def refuse_foreign_link(path: str | Path) -> None:
    """Raise InputError for a link to a file that is not ours, which writing would replace."""
    if Path(path).is_symlink() and Path(path).exists() and not is_ours(path):
        raise InputError(
            f"{path}: is a symbolic link to {real(Path(path))}, which was not written by "
            "neurox_lite; give another output"
        )


def require_absent(path: str | Path, overwrite: bool) -> None:
    """Raise InputError when ``path`` exists and may not be overwritten."""
    path = as_path(path)
    if not overwrite and path.exists():
        raise InputError(f"{path}: exists already; give another output or --overwrite")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what a full or failing disk raises into one line that says what to do."""
    try:
        yield
    except UnfinishedError as error:
        # Of a file that is moved under this name afterwards.
        if isinstance(error.__cause__, OSError):
            raise cannot_be_written(path, error.__cause__) from error.__cause__
        raise
    except OSError as error:
        if error.errno in OUTSIDE_CAUSES:
            raise cannot_be_written(path, error) from error
        name = Path(os.fsdecode(error.filename or ""))
        if name.name.endswith((".partial", ".lock")) or name.absolute() in (
            path.absolute(),
            *path.absolute().parents,
            *real(path).parents,
        ):
            raise InputError(
                f"{path}: cannot write there ({error.strerror}); choose another output"
            ) from None
        raise


def cannot_be_written(
    path: str | Path, error: OSError, kept: str = "what was there is unchanged"
) -> UnfinishedError:
    """The one line about a file that could not be written for a reason outside of it."""
    reason = " ".join(str(error.strerror or error).split())
    what_to_do = "make room or repair the disk"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        what_to_do = "allow more open files (ulimit -n)"
    return UnfinishedError(
        f"{path}: cannot be written ({reason}); {kept}: {what_to_do} and run the same command again"
    )


def public_name(name: str | Path) -> str:
    """What to call a model or file in what is published: its name, not where it lies.

    Of a folder or file its last part, of a snapshot in the cache of the hub its name there.
    """
    path = Path(name)
    if not (path.is_absolute() or path.exists()):
        return str(name)
    path = _absolute(path)
    if path.parent.name == "snapshots" and path.parents[1].name.startswith("models--"):
        return path.parents[1].name.removeprefix("models--").replace("--", "/")
    return path.name


def public_sources(source: str) -> str:
    """The files of a corpus, as its ``source`` has them, by their names."""
    return ", ".join(map(public_name, source.split(" + ")))


def public_names(paths: Sequence[str | Path]) -> list[str]:
    """Names of several files, with as many of their folders as tell them apart."""
    parts = [_absolute(Path(path)).parts[1:] for path in paths]
    for n_parts in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-n_parts:]) for part in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names


def _absolute(path: Path) -> Path:
    """Without "..", and with symbolic links as they are called."""
    return Path(os.path.normpath(path.absolute()))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, as UTF-8."""
    write_bytes(path, text.encode())


def json_text(data: Any) -> str:
    """As JSON; numbers and arrays of numpy as those of Python.

    NaN and infinity are refused since JSON has no such numbers.

    Raises
    ------
    InputError
        When something in it has no form in JSON, such as a date, NaN or infinity.
    """
    try:
        text = _dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        text.encode()
    except (TypeError, ValueError) as error:
        message = f"cannot be saved as JSON ({error}); give strings or finite numbers"
        raise InputError(message) from None
    return text


def _dumps(data: Any, **options: Any) -> str:
    try:
        return json.dumps(data, **options)
    except TypeError:  # most data is plain, and there is much of it
        return json.dumps(_plain(data), **options)


def _plain(data: Any) -> Any:
    """The same with numbers and lists of Python where there are scalars and arrays of others."""
    if isinstance(data, Mapping):
        return {_plain(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    return data.tolist() if hasattr(data, "tolist") else data


def write_json(path: str | Path, data: Any) -> None:
    """Write :func:`checked_json` of an object, :func:`json_text` of anything else, atomically."""
    write_text(path, checked_json(data) if isinstance(data, Mapping) else json_text(data))


def checked_json(data: Mapping[str, Any]) -> str:
    """JSON text of an object with a checksum of its content, which :func:`read_json` checks.

    Raises
    ------
    InputError
        As :func:`json_text`.
    """
    # As it is read: the keys of an object are strings, and tuples are lists.
    content = json.loads(json_text(data))
    kind = {"kind": content["kind"]} if "kind" in content else {}
    return json_text({**kind, "checksum": hash_json(content), **content})


def read_json(path: str | Path) -> Any:
    """Read a JSON file; one with a checksum is checked, and given without it.

    Raises
    ------
    InputError
        When the file is missing, no plain file, too large, or not JSON, a key occurs twice, or its
        content is not what its checksum says.
    """
    with reading_json(path) as data:
        return data


@contextmanager
def reading_json(path: str | Path) -> Iterator[Any]:
    """Give what is in a JSON file; after the block, which may say better what is wrong, check it.

    Raises
    ------
    InputError
        As :func:`read_json`.
    """
    text = read_input(path)
    try:
        data = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error}); make it again") from None
    is_as_written = not isinstance(data, dict) or _is_as_written(data)
    yield data
    if not is_as_written:
        raise InputError(
            f"{path}: was changed after it was written (its checksum differs); make it again, or, "
            'if you changed it yourself, remove the line "checksum"'
        )


def _is_as_written(data: dict[str, Any]) -> bool:
    """Whether an object is what its checksum, which is taken out of it, was made of."""
    # One under a damaged name; it stands first, or after the kind.
    lost = any(re.fullmatch("[0-9a-f]{64}", str(data[key])) for key in list(data)[:2])
    checksum = data.pop("checksum", None)
    if checksum is None:
        return not lost
    try:
        return bool(checksum == hash_json(data))
    except ValueError:  # NaN, which is never written
        return False


def hash_json(data: Any) -> str:
    """SHA-256 of the content of JSON-ready data, independent of the order of keys."""
    text = _dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with open_input(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
