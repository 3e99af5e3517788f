"""The layout of the package, checked from its source.

- A module imports only from the layers below its own, as the map in docs/architecture.md has them.
  Every import counts: at the top, in a function, and under `if TYPE_CHECKING`.
- No modules import each other in a circle.
- No file is longer than 400 lines. A function longer than 40 lines, docstring included, gives its
  reason in a comment that starts with `# Long: `. The comment stands directly above the function
  or its decorators, or before the first statement of its body.
- The top level holds at most 16 modules.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx as nx
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
def imports(path: Path) -> tuple[str, ...]:
    """The dotted name of everything a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(name for node in ast.walk(tree) for name in _names(node, path))


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


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _units() -> Iterator[Path]:
    """The modules and folders of modules of the package."""
    for path in PACKAGE.iterdir():
        if path.suffix == ".py" or any(path.glob("*.py")):
            yield path


MOST_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_TOP_LEVEL_MODULES = 16

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
        for name in imports(path):
            head, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if head != "assetgraph" or other == own:
                continue
            if LAYER_OF[other] >= LAYER_OF[own]:
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert [" -> ".join(circle) for circle in _circles(_module_graph())] == []


def _module_graph() -> nx.DiGraph[str]:
    """The modules of the package, with an edge from each to those that it imports."""
    modules = {_module_name(path): path for path in FILES}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for importer, path in modules.items():
        for name in imports(path):
            module = name if name in modules else name.rpartition(".")[0]
            if module in modules:
                graph.add_edge(importer, module)
    return graph


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _circles(graph: nx.DiGraph[str]) -> list[list[str]]:
    """A circle of modules, as a path, for each part of the graph that has one."""
    parts = (part for part in nx.strongly_connected_components(graph) if len(part) > 1)
    return [[edge[0] for edge in nx.find_cycle(graph.subgraph(part))] for part in parts]


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path in (*FILES, *TAXI)
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == set()


def test_a_long_function_gives_its_reason() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (*FILES, *TAXI)
        for name in _long_functions(path.read_text(encoding="utf-8"))
    }
    assert long == set()


def _long_functions(source: str) -> Iterator[str]:
    """The names of functions that are too long and give no reason."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > MOST_FUNCTION_LINES and not _gives_reason(node, lines):
            yield node.name


def _gives_reason(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> bool:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    above = first - 1
    while above and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    statements = [n for n in node.body if not _is_docstring(n)] or node.body
    head = lines[above : first - 1] + lines[node.lineno : statements[0].lineno - 1]
    return any(line.lstrip().startswith("# Long: ") for line in head)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_top_level_is_small() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_TOP_LEVEL_MODULES


def test_only_the_graph_knows_networkx() -> None:
    knowing = {
        unit(path)
        for path in FILES
        for name in imports(path)
        if name.partition(".")[0] == "networkx"
    }
    assert knowing == {"graph"}


def test_the_command_line_and_the_page_never_meet() -> None:
    meeting = [
        str(path.relative_to(ROOT))
        for path in FILES
        for name in imports(path)
        if (unit(path), ".".join(name.split(".")[:2])) in MEETINGS
    ]
    assert [file for file in meeting if file != STARTS_THE_PAGE] == []


def test_the_taxi_project_uses_only_what_is_exported() -> None:
    used = {
        name.partition(".")[2].partition(".")[0]
        for path in TAXI
        for name in imports(path)
        if name.startswith("assetgraph.")
    } | {
        node.attr
        for path in TAXI
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and _name(node.value) in ("dg", "assetgraph")
    }
    assert used
    assert used - set(assetgraph.__all__) == {"duckdb"}  # a module with names of its own


@pytest.mark.parametrize(
    "spelling",
    [
        "import networkx as nx",
        "import networkx.algorithms",
        "from networkx import DiGraph",
        "def f():\n    import networkx",
        "from importlib import import_module\nimport_module('networkx')",
        "__import__('networkx')",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import networkx",
    ],
)
def test_an_import_is_seen_however_it_is_spelled(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(spelling)
    assert "networkx" in {name.split(".")[0] for name in imports(tmp_path / "module.py")}


def test_a_relative_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "assetgraph" / "cli" / "views.py"
    file.parent.mkdir(parents=True)
    file.write_text("from ..web import page\nfrom . import app\nfrom .app import run\n")
    assert list(imports(file)) == [
        "assetgraph.web.page",
        "assetgraph.cli.app",
        "assetgraph.cli.app.run",
    ]


BODY = "    x = 1\n" * MOST_FUNCTION_LINES


@pytest.mark.parametrize(
    "source",
    [
        f"# Long: one table.\n@decorated\ndef f():\n{BODY}",
        f"# Long: one table,\n# in two lines.\ndef f():\n{BODY}",
        f"def f():\n    # Long: one table.\n{BODY}",
        f'def f(\n    a,\n):\n    """Text."""\n    # Long: one table.\n{BODY}',
    ],
)
def test_a_reason_for_a_long_function_is_seen(source: str) -> None:
    assert list(_long_functions(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        f"def f():\n{BODY}",
        f"# Long: too far away.\n\ndef f():\n{BODY}",
        f"# A long function.\ndef f():\n{BODY}",
        f"def f():\n{BODY}    # Long: too late.\n",
    ],
)
def test_a_long_function_without_a_reason_is_seen(source: str) -> None:
    assert list(_long_functions(source)) == ["f"]
