"""Everything that a forked child of a step does with files and variables counts as the step's."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from ways_to_read import ReadingProject, without_programs

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts

IN_CHILD = {
    "a variable": ("os.environ.get('A')", {"variable A"}),
    "a listing": ("os.listdir('data')", {"folder data"}),
    "a pattern": ("import glob\nglob.glob('data/*.csv')", {"pattern data/*.csv"}),
    "whether it is there": ("os.path.exists('data/none')", {"existence data/none"}),
    "a status": ("os.path.getsize('data/a.csv')", {"status data/a.csv"}),
    "a copy of the environment": ("dict(os.environ)", {"environment os.environ"}),
    "a file that it makes": (
        "Path('data/new').write_text('x')\nPath('data/new').read_text()",
        set(),
    ),
    "a file that it reads and writes": (
        "Path('data/a.csv').write_text(Path('data/a.csv').read_text() + 'x')",
        {"written data/a.csv"},
    ),
    "a file that it makes for its parent": ("Path('data/new').write_text('x')", set()),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a")
    monkeypatch.chdir(tmp_path)
    return ReadingProject(tmp_path)


@pytest.mark.parametrize("what", IN_CHILD)
def test_what_a_forked_child_does_is_recorded_as_if_the_step_did_it(
    project: ReadingProject, what: str
) -> None:
    does, expected = IN_CHILD[what]
    reads = "open('data/new').close()" if what.endswith("its parent") else ""
    child = textwrap.indent(does, "        ")
    body = (
        f"if os.fork() == 0:\n    try:\n{child}\n    finally:\n        os._exit(0)\n"
        f"os.wait()\n{reads}"
    )
    asset = project.asset(body)
    project.run(asset)
    found = {f"{read.kind} {read.name}" for read in project.recorded()}
    assert without_programs(dict.fromkeys(found)) == expected
    assert StoreFacts(dg.Definitions(assets=[asset]).graph, project.store).state(asset.key) == (
        "fresh"
    )


def test_a_variable_that_the_step_has_set_before_does_not_count_in_a_forked_child(
    project: ReadingProject,
) -> None:
    body = (
        "os.environ['A'] = '1'\n"
        "if os.fork() == 0:\n"
        "    os.environ['B'] = os.environ['A']\n"
        "    os.environ['B']\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    assert project.reads(body) == {}


def test_a_variable_that_a_pool_of_forked_processes_reads_makes_the_value_stale(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = project.asset(
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool: pool.map(read, ['A'])",
        before="def read(name): return os.environ.get(name)",
    )
    project.run(asset)
    graph = dg.Definitions(assets=[asset]).graph
    assert StoreFacts(graph, project.store).state(asset.key) == "fresh"
    monkeypatch.setenv("A", "2")
    assert StoreFacts(graph, project.store).state(asset.key) == "stale"
