"""Reading files that others made: plain files only, only so much of them, and nothing twice."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from neurox_lite.arguments import as_path
from neurox_lite.errors import InputError

MAX_DOCUMENT = 1 << 30
"""Bytes of a JSON file, or of a line of JSON lines, which are parsed whole."""

MAX_YAML = 1 << 20
"""Bytes of a YAML file; its parser takes seconds for each of them."""

MAX_DEPTH = 20
"""How deep the lists and mappings of a YAML file are nested."""

KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

# Seldom in text, and looking for it is far faster than checking every number.
MAYBE_INFINITE = re.compile(r"[eE]\+?\d{3}|\d{300}")


def open_input(path: str | Path) -> BufferedReader:
    """Open a file for reading, if it is one: a pipe or a device may never end, or never begin.

    Raises InputError when there is no such file, it is not a plain file, or it cannot be read.
    """
    path = as_path(path)
    try:
        refuse_special(path)
        return path.open("rb")
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: cannot be read (no such file); check the path") from None
    except NotADirectoryError:
        raise InputError(f"{path.parent}: is a file; give the folder of {path.name}") from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give a readable file"
        ) from None


def refuse_special(path: str | Path) -> None:
    """Raise InputError when there is something other than a plain file under this name."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "not a plain file")
        raise InputError(f"{path}: cannot be read (it is {kind}); give a plain file")


def read_input(path: str | Path, max_bytes: int = MAX_DOCUMENT) -> bytes:
    """The content of a file that is read whole; InputError when larger than ``max_bytes``."""
    with open_input(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise InputError(
            f"{path}: larger than {size(max_bytes)}, the most that is read of such a file; give "
            "the right file"
        )
    return content


def lines_of_input(path: str | Path, max_line: int = MAX_DOCUMENT) -> Iterator[bytes]:
    """The lines of a file, read one at a time, each with its line end.

    Raises InputError as :func:`open_input`, and for a line longer than ``max_line`` bytes.
    """
    with open_input(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(max_line + 1), b""), start=1):
            if len(line) > max_line:
                raise InputError(
                    f"{path}: line {number} is longer than {size(max_line)}, the most that is "
                    "read; give a file with line breaks"
                )
            yield line


def size(n_bytes: int) -> str:
    """``"64 MiB"``."""
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if n_bytes >= 1 << shift:
            return f"{n_bytes / (1 << shift):g} {unit}"
    return f"{n_bytes} bytes"


def parse_json(text: str | bytes, allow_nan: bool = False) -> Any:
    """Parse JSON, less leniently than the standard library.

    Raises ValueError with what is wrong: no JSON, a key that occurs twice in an object, NaN or
    infinity (unless allowed), or lists and objects that are nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode()
    options: dict[str, Any] = {"object_pairs_hook": _object}
    if not allow_nan:
        options["parse_constant"] = _refuse_constant
        if MAYBE_INFINITE.search(text):
            options["parse_float"] = _finite
    try:
        return json.loads(text, **options)
    except RecursionError:
        raise ValueError("lists and objects are nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice")
    return data


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file of lists, mappings and plain values, where nothing stands twice.

    Aliases and merge keys, with which a short file can stand for one of any length, and keys that
    occur twice in a mapping are refused.

    Raises
    ------
    InputError
        When the file cannot be read, is not such YAML, or is larger than a MiB or nested deeper
        than 20 levels.
    """
    import yaml

    text = read_input(path, MAX_YAML)
    try:
        return yaml.load(text.decode(), Loader=_yaml_loader())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).replace('in "<unicode string>", ', "in ").split())
        raise InputError(f"{path}: is not valid YAML ({reason}); correct it") from None
    # A value such as 2020-13-45, or a tag such as !!bool before a value that is none.
    except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: a value cannot be read ({reason}); correct it") from None


def _yaml_loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(
                    None, None, "an alias (*name); write out what it stands for", mark
                )
            self.depth += 1
            if self.depth > MAX_DEPTH:
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(
                    None, None, f"nested deeper than {MAX_DEPTH} levels", mark
                )
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def flatten_mapping(self, node: Any) -> None:
            """Refuse what the base class would merge."""
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    raise yaml.constructor.ConstructorError(
                        None, None, "a merge key (<<); write out what it merges", key.start_mark
                    )

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            data = super().construct_mapping(node, deep=True)
            if len(data) < len(node.value):
                keys = [self.construct_object(key, deep=True) for key, _ in node.value]
                twice = next(i for i, key in enumerate(keys) if key in keys[:i])
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key '{keys[twice]}' occurs twice",
                    node.value[twice][0].start_mark,
                )
            return data

    return Loader
