"""What a step reads beside what it declares, what it writes and what other assets make."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from code_projects import remove_importer
from ways_to_read import ReadingProject, without_programs

import assetgraph as dg
from assetgraph.code import importer
from assetgraph.planning.facts import StoreFacts
from assetgraph.records import ReadKind
from assetgraph.run import observed_reads

OTHER = f"""
def other(text):
    import subprocess
    subprocess.run([{sys.executable!r}, '-c', text], check=True)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingProject]:
    (tmp_path / "data" / "in").mkdir(parents=True)
    for name in ("a.csv", "in/1.csv", "in/2.csv"):
        (tmp_path / "data" / name).write_text("a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield ReadingProject(tmp_path)
    importer.forget(tmp_path)  # `dg.load` in a step loads the project
    remove_importer(tmp_path)


def state(project: ReadingProject, *assets: dg.Asset) -> str:
    facts = StoreFacts(dg.Definitions(assets=assets).graph, project.store)
    return facts.state(assets[-1].key)


def test_the_value_of_an_upstream_that_a_step_loads_itself_is_no_observed_read(
    project: ReadingProject,
) -> None:
    (project.root / "pyproject.toml").write_text("[tool.assetgraph]\nmodule = 'none'\n")
    module = project.module("""
        import assetgraph as dg
        @dg.asset
        def rates(): return 3
        @dg.asset(deps=[rates])
        def reads(): return dg.load('rates')
    """)
    project.run(module.rates, module.reads)
    assert project.recorded() == ()


@pytest.mark.parametrize(("source", "read"), [
    ("data/in/*.csv", "data/in/1.csv"),
    ("data/in", "data/in/1.csv"),
    ("data/in/", "data/in/1.csv"),
])  # fmt: skip
def test_the_files_of_a_declared_source_are_no_observed_reads(
    project: ReadingProject, source: str, read: str
) -> None:
    module = project.module(f"""
        import assetgraph as dg
        table = dg.source_file({source!r}, key='table')
        @dg.asset
        def reads(table): return [Path({read!r}).read_text(), Path('data/a.csv').read_text()]
    """)
    project.run(module.table, module.reads)
    assert [read.name for read in project.recorded()] == ["data/a.csv"]


@pytest.mark.parametrize(("makes", "expected"), [
    ("other(\"open('data/in/3.csv', 'w').write('b')\")", "stale"),
    ("Path('data/in/out').write_text('b')", "fresh"),
    ("", "fresh"),
])  # fmt: skip
def test_files_that_count_together_are_stale_only_if_something_else_writes_among_them(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch, makes: str, expected: str
) -> None:
    monkeypatch.setattr(observed_reads, "_MOST_FILES", 1)
    monkeypatch.setattr(observed_reads, "_MANY", 2)
    body = f"for path in ('data/in/1.csv', 'data/in/2.csv'): Path(path).read_text()\n{makes}"
    asset = project.asset(body, OTHER)
    project.run(asset)
    assert ReadKind.FILES in {read.kind for read in project.recorded()}
    assert state(project, asset) == expected


@pytest.mark.parametrize("name", [".hidden", "__pycache__"])
def test_a_name_that_no_listing_counts_may_appear_while_the_step_runs(
    project: ReadingProject, name: str
) -> None:
    body = f"os.listdir('data/in')\nother(\"import os; os.mkdir('data/in/{name}')\")"
    asset = project.asset(body, OTHER)
    project.run(asset)
    assert [read.note for read in project.recorded() if read.kind is ReadKind.FOLDER] == [""]
    assert state(project, asset) == "fresh"


def test_a_subfolder_among_files_that_count_together_does_not_count(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.root / "data" / "in"
    present = project.store.present_reads()
    before = present.look(ReadKind.FILES, "data/in").digest
    (folder / "sub").mkdir()
    assert present.look(ReadKind.FILES, "data/in").digest == before
    os.utime(folder / "1.csv", (1, 1))
    assert present.look(ReadKind.FILES, "data/in").digest != before


@pytest.mark.parametrize(("body", "found"), [
    ("Path('data/cache/x.txt').read_text()", set()),
    ("Path('data/env/x.txt').read_text()", set()),
    ("exec(\"import os\\nos.getenv('A')\")", {"variable A"}),
    ("exec(\"from pathlib import Path\\nPath('data/a.csv').read_text()\")", {"file data/a.csv"}),
    ("other(\"open('../made', 'w').close()\")\nPath('../made').read_text()", set()),
    ("import sqlite3\nsqlite3.connect('data/new.db').close()\nos.path.exists('data/new.db')", set()),
    ("if os.path.exists('data/a.csv'): os.remove('data/a.csv')", set()),
    ("try: os.listdir('data/none')\nexcept OSError: pass", {"existence data/none"}),
    ("all_of_them = {**os.environ}", {"environment os.environ"}),
])  # fmt: skip
def test_a_step_has_read_what_was_there_before_and_may_be_another_later(
    project: ReadingProject, body: str, found: set[str]
) -> None:
    for name, mark in (("cache", "CACHEDIR.TAG"), ("env", "pyvenv.cfg")):
        (project.root / "data" / name).mkdir()
        for file in (mark, "x.txt"):
            (project.root / "data" / name / file).touch()
    assert without_programs(project.reads(body, OTHER)) == found


@pytest.mark.parametrize(("made", "says"), [
    ("table = dg.source_file('data/a.csv', key='table')", "changed"),
    ("@dg.asset\ndef table() -> Path: return Path('data/a.csv')", "changed"),
])  # fmt: skip
def test_a_file_that_is_loaded_by_its_key_is_followed_when_it_is_edited(
    project: ReadingProject, made: str, says: str
) -> None:
    (project.root / "pyproject.toml").write_text("[tool.assetgraph]\nmodule = 'pipeline'\n")
    (project.root / "pipeline.py").write_text(
        f"from pathlib import Path\nimport assetgraph as dg\n{made}\n"
    )
    module = project.module(
        f"import assetgraph as dg\n{made}\n@dg.asset\ndef reads(): dg.load('table')\n"
    )
    if "source_file" not in made:
        project.run(module.table)
    project.run(module.table, module.reads)
    assert [read.name for read in project.recorded() if read.kind is ReadKind.ASSET] == ["table"]
    assert state(project, module.table, module.reads) == "fresh"
    (project.root / "data" / "a.csv").write_text("other")
    facts = StoreFacts(dg.Definitions(assets=[module.table, module.reads]).graph, project.store)
    (reason,) = facts.states([module.reads.key])[module.reads.key][1]
    assert reason.text.endswith(says)
