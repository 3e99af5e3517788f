"""What counts as read by a step, when, and whose read it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ways_to_read import ReadingProject, without_programs

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.process.reads import recorder
from assetgraph.records import ReadKind
from assetgraph.run import observed_reads

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
A = "file data/a.csv"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data" / "a.csv").write_text("a\n1\n")
    monkeypatch.chdir(root)
    return ReadingProject(root)


@pytest.mark.parametrize(
    "body",
    [
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    pool.map(Path.read_text, [Path('data/a.csv')])",
        "if os.fork() == 0:\n    open('data/a.csv').read()\n    os._exit(0)\nos.wait()",
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n        open('data/a.csv').read()\n        os._exit(0)\n"
        "    os.wait()\n    os._exit(0)\nos.wait()",
    ],
    ids=["pool", "fork", "child of a child"],
)
def test_what_a_forked_child_reads_counts(project: ReadingProject, body: str) -> None:
    assert A in project.reads(body)


def test_a_value_that_a_step_loads_counts_by_its_data_version(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "pyproject.toml").write_text("[tool.assetgraph]\nmodule = 'none'\n")
    project.run(project.module("import assetgraph as dg\n@dg.asset\ndef rates(): return 3").rates)
    made = project.store.history.current(Target(dg.AssetKey("rates")))[0]
    assert made is not None
    found = project.reads("return dg.load('rates')")
    assert found["asset rates"].digest == made.data_version


def state(project: ReadingProject, asset: Any) -> str:
    graph = dg.Definitions(assets=[asset]).graph
    return StoreFacts(graph, project.store).state(asset.key)


def texts(project: ReadingProject, asset: Any) -> list[str]:
    """Why the asset is stale."""
    graph = dg.Definitions(assets=[asset]).graph
    reasons = StoreFacts(graph, project.store).states([asset.key])[asset.key].reasons
    return [reason.text for reason in reasons]


def settle(project: ReadingProject) -> None:
    """Make the files of the project as old as files usually are."""
    for path in (project.root / "data").rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def test_a_file_that_a_step_returns_in_a_folder_that_it_listed_does_not_count(
    project: ReadingProject,
) -> None:
    settle(project)
    code = """
import os, pathlib
os.listdir('data')
pathlib.Path('data/made.csv').write_text('made')
return pathlib.Path('data/made.csv')
"""
    asset = project.asset(code)
    for _ in range(2):  # the first time, the file is not there yet
        project.run(asset)
        assert texts(project, asset) == []


# What happens to a file while the step runs: after each of them it must run again.
MEANWHILE = {
    "grows while it is read": "f = open('data/a.csv')\nf.read(1)\nother('data/a.csv', 'a\\n1\\n2\\n')",
    "is edited after it was read": "open('data/a.csv').read()\nother('data/a.csv', 'a\\n2\\n')",
    "is replaced after it was read": (
        "open('data/a.csv').read()\nother('data/new', 'a\\n2\\n')\nmove('data/new', 'data/a.csv')"
    ),
    "is deleted after it was read": "open('data/a.csv').read()\ndelete('data/a.csv')",
    "appears after it was looked for": "os.path.exists('data/b.csv')\nother('data/b.csv', 'b')",
    "appears in a folder that was listed": "os.listdir('data')\nother('data/b.csv', 'b')",
    "appears after a pattern was matched": (
        "import glob\nglob.glob('data/*.csv')\nother('data/b.csv', 'b')"
    ),
}
OTHER_PROGRAM = """
def other(path, text): run("open(%r, 'w').write(%r)" % (path, text))
def move(path, to): run("import os; os.replace(%r, %r)" % (path, to))
def delete(path): run("import os; os.unlink(%r)" % path)
def run(text):
    import subprocess, sys
    subprocess.run([sys.executable, '-c', text], check=True)
