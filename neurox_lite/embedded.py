"""Where the models, corpora and documents that come with the package are."""

from __future__ import annotations

from pathlib import Path

from neurox_lite.arguments import expect
from neurox_lite.errors import InputError

_PACKAGE = Path(__file__).parent
# An installed wheel has data and docs inside the package, a checkout has them beside the package.
_PLACES = (_PACKAGE, _PACKAGE.parent)


def embedded_path(name: str) -> Path:
    """Path of an embedded file or folder, such as ``models/lstm-0`` or ``lexicon.yaml``.

    Raises
    ------
    InputError
        When nothing of that name is embedded, or the data are not installed.
    """
    expect(name, str, "name", "that of a model or corpus, as 'models/lstm-0'")
    root = next((p / "data" for p in _PLACES if (p / "data/lexicon.yaml").is_file()), None)
    if root is None:
        raise InputError(
            f"embedded data: none in {' or '.join(map(str, _PLACES))}; reinstall neurox-lite"
        )
    names = sorted(
        path.relative_to(root).as_posix()
        for folder in (root, root / "models", root / "corpora")
        for path in folder.glob("*")
        if not path.name.startswith(("_", "."))
    )
    if name not in names:
        raise InputError(f"embedded data: no '{name}'; there is: {', '.join(names)}")
    return root / name


def documentation(name: str) -> Path:
    """Path of a document, such as ``guide.md``, for help texts to point at."""
    return next((place for place in _PLACES if (place / "docs" / name).is_file()), _PACKAGE) / (
        f"docs/{name}"
    )
