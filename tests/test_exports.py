"""What `import assetgraph` offers: every public name is there, sorted, documented, and lazy."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import assetgraph

SOURCE = Path(assetgraph.__file__)


def test_all_is_sorted_and_is_what_dir_shows() -> None:
    assert assetgraph.__all__ == sorted(set(assetgraph.__all__))
    assert dir(assetgraph) == assetgraph.__all__


@pytest.mark.parametrize("name", assetgraph.__all__)
def test_every_public_name_is_there_and_at_home_in_its_module(name: str) -> None:
    value = getattr(assetgraph, name)
    if name == "__version__":
        return
    home = importlib.import_module(f"assetgraph.{assetgraph._HOME[name]}")
    assert getattr(home, name) is value
    assert value.__module__ == home.__name__


@pytest.mark.parametrize("name", [n for n in assetgraph.__all__ if n != "__version__"])
def test_every_public_name_and_its_public_methods_have_a_docstring(name: str) -> None:
    value = getattr(assetgraph, name)
    assert inspect.getdoc(value), name
    assert value.__doc__ != getattr(object, "__doc__", None)
    if isinstance(value, type):
        assert vars(value).get("__doc__"), f"{name} only inherits its docstring"


def test_what_type_checkers_see_is_what_is_imported() -> None:
    """The imports for type checking, `_HOME` and `__all__` are three copies of one list."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    seen = {
        alias.name: (node.module or "").removeprefix("assetgraph.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assetgraph.")
        for alias in node.names
    }
    assert seen == assetgraph._HOME
    assert {*seen, "__version__"} == set(assetgraph.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'OpDefinition'"):
        _ = assetgraph.OpDefinition
    with pytest.raises(ImportError):
        from assetgraph import graph_asset  # noqa: F401


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE.parent / "py.typed").exists()


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `code`."""
    code = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


HEAVY = {"networkx", "pyarrow", "rich", "requests", "pandas", "polars", "numpy", "dask"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert modules_after("import assetgraph") & {*HEAVY, "msgspec", "click"} == set()


def test_decorating_imports_neither_the_graph_nor_tables() -> None:
    code = "import assetgraph as dg\n@dg.asset\ndef a(): ...\ndg.Definitions([a])"
    assert modules_after(code) & HEAVY == set()


def test_a_run_of_plain_values_imports_no_tables() -> None:
    code = "import assetgraph as dg\n@dg.asset\ndef a(): return {'x': 1}\ndg.materialize([a])"
    assert modules_after(code) & HEAVY == set()


def test_reading_runs_imports_no_graph() -> None:
    code = (
        "from assetgraph.project.settings import find_project\n"
        "from assetgraph.queries.run_views import list_runs\n"
        "from pathlib import Path\n"
        "list_runs(find_project(store=Path('nowhere')).open_store())"
    )
    assert modules_after(code) & HEAVY == set()