"""


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_step_runs_again_for_a_file_that(project: ReadingProject, what: str) -> None:
    settle(project)
    asset = project.asset(MEANWHILE[what], OTHER_PROGRAM)
    project.run(asset)
    assert state(project, asset) == "stale"
    project.run(project.asset("pass"))


@pytest.mark.parametrize(
    "body",
    [
        "open('data/out.csv', 'w').write('x')\nopen('data/out.csv').read()",
        "os.listdir('data')\nopen('data/out.csv', 'w').write('x')",
        "if not os.path.exists('data/cache'): open('data/cache', 'w').write('x')",
        "open('data/a.csv', 'r+').write('b')",
        "open('data/a.csv').read()\nopen('data/a.csv', 'a').write('x')",
        "open('data/step.log', 'a').write('x')",
        "os.close(os.open('data/step.lock', os.O_CREAT | os.O_RDWR))",
        "import sqlite3\nc = sqlite3.connect('data/a.db')\nc.execute('create table t (a)')\n"
        "c.commit()\nc.close()",
        "import tempfile\nwith tempfile.NamedTemporaryFile() as f: open(f.name).read()",
        "open('data/new', 'w').write('x')\nos.replace('data/new', 'data/out.csv')\n"
        "open('data/out.csv').read()",
        "import shutil\nshutil.copy('data/a.csv', 'data/b.csv')\nopen('data/b.csv').read()",
        "import subprocess\nsubprocess.run('cat data/a.csv > data/out.csv', shell=True)\n"
        "open('data/out.csv').read()",
    ],
)
def test_what_a_step_writes_itself_never_makes_it_stale(project: ReadingProject, body: str) -> None:
    settle(project)
    asset = project.asset(body)
    project.run(asset)
    assert state(project, asset) == "fresh"


@pytest.mark.parametrize(
    "asks",
    [
        "os.path.exists('data/flag')",
        "Path('data/flag').is_file() and open('data/flag').read()",
        "text('data/flag')",
        "os.path.isfile('data/flag') and os.path.getsize('data/flag')",
    ],
)
def test_a_step_that_waits_for_a_file_saw_it_there(project: ReadingProject, asks: str) -> None:
    settle(project)
    helper = """
def text(path):
    try: return open(path).read()
    except FileNotFoundError: return None
