"""The files of a new project and of a new asset. An existing file is never overwritten."""

from __future__ import annotations

import keyword
import os
import re
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from assetgraph.errors import AssetGraphError, ProjectError
from assetgraph.keys import AssetKey, key_problem
from assetgraph.project import templates
from assetgraph.project.settings import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from assetgraph.project.settings import Project

_TABLE = """\
To turn it into a project, add this, with the name of your package:

[tool.assetgraph]
module = "{package}"
"""


def create_project(folder: Path, *, example: bool = False) -> list[Path]:
    """Create a project in `folder` and return the new files. The `example` has a source file,
    partitions and a check.

    Raises `AssetGraphError`, and writes nothing, if one of them exists or `folder` is a package.
    """
    package = package_name(folder.name)
    _require_no_pyproject(folder / "pyproject.toml", package)
    _require_no_package(folder)
    assets = folder / package / "assets"
    texts = {
        folder / "pyproject.toml": templates.PYPROJECT,
        folder / ".gitignore": templates.GITIGNORE,
        folder / "README.md": templates.README,
        folder / package / "__init__.py": "",
        assets / "__init__.py": "",
    }
    if example:
        texts[folder / "data" / "readings.csv"] = templates.EXAMPLE_DATA
        texts[assets / "weather.py"] = templates.EXAMPLE_ASSETS
        texts[folder / "tests" / "test_weather.py"] = templates.EXAMPLE_TEST
    else:
        texts[assets / "readings.py"] = templates.ASSETS
        texts[folder / "tests" / "test_readings.py"] = templates.TEST
    names = {"package": package, "distribution": package.replace("_", "-")}
    return _write({file: text.format(**names) for file, text in texts.items()})


def create_asset(project: Project, path: str) -> list[Path]:
    """Create a file with an asset of the same name, and return the new files. `path` is relative
    to the project's package; each new folder on the way gets an `__init__.py`.

    Raises `AssetGraphError`, also if the project does not load, and writes nothing then.
    """
    base = _package_folder(project)
    file = (_start(base, project.root, path) / path).resolve()
    if file.suffix != ".py":
        raise AssetGraphError(f"{path!r} is not a Python file.", hint="End its name in .py.")
    if not file.is_relative_to(base):
        raise AssetGraphError(
            f"{path!r} is outside the package {base.name!r}, so its asset would not be found.",
            hint="Give a path inside it, such as: assets/trips.py",
        )
    for part in (*file.relative_to(base).parent.parts, file.stem):
        _require_name(part)
    folders = [folder for folder in file.parents if folder != base and folder.is_relative_to(base)]
    inits = [folder / "__init__.py" for folder in reversed(folders)]
    texts = {init: "" for init in inits if not os.path.exists(init)}
    texts[file] = templates.ASSET.format(name=file.stem)
    _require_new_files(texts)
    for new, other in [(file, file.with_suffix("") / "__init__.py"),
                       *((init, init.parent.with_suffix(".py")) for init in inits)]:  # fmt: skip
        _require_no_twin(new, other)
    _require_new_key(project, AssetKey(file.stem))
    return _write(texts)


def _start(base: Path, root: Path, path: str) -> Path:
    """The folder that `path` is relative to: the package, or the project's folder if the path
    itself starts with the package, as it does when a shell completes it."""
    root = root.resolve()
    twice = base / base.relative_to(root) if base.is_relative_to(root) else base
    return root if (base / path).is_relative_to(twice) and not os.path.exists(twice) else base


def _package_folder(project: Project) -> Path:
    for module in project.modules:
        folder = project.root.joinpath(*module.split("."))
        if os.path.isdir(folder):
            return folder.resolve()
    named = ", ".join(project.modules) or "none"
    raise ProjectError(
        f"there is no package for the file: the project's modules are {named}.",
        hint="Set module in [tool.assetgraph] to a package, which includes all its submodules.",
    )


def package_name(folder: str) -> str:
    """A name for the package of a project in `folder`. It can be imported, and shadows no other
    module."""
    name = plain_name(folder)
    return f"{name}_project" if keyword.iskeyword(name) or _is_taken(name) else name


def plain_name(folder: str) -> str:
    """The name of a folder as an identifier."""
    name = re.sub(r"\W+", "_", folder).strip("_").lower()
    return f"project_{name}".rstrip("_") if not name.isidentifier() else name


def why_not(name: str) -> str:
    """Why a package cannot have this name."""
    if keyword.iskeyword(name):
        return f"{name!r} is a reserved word in Python"
    whose = "Python" if name in sys.stdlib_module_names else "an installed package"
    return f"{whose} has a module {name!r}"


def _is_taken(name: str) -> bool:
    """Whether Python or an installed package has a module of this name."""
    if name in sys.stdlib_module_names:
        return True
    try:
        found = find_spec(name)
    except ValueError:  # an imported module without a spec
        return True
    origin = found.origin if found else None  # a plain folder of this name has none
    return origin is not None and not origin.startswith(os.getcwd() + os.sep)


def _require_name(part: str) -> None:
    problem = key_problem(AssetKey.unchecked([part]))
    if not part.isidentifier() or keyword.iskeyword(part) or problem:
        raise AssetGraphError(
            f"{part!r} is not a valid module name.",
            hint="Use letters, digits and '_', and start with a letter, as in: assets/trips.py",
        )


def _require_no_pyproject(file: Path, package: str) -> None:
    if not os.path.exists(file):
        return
    if read_table(file) is not None:
        raise AssetGraphError(
            f"{file.parent} is already a project: its pyproject.toml has a table "
            "[tool.assetgraph]. Nothing was written.",
            hint="Add an asset there with: assetgraph scaffold asset assets/NAME.py",
        )
    raise AssetGraphError(
        f"{file} already exists. Nothing was written.", hint=_TABLE.format(package=package)
    )


def _require_no_package(folder: Path) -> None:
    if os.path.exists(folder / "__init__.py"):
        raise AssetGraphError(
            f"{folder} is a Python package, and a project inside it would become part of it. "
            "Nothing was written.",
            hint="Choose another name, or change to the folder for the new project.",
        )


def _require_no_twin(new: Path, other: Path) -> None:
    if os.path.exists(other):
        raise AssetGraphError(
            f"{other} already exists. With {new} a module and a package would have the same name, "
            "and Python imports only the package. Nothing was written.",
            hint="Choose another name, or move the module into the package.",
        )


def _require_new_key(project: Project, key: AssetKey) -> None:
    """Load the project and check that no asset has the key, so the new file cannot break it."""
    for asset in project.load().assets:
        if asset.key.text.casefold() == key.text.casefold():
            raise AssetGraphError(
                f"an asset {asset.key.text!r} already exists, at {asset.place}. "
                "Nothing was written.",
                hint="Choose another name for the file.",
            )


def _require_new_files(texts: dict[Path, str]) -> None:
    existing = [file for file in texts if os.path.exists(file)]
    if existing:
        raise AssetGraphError(
            f"{existing[0]} already exists. Nothing was written.",
            hint="Choose another path, or move that file.",
        )


def _write(texts: dict[Path, str]) -> list[Path]:
    _require_new_files(texts)
    try:
        for file, text in texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as new:
                new.write(text)
    except OSError as error:
        raise AssetGraphError(
            f"cannot write {error.filename}: {error.strerror}.",
            hint="Make the folder writable, or choose another path.",
        ) from error
    return list(texts)
