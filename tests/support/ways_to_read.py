"""A project whose one asset does what a test says, and what is recorded of its reads."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import assetgraph as dg
from assetgraph.api import Instance
from assetgraph.keys import Target
from assetgraph.records import ObservedRead
from assetgraph.storage.store import Store

_HEAD = "import os\nfrom pathlib import Path\n"


class ReadingProject:
    """A project in `root`, which is the current folder, with a module for each text that runs."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.store = Store(root / ".assetgraph", project_root=root, **settings)
        self._modules = 0

    def module(self, text: str) -> ModuleType:
        """A module of the project with this text."""
        self._modules += 1
        name = f"reading_{abs(hash(self.root))}_{self._modules}"
        path = self.root / f"{name}.py"
        path.write_text(_HEAD + textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        made = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made

    def asset(self, body: str, before: str = "", options: str = "") -> Any:
        """An asset `reads` with this body, in a module that begins with `before`."""
        lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        head = textwrap.dedent(before)
        decorated = (
            f"import assetgraph as dg\n{head}\n@dg.asset({options})\ndef reads():\n{lines}\n"
        )
        return self.module(decorated).reads

    def run(self, *assets: Any, **options: Any) -> dg.RunResult:
        return dg.materialize(list(assets), instance=Instance._of(self.store), **options)

    def recorded(self, key: str = "reads") -> tuple[ObservedRead, ...]:
        """What the last run of an asset read."""
        current, failed = self.store.history.current(Target(dg.AssetKey(key)))
        made = failed or current
        assert made is not None
        return () if made.observed is None else self.store.reads.of(made.observed) or ()

    def store_files(self) -> list[Path]:
        return [path for path in Path(self.store.folder).rglob("*") if path.is_file()]

    def reads(self, body: str, before: str = "", **options: Any) -> dict[str, ObservedRead]:
        """What an asset with this body read, by kind and name."""
        self.run(self.asset(body, before), raise_on_error=False, **options)
        return {f"{read.kind} {read.name}": read for read in self.recorded()}


def without_programs(found: Iterator[str] | dict[str, Any]) -> set[str]:
    return {name for name in found if not name.startswith("program ")}