"""
    body = f"from pathlib import Path\nwhile not ({asks}): other('data/flag', 'now')"
    asset = project.asset(body, OTHER_PROGRAM + helper)
    project.run(asset)
    assert state(project, asset) == "fresh"


@pytest.mark.parametrize(("body", "read"), [
    ("import tempfile\nwith tempfile.NamedTemporaryFile() as file: open(file.name).read()", set()),
    ("open('data/a.csv', 'r+').read()", {"written data/a.csv"}),
    ("os.path.exists('.')", set()),
    ("open('data/x', 'w').close()\nos.rename('data/x', 'data/y')\nopen('data/y').read()", set()),
    ("open('data/a.csv').read()\nos.truncate('data/a.csv', 0)", {"written data/a.csv"}),
])  # fmt: skip
def test_what_a_step_makes_or_changes_is_no_file_that_it_read(
    project: ReadingProject, body: str, read: set[str]
) -> None:
    assert set(project.reads(body)) == read


def test_a_file_that_is_read_and_written_is_said(project: ReadingProject) -> None:
    found = project.reads("open('data/a.csv').read()\nopen('data/a.csv', 'a').write('x')")
    assert "it is not compared" in found["written data/a.csv"].note


def test_a_file_that_changes_while_a_program_reads_it_may_be_written_by_that(
    project: ReadingProject,
) -> None:
    body = "subprocess.run(['cat', 'data/a.csv'])\nother('data/a.csv', 'a\\n2\\n')"
    asset = project.asset(f"import subprocess\n{body}", OTHER_PROGRAM)
    settle(project)
    project.run(asset)
    found = {read.name: read.note for read in project.recorded()}
    assert "may have written it" in found["data/a.csv"]


def test_a_step_that_fails_says_why_though_the_table_of_reads_cannot_be_read(
    project: ReadingProject,
) -> None:
    body = "os.environ.get('ZONE')\nraise ValueError('no such zone')"
    (Path(project.store.folder) / "reads.jsonl").mkdir(parents=True)
    result = project.run(project.asset(body), raise_on_error=False)
    assert result.failures["reads"].message == "no such zone"
    result = project.run(project.asset("os.environ.get('ZONE')"), raise_on_error=False)
    assert "it is a folder" in result.failures["reads"].message


def test_a_pipe_and_a_device_are_not_read_again(project: ReadingProject) -> None:
    os.mkfifo(project.root / "data" / "pipe")
    found = project.reads(
        "os.close(os.open('data/pipe', os.O_RDONLY | os.O_NONBLOCK))\nopen('/dev/null').read()"
    )
    assert {name: read.note for name, read in found.items()} == {
        "file data/pipe": "it is neither a file nor a folder"
    }


def test_of_a_huge_file_only_the_stamp_counts(project: ReadingProject) -> None:
    with open(project.root / "data" / "huge", "wb") as file:
        file.truncate(50 << 30)
    found = project.reads("open('data/huge', 'rb').read(10)")
    assert "over 1 GB" in found["file data/huge"].note


def test_thousands_of_files_of_a_folder_count_together(project: ReadingProject) -> None:
    for number in range(1200):
        (project.root / "data" / f"{number}.txt").write_text("x")
    settle(project)
    body = "for path in sorted(Path('data').iterdir()): path.read_text()"
    asset = project.asset(body)
    project.run(asset)
    assert {read.kind for read in project.recorded()} == {ReadKind.FILES, ReadKind.FOLDER}
    # Files that were made just now seem to have changed while the step ran.
    assert state(project, asset) in ("fresh", "stale")
    (project.root / "data" / "7.txt").write_text("xy")
    assert texts(project, asset) == ["files in `data`, which it read, changed"]


def test_no_file_is_forgotten_of_very_many_in_small_folders(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_FILES", 10)
    monkeypatch.setattr(observed_reads, "_MOST_FILES", 5)
    for number in range(20):
        folder = project.root / f"part{number}"
        folder.mkdir()
        (folder / "a.txt").write_text("x")
    asset = project.asset("for number in range(20): open(f'part{number}/a.txt').read()")
    project.run(asset)
    recorded = {read.name.partition("/")[0] for read in project.recorded()}
    assert recorded == {f"part{number}" for number in range(20)}
    (project.root / "part19" / "a.txt").write_text("xy")
    assert "files in `part19`, which it read, changed" in texts(project, asset)


def test_only_a_salted_digest_of_a_variable_is_stored(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIN", "tr0ub4dor")
    project.reads("return len(os.environ['PIN'])")
    stored = b"".join(p.read_bytes() for p in project.store_files())
    assert b"PIN" in stored
    assert b"tr0ub4dor" not in stored


def test_a_library_that_walks_the_environment_reads_no_variable(project: ReadingProject) -> None:
    found = project.reads(
        "import subprocess, string\n"
        "subprocess.run(['true'], env=os.environ)\n"
        "string.Template('x').substitute(os.environ)"
    )
    assert without_programs(found) == set()


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        # pyarrow asks for this variable in C, so that it has no frame of its own.
        ("known = {'a': 1}\nknown.get('a')\nimport pyarrow\npyarrow.array([1]).to_pandas()", False),
        ("known = {'a': 1}\nknown.get('a')\nos.environ.get('PYARROW_IGNORE_TIMEZONE')", True),
        ("(os.environ\n    .get('PYARROW_IGNORE_TIMEZONE'))", True),
        ("one = os.environ.get\none('PYARROW_IGNORE_TIMEZONE')", True),
        ("list(map(os.environ.get, ['PYARROW_IGNORE_TIMEZONE']))", True),
        ("['PYARROW_IGNORE_TIMEZONE'].sort(key=os.environ.get)", True),
        ("os.getenv('PYARROW_IGNORE_TIMEZONE')", True),
        ("from os import getenv\ngetenv('PYARROW_IGNORE_TIMEZONE')", True),
    ],
)
def test_a_variable_that_a_built_in_function_reads_is_not_read_by_its_caller(
    project: ReadingProject, body: str, counts: bool
) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    found = [name for name in project.reads(body) if name.startswith("variable")]
    assert found == ["variable PYARROW_IGNORE_TIMEZONE"] * counts


SETTINGS = """
    from pydantic_settings import BaseSettings, SettingsConfigDict
    class Settings(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="SALES_", env_nested_delimiter="__")
        rate: float = 1.0
        months: dict[str, int] = {}
