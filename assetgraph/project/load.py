"""`load_definitions`: imports a project's modules and collects the assets that they define."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec

from assetgraph.code import importer
from assetgraph.definitions.registry import Registry
from assetgraph.errors import AssetGraphError, ProjectError
from assetgraph.graph.definitions import Definitions, load_assets_from_modules
from assetgraph.hints import command


class _Loaded(msgspec.Struct, frozen=True):
    """The result of loading a project, valid while `sys.modules` holds the same modules."""

    names: tuple[str, ...]
    modules: tuple[ModuleType, ...]
    definitions: Definitions

    def covers(self, names: tuple[str, ...]) -> bool:
        same = all(sys.modules.get(module.__name__) is module for module in self.modules)
        return same and self.names == names


_loaded: dict[Path, _Loaded] = {}


def load_definitions(root: Path, names: tuple[str, ...]) -> Definitions:
    """Import the modules `names`, with all submodules of packages, and return their definitions.

    A module or package that holds `Definitions` objects contributes exactly their assets; any
    other contributes every asset that it registers. A second call returns the same object unless
    a module was forgotten or replaced since.

    Raises `ProjectError` if a module is not found, or, with the user's part of each traceback, if
    some fail to import.
    """
    importer.install(root)
    known = _loaded.get(root)
    if known is not None and known.covers(names):
        return known.definitions
    broken: list[tuple[str, BaseException]] = []
    with Registry() as registry:
        packages = [_import_all(name, broken) for name in names]
    if broken:
        raise _import_error(broken, str(root), Definitions(registry))
    modules = [module for package in packages for module in package]
    registered = Definitions([*registry, *load_assets_from_modules(modules)])
    definitions = _collect(packages, registered)
    _loaded[root] = _Loaded(names, tuple(modules), definitions)
    return definitions


def _collect(packages: Sequence[Sequence[ModuleType]], registered: Definitions) -> Definitions:
    """The definitions of all packages, each given as a module and its submodules.

    A package that holds `Definitions` objects contributes those, any other the assets that it
    registered. If no package holds any, the result is everything in `registered`.
    """
    held: list[Definitions] = []
    holding: set[str] = set()
    plain: set[str] = set()
    for modules in packages:
        found = [d for m in modules for d in vars(m).values() if isinstance(d, Definitions)]
        held += found
        (holding if found else plain).update(module.__name__ for module in modules)
    if not held:
        return registered
    rest = [asset for asset in registered.assets if asset.module in plain]
    loaded = Definitions.merge(*held, Definitions(rest))
    # By place: an asset that got a group or a prefix when it was loaded is another object.
    places = {(asset.file, asset.line) for asset in loaded.assets}
    loaded.left_out = tuple(
        asset
        for asset in registered.assets
        if asset.module in holding and (asset.file, asset.line) not in places
    )
    return loaded


def _import_all(name: str, broken: list[tuple[str, BaseException]]) -> list[ModuleType]:
    """Import the module `name` and, if it is a package, its submodules in alphabetical order.

    Modules that fail to import are added to `broken` with their error.
    """
    module = _import(name, broken)
    if module is None:
        return []
    modules = [module]
    if hasattr(module, "__path__"):
        import pkgutil

        _require_no_twin(module)
        for found in sorted(pkgutil.iter_modules(module.__path__), key=lambda m: m.name):
            if found.name != "__main__":
                modules += _import_all(f"{name}.{found.name}", broken)
    return modules


def _require_no_twin(package: ModuleType) -> None:
    """Raise `ProjectError` if a module has the package's name: Python would never import it."""
    init = package.__file__  # None for a folder without __init__.py: there the module wins
    twin = f"{os.path.dirname(init)}.py" if init else ""
    if init and os.path.exists(twin):
        raise ProjectError(
            f"{os.path.relpath(twin)} is never imported: {os.path.relpath(init)} makes a package "
            "of the same name.",
            hint="Move the module into the package, or rename one of them.",
        )


def _import(name: str, broken: list[tuple[str, BaseException]]) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ProjectError(
                f"there is no module {name!r} in {os.getcwd()} or in the Python environment.",
                hint="Check [tool.assetgraph] module in pyproject.toml, or -m.",
            ) from error
        broken.append((name, error))
    except AssetGraphError:
        raise
    except (Exception, SystemExit) as error:
        broken.append((name, error))
    return None


def _import_error(
    broken: Sequence[tuple[str, BaseException]], root: str, rest: Definitions
) -> ProjectError:
    """The error for modules that fail to import, with the problems in the `rest` of the project.

    Unknown upstreams are left out: a module that failed may define them.
    """
    from assetgraph.code.tracebacks import short_traceback

    names = ", ".join(repr(name) for name, _ in broken)
    traces = _each_once([short_traceback(error, root) for _, error in broken])
    known = [p for p in rest.graph.validate() if not p.is_unknown_upstream]
    if known:
        traces.append("Other problems:\n" + "\n".join(f"  {p}" for p in known))
    count = "1 module fails" if len(broken) == 1 else f"{len(broken)} modules fail"
    return ProjectError(
        f"{count} to import: {names}.",
        hint=f"Fix the error in the traceback, then run: {command('check')}",
        traceback="\n\n".join(traces),
    )


def _each_once(traces: Sequence[str]) -> list[str]:
    """`traces` without duplicates and without those that end in another one.

    A module that only imports a broken module fails with the same trace, below a line of its own.
    """
    ends = tuple(f"\n{trace}" for trace in traces)
    return [trace for trace in dict.fromkeys(traces) if not trace.endswith(ends)]
