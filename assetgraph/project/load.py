"""`load_definitions`: imports a project's modules and collects the assets that they define."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from assetgraph.code import importer
from assetgraph.code.project_folder import is_environment
from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.registry import Declaration, Registry, module_variables, values_of
from assetgraph.errors import (
    AssetGraphError,
    InvalidDefinitionError,
    Problem,
    ProjectError,
)
from assetgraph.graph.definitions import Definitions, assets_of_modules
from assetgraph.hints import command
from assetgraph.storage.keyed_files import FolderCache

_MOST_BYTES = 256_000_000  # of compiled code; a module of a thousand assets takes 0.4 MB


class Imported(NamedTuple):
    """What is in `sys.modules` under a name: a module, or an object that took its place."""

    name: str
    module: Any

    @property
    def variables(self) -> dict[str, Any]:
        return module_variables(self.module)

    @property
    def is_current(self) -> bool:
        return sys.modules.get(self.name) is self.module


class Held(NamedTuple):
    """What the variables of modules hold beside assets: `Definitions`, and those that their
    `@definitions` return; and the jobs, schedules and sensors that they declare."""

    definitions: list[Definitions]
    declared: list[Declaration]


class _Loaded(msgspec.Struct, frozen=True):
    """The result of loading a project, valid while `sys.modules` holds the same modules."""

    names: tuple[str, ...]
    modules: tuple[Imported, ...]
    definitions: Definitions

    def covers(self, names: tuple[str, ...]) -> bool:
        return self.names == names and all(module.is_current for module in self.modules)


_loaded: dict[Path, _Loaded] = {}


def load_definitions(root: Path, names: tuple[str, ...], store: Path) -> Definitions:
    """Import the modules `names`, with all submodules of packages, and return their definitions.

    A module or package that holds `Definitions` objects with assets, or `@definitions` that return
    such, contributes exactly those; any other contributes every asset that it registers. A second
    call returns the same object unless a module was forgotten or replaced since. If there is a
    store in the folder `store`, it keeps compiled code.

    Raises `ProjectError` if a module is not found, or, with the user's part of each traceback, if
    some fail to import.
    """
    importer.install(root).cache = _cache(store)
    known = _loaded.get(root)
    if known is not None and known.covers(names):
        return known.definitions
    loading = Importing()
    with Registry() as registry:
        packages = [loading.all_of(name) for name in names]
        given = [loading.held_by(package) for package in packages]
    if loading.broken:
        raise _import_error(loading.broken, str(root), Definitions(registry))
    modules = [module for package in packages for module in package]
    found = {module.name: module.variables for module in modules}
    definitions = _collect(packages, given, assets_of_modules(found, registry))
    definitions.load_warnings += tuple(loading.warnings)
    _loaded[root] = _Loaded(names, tuple(modules), definitions)
    return definitions


def _cache(store: Path) -> FolderCache | None:
    if not os.path.isdir(store):
        return None
    return FolderCache(f"{store}/cache/code", most_bytes=_MOST_BYTES)


def _collect(
    packages: Sequence[Sequence[Imported]],
    given: Sequence[Held],
    registered: Sequence[Asset],
) -> Definitions:
    """The definitions of all packages, each as a module and its submodules, and what their
    variables hold.

    A package that holds any with assets contributes those, any other what it registered and its
    `resources`. If no package holds any, the result is everything in `registered`.
    """
    held = [one for each in given for one in each.definitions]
    holding: set[str] = set()
    plain: set[str] = set()
    declared: list[Declaration] = []
    left: list[Declaration] = []
    for modules, own in zip(packages, given, strict=True):
        is_whole = any(one.assets for one in own.definitions)
        (holding if is_whole else plain).update(module.name for module in modules)
        declared += () if is_whole else own.declared
        left += own.declared if is_whole else ()
    # Without any, also assets of modules that a loaded one imports.
    rest = Definitions([one for one in registered if one.module in plain or not held])
    rest.resources = _tables(packages, plain)
    add_declared(rest, declared)
    if not held:
        return rest
    loaded = Definitions.merge(*held, rest)
    # By place: an asset that got a group or a prefix when it was loaded is another object.
    loaded_ones = (*loaded.assets, *loaded.asset_checks)
    places = {(asset.file, asset.line) for asset in loaded_ones}
    specs = {asset.key for asset in loaded.assets if asset.is_external}
    unused = _left_out(
        asset
        for asset in registered
        if asset.module in holding and (asset.file, asset.line) not in places
        if not (asset.is_external and asset.key in specs)
    )
    loaded.load_warnings = (*unused, *(loaded.automation.left_out(left) if left else ()))
    return loaded


def add_declared(definitions: Definitions, declared: Sequence[Declaration]) -> None:
    """Add the jobs, schedules and sensors that modules declare, as few do."""
    if declared:
        from assetgraph.graph.automation import Automation

        definitions.automation = Automation.of(declared)


def _tables(packages: Sequence[Sequence[Imported]], plain: Set[str]) -> dict[str, Any]:
    """The resources in the variables `resources` of the modules `plain`. Raises
    `InvalidDefinitionError` for two of one name."""
    modules = [one for package in packages for one in package if one.name in plain]
    found = [module.variables.get("resources") for module in modules]
    tables = [one for one in found if type(one) is dict and all(type(name) is str for name in one)]
    if not tables:
        return {}
    from assetgraph.graph.resource_tables import joined_resources

    return joined_resources(tables)


def _left_out(assets: Iterable[Asset]) -> Iterable[Problem]:
    for asset in assets:
        yield Problem(
            asset.file,
            asset.line,
            f"{asset.label} is not loaded: no Definitions object of its package contains it.",
            "Add it to one, or remove it. If two have the same name, the last one wins.",
            asset.specs[0].key.text,
        )


class Importing:
    """The import of one project. `broken` has the modules that failed, each with its error, and
    `warnings` what is there and was not imported."""

    def __init__(self) -> None:
        self.broken: list[tuple[str, BaseException]] = []
        self.warnings: list[Problem] = []
        self._open: set[str] = set()  # the real folders of the packages that are being walked

    def all_of(self, name: str) -> list[Imported]:
        """The module `name` and, if it is a package, its submodules in alphabetical order.

        Folders without `__init__.py` count too, as they do for Python, if modules are in them.
        """
        imported = self._one(name)
        return [] if imported is None else [imported, *self._inside(imported)]

    def held_by(self, modules: Sequence[Imported]) -> Held:
        """What the variables of modules hold beside assets."""
        lazy = sys.modules.get("assetgraph.definitions.lazy_definitions")  # few have any
        functions = lazy.LazyDefinitions if lazy else ()
        found: dict[int, Definitions] = {}
        declared: dict[int, Declaration] = {}
        for name, value in _beside_assets(modules):
            if issubclass(type(value), Declaration):
                declared[id(value)] = value
            elif issubclass(type(value), Definitions):
                found[id(value)] = value
            elif issubclass(type(value), functions):
                try:
                    made = value()
                except AssetGraphError:
                    raise
                except (Exception, SystemExit) as error:
                    self.broken.append((name, error))
                else:
                    _require_definitions(value.name, made)
                    found[id(made)] = made
        return Held(list(found.values()), list(declared.values()))

    def _inside(self, imported: Imported) -> Iterator[Imported]:
        # Only what a module itself holds: to ask it for an attribute may run its `__getattr__`.
        paths = imported.variables.get("__path__")
        if paths is None or isinstance(paths, str):
            return
        import pkgutil

        _require_no_twin(imported.variables.get("__file__"))
        folders = [path for path in paths if type(path) is str]
        real = {os.path.realpath(folder) for folder in folders}
        if real & self._open:  # a link to a folder above
            return
        self._open |= real
        names = {found.name for found in pkgutil.iter_modules(folders)} - {"__main__"}
        for name, folder in _plain_folders(folders):
            if name in names:
                self._warn_of_twin(folder)
            names.add(name)
        for name in sorted(names):
            yield from self.all_of(f"{imported.name}.{name}")
        self._open -= real

    def _one(self, name: str) -> Imported | None:
        try:
            return Imported(name, import_module(name))
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
                if _found_in_src(error.name):
                    return self._one(name)
                raise ProjectError(
                    f"there is no module {name!r} in {os.getcwd()} or in the Python environment.",
                    hint="Check [tool.assetgraph] module in pyproject.toml, or -m.",
                ) from error
            self.broken.append((name, error))
        except AssetGraphError as error:
            if isinstance(error, InvalidDefinitionError):
                error.about(_place_in(error, name))
            raise
        except (Exception, SystemExit) as error:
            self.broken.append((name, error))
        return None

    def _warn_of_twin(self, folder: str) -> None:
        module = f"{folder}.py"
        if os.path.exists(module):  # else a package in another folder of the same package
            self.warnings.append(
                Problem(
                    module,
                    1,
                    f"the modules in {os.path.relpath(folder)} are never imported: Python takes "
                    "this module of the same name.",
                    "Move the module into the folder as its __init__.py, or rename one of them.",
                )
            )


def _beside_assets(modules: Sequence[Imported]) -> Iterator[tuple[str, Any]]:
    """What the variables of modules stand for, each with the name of its module; and what is in
    lists there, as jobs may be, where there may be any."""
    if "assetgraph.definitions.automation.naming" in sys.modules:
        yield from values_of({module.name: module.variables for module in modules})
        return
    for module in modules:
        for value in module.variables.values():
            yield module.name, value


def _require_definitions(name: str, made: object) -> None:
    if not isinstance(made, Definitions):
        raise InvalidDefinitionError(
            f"{name}() returned {described(made)}, not Definitions.",
            hint="Write: return Definitions(assets=[…])",
        )


def _found_in_src(name: str) -> bool:
    """Whether the module `name` is in the folder `src`, which Python then looks in from now on."""
    folder = os.path.join(os.getcwd(), "src")
    there = os.path.join(folder, name)
    if folder in sys.path or not (os.path.isdir(there) or os.path.isfile(f"{there}.py")):
        return False
    sys.path.insert(1, folder)
    return True


def _plain_folders(folders: list[str]) -> Iterator[tuple[str, str]]:
    """The names and paths of the folders in `folders` that have no `__init__.py`, but modules."""
    for folder in folders:
        for name, path in _folders_in(folder):
            if not os.path.exists(os.path.join(path, "__init__.py")) and _has_modules(path):
                yield name, path


def _has_modules(folder: str, above: frozenset[str] = frozenset()) -> bool:
    real = os.path.realpath(folder)
    if real in above or is_environment(folder):
        return False
    if any(e.name.endswith(".py") and e.name[:-3].isidentifier() for e in _entries(folder)):
        return True
    return any(_has_modules(path, above | {real}) for _, path in _folders_in(folder))


def _folders_in(folder: str) -> list[tuple[str, str]]:
    """The folders that an import can name."""
    return [
        (entry.name, entry.path)
        for entry in _entries(folder)
        if entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir()
    ]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing, as for Python, in one that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _place_in(error: Exception, name: str) -> str:
    """Where an error was raised, as far as a module itself goes: `pipeline.py:12`."""
    line = 0
    path = name
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == name:
            path, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return f"{os.path.relpath(path)}:{line}" if line else name


def _require_no_twin(init: str | None) -> None:
    """Raise `ProjectError` if a module has the name of a package, whose `__init__.py` is `init`:
    Python would never import it. A folder without that file has no `init`."""
    twin = f"{os.path.dirname(init)}.py" if init else ""
    if init and os.path.exists(twin):
        raise ProjectError(
            f"{os.path.relpath(twin)} is never imported: {os.path.relpath(init)} makes a package "
            "of the same name.",
            hint="Move the module into the package, or rename one of them.",
        )


def _import_error(
    broken: Sequence[tuple[str, BaseException]], root: str, rest: Definitions
) -> ProjectError:
    """The error for modules that fail to import, with the problems in the `rest` of the project.

    Unknown upstreams and resources are left out: a module that failed may define them.
    """
    from assetgraph.code.tracebacks import short_traceback

    names = ", ".join(repr(name) for name, _ in broken)
    traces = _each_once([short_traceback(error, root) for _, error in broken])
    known = [
        found
        for found in rest.graph.validate()
        if not (found.is_unknown_upstream or found.is_unknown_resource)
    ]
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