"""


def test_the_variables_of_a_settings_class_of_pydantic_count_also_those_that_are_not_set(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pydantic_settings")
    monkeypatch.setenv("SALES_MONTHS__MAY", "5")
    monkeypatch.setenv("sales_rate", "2")
    found = project.reads("Settings()", SETTINGS)
    assert set(found) == {
        "variable sales_rate",
        "variable SALES_MONTHS",
        "variable SALES_MONTHS__MAY",
    }
    monkeypatch.delenv("sales_rate")
    assert "variable SALES_RATE" in project.reads("Settings()", SETTINGS)


def test_a_copy_of_the_environment_is_said(project: ReadingProject) -> None:
    found = project.reads("dict(os.environ)\nos.environ.copy()\nlist(os.environ.items())")
    assert set(found) == {"environment os.environ"}


def test_a_variable_that_the_step_sets_itself_does_not_count(project: ReadingProject) -> None:
    assert project.reads("os.environ['A'] = '1'\nos.environ['A']") == {}


@pytest.mark.parametrize("executor", ["serial", "threads", "processes", "dask"])
def test_reads_are_recorded_in_every_executor(project: ReadingProject, executor: str) -> None:
    found = project.reads("open('data/a.csv').read()\nos.getenv('A')", executor=executor, jobs=1)
    assert set(found) == {A, "variable A"}


def test_steps_in_threads_have_each_their_own_reads(project: ReadingProject) -> None:
    (project.root / "data" / "b.csv").write_text("b")
    wait = "import threading\nboth = threading.Barrier(2)\n"
    module = project.module(
        f"import assetgraph as dg\n{wait}"
        "@dg.asset\ndef one(): both.wait(); open('data/a.csv').read(); both.wait()\n"
        "@dg.asset\ndef two(): both.wait(); open('data/b.csv').read(); both.wait()\n"
    )
    project.run(module.one, module.two, executor="threads", jobs=2)
    assert [read.name for read in project.recorded("one")] == ["data/a.csv"]
    assert [read.name for read in project.recorded("two")] == ["data/b.csv"]


def test_a_failed_step_has_its_reads(project: ReadingProject) -> None:
    assert set(project.reads("open('data/a.csv').read()\n1 / 0")) == {A}


def test_what_is_not_observed_is_not_recorded(project: ReadingProject, tmp_path: Path) -> None:
    body = "open('data/a.csv').read()"
    project.run(project.asset(body, options="observe_reads=False"))
    assert project.recorded() == ()
    ignoring = ReadingProject(project.root, ignore_reads=["data/**", "*.log"])
    assert ignoring.reads(body) == {}
    off = ReadingProject(project.root, observe_reads=False)
    assert off.reads(body) == {}


@pytest.mark.parametrize(
    ("where", "counts"),
    [
        ("data/a.csv", True),
        (".git/config", False),
        (".venv/lib/x.txt", False),
        ("data/__pycache__/x.txt", False),
        (".assetgraph/store.json", False),
        ("../outside/a.csv", True),
        ("/etc/hostname", False),
    ],
)
def test_where_a_file_lies_says_whether_it_counts(
    project: ReadingProject, where: str, counts: bool
) -> None:
    path = Path(os.path.normpath(project.root / where))
    if not path.exists() and not where.startswith(("/", ".assetgraph")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert bool(project.reads(f"open({where!r}).read()")) is (counts and path.exists())


def test_a_file_elsewhere_counts_only_if_the_project_names_it(
    project: ReadingProject, tmp_path: Path
) -> None:
    library = tmp_path / "lib" / "site-packages" / "reading_library.py"
    library.parent.mkdir(parents=True)
    outside = tmp_path / "outside.csv"
    outside.write_text("x")
    library.write_text(
        f"def own(): return open({str(outside)!r}).read()\ndef given(path): return open(path).read()\n"
    )
    before = f"import sys\nsys.path.insert(0, {str(library.parent)!r})\nimport reading_library"
    project.run(project.asset("return reading_library.own()", before))
    assert project.recorded() == ()
    project.run(project.asset(f"return reading_library.given({str(outside)!r})", before))
    assert [read.name for read in project.recorded()] == [str(outside)]


def test_a_declared_source_is_no_observed_read(project: ReadingProject) -> None:
    module = project.module(
        "import assetgraph as dg\n"
        "table = dg.source_file('data/a.csv', key='table')\n"
        "@dg.asset\ndef reads(table): return table.read_text()\n"
    )
    project.run(module.table, module.reads)
    assert project.recorded() == ()


def test_a_lazily_imported_module_is_no_file_that_was_read(project: ReadingProject) -> None:
    (project.root / "lazy_part.py").write_text("VALUE = 1\n")
    body = f"import sys\nsys.path.insert(0, {str(project.root)!r})\nimport lazy_part"
    assert project.reads(body) == {}


def test_nothing_of_the_process_stays_replaced(project: ReadingProject) -> None:
    import sys

    before = os.stat, type(os.environ), list(sys.meta_path)
    project.reads("open('data/a.csv').read()")
    assert (os.stat, type(os.environ), list(sys.meta_path)) == before


@pytest.mark.parametrize("variables", [{}, {"TMPDIR": "data"}, {"TMPDIR": "none", "TMP": "data"}])
def test_the_temporary_folder_is_that_of_tempfile(
    project: ReadingProject, variables: dict[str, str]
) -> None:
    text = (
        "import sys\n"
        "from assetgraph.process.reads.rules import _temporary_folder\n"
        "before, known = _temporary_folder(), 'tempfile' in sys.modules\n"
        "import tempfile\n"
        "print(known, before == tempfile.gettempdir() == _temporary_folder())\n"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("TMPDIR", "TEMP")}
    said = subprocess.check_output(
        [sys.executable, "-c", text], env=kept | variables, cwd=project.root, text=True
    )
    assert said.split() == ["False", "True"]
