"""`Project` and `find_project`: the settings under `[tool.assetgraph]` in a pyproject.toml."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec

from assetgraph.errors import ProjectError
from assetgraph.states import EXECUTORS
from assetgraph.storage.store import Store
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.graph.definitions import Definitions

FROM_ENV_FILE = "ASSETGRAPH_FROM_ENV_FILE"  # names the variables that come from a `.env`

Count = Annotated[int, msgspec.Meta(ge=1)]
Limits = Mapping[str, Count]
Patterns = tuple[str, ...]
_IN_WORDS: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    Count: "a whole number, 1 or more",
    Limits: "a table of whole numbers, 1 or more",
    Patterns: 'a list of patterns, such as ["cache/**", "*.log"]',
}


class Project(msgspec.Struct, frozen=True):
    """A folder with a pyproject.toml, and the settings in its table `[tool.assetgraph]`.

    `root` is the folder, `modules` the modules that define its assets, and `warnings` are about the
    settings. Each field from `store` on is the setting of that name: a new setting is one more
    field before `warnings`.
    """

    root: Path
    modules: tuple[str, ...]
    store: Path  # the folder with the records of runs and assets
    storage: str | None = None  # a folder or URL for the values; None: in the store
    keep_values: Count = 2  # per asset
    keep_runs: Count | None = None  # None: all
    executor: str | None = None
    jobs: Count | None = None
    dask_scheduler: str | None = None  # the address of a Dask scheduler
    pools: Limits = {}  # how many steps of each pool run at once
    log_limit: Count | None = None  # bytes kept per step and output stream
    partition: str | None = None  # the default partition of definitions that have none themselves
    observe_reads: bool = True  # whether what steps read without declaring it is recorded
    ignore_reads: Patterns = ()  # of which files it is not
    warnings: tuple[str, ...] = ()

    def open_store(self) -> Store:
        """The store of this project. Nothing is created on disk before something is recorded."""
        return Store(
            self.store,
            project_root=self.root,
            storage=self.storage,
            keep_values=self.keep_values,
            keep_runs=self.keep_runs,
            observe_reads=self.observe_reads,
            ignore_reads=self.ignore_reads,
        )

    def enter(self) -> None:
        """Make `root` the current folder and the first entry of `sys.path`."""
        os.chdir(self.root)
        root = str(self.root)
        if sys.path[:1] != [root]:
            sys.path.insert(0, root)

    def load(self) -> Definitions:
        """Import the project's modules and return the assets that they define.

        Enters the project first, and reads its `.env`. Raises `ProjectError` if no module is named,
        if one is not found, or, with the user's part of each traceback, if some fail to import.
        """
        if not self.modules:
            raise ProjectError(
                f"{self.root} does not say where its assets are.",
                hint='Add module = "…" to [tool.assetgraph] in pyproject.toml, or give -m MODULE.',
            )
        self.enter()
        from assetgraph.project.load import load_definitions

        if FROM_ENV_FILE in os.environ or os.path.isfile(self.root / ".env"):
            from assetgraph.project.env_file import read_env_file

            read_env_file(self.root, FROM_ENV_FILE)

        return load_definitions(self.root, self.modules, self.store)


SETTINGS = ("module", *Project.__struct_fields__[2:-1])
_RENAMED = {"scheduler": "dask_scheduler"}  # the old names still work, with a warning


def _dagsters(start: Path) -> str | None:
    """What a project of Dagster's in `start`, or in a folder above it, still needs."""
    import tomllib

    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            module = tomllib.loads(file.read_text("utf-8"))["tool"]["dg"]["project"]["root_module"]
            return f'Add to {file}:\n\n[tool.assetgraph]\nmodule = "{module}"\n'
    return None


def find_project(
    start: Path | None = None, *, modules: Sequence[str] = (), store: Path | None = None
) -> Project:
    """The project that contains the folder `start`, by default the current one.

    Its root is the nearest folder, from `start` upward, whose pyproject.toml has a table
    `[tool.assetgraph]`. `modules` and `store` override its settings. With either of them no
    pyproject.toml is needed: `start` itself is then the root.

    Raises `ProjectError` if there is no project or a setting is wrong.
    """
    start = start.absolute() if start else working_folder()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        table = read_table(file)
        if table is not None:
            named = [module_name(text, start, folder) for text in modules]
            return _project(file, table, named, store)
    if not modules and store is None:
        raise ProjectError(
            f"there is no project in {start} or a folder above it: no pyproject.toml has a table "
            "[tool.assetgraph].",
            hint=_dagsters(start) or "Create one with: assetgraph init, or give -m MODULE.",
        )
    return Project(
        start,
        tuple(module_name(text, start, start) for text in modules),
        store.absolute() if store else start / ".assetgraph",
    )


