"""Loading as Dagster's courses do: a folder of definitions, and functions that return them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ProjectFolder

import assetgraph as dg

MakeProject = Callable[..., ProjectFolder]

ASSETS = """
import assetgraph as dg

@dg.asset
def orders():
    return 2

@dg.asset
def total(orders):
    return orders + 1
"""
MAIN = """
from pathlib import Path
import assetgraph as dg

@dg.definitions
def defs():
    return dg.load_from_defs_folder(project_root=Path(__file__).parent.parent.parent)
"""
FACTORY = """
import assetgraph as dg

def made(name):
    @dg.asset(name=name)
    def one():
        return name
    return one

@dg.definitions
def some():
    return dg.Definitions(assets=[made("red"), made("blue")])

@dg.asset
def beside():
    return 1
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("shop", "shopping"):
            del sys.modules[name]


def module(folder: Path, name: str) -> ModuleType:
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def keys(defs: dg.Definitions) -> list[str]:
    return sorted(spec.key.text for spec in defs.get_all_asset_specs())


def test_load_defs_takes_every_module_below_also_without_init(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write("shopping/assets/orders.py", ASSETS)
    made.write("shopping/more/deeper/factory.py", FACTORY)
    root = module(folder, "shopping")
    assert keys(dg.components.load_defs(root)) == ["beside", "blue", "orders", "red", "total"]
    assert keys(dg.load_defs(defs_root=root)) == ["beside", "blue", "orders", "red", "total"]


def test_an_asset_of_loaded_definitions_is_called_and_materialized(folder: Path) -> None:
    ProjectFolder(folder).write("shopping/orders.py", ASSETS)
    defs = dg.load_defs(module(folder, "shopping"))
    total = defs.get_assets_def(dg.AssetKey("total"))
    assert total(1) == 2
    assert defs.resolve_assets_def("orders")() == 2
    assert dg.materialize([defs.get_assets_def("orders"), total]).output_for_node("total") == 3
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="Did you mean 'orders'"):
        defs.get_assets_def("order")
    instance = dg.Instance.ephemeral()
    dg.materialize(defs, instance=instance)
    assert defs.load_asset_value("total", instance=instance) == 3
    with pytest.raises(dg.DagsterInvariantViolationError):
        defs.load_asset_value("total", instance=dg.Instance.ephemeral())


def test_a_defs_folder_below_src_is_found_by_the_table_of_dg(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write("pyproject.toml", '[tool.dg.project]\nroot_module = "shop"\n')
    made.write("src/shop/__init__.py", "")
    made.write("src/shop/defs/assets.py", ASSETS)
    made.write("src/shop/defs/factory.py", FACTORY)
    made.write("src/shop/definitions.py", MAIN)
    defs = module(folder / "src", "shop.definitions").defs
    assert isinstance(defs(), dg.Definitions)
    assert defs() is defs()
    assert keys(defs()) == ["beside", "blue", "orders", "red", "total"]


@pytest.mark.parametrize("name", ["shop", "shop.definitions"])
def test_a_project_in_src_loads_and_runs(project: MakeProject, name: str) -> None:
    made = project(
        {
            "src/shop/__init__.py": "",
            "src/shop/defs/assets.py": ASSETS,
            "src/shop/defs/factory.py": FACTORY,
            "src/shop/definitions.py": MAIN,
        },
        module=name,
    )
    graph = made.load()
    assert [key.text for key in graph.order] == ["beside", "blue", "orders", "red", "total"]
    ran = made.python(
        """
        from assetgraph.cli.app import run
        assert run(["materialize", "--all", "--executor", "processes", "-j", "2"]) == 0
        assert run(["status", "--exit-code"]) == 0
        """
    )
    assert ran.returncode == 0, ran.stderr
    made.write("src/shop/defs/assets.py", ASSETS.replace("return 2", "return 5"))
    assert (
        "orders"
        in made.python("from assetgraph.cli.app import run; run(['plan', '--stale'])").stdout
    )


def test_definitions_without_assets_hide_no_assets(project: MakeProject) -> None:
    made = project(
        {
            "shop/assets.py": ASSETS,
            "shop/others.py": "import assetgraph as dg\n@dg.definitions\n"
            "def others():\n    return dg.Definitions()\n",
        },
        module="shop",
    )
    assert [key.text for key in made.load().order] == ["orders", "total"]


def test_what_is_wrong_with_a_function_of_definitions_is_said(project: MakeProject) -> None:
    made = project(
        {"shop.py": "import assetgraph as dg\n@dg.definitions\ndef defs(): return 5\n"},
        module="shop",
    )
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"defs\(\) returned an int: 5"):
        made.load()
    sys.modules.pop("shop")
    made.write("shop.py", "import assetgraph as dg\n@dg.definitions\ndef defs(): return 1 / 0\n")
    with pytest.raises(dg.AssetGraphError, match="1 module fails to import: 'shop'") as failed:
        made.load()
    assert "ZeroDivisionError" in str(vars(failed.value)["traceback"])
    with pytest.raises(TypeError, match="without parameters: defs takes 'context'"):

        @dg.definitions  # type: ignore[arg-type]
        def defs(context: object) -> dg.Definitions:
            return dg.Definitions()


