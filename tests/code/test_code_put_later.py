"""What a module puts on a class after its body, classes made by calls, objects that a helper fills:
each edit of those is seen. What only looks different in each process is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from code_projects import Files, look, write
from conftest import REPOSITORY


class Edited(NamedTuple):
    """A project, and an edit of one of its files: `old` becomes `new`."""

    files: Files
    old: str
    new: str
    file: str = "pipeline.py"

    def after(self) -> Files:
        assert self.old in self.files[self.file]
        return {**self.files, self.file: self.files[self.file].replace(self.old, self.new, 1)}


def pipeline(before: str, returns: str, **more: str) -> Files:
    text = f"from assetgraph import asset\n{before}\n@asset\ndef result():\n    return {returns}\n"
    return {"pipeline.py": text, **{f"{name}.py": other for name, other in more.items()}}


TARIFF = """
from functools import partial, partialmethod, cached_property
from operator import attrgetter
import tools
class Tariff:
    base = 10
    low = 5
    def of(self, factor): return self.base * factor
"""

PUT_LATER = {
    "a partialmethod, by a loop": Edited(
        pipeline(
            f"{TARIFF}for name, factor in {{'a': 1, 'b': 2}}.items():\n"
            "    setattr(Tariff, name, partialmethod(Tariff.of, factor))",
            "Tariff().b()",
            tools="",
        ),
        "'b': 2", "'b': 3",
    ),
    "a property of an attrgetter, by a function": Edited(
        pipeline(
            f"{TARIFF}def put(kind, name, of): setattr(kind, name, property(attrgetter(of)))\n"
            "put(Tariff, 'price', 'base')",
            "Tariff().price",
            tools="",
        ),
        "'base')", "'low')",
    ),
    "a property, by a function of another module": Edited(
        pipeline(
            f"{TARIFF}tools.put(Tariff)",
            "Tariff().price",
            tools="from operator import attrgetter\n"
            "def put(kind): kind.price = property(attrgetter('base'))",
        ),
        "'base'", "'low'", "tools.py",
    ),
    "a cached property of a partial": Edited(
        pipeline(
            f"{TARIFF}Tariff.price = cached_property(partial(Tariff.of, factor=3))\n"
            "Tariff.price.__set_name__(Tariff, 'price')",
            "Tariff().price",
            tools="",
        ),
        "factor=3", "factor=4",
    ),
    "a staticmethod of a partial": Edited(
        pipeline(
            f"{TARIFF}def double(x): return 2 * x\nTariff.twice = staticmethod(partial(double, 3))",
            "Tariff.twice()",
            tools="",
        ),
        "double, 3", "double, 4",
    ),
    "a classmethod of a function": Edited(
        pipeline(
            f"{TARIFF}def name(kind): return kind.__name__ + 'a'\nTariff.name = classmethod(name)",
            "Tariff.name()",
            tools="",
        ),
        "'a'", "'b'",
    ),
    "an array": Edited(
        pipeline(
            f"import numpy as np\n{TARIFF}Tariff.weights = np.array([1, 2, 3])",
            "Tariff.weights.sum()",
            tools="",
        ),
        "2, 3]", "2, 4]",
    ),
    "an array, by a class method": Edited(
        pipeline(
            "import numpy as np\n"
            "class Model:\n"
            "    @classmethod\n"
            "    def load(cls, values): cls.weights = np.array(values)\n"
            "Model.load([1, 2, 3])",
            "Model.weights.sum()",
        ),
        "2, 3]", "2, 4]",
    ),
    "a frame, by another module": Edited(
        pipeline(
            "import model, setter",
            "model.Model.table['a'].sum()",
            model="class Model: pass",
            setter="import polars as pl\nimport model\n"
            "model.Model.table = pl.DataFrame({'a': [1, 2]})",
        ),
        "[1, 2]", "[1, 3]", "setter.py",
    ),
    "an attribute of the members of an enum, by a loop": Edited(
        pipeline(
            "import enum\nclass Colour(enum.Enum):\n    RED = 1\n    BLUE = 2\n"
            "for member, weight in zip(Colour, [10, 20]): member.weight = weight",
            "Colour.BLUE.weight",
        ),
        "10, 20", "10, 30",
    ),
    "a default of a model": Edited(
        pipeline(
            "from pydantic import BaseModel\nclass Row(BaseModel):\n    fare: int = 1\n"
            "Row.model_fields['fare'].default = 5\nRow.model_rebuild(force=True)",
            "Row().fare",
        ),
        "default = 5", "default = 6",
    ),
    "a class made by a call, under another name": Edited(
        pipeline(
            "from dataclasses import make_dataclass\nRow = make_dataclass('Other', [('a', int, 1)])",
            "Row().a",
        ),
        "int, 1", "int, 2",
    ),
    "a model made by a call, in a dict": Edited(
        pipeline(
            "from pydantic import create_model\nMODELS = {'m': create_model('Row', a=(int, 1))}",
            "MODELS['m']().a",
        ),
        "(int, 1)", "(int, 2)",
    ),
    "a class made by `type`, with an array": Edited(
        pipeline(
            "import numpy as np\nHolder = type('N', (), {'w': np.array([1, 2])})", "Holder.w.sum()"
        ),
        "[1, 2]", "[1, 3]",
    ),
    "a function that a helper registers in SQLite": Edited(
        pipeline(
            "import sqlite3\nCONN = sqlite3.connect(':memory:')\ndef add(x): return x + 1\n"
            "def set_up(conn): conn.create_function('plus', 1, add)\nset_up(CONN)",
            "CONN.execute('select plus(1)').fetchone()[0]",
        ),
        "x + 1", "x + 2",
    ),
    "a table of DuckDB that a helper makes": Edited(
        pipeline(
            "import duckdb\nCONN = duckdb.connect()\n"
            "def seed(conn): conn.execute('create table t as select 1 a')\nseed(CONN)",
            "CONN.execute('select a from t').fetchone()[0]",
        ),
        "select 1", "select 2",
    ),
    "a table of DuckDB, by a keyword": Edited(
        pipeline(
            "import duckdb\nCONN = duckdb.connect()\n"
            "def seed(conn): conn.execute('create table t as select 1 a')\nseed(conn=CONN)",
            "CONN.execute('select a from t').fetchone()[0]",
        ),
        "select 1", "select 2",
    ),
    "a table of DuckDB, by a cursor in a with block": Edited(
        pipeline(
            "import duckdb\nCONN = duckdb.connect()\nwith CONN.cursor() as cursor:\n"
            "    cursor.execute('create table t as select 1 a')",
            "CONN.execute('select a from t').fetchone()[0]",
        ),
        "select 1", "select 2",
    ),
    "a table of DuckDB, by a call whose result is kept": Edited(
        pipeline(
            "import duckdb\nCONN = duckdb.connect()\n"
            "def seed(conn): return conn.execute('create table t as select 1 a')\nROWS = seed(CONN)",
            "CONN.execute('select a from t').fetchone()[0]",
        ),
        "select 1", "select 2",
    ),
    "a table of DuckDB, by a loop": Edited(
        pipeline(
            "import duckdb\nCONN = duckdb.connect()\n"
            "def seed(conn, n): conn.execute(f'create table t{n} as select 1 a')\n"
            "for n in range(2): seed(CONN, n)",
            "CONN.execute('select a from t1').fetchone()[0]",
        ),
        "select 1", "select 2",
    ),
    "a table of DuckDB, by another module": Edited(
        pipeline(
            "import db, seeds",
            "db.CONN.execute('select a from t').fetchone()[0]",
            db="import duckdb\nCONN = duckdb.connect()",
            seeds="import db\ndb.CONN.execute('create table t as select 1 a')",
        ),
        "select 1", "select 2", "seeds.py",
    ),
    "a table of DuckDB, by another module that imports the name": Edited(
        pipeline(
            "import db, seeds",
            "db.CONN.execute('select a from t').fetchone()[0]",
            db="import duckdb\nCONN = duckdb.connect()",
            seeds="from db import CONN as C\nC.execute('create table t as select 1 a')",
        ),
        "select 1", "select 2", "seeds.py",
    ),
    "a descriptor of the project": Edited(
        pipeline(
            "class Field:\n    def __init__(self, k): self.k = k\n"
            "    def __get__(self, held, kind): return self.k\n"
            "class A: pass\nA.f = Field(1)",
            "A().f",
        ),
        "Field(1)", "Field(2)",
    ),
    "a context variable, set elsewhere": Edited(
        pipeline(
            "import settings, setter",
            "settings.LEVEL.get()",
            settings="from contextvars import ContextVar\nLEVEL = ContextVar('LEVEL', default=0)",
            setter="import settings\nsettings.LEVEL.set(1)",
        ),
        "set(1)", "set(2)", "setter.py",
    ),
    "a module with a class of its own": Edited(
        pipeline(
            "import odd",
            "odd.value",
            odd="import sys, types\nclass M(types.ModuleType):\n    @property\n"
            "    def value(self): return 1\nsys.modules[__name__].__class__ = M",
        ),
        "return 1", "return 2", "odd.py",
    ),
    "an object whose pickle leaves something out": Edited(
        pipeline(
            "class Held:\n    def __init__(self, k): self.k = k\n"
            "    def __getstate__(self): return {}\nHELD = Held(1)",
            "HELD.k",
        ),
        "Held(1)", "Held(2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edited", PUT_LATER.values(), ids=PUT_LATER)
def test_what_is_put_there_later_counts(tmp_path: Path, edited: Edited) -> None:
    write(tmp_path, edited.files)
    before = look(tmp_path, call=True)
    write(tmp_path, edited.after())
    after = look(tmp_path, call=True)

    changed_value = before.value != after.value or "name" in edited.old
    assert changed_value, "the edit changes no value, so this tries nothing"
    assert before.versions["result"] != after.versions["result"]


SAME = {
    "an array made in another way": Edited(
        pipeline("import numpy as np\nA = np.arange(3)", "A.sum()"), "np.arange(3)", "np.array([0, 1, 2])"
    ),
    "a series made in another way": Edited(
        pipeline("import pandas as pd\nA = pd.Series(range(3))", "A.sum()"), "range(3)", "[0, 1, 2]"
    ),
    "a table made in another way": Edited(
        pipeline("import pyarrow as pa\nA = pa.table({'a': [1]})", "A.num_rows"),
        "pa.table({'a': [1]})", "pa.Table.from_pydict({'a': [1]})",
    ),
    "a frame made in another way": Edited(
        pipeline("import polars as pl\nA = pl.DataFrame({'a': [1]})", "A.height"),
        "pl.DataFrame({'a': [1]})", "pl.DataFrame([pl.Series('a', [1])])",
    ),
    "a mark for type checkers": Edited(
        pipeline("import typing\nclass A:\n    def f(self): return 1", "A().f()"),
        "class A:", "@typing.final\nclass A:",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edited", SAME.values(), ids=SAME)
def test_equal_content_made_in_another_way_is_no_change(tmp_path: Path, edited: Edited) -> None:
    write(tmp_path, edited.files)
    before = look(tmp_path)
    write(tmp_path, edited.after())

    assert look(tmp_path).versions["result"] == before.versions["result"]


NEVER_THE_SAME = {
    "an adapter of pydantic": pipeline(
        "from pydantic import BaseModel, TypeAdapter\nclass Row(BaseModel):\n    a: int\n"
        "ROWS = TypeAdapter(list[Row])",
        "len(ROWS.validate_python([]))",
    ),
    "a prepared request": pipeline(
        "import requests\nASKED = requests.Request('GET', 'http://x/y').prepare()", "ASKED.url"
    ),
    "a delayed call of Dask": pipeline(
        "import dask\ndef f(x): return x\nLATER = dask.delayed(f)(1)", "LATER.compute()"
    ),
    "a figure": pipeline(
        "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nF = plt.figure()",
        "len(F.axes)",
    ),
}  # fmt: skip
PRINT_VERSION = """
import sys
from pathlib import Path
from code_projects import look
print(look(Path(sys.argv[1])).versions["result"])
"""


@pytest.mark.parametrize("files", NEVER_THE_SAME.values(), ids=NEVER_THE_SAME)
def test_a_librarys_object_that_differs_between_processes_counts_by_its_expression(
    tmp_path: Path, files: Files
) -> None:
    write(tmp_path, files)
    path = f"{REPOSITORY}:{REPOSITORY}/tests/support"
    command = [sys.executable, "-c", PRINT_VERSION, str(tmp_path)]
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    found = {
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=120
        ).stdout
        for _ in range(2)
    }

    assert len(found) == 1
