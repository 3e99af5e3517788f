"""The importer runs each module of the project from one reading of its source, which it keeps."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import linecache
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from code_projects import remove_importer

from assetgraph.code import importer
from assetgraph.code.project_folder import ProjectFolder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules our loader imports, with bytecode written as usual."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(importer, "_readings", {})  # without those that other tests left behind
    monkeypatch.syspath_prepend(str(tmp_path))
    importer.install(tmp_path)
    yield tmp_path
    importer.forget(tmp_path)
    remove_importer(tmp_path)


def write(folder: Path, name: str, text: str, mtime: float | None = None) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    if mtime is not None:
        os.utime(file, (mtime, mtime))
    importlib.invalidate_caches()
    return file


def test_an_edit_of_the_same_size_in_the_same_second_runs_the_new_code(project: Path) -> None:
    seen = []
    for number in range(8):
        write(project, "quick.py", f"value = {number}\n", mtime=1_700_000_000)
        seen.append(importlib.import_module("quick").value)
        importer.forget(project)

    assert seen == list(range(8))


def test_a_folder_without_init_is_forgotten_with_its_modules(
    project: Path,
) -> None:
    write(project, "without_init/deeper/part.py", "value = 1\n")
    importlib.import_module("without_init.deeper.part")
    assert sorted(importer.forget(project)) == [
        "without_init",
        "without_init.deeper",
        "without_init.deeper.part",
    ]
    write(project, "without_init/__init__.py", "value = 2\n")
    assert importlib.import_module("without_init").value == 2


def test_a_folder_that_is_also_installed_keeps_its_installed_modules(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path_factory.mktemp("site-packages")
    write(installed, "shared/library.py", "value = 1\n")
    write(project, "shared/own.py", "value = 2\n")
    monkeypatch.syspath_prepend(str(installed))
    for name in ("shared.library", "shared.own"):
        importlib.import_module(name)
    assert importer.forget(project) == ("shared.own",)
    assert sys.modules.pop("shared").library is sys.modules.pop("shared.library")


def test_the_standard_loader_would_have_run_the_old_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = []
    for number in range(2):
        write(tmp_path, "quick_standard.py", f"value = {number}\n", mtime=1_700_000_000)
        seen.append(importlib.import_module("quick_standard").value)
        del sys.modules["quick_standard"]

    assert seen == [0, 0]


def test_a_stale_cache_that_plain_python_wrote_is_not_trusted(project: Path) -> None:
    remove_importer(project)
    write(project, "shared.py", "value = 1\n", mtime=1_700_000_000)
    importlib.import_module("shared")
    del sys.modules["shared"]
    importer.install(project)
    write(project, "shared.py", "value = 2\n", mtime=1_700_000_000)

    assert importlib.import_module("shared").value == 2


def test_plain_python_can_trust_the_cache_that_we_write(project: Path) -> None:
    write(project, "after.py", "value = 1\n", mtime=1_700_000_000)
    importlib.import_module("after")
    write(project, "after.py", "value = 2\n", mtime=1_700_000_000)

    ran = subprocess.run(
        [sys.executable, "-c", "import after; print(after.value)"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "2\n"


def test_an_unchanged_source_is_not_compiled_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "again.py", "value = 1\n")
    importlib.import_module("again")
    importer.forget(project)
    compiled = []
    monkeypatch.setattr(
        importer.ProjectLoader, "source_to_code", lambda self, *_, **__: compiled.append(self.path)
    )

    assert importlib.import_module("again").value == 1
    assert compiled == []


def test_a_truncated_cache_is_compiled_again(project: Path) -> None:
    file = write(project, "cut.py", "value = 1\n")
    importlib.import_module("cut")
    importer.forget(project)
    Path(importlib.util.cache_from_source(str(file))).write_bytes(b"\x00" * 9)

    assert importlib.import_module("cut").value == 1


def test_the_text_of_a_module_stays_the_same_when_its_file_is_edited(project: Path) -> None:
    file = write(project, "edited.py", "value = 1\n")
    module = importlib.import_module("edited")
    hashes = importer.source_hashes()
    write(project, "edited.py", "value = 222\n")

    assert importer.source_of(str(file)) == "value = 1\n"
    assert module.__loader__.get_source("edited") == "value = 1\n"
    assert importer.source_hashes() == hashes


def test_a_reload_takes_the_new_text(project: Path) -> None:
    file = write(project, "fresh.py", "value = 1\n")
    module = importlib.import_module("fresh")
    write(project, "fresh.py", "value = 2\n")

    assert importlib.reload(module).value == 2
    assert importer.source_of(str(file)) == "value = 2\n"


def test_a_function_that_outlives_a_reload_keeps_its_own_reading(project: Path) -> None:
    file = str(write(project, "outlived.py", "def f(): return 1\n"))
    old = importlib.import_module("outlived").f
    importer.forget(project)
    write(project, "outlived.py", "def f(): return 2\n")
    new = importlib.import_module("outlived").f

    readings = [importer.reading_of(file, f.__globals__) for f in (old, new)]

    assert [reading.text for reading in readings if reading] == [
        "def f(): return 1\n",
        "def f(): return 2\n",
    ]


def test_only_modules_of_the_project_are_forgotten(project: Path) -> None:
    write(project, "pkg/__init__.py", "")
    write(project, "pkg/part.py", "")
    importlib.import_module("pkg.part")

    assert sorted(importer.forget(project)) == ["pkg", "pkg.part"]
    assert "pkg" not in sys.modules
    assert "pytest" in sys.modules
    assert importer.source_hashes() == {}


def test_hashes_are_named_relative_to_the_project(project: Path) -> None:
    write(project, "pkg/__init__.py", "")
    write(project, "pkg/part.py", "x = 1\n")
    importlib.import_module("pkg.part")

    assert set(importer.source_hashes()) == {"pkg/__init__.py", "pkg/part.py"}


def test_packages_and_namespace_packages_belong_to_the_project(project: Path) -> None:
    write(project, "plain/__init__.py", "from . import inner\n")
    write(project, "plain/inner.py", "")
    write(project, "space/deep/leaf.py", "import plain.inner\n")
    leaf = importlib.import_module("space.deep.leaf")
    loaders = {type(sys.modules[name].__loader__) for name in ("plain", "plain.inner")}

    assert loaders == {importer.ProjectLoader}
    assert isinstance(leaf.__loader__, importer.ProjectLoader)


@pytest.mark.parametrize(
    "place",
    [
        "venv/lib/python3.11/site-packages/outside.py",
        "env/outside.py",
        "conda/lib/outside.py",
        "node_modules/outside.py",
    ],
)
def test_code_installed_inside_the_project_does_not_belong_to_it(
    tmp_path: Path, place: str
) -> None:
    write(tmp_path, "env/pyvenv.cfg", "")
    write(tmp_path, "conda/conda-meta/history", "")
    file = write(tmp_path, place, "")

    assert not ProjectFolder(tmp_path).contains(str(file))


def test_assetgraph_never_belongs_to_the_project() -> None:
    own = Path(importer.__file__)

    assert not ProjectFolder(own.parents[2]).contains(str(own))
    assert ProjectFolder(own.parents[2]).contains(str(own.parents[2] / "setup.py"))


def test_without_a_folder_all_code_that_is_not_installed_belongs_to_the_project(
    tmp_path: Path,
) -> None:
    folder = ProjectFolder(None)

    assert folder.contains(str(tmp_path / "notebook.py"))
    assert not folder.contains(inspect.getfile(inspect))
    assert not folder.contains(inspect.getfile(pytest))


def test_a_standard_module_keeps_its_precedence(project: Path) -> None:
    write(project, "time.py", "ours = True\n")

    spec = importlib.util.find_spec("time")

    assert spec is not None
    assert spec.origin == "built-in"


def test_a_link_to_the_project_is_the_project(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    folder = ProjectFolder(tmp_path / "link")

    assert folder.contains(str(real / "x.py"))
    assert folder.relative(str(real / "sub" / "x.py")) == "sub/x.py"
    assert folder.relative(str(tmp_path / "link" / "x.py")) == "x.py"


def test_a_syntax_error_is_reported_as_python_reports_it(project: Path) -> None:
    file = write(project, "broken.py", "value = (\n")
    with pytest.raises(SyntaxError) as ours:
        importlib.import_module("broken")
    remove_importer(project)
    with pytest.raises(SyntaxError) as pythons:
        importlib.import_module("broken")

    assert str(ours.value) == str(pythons.value)
    assert ours.value.filename == str(file)
    assert importer.__file__ not in "".join(traceback.format_exception(ours.value))
    assert len(ours.traceback) == len(pythons.traceback)


def test_a_traceback_shows_only_the_users_frames(project: Path) -> None:
    write(project, "failing.py", "import inner_failing\n")
    inner = write(project, "inner_failing.py", "def f():\n    1 / 0\nf()\n")
    with pytest.raises(ZeroDivisionError) as failure:
        import failing  # type: ignore[import-not-found]  # noqa: F401

    frames = list(traceback.extract_tb(failure.value.__traceback__))[1:]

    assert [(Path(f.filename).name, f.line) for f in frames] == [
        ("failing.py", "import inner_failing"),
        (inner.name, "f()"),
        (inner.name, "1 / 0"),
    ]


def test_inspect_and_linecache_find_the_source(project: Path) -> None:
    file = write(project, "looked_at.py", "def f():\n    return 1\n")
    module = importlib.import_module("looked_at")

    assert inspect.getsource(module.f) == "def f():\n    return 1\n"
    assert linecache.getline(str(file), 2) == "    return 1\n"


def test_the_encoding_that_a_file_declares_is_obeyed(project: Path) -> None:
    file = project / "latin.py"
    file.write_bytes("# coding: latin-1\nname = 'Zürich'\n".encode("latin-1"))
    importlib.invalidate_caches()

    assert importlib.import_module("latin").name == "Zürich"
    assert importer.source_of(str(file)) == "# coding: latin-1\nname = 'Zürich'\n"


def test_a_module_runs_as_a_script(project: Path) -> None:
    write(project, "pkg/__init__.py", "")
    write(project, "pkg/script.py", "import sys; print(__name__, __spec__.name, sys.argv[1:])\n")
    program = (
        "import runpy, sys; from assetgraph.code import importer; sys.path.insert(0, '.');"
        "importer.install('.'); runpy.run_module('pkg.script', run_name='__main__', alter_sys=True)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "x"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(Path(importer.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "__main__ pkg.script ['x']\n"


def test_data_beside_a_module_is_read_as_it_is(project: Path) -> None:
    write(project, "pkg/__init__.py", "")
    data = project / "pkg" / "data.bin"
    data.write_bytes(b"one")
    module = importlib.import_module("pkg")
    assert module.__loader__.get_data(str(data)) == b"one"
    data.write_bytes(b"two")

    assert module.__loader__.get_data(str(data)) == b"two"


def test_looking_for_a_module_does_not_replace_what_ran(project: Path) -> None:
    file = write(project, "peeked.py", "value = 1\n")
    importlib.import_module("peeked")
    write(project, "peeked.py", "value = 2\n")
    spec = importer.install(project).find_spec("peeked")

    assert spec is not None
    assert spec.loader.get_source("peeked") == "value = 2\n"  # type: ignore[union-attr]
    assert importer.source_of(str(file)) == "value = 1\n"


def test_installing_twice_changes_nothing(project: Path) -> None:
    before = list(sys.meta_path)
    importer.install(project)

    assert sys.meta_path == before
