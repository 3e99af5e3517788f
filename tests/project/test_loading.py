"""What is imported when a project is loaded, and what the modules may be."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from code_projects import remove_importer
from conftest import Answer, ProjectFolder

from assetgraph import Definitions, load_assets_from_modules
from assetgraph.code import importer

MakeProject = Callable[..., ProjectFolder]

ASSET = "from assetgraph import asset\n@asset\ndef {}(): return 1\n"


def names(folder: ProjectFolder) -> list[str]:
    return [key.text for key in folder.load().order]


def warnings(folder: ProjectFolder) -> list[str]:
    return [str(warning) for warning in folder.find().load().warnings()]


def test_a_folder_without_init_is_loaded_wherever_python_can_import_from_it(
    project: MakeProject,
) -> None:
    made = project(
        {
            "pipe/plain/a.py": ASSET.format("in_plain"),
            "pipe/plain/deeper/b.py": ASSET.format("in_deeper"),
            "pipe/empty/full/c.py": ASSET.format("below_an_empty_folder"),
            "pipe/package/__init__.py": "",
            "pipe/package/plain/d.py": ASSET.format("in_plain_in_package"),
            # None of these can be named in an import, or is source of the project.
            "pipe/not-a-name/e.py": "raise RuntimeError",
            "pipe/.hidden/f.py": "raise RuntimeError",
            "pipe/__pycache__/g.py": "raise RuntimeError",
            "pipe/venv/pyvenv.cfg": "",
            "pipe/venv/h.py": "raise RuntimeError",
            "pipe/node_modules/i.py": "raise RuntimeError",
            "pipe/data/raw/trips.csv": "1,2",
        },
        module="pipe",
    )
    expected = ["below_an_empty_folder", "in_deeper", "in_plain", "in_plain_in_package"]
    assert names(made) == expected  # without pipe/__init__.py
    made.write("pipe/__init__.py", "data = 5\n")
    assert sys.modules["pipe"]
    assert names(made) == expected
    assert warnings(made) == []


def test_a_folder_without_init_is_forgotten_after_a_package_of_its_name_elsewhere(
    project: MakeProject, tmp_path: Path
) -> None:
    other = ProjectFolder(tmp_path / "other")
    other.write("pyproject.toml", '[tool.assetgraph]\nmodule = "pipe"\n')
    other.write("pipe/__init__.py", ASSET.format("elsewhere"))
    assert names(other) == ["elsewhere"]
    importer.forget(other.root)
    remove_importer(other.root)
    sys.path.remove(str(other.root))

    made = project({"pipe/a.py": ASSET.format("a")}, module="pipe")
    assert names(made) == ["a"]
    assert importer.forget(made.root) == ("pipe", "pipe.a")


def test_a_link_to_a_folder_above_is_not_followed(project: MakeProject) -> None:
    made = project(
        {"pipe/__init__.py": "", "pipe/a.py": ASSET.format("a"), "pipe/plain/x.txt": ""},
        module="pipe",
    )
    (made.root / "pipe/again").symlink_to(made.root / "pipe")
    (made.root / "pipe/plain/up").symlink_to(made.root / "pipe/plain")
    assert names(made) == ["a"]


def test_check_names_the_modules_that_a_module_of_their_folders_name_hides(
    project: MakeProject,
) -> None:
    made = project(
        {
            "pipe/__init__.py": "",
            "pipe/trips.py": ASSET.format("seen"),
            "pipe/trips/hidden.py": ASSET.format("hidden"),
        },
        module="pipe",
    )
    assert names(made) == ["seen"]
    (warning,) = warnings(made)
    assert "trips.py:1: the modules in project/pipe/trips are never imported" in warning or (
        "pipe/trips.py:1: the modules in pipe/trips are never imported" in warning
    )


RAISES = "def __getattr__(name):\n    raise RuntimeError(name)\n"
ANSWERS = "import xml\ndef __getattr__(name):\n    return getattr(xml, name)\n"
RECURSES = "def __getattr__(name):\n    return getattr(__import__(__name__), name)\n"
IMPORTS = "import importlib\ndef __getattr__(name):\n    return importlib.import_module('.' + name, __name__)\n"
REPLACED = """
import sys
import tomllib
class Facade:
    __slots__ = ()
    def __getattr__(self, name):
        raise ZeroDivisionError(name)
sys.modules[__name__] = Facade()
"""
LAZY = """
import sys
import tomllib
from types import ModuleType
class Lazy(ModuleType):
    def __getattribute__(self, name):
        if name == "__dict__":
            return super().__getattribute__(name)
        raise LookupError(name)
sys.modules[__name__].__class__ = Lazy
"""
PROXY = """
class Proxy:
    __class__ = property(lambda self: 1 / 0)
    def __getattr__(self, name):
        raise RuntimeError("working outside of a context")
    def __call__(self): ...
proxy, several = Proxy(), [Proxy()]
"""
PATH = "__path__ = 'text'\n"
ODD_PATH = "__path__ = [5, None]\n"


@pytest.mark.parametrize(
    "odd",
    [RAISES, ANSWERS, RECURSES, IMPORTS, REPLACED, LAZY, PROXY, PATH, ODD_PATH],
    ids=["raises", "answers", "recurses", "imports", "replaced", "lazy", "proxy", "path", "odd"],
)
def test_a_module_is_loaded_for_its_assets_whatever_it_answers_to_a_question(
    project: MakeProject,
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    odd: str,
) -> None:
    made = project({"pipeline.py": ASSET.format("one") + odd})
    monkeypatch.chdir(made.root)
    assert [asset["key"] for asset in assetgraph("list", "--json").json] == ["one"]
    assert assetgraph("check").code == 0
    assert assetgraph("materialize", "--all").code == 0
    assert "up to date" in assetgraph("plan").out
    made.write("pipeline.py", ASSET.format("two") + odd)
    assert [asset["key"] for asset in assetgraph("list", "--json").json] == ["two"]
    assert not [name for name in sys.modules if name.startswith(("pipeline.", "xml.pipeline"))]


WRAPPERS = """
import functools
from assetgraph import asset
def wraps(f):
    @functools.wraps(f)
    def inner(*args): return f(*args)
    return inner
