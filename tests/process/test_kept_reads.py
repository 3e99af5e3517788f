"""What a cache of the project keeps counts for each step that uses it."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
from ways_to_read import ReadingProject

from assetgraph.records import ReadKind

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadingProject:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("a")
    monkeypatch.chdir(tmp_path)
    return ReadingProject(tmp_path)


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
    "a cache that another name has": """
        from functools import cache
        def load(): return open('data/a.csv').read()
        table = cache(load)
    """,
    "a cache around a lambda": """
        from functools import cache
        table = cache(lambda: open('data/a.csv').read())
    """,
    "an attribute of a function": """
        def table():
            if not hasattr(table, 'rows'):
                table.rows = open('data/a.csv').read()
            return table.rows
    """,
    "an attribute of an object of the module": """
        from types import SimpleNamespace
        KEPT = SimpleNamespace(rows=None)
        def table():
            if KEPT.rows is None:
                KEPT.rows = open('data/a.csv').read()
            return KEPT.rows
    """,
    "a mapping that is no dictionary": """
        from collections import UserDict
        _tables = UserDict()
        def table():
            if 'a' not in _tables:
                _tables['a'] = open('data/a.csv').read()
            return _tables['a']
    """,
    "a list that is extended": """
        _rows = []
        def table():
            if not _rows:
                _rows.extend(open('data/a.csv'))
            return _rows
    """,
    "a default of a parameter": """
        def table(_kept={}):
            if 'a' not in _kept:
                _kept['a'] = open('data/a.csv').read()
            return _kept['a']
    """,
    "a variable of an outer function": """
        def make():
            rows = None
            def get():
                nonlocal rows
                if rows is None:
                    rows = open('data/a.csv').read()
                return rows
            return get
        table = make()
    """,
    "another name of a dictionary": """
        _tables = {}
        def table():
            tables = _tables
            if 'a' not in tables:
                tables['a'] = open('data/a.csv').read()
            return tables['a']
    """,
    "a dictionary in a dictionary": """
        _tables = {'data': {}}
        def table():
            if 'a' not in _tables['data']:
                _tables['data']['a'] = open('data/a.csv').read()
            return _tables['data']['a']
    """,
    "a dictionary that is passed": """
        _tables = {}
        def load(tables):
            if 'a' not in tables:
                tables['a'] = open('data/a.csv').read()
            return tables['a']
        def table(): return load(_tables)
    """,
    "an object in a dictionary": """
        class Repository:
            rows = None
            def load(self):
                if self.rows is None:
                    self.rows = open('data/a.csv').read()
                return self.rows
        REPOSITORIES = {'a': Repository()}
        def table(): return REPOSITORIES['a'].load()
    """,
    "a cache around a function that writes the file too": """
        from functools import cache
        @cache
        def table():
            text = open('data/a.csv').read()
            open('data/a.csv', 'a').write('x')
            return text
    """,
    "an object that a cache keeps": """
        from functools import cache
        class Repository:
            rows = None
            def load(self):
                if self.rows is None:
                    self.rows = open('data/a.csv').read()
                return self.rows
        @cache
        def repository(): return Repository()
        def table(): return repository().load()
    """,
}


@pytest.mark.parametrize("cache", CACHES)
def test_what_a_cache_keeps_counts_for_each_step_that_uses_it(
    project: ReadingProject, cache: str
) -> None:
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


def test_a_module_in_the_place_of_another_is_looked_through_too(project: ReadingProject) -> None:
    source = (
        "import assetgraph as dg\n"
        + textwrap.dedent(CACHES["a cache around a lambda"])
        + "@dg.asset\ndef first(): return table()\n"
        + "@dg.asset\ndef second(first): return table()\n"
    )
    for _ in range(4):  # the first runs import more
        module = project.module(source)
        project.run(module.first, module.second)
        assert len(project.recorded("second")) == 1
        sys.modules.pop(module.__name__)


def test_what_an_object_of_another_module_keeps_counts(project: ReadingProject) -> None:
    classes = project.module(
        """
        class Repository:
            rows = None
            def load(self):
                if self.rows is None:
                    self.rows = open('data/a.csv').read()
                return self.rows
        """
    )
    module = project.module(
        f"import assetgraph as dg\nfrom {classes.__name__} import Repository\n"
        "REPOSITORY = Repository()\n"
        "@dg.asset\ndef first(): return REPOSITORY.load()\n"
        "@dg.asset\ndef second(first): return REPOSITORY.load()\n"
    )
    project.run(module.first, module.second)
    assert [read.name for read in project.recorded("second")] == ["data/a.csv"]


def test_an_object_of_each_step_gives_it_its_own_reads(project: ReadingProject) -> None:
    (project.root / "data" / "b.csv").write_text("b")
    module = project.module(
        """
        import assetgraph as dg
        class Table:
            def __init__(self, name): self.name = name
            def load(self):
                self.rows = open(f'data/{self.name}.csv').read()
                return self.rows
        @dg.asset
        def first(): return Table('a').load()
        @dg.asset
        def second(first):
            table = Table('b')
            return table.load()
        """
    )
    project.run(module.first, module.second)
    assert [read.name for read in project.recorded("second")] == ["data/b.csv"]


KEEPING_NOTHING = {
    "only reads": "def load(name): return open(f'data/{name}.csv').read()",
    "looks a name up": """
        NAMES = {'a': 'x', 'b': 'y'}
        def load(name):
            found = {}
            for line in open(f'data/{name}.csv'):
                found[NAMES.get(line, line)] = line
            return found
    """,
    "makes a list": """
        FACTORS = [1, 2]
        def load(name):
            rows = []
            for line in open(f'data/{name}.csv'):
                rows.append(line * FACTORS[0])
            return rows
    """,
    "is chosen from a dictionary": """
        def read(path):
            rows = list()
            rows.extend(open(path))
            return rows
        READERS = {'.csv': read}
        def load(name):
            path = Path(f'data/{name}.csv')
            return READERS[path.suffix](path)
    """,
}


@pytest.mark.parametrize("helper", KEEPING_NOTHING)
def test_a_helper_that_keeps_nothing_gives_each_step_its_own_reads(
    project: ReadingProject, helper: str
) -> None:
    (project.root / "data" / "b.csv").write_text("b")
    module = project.module(
        "import assetgraph as dg\n"
        + textwrap.dedent(KEEPING_NOTHING[helper])
        + "\n@dg.asset\ndef first(): return load('a')\n"
        "@dg.asset\ndef second(first): return load('b')\n"
    )
    project.run(module.first, module.second)
    assert [read.name for read in project.recorded("first")] == ["data/a.csv"]
    assert [read.name for read in project.recorded("second")] == ["data/b.csv"]


def test_what_a_step_under_way_has_put_into_a_cache_counts(project: ReadingProject) -> None:
    module = project.module(
        """
        import threading
        from functools import cache
        import assetgraph as dg
        cached, got = threading.Event(), threading.Event()
        @cache
        def table(): return open('data/a.csv').read()
        @dg.asset
        def first():
            table()
            cached.set()
            got.wait(20)
        @dg.asset
        def second():
            cached.wait(20)
            return table()
        @dg.asset
        def third(second):
            got.set()
        """
    )
    project.run(module.first, module.second, module.third, executor="threads", jobs=2)
    assert [read.name for read in project.recorded("first")] == ["data/a.csv"]
    assert project.recorded("second") == project.recorded("first")
    assert project.recorded("third") == ()


def test_what_an_interrupted_step_has_put_into_a_cache_counts(project: ReadingProject) -> None:
    module = project.module(
        """
        from functools import cache
        import assetgraph as dg
        @cache
        def table(): return open('data/a.csv').read()
        @dg.asset
        def first():
            table()
            raise KeyboardInterrupt
        @dg.asset
        def second(): return table()
        """
    )
    with pytest.raises(KeyboardInterrupt):
        project.run(module.first)
    (project.root / "data" / "a.csv").write_text("changed")
    project.run(module.second)
    read = project.store.present_reads().look(ReadKind.FILE, "data/a.csv")
    assert [one.name for one in project.recorded("second")] == ["data/a.csv"]
    assert project.recorded("second")[0].digest != read.digest
