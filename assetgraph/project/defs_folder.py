"""Loading definitions from a package: `load_defs`, `load_from_defs_folder` and the like.

Every module below the package gives its assets, and what its `Definitions` objects and its
`@definitions` functions hold.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.registry import current_registry
from assetgraph.errors import ProjectError
from assetgraph.graph.definitions import (
    Definitions,
    assets_of_modules,
    load_assets_from_modules,
)
from assetgraph.project.load import Imported, Importing, add_declared

_EXAMPLE = '[tool.assetgraph]\nmodule = "shop"'


def load_defs(defs_root: ModuleType) -> Definitions:
    """All that the modules of a package define, imported as far as they are not yet.

    Raises what a module raises while it is imported.
    """
    if not isinstance(defs_root, ModuleType):
        raise TypeError(f"defs_root must be a module, not {described(defs_root)}: import it")
    importing, modules = _imported(defs_root.__name__)
    own = importing.held_by(modules)
    _raise_first(importing)
    variables = {module.name: module.variables for module in modules}
    registered = [asset for asset in current_registry() if asset.module in variables]
    held = Definitions.merge(*own.definitions)
    # An asset that got a group or a prefix when it was loaded is another object.
    functions = {id(one.function) for one in (*held.assets, *held.asset_checks)}
    found = assets_of_modules(variables, registered)
    rest = Definitions([asset for asset in found if id(asset.function) not in functions])
    add_declared(rest, own.declared)
    return Definitions.merge(held, rest)


def load_from_defs_folder(*, project_root: str | Path) -> Definitions:
    """All that is defined in the folder `defs` of a project's package.

    The pyproject.toml in `project_root`, or in a folder above it, names the package: as
    `root_module` in `[tool.dg.project]`, or as `module` in `[tool.assetgraph]`.

    Raises `ProjectError` if it does not, or if there is no such folder, and what a module raises
    while it is imported.
    """
    root, name = _defs_module(Path(project_root).absolute())
    for folder in (root, root / "src"):
        if _is_found(name):
            break
        if str(folder) not in sys.path and folder.is_dir():
            sys.path.insert(0, str(folder))
    if not _is_found(name):
        raise ProjectError(
            f"there is no module {name!r} in {root} or in its folder src.",
            hint=f"Put definitions into the folder {name.replace('.', '/')}.",
        )
    return load_defs(import_module(name))


class components:  # noqa: N801 - the name of a module of Dagster
    """What Dagster has in its module of this name: `components.load_defs`."""

    load_defs = staticmethod(load_defs)


def load_assets_from_package_module(
    package_module: ModuleType,
    *,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
) -> list[Asset]:
    """Every asset of a package and of all modules below it: see `load_assets_from_modules`."""
    if not isinstance(package_module, ModuleType):
        raise TypeError(f"{package_module!r} is not a module: import it, and pass the module")
    return load_assets_from_package_name(
        package_module.__name__, group_name=group_name, key_prefix=key_prefix
    )


def load_assets_from_package_name(
    package_name: str,
    *,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
) -> list[Asset]:
    """Every asset of the package of this name and of all modules below it: see
    `load_assets_from_modules`."""
    importing, modules = _imported(package_name)
    _raise_first(importing)
    return load_assets_from_modules(
        [module.module for module in modules], group_name=group_name, key_prefix=key_prefix
    )


def load_assets_from_current_module(
    *, group_name: str | None = None, key_prefix: str | Sequence[str] | None = None
) -> list[Asset]:
    """Every asset that is defined so far in the module that calls this: see
    `load_assets_from_modules`."""
    name = sys._getframe(1).f_globals["__name__"]
    return load_assets_from_modules(
        [sys.modules[name]], group_name=group_name, key_prefix=key_prefix
    )


def file_relative_path(dunderfile: str, relative_path: str) -> str:
    """A path that begins at the folder of a file: `file_relative_path(__file__, "x.yaml")`."""
    return os.path.join(os.path.dirname(dunderfile), relative_path)


def _imported(name: str) -> tuple[Importing, list[Imported]]:
    importing = Importing()
    modules = importing.all_of(name)
    _raise_first(importing)
    return importing, modules


def _raise_first(importing: Importing) -> None:
    if importing.broken:
        raise importing.broken[0][1]


def _defs_module(start: Path) -> tuple[Path, str]:
    """The project's folder, and the name of the package of its definitions."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(f"{file} cannot be read: {error}.") from error
        name = _name_in(tools)
        if name is not None:
            return folder, name
    raise ProjectError(
        f"no pyproject.toml in {start} or above it names the package of the definitions.",
        hint=f"Write into {start / 'pyproject.toml'}:\n{_EXAMPLE}",
    )


def _name_in(tools: Mapping[str, Any]) -> str | None:
    project = _table(_table(tools, "dg"), "project")
    module = project.get("defs_module")
    if isinstance(module, str):
        return module
    root = project.get("root_module")
    if not isinstance(root, str):
        modules = _table(tools, "assetgraph").get("module")
        first = modules[0] if isinstance(modules, list) and modules else modules
        root = first.partition(".")[0] if isinstance(first, str) else None
    return None if root is None else f"{root}.defs"


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _is_found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
