"""Objects that libraries make of the project's code, classes that they take part in, and wrappers of
a team around `asset`."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_projects import look, write


def versions(root: Path, text: str, old: str, new: str) -> tuple[str, str]:
    """The versions of the asset `result`, and of the same after an edit."""
    assert old in text
    found = []
    for edited in (text, text.replace(old, new)):
        write(root, {"pipeline.py": f"import assetgraph as dg\n{edited}"})
        found.append(look(root).versions["result"])
    return found[0], found[1]


def asset(before: str, returns: str) -> str:
    return f"{before}\n@dg.asset\ndef result():\n    return {returns}\n"


PUT = "class Kit: pass\ndef equip(kind):\n    kind.{name} = {name}\nequip(Kit)"
COUNTS = {
    "a function in an object of a library whose pickle only names it": (
        "toolz",
        asset("import toolz\n@toolz.curry\ndef add(n, x):\n    return x + n", "add(2)(3)"),
        "x + n", "x - n",
    ),
    "a function in an object that composes functions": (
        "toolz",
        asset("import toolz\ndef add(x): return x + 1\nBOTH = toolz.compose(add, abs)", "BOTH(1)"),
        "x + 1", "x + 2",
    ),
    "a class with a library's metaclass, put on another class": (
        "pydantic",
        asset(
            "import pydantic\nclass Row(pydantic.BaseModel):\n    n: int = 1\n"
            + PUT.format(name="Row"),
            "Kit.Row().n",
        ),
        "int = 1", "int = 2",
    ),
    "an object of a library, put on a class by a function": (
        "jinja2",
        asset(
            "import jinja2\nPAGE = jinja2.Template('a')\n" + PUT.format(name="PAGE"),
            "Kit.PAGE.render()",
        ),
        "'a'", "'b'",
    ),
    "a class that a call made, reached under another name": (
        "attrs",
        asset(
            "import attrs\nZed = attrs.make_class('Other', {'a': attrs.field(default=1)})\n"
            "HELD = None\ndef set_up():\n    global HELD\n    HELD = (Zed,)\nset_up()",
            "HELD[0]().a",
        ),
        "default=1", "default=2",
    ),
    "a class that a call made, taken out of a dict": (
        "msgspec",
        asset(
            "import msgspec\nMADE = {'z': msgspec.defstruct('Other', [('a', int, 1)])}\n"
            "HELD = None\ndef set_up():\n    global HELD\n    HELD = (MADE['z'],)\nset_up()",
            "HELD[0]().a",
        ),
        "int, 1", "int, 2",
    ),
    "a function that a method of an object gets": (
        "sqlite3",
        asset(
            "import sqlite3\nCONN = sqlite3.connect(':memory:', check_same_thread=False)\n"
            "def plus(x): return x + 1\nCONN.create_function('plus', 1, plus)",
            "CONN.execute('select plus(1)').fetchone()[0]",
        ),
        "x + 1", "x + 2",
    ),
    "rows that a method of an object gets": (
        "sqlite3",
        asset(
            "import sqlite3\nCONN = sqlite3.connect(':memory:', check_same_thread=False)\n"
            "ROWS = [(1,), (2,)]\nCONN.execute('create table t (x)')\n"
            "CONN.executemany('insert into t values (?)', ROWS)",
            "CONN.execute('select sum(x) from t').fetchone()[0]",
        ),
        "(2,)", "(3,)",
    ),
    "a query that a helper gets with an object": (
        "sqlite3",
        asset(
            "import sqlite3\nCONN = sqlite3.connect(':memory:', check_same_thread=False)\n"
            "QUERY = 'create table t as select 1 x'\n"
            "def fill(conn, *, query): conn.execute(query)\nfill(CONN, query=QUERY)",
            "CONN.execute('select x from t').fetchone()[0]",
        ),
        "1 x", "2 x",
    ),
    "what a statement does to a class of a library": (
        "pydantic",
        asset(
            "import pydantic\nclass Row(pydantic.BaseModel):\n    n: int = 1\n"
            "Row.model_fields['n'].default = 5\nRow.model_rebuild(force=True)",
            "Row().n",
        ),
        "force=True", "force=False",
    ),
    "an import in a body that was the only one outside type checking": (
        "typing",
        asset("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import math", "math.pi").replace(
            "    return", "    import math\n    return"
        ),
        "    import math\n    return", "    return",
    ),
    "a decorator of a team under its wrapper": (
        "functools",
        asset("", "1").replace(
            "@dg.asset\n",
            "def team(f): return dg.asset(f)\n"
            "def more(f):\n    def inner(): return f() + 2\n    return inner\n@team\n@more\n",
        ),
        "+ 2", "+ 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTS.values(), ids=COUNTS)
def test_it_counts(tmp_path: Path, case: tuple[str, str, str, str]) -> None:
    needed, text, old, new = case
    pytest.importorskip(needed)
    before, after = versions(tmp_path, text, old, new)

    assert before != after


WRAPPER = """
def options_of(team):
    return {"group_name": team, "owners": [f"{team}@example.com"]}
def team_asset(**options):
    def decorate(function):
        return dg.asset(**options_of("blue"), **options)(function)
    return decorate
@team_asset(description="It is ours.", tags={"a": "1"})
def result():
    return 1
"""
COUNTS_NOT = {
    "an option in a wrapper of a team": (WRAPPER, '"blue"', '"green"'),
    "an option given to a wrapper": (WRAPPER, "It is ours.", "It is theirs."),
    "an option removed from a wrapper": (WRAPPER, ', tags={"a": "1"}', ""),
    "the docstring of a function in an object of a library": (
        asset("import numpy as np\ndef f(x): return x\nF = np.vectorize(f)", "F(1)"),
        "def f(x): return x",
        "def f(x):\n    'Say it.'\n    return x",
    ),
    "the name of a function in an object of a library": (
        asset("import numpy as np\ndef named(x): return x\nF = np.vectorize(named)", "F(1)"),
        "named",
        "called",
    ),
    "a table made of a slice": (
        asset("import pyarrow as pa\nA = pa.array(['a', 'b'])", "A[0].as_py()"),
        "pa.array(['a', 'b'])",
        "pa.array(['z', 'a', 'b', None]).slice(1, 2)",
    ),
    "an annotation that is imported only for type checking": (
        asset("from typing import TYPE_CHECKING\nimport math", "1").replace(
            "def result()", "def result() -> 'math.X'"
        ),
        "import math",
        "if TYPE_CHECKING:\n    import math",
    ),
}


@pytest.mark.parametrize("case", COUNTS_NOT.values(), ids=COUNTS_NOT)
def test_it_does_not_count(tmp_path: Path, case: tuple[str, str, str]) -> None:
    before, after = versions(tmp_path, *case)

    assert before == after


def test_a_mark_for_type_checkers_on_a_class_of_a_library_does_not_count(tmp_path: Path) -> None:
    pytest.importorskip("pydantic")
    text = asset(
        "import pydantic, typing\nD = typing.TypeVar('D')\n"
        "class Page(pydantic.BaseModel, typing.Generic[D]):\n    rows: list[D]\n",
        "Page[int](rows=['1']).rows",
    )
    before, after = versions(tmp_path, text, "class Page", "@typing.final\nclass Page")

    assert before == after
