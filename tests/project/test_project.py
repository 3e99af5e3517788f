"""Finding a project, reading its settings, and loading its definitions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.code import importer
from assetgraph.errors import AssetGraphError, ProjectError
from assetgraph.project.settings import find_project

MakeProject = Callable[..., ProjectFolder]

ASSET = "from assetgraph import asset\n@asset\ndef {}(): return 1\n"


def names(folder: ProjectFolder) -> list[str]:
    return [key.text for key in folder.load().order]


def test_a_project_is_found_from_any_folder_inside_it(project: MakeProject) -> None:
    made = project({"deep/inside/notes.txt": ""})
    found = find_project(made.root / "deep" / "inside")
    assert found == made.find()
    assert (found.root, found.modules) == (made.root, ("pipeline",))
    assert (found.store, found.storage) == (made.root / ".assetgraph", None)


def test_the_nearest_table_wins_and_other_tools_files_are_passed_over(project: MakeProject) -> None:
    made = project({"inner/pyproject.toml": "[tool.other]\nx = 1  # not assetgraph\n"})
    made.write("inner/own/pyproject.toml", '[tool.assetgraph]\nmodule = "own"\n')
    assert find_project(made.root / "inner").root == made.root
    assert find_project(made.root / "inner/own").modules == ("own",)


def test_no_project_says_how_to_make_one(folder: Path) -> None:
    with pytest.raises(ProjectError, match=r"no project in .*assetgraph init, or give -m MODULE"):
        find_project()


def test_a_module_or_a_store_needs_no_project(folder: Path) -> None:
    by_module = find_project(modules=["pipeline"])
    assert (by_module.root, by_module.modules) == (folder, ("pipeline",))
    assert by_module.store == folder / ".assetgraph"
    by_store = find_project(store=Path("records"))
    assert (by_store.modules, by_store.store) == ((), folder / "records")
    with pytest.raises(ProjectError, match=r"does not say where its assets are.*-m MODULE"):
        by_store.load()


def test_arguments_override_the_settings_of_the_project(project: MakeProject) -> None:
    made = project({})
    found = find_project(made.root, modules=["other"], store=Path("elsewhere"))
    assert found.root == made.root
    assert found.modules == ("other",)
    assert found.store == made.root.parent / "elsewhere"


def test_a_module_may_be_the_path_of_its_file(project: MakeProject) -> None:
    made = project({"pipe/one.py": "", "pipe/__init__.py": ""}, module="pipe/one.py")
    assert made.find().modules == ("pipe.one",)
    assert find_project(made.root / "pipe", modules=["./one.py"]).modules == ("pipe.one",)
    assert find_project(made.root, modules=["pipe/"]).modules == ("pipe",)
    assert find_project(made.root, modules=["pipe/__init__.py"]).modules == ("pipe",)
    with pytest.raises(ProjectError, match="is not inside the project's folder"):
        find_project(made.root / "pipe", modules=[str(made.write("../other.py", ""))])


def test_settings_are_relative_to_the_project(project: MakeProject) -> None:
    made = project({})
    made.write(
        "pyproject.toml",
        """
        [tool.assetgraph]
        module = ["one", "two"]
        store = "records"
        storage = "values"
        """,
    )
    found = made.find()
    assert found.modules == ("one", "two")
    assert found.store == made.root / "records"
    assert found.storage == str(made.root / "values")
    store = found.open_store()
    assert (store.folder, store.storage) == (str(found.store), found.storage)
    assert store.project_root == made.root
    made.write("pyproject.toml", '[tool.assetgraph]\nstorage = "s3://bucket/values"\n')
    assert made.find().storage == "s3://bucket/values"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.assetgraph]\nmodul = 'x'", r"has no setting 'modul'\. Did you mean 'module'\?"),
        ("[tool.assetgraph]\nstore = 5", "store must be text"),
        (
            "[tool.assetgraph]\ncolour = 5",
            "has no setting 'colour'. The settings are module, store",
        ),
        ("[tool.assetgraph]\nstore = ''", "store is empty. Leave store out for its default"),
        ("[tool.assetgraph]\nmodule = ''", "module must be a name or a list of names"),
        ("[tool.assetgraph]\nstore = 's3://b'", "store must be a local folder, not 's3://b'"),
        ("[tool.assetgraph]\nstorage = 'ftp://h'", "storage cannot be 'ftp://h'. Give a local"),
        ("[tool.assetgraph]\nexecutor = 'process'", "'process'. Did you mean 'processes'"),
        (
            "[tool.assetgraph]\nexecutor = 'gpu'",
            "executors are serial, threads, processes and dask",
        ),
        ("[tool.assetgraph]\nmodule = [5]", "module must be a name or a list of names"),
        ("[tool.assetgraph]\nmodule = 5", "module must be a name or a list of names"),
        ("[tool]\nassetgraph = 5", "must be a table"),
        ("[tool.assetgraph\n", "cannot be read"),
        ("[tool.assetgraph]\nkeep_values = 0", "keep_values must be a whole number, 1 or more"),
        ("[tool.assetgraph]\nkeep_runs = true", "keep_runs must be a whole number, 1 or more"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(
    project: MakeProject, text: str, message: str
) -> None:
    made = project({})
    file = made.write("pyproject.toml", text)
    with pytest.raises(ProjectError, match=message) as caught:
        made.find()
    assert str(file) in str(caught.value)


def test_the_assets_of_a_module_are_those_it_registers(project: MakeProject) -> None:
    made = project(
        {
            "pipeline.py": """
                from assetgraph import asset
                from making import make
                @asset
                def trips(): return 1
                for name in ("a", "b"):
                    make(name)
                """,
            "making.py": """
                from assetgraph import asset
                def make(name):
                    asset(name=name)(lambda: name)
                """,
        }
    )
    assert names(made) == ["a", "b", "trips"]


def test_a_package_means_all_its_submodules(project: MakeProject) -> None:
    made = project(
        {
            "city/__init__.py": "",
            "city/assets/__init__.py": "",
            "city/assets/trips.py": ASSET.format("trips"),
            "city/zones.py": ASSET.format("zones"),
            "city/__main__.py": "raise SystemExit('must not run')",
        },
        module="city",
    )
    assert names(made) == ["trips", "zones"]
    made.write("city/assets/fares.py", ASSET.format("fares"))
    importer.forget(made.root)
    assert "fares" in names(made)


@pytest.mark.parametrize("package", ["taxi", "taxi/assets"])
def test_a_module_that_a_package_of_its_name_hides_is_an_error_that_names_both(
    project: MakeProject, package: str
) -> None:
    files = {"taxi/__init__.py": "", f"{package}/__init__.py": "", f"{package}.py": ""}
    with pytest.raises(ProjectError, match=rf"^{package}\.py .* {package}/__init__\.py "):
        project(files, module="taxi").load()


def test_a_definitions_object_is_what_its_package_means(project: MakeProject) -> None:
    made = project(
        {
            "city/__init__.py": "",
            "city/assets.py": ASSET.format("used") + ASSET.format("unused"),
            "city/definitions.py": """
                from assetgraph import Definitions
                from city.assets import used
                defs = Definitions([used])
                again = defs
                """,
        },
        module="city",
    )
    assert names(made) == ["used"]
    (warning,) = made.find().load().warnings()
    assert str(warning).startswith("city/assets.py:5: asset 'unused' is not loaded: no Definitions")


def test_check_says_which_assets_the_second_of_two_definitions_of_one_name_leaves_out(
    project: MakeProject, assetgraph: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(
        {
            "pipeline.py": ASSET.format("a") + ASSET.format("b")
            + "import assetgraph as dg\ndefs = dg.Definitions([a])\ndefs = dg.Definitions([b])\n"
        }
    )  # fmt: skip
    monkeypatch.chdir(made.root)
    answer = assetgraph("check")
    assert (answer.code, answer.out) == (0, "All definitions loaded successfully.\n")
    assert answer.err == (
        "! pipeline.py:2: asset 'a' is not loaded: no Definitions object of its package contains it.\n"
        "  Add it to one, or remove it. If two have the same name, the last one wins.\n"
    )


def test_the_trace_of_a_module_that_others_import_is_shown_once(project: MakeProject) -> None:
    imports = "from city import wrong\n"
    files = {"city/__init__.py": "", "city/a.py": imports, "city/wrong.py": "def f(:\n"}
    with pytest.raises(ProjectError) as raised:
        project({**files, "city/z.py": imports}, module="city").load()
    assert "3 modules fail to import: 'city.a', 'city.wrong', 'city.z'." in str(raised.value)
    trace = raised.value.traceback
    assert trace
    assert trace.count("SyntaxError") == 1
    assert "wrong.py" in trace
    assert "a.py" not in trace


def test_a_module_beside_one_with_definitions_still_counts(project: MakeProject) -> None:
    made = project(
        {
            "one.py": ASSET.format("a")
            + ASSET.format("left_out")
            + "from assetgraph import Definitions\ndefs = Definitions([a])\n",
            "two.py": ASSET.format("b"),
        },
        module=["one", "two"],
    )
    assert names(made) == ["a", "b"]


def test_a_project_loads_the_same_again_and_after_its_module_was_imported(
    project: MakeProject,
) -> None:
    made = project({"pipeline.py": ASSET.format("trips")})
    made.find().enter()
    import pipeline  # type: ignore[import-not-found]

    assert names(made) == ["trips"]
    assert names(made) == ["trips"]
    assert made.load().computation(pipeline.trips.key) is pipeline.trips


def test_a_forgotten_project_is_loaded_again(project: MakeProject) -> None:
    made = project({"pipeline.py": ASSET.format("trips")})
    assert names(made) == ["trips"]
    made.write("pipeline.py", "\n" + ASSET.format("trips") + ASSET.format("fares"))
    importer.forget(made.root)
    assert names(made) == ["fares", "trips"]
    assert made.load().validate() == ()


def test_the_projects_folder_is_the_working_folder_before_anything_is_imported(
    project: MakeProject,
) -> None:
    made = project(
        {
            "pipeline.py": """
                import os, sys, json
                from assetgraph import asset
                import colorsys as shadowed
                SEEN = (os.getcwd(), sys.path[0], shadowed.MINE)
                """,
            "colorsys.py": "MINE = True",
        }
    )
    done = made.python(
        """
        import os, sys
        from pathlib import Path
        root = Path.cwd()
        from assetgraph.project.settings import find_project
        project = find_project()
        (root / "deep").mkdir()
        os.chdir("deep")
        find_project().load()
        import pipeline
        assert pipeline.SEEN == (str(root), str(root), True), pipeline.SEEN
        """
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_module_is_named(project: MakeProject) -> None:
    made = project({}, module="pipelin")
    with pytest.raises(ProjectError, match=r"there is no module 'pipelin' in .*-m\.") as caught:
        made.load()
    assert caught.value.traceback is None


def test_every_broken_module_shows_the_users_part_of_its_traceback(project: MakeProject) -> None:
    made = project(
        {
            "city/__init__.py": "",
            "city/a.py": "import helpers_of_city\n",
            "city/b.py": "def half(:\n",
            "city/c.py": "import sys\nsys.exit('no')\n",
            "city/d.py": ASSET.format("fine"),
            "city/e.py": "import not_installed_anywhere\n",
            "helpers_of_city.py": "value = 1\nvalue / 0  # here\n",
        },
        module="city",
    )
    with pytest.raises(ProjectError) as caught:
        made.load()
    message, trace = str(caught.value), caught.value.traceback or ""
    assert "4 modules fail to import: 'city.a', 'city.b', 'city.c', 'city.e'." in message
    assert "assetgraph check" in message
    assert 'File "city/a.py", line 1' in trace
    assert 'File "helpers_of_city.py", line 2' in trace
    assert "value / 0  # here" in trace
    assert "ZeroDivisionError" in trace
    assert "SyntaxError" in trace
    assert "SystemExit: no" in trace
    assert "No module named 'not_installed_anywhere'" in trace
    assert "importlib" not in trace
    assert "assetgraph/project/load.py" not in trace


def test_an_assetgraph_error_in_a_module_keeps_its_type(project: MakeProject) -> None:
    made = project({"pipeline.py": "from assetgraph import AssetKey\nAssetKey('..')\n"})
    with pytest.raises(AssetGraphError, match="starts with a dot"):
        made.load()


def test_definitions_that_are_wrong_are_loaded_to_be_reported(project: MakeProject) -> None:
    made = project({"pipeline.py": "from assetgraph import asset\n@asset\ndef a(b): ...\n"})
    (problem,) = made.load().validate()
    assert problem.place == "pipeline.py:2"


def test_finding_a_project_imports_nothing_of_it(project: MakeProject) -> None:
    made = project({"pipeline.py": "raise SystemExit('imported')"})
    made.find().open_store()
    assert "pipeline" not in sys.modules
