"""Import every module and every public name of the installed package, from outside the checkout.

Run by `make installed` with the Python of an environment that holds the wheel and no test tools.
"""

import pkgutil
import sys
from importlib import import_module
from inspect import ismodule
from pathlib import Path

import neurox_lite as nx
from neurox_lite.embedded import documentation, embedded_path

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> str | None:
    """What is wrong; None if nothing is."""
    place = Path(nx.__file__).resolve()
    if place.is_relative_to(CHECKOUT) and "site-packages" not in place.parts:
        return f"{place}: this is the checkout, not an installed wheel"
    modules = {m.name for m in pkgutil.walk_packages(nx.__path__, "neurox_lite.")}
    # Scripts that train and measure the embedded models, which import the project's test tools.
    modules -= {m for m in modules if m.startswith("neurox_lite.data.")}
    sources = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        for path in (CHECKOUT / "neurox_lite").rglob("*.py")
    }
    if missing := sorted(sources - modules - {"neurox_lite"}):
        return f"the wheel lacks {', '.join(missing)}"
    for name in sorted(modules):
        import_module(name)
    groups = [group for name in nx.__all__ if ismodule(group := getattr(nx, name))]
    public = {name for part in (nx, *groups) for name in part.__all__ if hasattr(part, name)}
    if missing := {name for part in (nx, *groups) for name in part.__all__} - public:
        return f"no such public names: {missing}"
    embedded_path("models/bert")
    documentation("guide.md")
    print(f"{len(modules)} modules and {len(public)} public names from {place.parent}")
    return None


if __name__ == "__main__":
    sys.exit(main())