def bare(f):
    def inner(*args): return f(*args)
    return inner
def twice(f): return wraps(bare(f))
def partial(f): return functools.partial(f)
class Held:
    def __init__(self, f): self.f = f
    def __call__(self): return self.f()
def keeps(f): return f
"""


@pytest.mark.parametrize("decorator", ["wraps", "bare", "twice", "partial", "Held"])
def test_a_decorator_above_asset_that_would_not_be_called_is_an_error_with_its_place(
    project: MakeProject, decorator: str
) -> None:
    made = project({"pipeline.py": f"{WRAPPERS}@{decorator}\n@asset\ndef a(): return 1\n"})
    (problem,) = made.load().validate()
    assert problem.file.endswith("pipeline.py")
    assert problem.line == WRAPPERS.count("\n") + 1
    assert "wraps the asset, and a run would not call the wrapper" in problem.message
    assert problem.remedy.startswith("Put @asset above every other decorator")
    found = load_assets_from_modules([sys.modules["pipeline"]])
    assert not found or Definitions(found).graph.validate()
    with pytest.raises(TypeError, match="Put @asset above every other decorator"):
        Definitions([sys.modules["pipeline"].a])


def test_an_asset_of_a_module_that_a_loaded_one_imports_counts(project: MakeProject) -> None:
    made = project(
        {
            "pipeline.py": "import helper\n" + ASSET.format("a"),
            "helper.py": WRAPPERS + "@asset\ndef b(): return 1\n@bare\n@asset\ndef c(): return 1\n",
        }
    )
    assert names(made) == ["a", "b", "c"]
    assert ["wraps the asset" in problem.message for problem in made.load().validate()] == [True]


def test_a_wrapped_asset_of_a_factory_is_an_error_too(project: MakeProject) -> None:
    factory = (
        "def make(name):\n    @wraps\n    @asset(name=name)\n    def a(): return 1\n    return a\n"
    )
    made = project({"pipeline.py": f"{WRAPPERS}{factory}every = [make('x'), make('y')]\n"})
    assert len(made.load().validate()) == 2


def test_a_decorator_above_asset_that_keeps_it_and_one_below_are_fine(project: MakeProject) -> None:
    made = project(
        {
            "pipeline.py": f"{WRAPPERS}@keeps\n@asset\ndef a(): return 1\n"
            "@asset\n@wraps\ndef b(): return 1\n"
            "@asset\ndef c(): return 1\nwrapped = wraps(c)\n"
        }
    )
    assert names(made) == ["a", "b", "c"]
    assert warnings(made) == []
    made.load().require_valid()


@pytest.mark.parametrize("after", ["@(lambda f: None)\n@asset\ndef a(): return 1\n",
                                   "@asset\ndef a(): return 1\na = 5\n"])  # fmt: skip
def test_check_warns_where_an_assets_name_stands_for_something_else(
    project: MakeProject, after: str
) -> None:
    made = project({"pipeline.py": WRAPPERS + after})
    assert names(made) == ["a"]
    (warning,) = warnings(made)
    assert "asset 'a' is loaded, but 'a' is now " in warning


def test_a_new_project_says_how_it_is_built_so_that_pip_installs_its_package(
    folder: Path, assetgraph: Callable[..., Answer]
) -> None:
    for name, package in (("rides", "rides"), ("my-trips", "my_trips"), ("json", "json_project")):
        assert assetgraph("init", name).code == 0
        settings = tomllib.loads((folder / name / "pyproject.toml").read_text())
        assert settings["build-system"]["build-backend"] == "hatchling.build"
        # Without it hatchling looks for a folder with the name of the distribution.
        assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [package]
        assert (folder / name / package / "__init__.py").is_file()


def test_compiled_code_is_kept_where_there_is_a_store_and_no_store_is_made_for_it(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # else Python's own cache has it
    made = project({"kept.py": ASSET.format("a")}, module="kept")
    assert names(made) == ["a"]
    store = made.find().store
    assert not store.exists()
    store.mkdir()
    sys.modules.pop("kept")
    assert names(made) == ["a"]
    assert len(list((store / "cache/code").iterdir())) == 1


def test_a_resource_that_a_broken_module_may_give_is_no_other_problem(
    project: MakeProject, assetgraph: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = "import assetgraph as dg\n@dg.asset\ndef a(db: dg.ResourceParam[int]): ...\n"
    gives = "import assetgraph as dg\ndefs = dg.Definitions(resources={'db': 1})\n"
    made = project({"pipe/uses.py": uses, "pipe/gives.py": gives + "1 / 0\n"}, module="pipe")
    monkeypatch.chdir(made.root)
    told = assetgraph("check").err
    assert "ZeroDivisionError" in told
    assert "Other problems" not in told


def test_a_project_of_dagster_is_told_what_it_needs(
    folder: Path, assetgraph: Callable[..., Answer]
) -> None:
    (folder / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "taxi"\n')
    told = assetgraph("list").err
    assert f"Add to {folder}/pyproject.toml:" in told
    assert '[tool.assetgraph]\nmodule = "taxi"' in told
