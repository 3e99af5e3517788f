"""`Project`: the folder that a person works in. Finding it is cheap; loading it runs their code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError, ProjectError
from assetgraph.hints import command
from assetgraph.storage.store import Store

if TYPE_CHECKING:
    from types import ModuleType

    from assetgraph.graph.definitions import Definitions

_SETTINGS: Mapping[str, type] = {
    "store": str,
    "storage": str,
    "keep_values": int,
    "keep_runs": int,
    "executor": str,
    "jobs": int,
    "scheduler": str,
    "pools": dict,
    "log_limit": int,
}
_WANTED = {
    str: "text",
    int: "a whole number from 1",
    dict: "a table of whole numbers from 1",
}


class Project(msgspec.Struct, frozen=True):
    """`root` is its folder, `modules` what holds its assets, `store` the folder of its records,
    `storage` where values go, if not there too. Of each asset the last `keep_values` values are
    kept, and of all runs the last `keep_runs`, where given. `executor`, `jobs` and `scheduler` are
    what `executors.make` gets unless a command says otherwise; `pools` are how many steps of a
    pool run at once, `log_limit` how many bytes of each stream that a step prints are kept."""

    root: Path
    modules: tuple[str, ...]
    store: Path
    storage: str | None = None
    keep_values: int = 2
    keep_runs: int | None = None
    executor: str | None = None
    jobs: int | None = None
    scheduler: str | None = None
    pools: Mapping[str, int] = {}
    log_limit: int | None = None

    def open_store(self) -> Store:
        return Store(
            self.store,
            project_root=self.root,
            storage=self.storage,
            keep_values=self.keep_values,
            keep_runs=self.keep_runs,
        )

    def enter(self) -> None:
        """Make its folder the working folder and the first place that modules come from."""
        os.chdir(self.root)
        root = str(self.root)
        if sys.path[:1] != [root]:
            sys.path.insert(0, root)

    def load(self) -> Definitions:
        """Import the modules, and the submodules of those that are packages. A module or package
        that holds a `Definitions` counts by it; otherwise what it registered counts.

        Raises `ProjectError` with the user's part of every traceback.
        """
        from assetgraph.code import loading
        from assetgraph.definitions.registry import Registry
        from assetgraph.graph.definitions import Definitions, load_assets_from_modules

        if not self.modules:
            raise ProjectError(
                f"{self.root} does not say where its assets are.",
                hint='Add module = "…" to [tool.assetgraph] in pyproject.toml, or give -m MODULE.',
            )
        self.enter()
        loading.install(self.root)
        known = _loaded.get(self.root)
        if known is not None and known.covers(self.modules):
            return known.definitions
        broken: list[tuple[str, BaseException]] = []
        with Registry() as registry:
            packages = [_import_all(name, broken) for name in self.modules]
        if broken:
            raise _import_error(broken, str(self.root), Definitions(registry))
        modules = [module for package in packages for module in package]
        registered = Definitions([*registry, *load_assets_from_modules(modules)])
        definitions = _definitions(packages, registered)
        _loaded[self.root] = _Loaded(self.modules, tuple(modules), definitions)
        return definitions


class _Loaded(msgspec.Struct, frozen=True):
    """What a project was loaded as. It holds until one of its modules is forgotten."""

    names: tuple[str, ...]
    modules: tuple[ModuleType, ...]
    definitions: Definitions

    def covers(self, names: tuple[str, ...]) -> bool:
        same = all(sys.modules.get(module.__name__) is module for module in self.modules)
        return same and self.names == names


_loaded: dict[Path, _Loaded] = {}


def find_project(
    start: Path | None = None, *, modules: Sequence[str] = (), store: Path | None = None
) -> Project:
    """The project of the folder `start` (the current one): the nearest folder upward whose
    `pyproject.toml` has a table `[tool.assetgraph]`. `modules` and `store` override what it says,
    and do without it where there is none.

    Raises `ProjectError`.
    """
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        settings = _settings(folder / "pyproject.toml")
        if settings is not None:
            return _project(folder, settings, modules, store)
    if not modules and store is None:
        raise ProjectError(
            f"no project in {start} or above: no pyproject.toml has a table [tool.assetgraph].",
            hint="Make one with: assetgraph init, or give -m MODULE.",
        )
    return Project(start, tuple(modules), store.absolute() if store else start / ".assetgraph")


def _project(
    folder: Path, settings: Mapping[str, Any], modules: Sequence[str], store: Path | None
) -> Project:
    file = folder / "pyproject.toml"
    for name, value in settings.items():
        if name == "module":
            continue
        if name not in _SETTINGS:
            raise ProjectError(
                f"{file}: [tool.assetgraph] has no setting {name!r}.",
                hint=f"It has: module, {', '.join(_SETTINGS)}.",
            )
        if not _is_setting(value, _SETTINGS[name]):
            wanted = _WANTED[_SETTINGS[name]]
            raise ProjectError(f"{file}: [tool.assetgraph] {name} must be {wanted}.")
    named = settings.get("module", [])
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise ProjectError(f"{file}: [tool.assetgraph] module must be a name or a list of names.")
    return Project(
        root=folder,
        modules=tuple(modules or named),
        store=store.absolute() if store else folder / settings.get("store", ".assetgraph"),
        storage=_storage(folder, settings.get("storage")),
        **{name: settings[name] for name in settings if name not in ("module", "store", "storage")},
    )


def _is_setting(value: Any, kind: type) -> bool:
    if kind is dict:
        return isinstance(value, dict) and all(_is_setting(limit, int) for limit in value.values())
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return isinstance(value, kind)


def _storage(folder: Path, given: str | None) -> str | None:
    return given if given is None or "://" in given else str(folder / given)


def _settings(file: Path) -> Mapping[str, Any] | None:
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    if b"assetgraph" not in data:
        return None
    import tomllib

    try:
        table = tomllib.loads(data.decode()).get("tool", {}).get("assetgraph")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{file} does not read: {error}.") from error
    if table is not None and not isinstance(table, dict):
        raise ProjectError(f"{file}: tool.assetgraph must be a table.")
    return table


def _definitions(packages: Sequence[Sequence[ModuleType]], registered: Definitions) -> Definitions:
    """Of each package (a module and its submodules) every `Definitions` that it holds by name, or
    else what it registered; with none anywhere, all that was registered, wherever."""
    from assetgraph.graph.definitions import Definitions

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
    places = {(asset.file, asset.line) for asset in loaded.assets}  # also of what was adopted
    loaded.left_out = tuple(
        asset
        for asset in registered.assets
        if asset.module in holding and (asset.file, asset.line) not in places
    )
    return loaded


def _import_all(name: str, broken: list[tuple[str, BaseException]]) -> list[ModuleType]:
    """The module `name` and, if it is a package, all its submodules, by name."""
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
    """A module beside a package of its name is never imported, and its assets are missed."""
    init = package.__file__  # None of a folder without an __init__.py, which gives way to a module
    twin = f"{os.path.dirname(init)}.py" if init else ""
    if init and os.path.exists(twin):
        raise ProjectError(
            f"{os.path.relpath(twin)} is never imported, since {os.path.relpath(init)} is a "
            "package of the same name.",
            hint="Move the module into the package, or rename one of them.",
        )


def _import(name: str, broken: list[tuple[str, BaseException]]) -> ModuleType | None:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ProjectError(
                f"there is no module {name!r} in {os.getcwd()} or the environment.",
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
    """What does not import, and every problem of what does, but for upstreams that nothing
    defines: they may be in what does not."""
    from assetgraph.code.tracebacks import short_traceback

    names = ", ".join(repr(name) for name, _ in broken)
    traces = _each_once([short_traceback(error, root) for _, error in broken])
    known = [p for p in rest.graph.validate() if not p.is_unknown_upstream]
    if known:
        traces.append("And in what does import:\n" + "\n".join(f"  {p}" for p in known))
    word = "module does" if len(broken) == 1 else "modules do"
    return ProjectError(
        f"{len(broken)} {word} not import: {names}.",
        hint=f"Mend what the trace shows, then run: {command('check')}",
        traceback="\n\n".join(traces),
    )


def _each_once(traces: Sequence[str]) -> list[str]:
    """Without those that only say that another one's module was imported."""
    ends = tuple(f"\n{trace}" for trace in traces)
    return [trace for trace in dict.fromkeys(traces) if not trace.endswith(ends)]