def working_folder() -> Path:
    """The current folder. Raises `ProjectError` if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ProjectError(
            "the working folder does not exist any more.", hint="Change to one that does: cd ~"
        ) from None


def read_table(file: Path) -> Mapping[str, Any] | None:
    """The table `[tool.assetgraph]` of a pyproject.toml, or None if there is no such file or table.

    Raises `ProjectError` if the file mentions assetgraph but is not valid TOML.
    """
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    if b"assetgraph" not in data:
        return None
    import tomllib

    try:
        table = tomllib.loads(data.decode()).get("tool", {}).get("assetgraph")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(f"{file} cannot be read: {error}.") from error
    if table is not None and not isinstance(table, dict):
        raise ProjectError(f"{file}: tool.assetgraph must be a table.")
    return table


def _project(
    file: Path, table: Mapping[str, Any], modules: Sequence[str], store: Path | None
) -> Project:
    """The project that `table` describes. Raises `ProjectError` for an unknown or wrong setting."""
    folder = file.parent
    warnings = tuple(
        f"{file}: [tool.assetgraph] {old} is now called {new}. The old name still works."
        for old, new in _RENAMED.items()
        if old in table
    )
    table = {_RENAMED.get(name, name): value for name, value in table.items()}
    named = [module_name(n, folder, folder) for n in _module_names(file, table.get("module", []))]
    settings = _checked(file, {name: table[name] for name in table if name != "module"})
    storage = settings.get("storage")
    if storage is not None and "://" not in storage:
        settings["storage"] = str(folder / storage)
    given = settings.pop("store", ".assetgraph")
    return Project(
        root=folder,
        modules=tuple(modules or named),
        store=store.absolute() if store else folder / given,
        **settings,
        warnings=warnings,
    )


def module_name(text: str, start: Path, root: Path) -> str:
    """The name of a module in the project folder `root`, from its name or the path of its file.

    A path, such as `pipe/trips.py`, is relative to `start`. Raises `ProjectError` if it leads to no
    file of the project.
    """
    if not (text.endswith(".py") or "/" in text):
        return text
    path = Path(os.path.normpath(start / text))
    if not os.path.exists(path):
        raise ProjectError(
            f"there is no file {path}.", hint="Check [tool.assetgraph] module, or -m."
        )
    if path == root or not path.is_relative_to(root):
        raise ProjectError(
            f"{path} is not inside the project's folder {root}.",
            hint="Change to the folder of that file, or name a module that Python can import.",
        )
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module_names(file: Path, given: Any) -> list[str]:
    """The setting `module`, a name or a list of names, as a list. Raises `ProjectError`."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise ProjectError(f"{file}: [tool.assetgraph] module must be a name or a list of names.")
    return names


def _checked(file: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings other than `module`, each with the type of its field in `Project`."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(Project)} if given else {}
    for name, value in given.items():
        if name not in SETTINGS:
            its = f"The settings are {listed(SETTINGS)}."
            raise ProjectError(
                f"{file}: [tool.assetgraph] has no setting {name!r}.",
                hint=did_you_mean(name, SETTINGS) or its,
            )
        # A setting that is optional here is left out of a TOML file, which has no null.
        alternatives = (kinds[name], *get_args(kinds[name]))
        kind = next((one for one in alternatives if one in _IN_WORDS), str)
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            raise ProjectError(
                f"{file}: [tool.assetgraph] {name} must be {_IN_WORDS[kind]}."
            ) from None
        wrong = _wrong_text(name, value) if kind is str else None
        if wrong:
            message, hint = wrong
            raise ProjectError(f"{file}: [tool.assetgraph] {name} {message}", hint=hint)
    return dict(given)


def _wrong_text(name: str, value: str) -> tuple[str, str | None] | None:
    """What is wrong with the text of a setting, with a hint; None if it can be used."""
    if not value:
        return "is empty.", f"Leave {name} out for its default."
    if name == "executor" and value not in EXECUTORS:
        hint = did_you_mean(value, EXECUTORS) or f"The executors are {listed(EXECUTORS)}."
        return f"cannot be {value!r}.", hint
    if name == "store" and "://" in value:
        hint = f'For the values alone, use storage = "{value}".'
        return f"must be a local folder, not {value!r}.", hint
    if name == "storage" and "://" in value:
        from assetgraph.storage.value_places import OBJECT_STORES

        if not value.startswith(OBJECT_STORES):
            hint = "Give a local folder, s3://bucket/prefix or gs://bucket/prefix."
            return f"cannot be {value!r}.", hint
    return None
