"""A module imports only from the layers below its own, as docs/architecture.md has them, whichever
way the import is spelled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import assetgraph

PACKAGE = Path(assetgraph.__file__).parent
ROOT = PACKAGE.parent

MAP = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")

# Every module and folder as the map in docs/architecture.md names it (`keys.py`, `web/`).
NAMED = [
    (name, int(layer))
    for layer, names in re.findall(r"^\| (\d+) \| (.+?) \|", MAP, re.MULTILINE)
    for name in re.findall(r"`([^`]+)`", names)
]
LAYER_OF = {name.removesuffix("/").removesuffix(".py"): layer for name, layer in NAMED}


def unit(path: Path) -> str:
    """The module or folder that a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """The dotted name of everything a file imports, and whether only for its types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(
        (name, id(node) in _type_only(tree))
        for node in ast.walk(tree)
        for name in _names(node, path)
    )


def _names(node: ast.AST, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = path.relative_to(ROOT).with_suffix("").parts[:-1]
        head = list(package[: len(package) - node.level + 1]) if node.level else []
        base = ".".join([*head, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


@cache
def _type_only(tree: ast.Module) -> frozenset[int]:
    """What lies inside `if TYPE_CHECKING:`, which imports nothing when the program runs."""
    return frozenset(
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING"
        for branch in node.body
        for inner in ast.walk(branch)
    )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _units() -> Iterator[Path]:
    """The modules and folders of modules of the package."""
    for path in PACKAGE.iterdir():
        if path.suffix == ".py" or any(path.glob("*.py")):
            yield path


MEETINGS = {("cli", "assetgraph.web"), ("web", "assetgraph.cli")}
STARTS_THE_PAGE = "assetgraph/cli/commands/dev.py"

FILES = sorted(PACKAGE.rglob("*.py"))
TAXI = sorted((ROOT / "nyc_taxi").rglob("*.py"))


def test_the_map_names_every_module_and_folder_once() -> None:
    there = {path.name if path.suffix else f"{path.name}/" for path in _units()}
    assert sorted(name for name, _ in NAMED) == sorted(there)


def test_a_module_imports_only_from_below() -> None:
    wrong = []
    for path in FILES:
        own = unit(path)
        for name, _ in imports(path):
            head, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if head != "assetgraph" or other in ("", own, "__version__"):
                continue
            if LAYER_OF[other] >= LAYER_OF[own]:
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_only_the_graph_knows_networkx() -> None:
    knowing = {
        unit(path)
        for path in FILES
        for name, _ in imports(path)
        if name.partition(".")[0] == "networkx"
    }
    assert knowing == {"graph"}


def test_the_command_line_and_the_page_never_meet() -> None:
    meeting = [
        str(path.relative_to(ROOT))
        for path in FILES
        for name, _ in imports(path)
        if (unit(path), ".".join(name.split(".")[:2])) in MEETINGS
    ]
    assert [file for file in meeting if file != STARTS_THE_PAGE] == []


def test_the_taxi_project_uses_only_what_is_exported() -> None:
    used = {
        name.partition(".")[2].partition(".")[0]
        for path in TAXI
        for name, _ in imports(path)
        if name.startswith("assetgraph.")
    } | {
        node.attr
        for path in TAXI
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and _name(node.value) in ("dg", "assetgraph")
    }
    assert used
    assert used - set(assetgraph.__all__) == set()


@pytest.mark.parametrize(
    "spelling",
    [
        "import networkx as nx",
        "import networkx.algorithms",
        "from networkx import DiGraph",
        "def f():\n    import networkx",
        "from importlib import import_module\nimport_module('networkx')",
        "__import__('networkx')",
    ],
)
def test_an_import_is_seen_however_it_is_spelled(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(spelling)
    assert "networkx" in {name.split(".")[0] for name, _ in imports(tmp_path / "module.py")}


def test_a_relative_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "assetgraph" / "cli" / "views.py"
    file.parent.mkdir(parents=True)
    file.write_text("from ..web import page\nfrom . import app\nfrom .app import run\n")
    assert [name for name, _ in imports(file)] == [
        "assetgraph.web.page",
        "assetgraph.cli.app",
        "assetgraph.cli.app.run",
    ]
