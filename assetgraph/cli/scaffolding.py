"""The files of a new project and of a new asset. Nothing that exists is ever written over."""

from __future__ import annotations

import keyword
import os
import re
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from assetgraph.errors import AssetGraphError, ProjectError
from assetgraph.keys import AssetKey, key_problem

if TYPE_CHECKING:
    from pathlib import Path

    from assetgraph.project.settings import Project

_PYPROJECT = """\
[project]
name = "{distribution}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["assetgraph"]

# Where the assets are: a module, or a package with all its submodules.
[tool.assetgraph]
module = "{package}"
"""

_GITIGNORE = """\
__pycache__/
.venv/
.assetgraph/
"""

_README = """\
# {distribution}

    assetgraph list                what there is, and in which state
    assetgraph materialize --all   make it
    assetgraph runs show latest    how that went
    assetgraph dev --open          all of it in the browser

The assets are in `{package}/assets/`. One more: `assetgraph scaffold asset assets/NAME.py`.
"""

_EXAMPLE = '''\
"""Two assets to start from: replace them with yours."""

import assetgraph as dg


@dg.asset
def readings() -> list[float]:
    """Temperatures of one day, in degrees Celsius."""
    return [11.5, 14.0, 18.5, 16.0]


@dg.asset
def average_reading(readings: list[float]) -> float:
    """The mean of the day. The parameter names the asset that it reads."""
    return sum(readings) / len(readings)
'''

_TABLE = """\
To make a project of what is here, add to it, with the name of your package:

[tool.assetgraph]
module = "{package}"
"""

_ASSET = '''\
import assetgraph as dg


@dg.asset
def {name}() -> None:
    """What this asset is: the first line is shown in lists.

    A parameter names the asset that it reads: `def {name}(raw_data): ...`. What is returned is
    stored; return the path of a file that you wrote yourself, or nothing.
    """
    ...
'''


def create_project(folder: Path) -> list[Path]:
    """Make a project in `folder`; the files that were made.

    Raises `AssetGraphError` if one of them is there already, or `folder` is a package; then none
    is made.
    """
    package = package_name(folder.name)
    _require_no_pyproject(folder / "pyproject.toml", package)
    _require_no_package(folder)
    texts = {
        folder / "pyproject.toml": _PYPROJECT,
        folder / ".gitignore": _GITIGNORE,
        folder / "README.md": _README,
        folder / package / "__init__.py": "",
        folder / package / "assets" / "__init__.py": "",
        folder / package / "assets" / "readings.py": _EXAMPLE,
    }
    names = {"package": package, "distribution": package.replace("_", "-")}
    return _write({file: text.format(**names) for file, text in texts.items()})


def create_asset(project: Project, path: str) -> list[Path]:
    """Make the file `path`, relative to the project's package, with one asset named after it, and
    an `__init__.py` for each new folder on the way; the files that were made.

    Raises `AssetGraphError`, also where the project does not load; then nothing is written.
    """
    base = _package_folder(project)
    file = (_start(base, project.root, path) / path).resolve()
    if file.suffix != ".py":
        raise AssetGraphError(f"{path!r} is no Python file.", hint="End its name in .py.")
    if not file.is_relative_to(base):
        raise AssetGraphError(
            f"{path!r} is outside the package {base.name!r}, where no asset would be found.",
            hint="Give a path inside it, such as: assets/trips.py",
        )
    for part in (*file.relative_to(base).parent.parts, file.stem):
        _require_name(part)
    folders = [folder for folder in file.parents if folder != base and folder.is_relative_to(base)]
    inits = [folder / "__init__.py" for folder in reversed(folders)]
    texts = {init: "" for init in inits if not init.exists()}
    texts[file] = _ASSET.format(name=file.stem)
    _require_new_files(texts)
    for new, other in [(file, file.with_suffix("") / "__init__.py"),
                       *((init, init.parent.with_suffix(".py")) for init in inits)]:  # fmt: skip
        _require_no_twin(new, other)
    _require_new_key(project, AssetKey(file.stem))
    return _write(texts)


def _start(base: Path, root: Path, path: str) -> Path:
    """Where `path` starts: in the package, or above it where it names the package itself, as a
    shell completes it in the project's folder."""
    root = root.resolve()
    twice = base / base.relative_to(root) if base.is_relative_to(root) else base
    return root if (base / path).is_relative_to(twice) and not twice.exists() else base


def _package_folder(project: Project) -> Path:
    for module in project.modules:
        folder = project.root.joinpath(*module.split("."))
        if folder.is_dir():
            return folder.resolve()
    named = ", ".join(project.modules) or "none"
    raise ProjectError(
        f"no package to put the file into: the project's modules are {named}.",
        hint="Name a package as module in [tool.assetgraph]: all its submodules are loaded.",
    )


def package_name(folder: str) -> str:
    """A folder's name as one that Python can import, and that hides nothing that it could."""
    name = plain_name(folder)
    return f"{name}_project" if keyword.iskeyword(name) or _is_taken(name) else name


def plain_name(folder: str) -> str:
    name = re.sub(r"\W+", "_", folder).strip("_").lower()
    return f"project_{name}".rstrip("_") if not name.isidentifier() else name


def _is_taken(name: str) -> bool:
    """Whether a module of the name comes with Python, or is installed."""
    if name in sys.stdlib_module_names:
        return True
    try:
        found = find_spec(name)
    except ValueError:  # a module that was imported and says nothing of itself
        return True
    origin = found.origin if found else None  # a folder of the name has none
    return origin is not None and not origin.startswith(os.getcwd() + os.sep)


def _require_name(part: str) -> None:
    problem = key_problem(AssetKey.unchecked([part]))
    if not part.isidentifier() or keyword.iskeyword(part) or problem:
        raise AssetGraphError(
            f"{part!r} cannot name a module.",
            hint="Use letters, digits and '_', and start with a letter, as in: assets/trips.py",
        )


def _require_no_pyproject(file: Path, package: str) -> None:
    if file.exists():
        raise AssetGraphError(
            f"{file} is there already: nothing was written.", hint=_TABLE.format(package=package)
        )


def _require_no_package(folder: Path) -> None:
    if (folder / "__init__.py").exists():
        raise AssetGraphError(
            f"{folder} is a Python package: a project in it would be a part of it. "
            "Nothing was written.",
            hint="Choose another name, or go to where the new project is to be.",
        )


def _require_no_twin(new: Path, other: Path) -> None:
    if other.exists():
        raise AssetGraphError(
            f"{other} is there: beside {new} it would be a module and a package of one name, of "
            "which Python imports only the package. Nothing was written.",
            hint="Choose another name, or move the module into the package.",
        )


def _require_new_key(project: Project, key: AssetKey) -> None:
    """Loads the project, so that what is written does not break it."""
    for asset in project.load().assets:
        if asset.key.text.casefold() == key.text.casefold():
            raise AssetGraphError(
                f"there is an asset {asset.key.text!r} already, at {asset.place}: "
                "nothing was written.",
                hint="Choose another name for the file.",
            )


def _require_new_files(texts: dict[Path, str]) -> None:
    existing = [file for file in texts if file.exists()]
    if existing:
        raise AssetGraphError(
            f"{existing[0]} is there already: nothing was written.",
            hint="Choose another path, or move it away.",
        )


def _write(texts: dict[Path, str]) -> list[Path]:
    _require_new_files(texts)
    try:
        for file, text in texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as new:
                new.write(text)
    except OSError as error:
        raise AssetGraphError(f"cannot write {error.filename}: {error.strerror}.") from error
    return list(texts)
