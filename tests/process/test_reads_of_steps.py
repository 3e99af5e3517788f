"""What counts as read by a step, when, and whose read it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import assetgraph as dg
from assetgraph.keys import Target
from tests.support.ways_to_read import ReadingProject

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


CACHES = {
    "lru_cache": """
        from functools import cache
        @cache
        def table(): return open('data/a.csv').read()
    """,
    "a global": """
        _table = None
        def table():
            global _table
            if _table is None:
                _table = open('data/a.csv').read()
            return _table
    """,
    "a dictionary": """
        _tables = {}
        def table():
            if 'a' not in _tables:
                _tables['a'] = open('data/a.csv').read()
            return _tables['a']
    """,
    "a helper below the cache": """
        from functools import lru_cache
        def load(path): return open(path).read()
        @lru_cache(maxsize=1)
        def table(): return load('data/a.csv')
    """,
    "a cached property": """
        from functools import cached_property
        class Repository:
            @cached_property
            def rows(self): return open('data/a.csv').read()
        REPOSITORY = Repository()
        def table(): return REPOSITORY.rows
    """,
    "an attribute of an object that all share": """
        class Repository:
            rows = None
            def load(self):
                if self.rows is None:
                    self.rows = open('data/a.csv').read()
                return self.rows
        REPOSITORY = Repository()
        def table(): return REPOSITORY.load()
    """,
    "a variable": """
        from functools import cache
        @cache
        def table(): return os.environ.get('A', '')
    """,
}


@pytest.mark.parametrize("cache", CACHES)
def test_what_a_cache_keeps_counts_for_each_step_that_uses_it(
    project: ReadingProject, cache: str
) -> None:
    import textwrap

    module = project.module(
        "import assetgraph as dg\n"
        + textwrap.dedent(CACHES[cache])
        + "@dg.asset\ndef first(): return table()\n"
        + "@dg.asset\ndef second(first): return table()\n"
        + "@dg.asset\ndef other(first): return 1\n"
    )
    project.run(module.first, module.second, module.other)
    assert len(project.recorded("first")) == 1
    assert project.recorded("second") == project.recorded("first")
    assert project.recorded("other") == ()


def test_a_helper_that_keeps_nothing_gives_each_step_its_own_reads(project: ReadingProject) -> None:
    (project.root / "data" / "b.csv").write_text("b")
    module = project.module(
        "import assetgraph as dg\n"
        "def load(name): return open(f'data/{name}.csv').read()\n"
        "@dg.asset\ndef first(): return load('a')\n"
        "@dg.asset\ndef second(first): return load('b')\n"
    )
    project.run(module.first, module.second)
    assert [read.name for read in project.recorded("first")] == ["data/a.csv"]
    assert [read.name for read in project.recorded("second")] == ["data/b.csv"]


def test_a_value_that_a_step_loads_counts_by_its_data_version(
    project: ReadingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "pyproject.toml").write_text("[tool.assetgraph]\nmodule = 'none'\n")
    project.run(project.module("import assetgraph as dg\n@dg.asset\ndef rates(): return 3").rates)
    made = project.store.history.current(Target(dg.AssetKey("rates")))[0]
    assert made is not None
    found = project.reads("return dg.load('rates')")
    assert found["asset rates"].digest == made.data_version
