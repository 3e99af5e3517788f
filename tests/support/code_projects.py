"""Small projects on disk, imported by our importer, for the tests of code versions."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from assetgraph import Asset
from assetgraph.code import CodeVersions, Definition, Table, importer

Files = Mapping[str, str]
SAME_SECOND = 1_700_000_000


class Seen(NamedTuple):
    """The result of one import of a project: the versions by asset, the table of definitions, what
    each version covers, and what the asset `result` returned."""

    versions: dict[str, str]
    table: Table
    covers: dict[str, tuple[Definition, ...]]
    value: Any


def write(root: Path, files: Files) -> None:
    """Write files with the same time, so that only their content tells edits apart."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        os.utime(file, (SAME_SECOND, SAME_SECOND))
    importlib.invalidate_caches()


def remove_importer(root: Path | str) -> None:
    """Undo `importer.install(root)`. Imported modules stay."""
    root = os.path.abspath(root)
    for finder in tuple(sys.meta_path):
        if isinstance(finder, importer.ProjectFinder) and finder.folder.root == root:
            sys.meta_path.remove(finder)


@contextmanager
def imported(root: Path, module: str = "pipeline") -> Iterator[ModuleType]:
    """The module of the project in `root`, imported with bytecode caches enabled as usual."""
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    sys.path.insert(0, str(root))
    importer.install(root)
    sys.modules.pop(module, None)  # another project's
    try:
        yield importlib.import_module(module)
    finally:
        importer.forget(root)
        remove_importer(root)
        sys.path.remove(str(root))
        sys.dont_write_bytecode = writes


def look(root: Path, module: str = "pipeline", call: bool = False) -> Seen:
    """Import the project in `root` and take the versions of its assets. With `call`, also call the
    asset `result`."""
    with imported(root, module) as found:
        codes = CodeVersions(root)
        assets = {k: v for k, v in vars(found).items() if isinstance(v, Asset)}
        versions = {name: codes.version(item.function) for name, item in assets.items()}
        covers = {name: codes.covers(item.function) for name, item in assets.items()}
        value = found.result() if call else None
        return Seen(versions, codes.table(), covers, value)


class Edit(NamedTuple):
    """A project of three files, and an edit of it.

    In the files of `code_edits` an edit is a block of lines, each with a mark: `#` what is edited,
    `|` the text of `tools.py`, `~` that of `deep.py`, `>` text before the asset `result` in
    `pipeline.py`, `=` what that asset returns, `-` the old text and `+` the new one, wherever the
    old stands, `!` the names of the definitions that changed, with `?` where only a value did.
    """

    title: str
    tools: str
    deep: str
    before_asset: str
    returns: str
    old: str
    new: str
    names: tuple[str, ...]

    def files(self) -> dict[str, str]:
        pipeline = (
            "import tools\nfrom assetgraph import asset\n"
            f"{self.before_asset}\n"
            f"@asset\ndef result():\n    return {self.returns}\n\n"
            "@asset\ndef unrelated():\n    return 'unrelated'\n"
        )
        return {
            "tools.py": self.tools + "\n",
            "deep.py": self.deep + "\n",
            "pipeline.py": pipeline,
        }

    def edited(self) -> dict[str, str]:
        files = self.files()
        edited = {name: text.replace(self.old, self.new) for name, text in files.items()}
        assert edited != files, "the edit does not apply"
        return edited


def read_edits(name: str) -> list[Edit]:
    text = (Path(__file__).parents[1] / "code" / "edits" / name).read_text(encoding="utf-8")
    return [_edit(block) for block in text.split("\n\n") if block.startswith("#")]


def _edit(block: str) -> Edit:
    marked: dict[str, list[str]] = {mark: [] for mark in "#|~>=-+!"}
    for line in block.rstrip("\n").split("\n"):
        marked[line[0]].append(line[2:])
    *texts, names = map("\n".join, marked.values())
    return Edit(*texts, tuple(filter(None, names.split("/"))))


def before_and_after(root: Path, edit: Edit, call: bool = True) -> tuple[Seen, Seen]:
    write(root, edit.files())
    before = look(root, call=call)
    write(root, edit.edited())
    return before, look(root, call=call)