def test_a_function_of_definitions_that_loads_itself_is_an_error(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write("shop/__init__.py", "")
    made.write(
        "shop/definitions.py",
        "import assetgraph as dg\nimport shop\n@dg.definitions\n"
        "def defs(): return dg.load_defs(shop)\n",
    )
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="loads itself"):
        module(folder, "shop.definitions").defs()


def test_a_missing_folder_and_a_missing_name_are_said(folder: Path) -> None:
    made = ProjectFolder(folder)
    with pytest.raises(dg.AssetGraphError, match="names the package of the definitions"):
        dg.load_from_defs_folder(project_root=folder)
    made.write("pyproject.toml", '[tool.assetgraph]\nmodule = "shop.definitions"\n')
    with pytest.raises(dg.AssetGraphError, match=r"no module 'shop\.defs'"):
        dg.load_from_defs_folder(project_root=folder)
    made.write("shop/defs/a.py", ASSETS)
    made.write("shop/defs/b.py", "1 / 0")
    importlib.invalidate_caches()
    with pytest.raises(ZeroDivisionError):
        dg.load_from_defs_folder(project_root=folder)


def test_assets_come_from_packages_and_the_current_module(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write("shopping/deep/orders.py", ASSETS)
    made.write("shopping/here.py", f"{ASSETS}\nfound = dg.load_assets_from_current_module()\n")
    (folder / "shopping/here.py").write_text(
        ASSETS.replace("orders", "here").replace("total", "there")
        + "\nfound = dg.load_assets_from_current_module(group_name='g')\n"
    )
    package = module(folder, "shopping")
    found = dg.load_assets_from_package_module(package, key_prefix="raw")
    assert {"raw/orders", "raw/total"} < {one.key.text for one in found}
    assert len(dg.load_assets_from_package_name("shopping.deep")) == 2
    own = importlib.import_module("shopping.here").found
    assert [(one.key.text, one.group_name) for one in own] == [("here", "g"), ("there", "g")]
    assert dg.file_relative_path("/a/b.py", "c.yaml") == "/a/c.yaml"


def test_src_is_found_by_the_folder_and_a_name_for_the_definitions_is_taken(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write(
        "pyproject.toml", '[tool.dg.project]\nroot_module = "shop"\ndefs_module = "shop.own"\n'
    )
    made.write("src/shop/__init__.py", "")
    made.write("src/shop/own/assets.py", ASSETS)
    made.write("src/shop/defs/factory.py", FACTORY)
    assert keys(dg.load_from_defs_folder(project_root=folder)) == ["orders", "total"]


def test_an_asset_that_definitions_hold_under_another_key_is_not_there_twice(folder: Path) -> None:
    made = ProjectFolder(folder)
    made.write("shopping/assets.py", ASSETS)
    made.write(
        "shopping/definitions.py",
        """
        import assetgraph as dg
        from shopping import assets

        defs = dg.Definitions(dg.load_assets_from_modules([assets], key_prefix="raw"))
        """,
    )
    assert keys(dg.load_defs(module(folder, "shopping"))) == ["raw/orders", "raw/total"]
