"""A module imports only from the layers below its own, whichever way the import is spelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import assetgraph

PACKAGE = Path(assetgraph.__file__).parent
ROOT = PACKAGE.parent

# Inside a folder modules import freely; every other module or folder has its layer here.
LAYERS = {
    0: ["errors", "keys"],
    1: ["annotations", "assets", "capture", "config", "context", "failure", "io_manager",
        "loading", "metadata", "records", "registry", "retries", "signals", "text", "theme"],
    2: ["definitions", "fingerprint", "graph", "layout", "problems", "selection",
        "svg"],
    3: ["executors", "exports", "plan", "storage", "tree"],
    4: ["channel", "state", "step"],
    5: ["accept", "project", "queries", "reruns", "runner", "schedule"],
    6: ["api"],
    7: ["__main__", "cli", "web"],
}  # fmt: skip
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names}

# Inside a layer, who may import whom: the layer's own order.
BESIDE = {
    ("keys", "errors"), ("__main__", "cli"),
    ("assets", "config"), ("assets", "io_manager"), ("assets", "metadata"), ("assets", "registry"),
    ("assets", "retries"), ("assets", "text"),
    ("config", "text"),
    ("context", "capture"), ("context", "metadata"), ("failure", "loading"),
    ("failure", "records"), ("theme", "records"),
    ("definitions", "graph"), ("graph", "problems"), ("graph", "svg"), ("svg", "layout"),
    ("runner", "schedule"), ("reruns", "queries"), ("reruns", "runner"),
    ("cli", "web"),
}  # fmt: skip


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


MEETINGS = {("cli", "assetgraph.web"), ("web", "assetgraph.cli")}
STARTS_THE_PAGE = "assetgraph/cli/cmd_dev.py"

FILES = sorted(PACKAGE.rglob("*.py"))
TAXI = sorted((ROOT / "nyc_taxi").rglob("*.py"))


def test_every_module_has_a_layer() -> None:
    units = {unit(path) for path in FILES} - {"__init__"}
    assert units - LAYER_OF.keys() == set()
    assert LAYER_OF.keys() - units == set(), "a layer names modules that do not exist"


def test_a_module_imports_only_from_below() -> None:
    wrong = []
    for path in FILES:
        own = unit(path)
        for name, for_types in imports(path):
            head, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if head != "assetgraph" or other in ("", own, "__version__") or for_types:
                continue
            below = LAYER_OF[other] < LAYER_OF.get(own, 99)
            if not below and (own, other) not in BESIDE:
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_every_exception_inside_a_layer_is_needed() -> None:
    met = {
        (unit(path), name.split(".")[1])
        for path in FILES
        for name, for_types in imports(path)
        if name.startswith("assetgraph.") and not for_types
    }
    assert BESIDE - met == set()


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
