"""Code versions where Python itself gets in the way: caches, reloads, seeds, folders, notebooks."""

from __future__ import annotations

import dataclasses
import importlib
import json
import linecache
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from code_projects import imported, look, read_edits, write

from assetgraph.code import CodeVersions, importer
from assetgraph.code.changes import Comparison
from assetgraph.code.sources import CHANGED, NO_SOURCE
from assetgraph.storage.keyed_files import FolderCache
from assetgraph.storage.project_code import ProjectCode

PROJECT = {
    "tools.py": """
        import json
        from enum import Enum
        from pathlib import Path
        RATE = 0.2
        TABLE = {"a": 1, "b": [2, 3]}
        WORDS = {"x", "y", "z"}
        KINDS = {KeyError, ValueError, OSError, json.JSONDecodeError, Path}
        class Colour(Enum):
            RED, BLUE, GREEN = "rbg"
        COLOURS = frozenset({Colour.RED, Colour.BLUE, Colour.GREEN})
        class Point:
            def __init__(self, x): self.x = x
        POINTS = {Point(1), Point(2), Point("a"), Point({"b", "c"})}
        CHECKS = {min, max, sorted, lambda x: x + 1, lambda x: x + 2, json.dumps, Point, (Point, Colour.RED)}
        HERE = Path(__file__).parent / "data"
        def clean(x):
            '''As it is.'''
            return len([WORDS, KINDS, COLOURS, POINTS, CHECKS]), x * RATE, Tax(TABLE).of(x)
        class Tax:
            rate: float = 0.5
            def __init__(self, table): self.table = table
            def of(self, x): return [x * self.rate for _ in self.table if x > 1]
        def by(n):
            return lambda x: f"{x:>{n}}"
        """,
    "pipeline.py": """
        import tools
        from assetgraph import asset
        pad = tools.by(3)
        @asset
        def result(start: int = 1):
            return pad(tools.clean(start)), str(tools.HERE)
        """,
}


def test_the_version_belongs_to_the_text_that_ran(tmp_path: Path) -> None:
    """Edits of the same size within one second: Python's own cache would run the old code."""
    seen = []
    for number in range(8):
        write(tmp_path, {"pipeline.py": _returning(number)})
        found = look(tmp_path, call=True)
        seen.append((found.value, found.versions["result"]))

    assert [value for value, _ in seen] == list(range(8))
    assert len({version for _, version in seen}) == 8


def test_a_module_that_python_took_from_a_stale_cache_counts_by_the_code_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path, {"stale_one.py": _returning(1)})
    fresh = importlib.import_module("stale_one")
    version = CodeVersions(tmp_path).version(fresh.result.function)
    del sys.modules["stale_one"]
    write(tmp_path, {"stale_one.py": _returning(2)})
    linecache.clearcache()
    stale = importlib.import_module("stale_one")
    codes = CodeVersions(tmp_path)

    assert stale.result() == 1, "Python runs the old code"
    assert CHANGED in codes.covers(stale.result.function)[0].notes[0]
    assert codes.version(stale.result.function) != version
    assert codes.version(stale.result.function) == codes.version(fresh.result.function)


@pytest.mark.parametrize("terms", [1, 1500])
def test_a_module_that_was_imported_before_us_counts_by_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terms: int
) -> None:
    total = " + ".join(["x"] * terms)  # a tree of many does not compile, where the text does
    write(tmp_path, {"pipeline.py": _asset(f"def f(x):\n    return {total}\n", "f(1)")})
    ours = look(tmp_path).versions
    monkeypatch.syspath_prepend(str(tmp_path))
    linecache.clearcache()
    module = importlib.import_module("pipeline")
    codes = CodeVersions(tmp_path)
    try:
        assert codes.version(module.result.function) == ours["result"]
        assert not any(found.notes for found in codes.covers(module.result.function))
    finally:
        importer.forget(tmp_path)


def test_an_edit_after_the_import_does_not_count_until_a_reload(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    before = look(tmp_path).versions
    with imported(tmp_path) as module:
        write(tmp_path, {"tools.py": PROJECT["tools.py"].replace("0.2", "0.3")})
        assert CodeVersions(tmp_path).version(module.result.function) == before["result"]

    assert look(tmp_path).versions != before


def test_what_a_step_does_to_globals_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    with imported(tmp_path) as module:
        codes = CodeVersions(tmp_path)
        before = codes.version(module.result.function)
        module.tools.TABLE["c"] = 3
        module.tools.RATE = 7

        assert codes.version(module.result.function) == before
        assert codes.class_version(module.tools.Tax) is not None
        assert CodeVersions(tmp_path).version(module.result.function) != before


def test_what_a_step_does_to_a_class_does_not_count_where_its_asset_has_a_version_of_its_own(
    tmp_path: Path,
) -> None:
    """Otherwise assets that read its pickle would look stale to the next process."""
    write(tmp_path, PROJECT)
    with imported(tmp_path) as module:
        before = CodeVersions(tmp_path).class_version(module.tools.Tax)
        code = ProjectCode(tmp_path, str(tmp_path / ".assetgraph"))
        explicit = dataclasses.replace(module.result, code_version="1")
        assert code.version(explicit) == "1"
        module.tools.Tax.rate = 0.7

        assert code.class_version(module.tools.Tax) == before
        assert CodeVersions(tmp_path).class_version(module.tools.Tax) != before


def test_a_class_has_a_version_of_its_own(tmp_path: Path) -> None:
    """The same bytes of a pickle mean something else when a method changed."""
    versions = []
    for text in (PROJECT["tools.py"], PROJECT["tools.py"].replace("x > 1", "x > 2")):
        write(tmp_path, PROJECT | {"tools.py": text})
        with imported(tmp_path) as module:
            codes = CodeVersions(tmp_path)
            assert codes.in_project(module.tools.Tax)
            assert not codes.in_project(Path)
            versions.append(codes.class_version(module.tools.Tax))

    assert versions[0] != versions[1]


# One code, one version


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_hash_seed_does_not_matter(tmp_path: Path, seed: str) -> None:
    write(tmp_path, PROJECT)

    assert _in_another_process(tmp_path, PYTHONHASHSEED=seed) == look(tmp_path).versions


def test_the_folder_does_not_matter(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there" / "deeper"
    write(here, PROJECT)
    write(there, PROJECT)

    assert look(here).versions == look(there).versions


def test_paths_in_the_project_count_relative_to_it(tmp_path: Path) -> None:
    text = """
        import os
        from pathlib import Path
        from assetgraph import asset
        TEXT = os.path.join(os.path.dirname(__file__), "data")
        NESTED = {"paths": [Path(TEXT) / "a.csv", TEXT, {TEXT}, "sqlite:///" + TEXT]}
        class Settings:
            folder = TEXT
        @asset
        def result():
            return TEXT, NESTED, Settings, __file__
        """
    write(tmp_path / "a", {"pipeline.py": text})
    write(tmp_path / "b", {"pipeline.py": text})
    write(tmp_path / "c", {"pipeline.py": text.replace('"data"', '"date"')})
    a, b, c = (look(tmp_path / name).versions["result"] for name in "abc")

    assert a == b != c


def test_the_order_of_definitions_does_not_matter(tmp_path: Path) -> None:
    parts = [
        "def f(n): return g(n - 1) if n else A()\n",
        "def g(n): return h(n) + f(n - 1)\n",
        "def h(n): return f(n) or [g, h]\n",
        "class A:\n    def go(self): return B().go() or f(1)\n",
        "class B:\n    def go(self): return A()\n",
    ]
    asset = "from tools import *\nfrom assetgraph import asset\n@asset\ndef result(): "
    seen = set()
    for first in ("return f, h, B", "return f, h, B\nimport json"):
        for order in (parts, parts[::-1], parts[2:] + parts[:2]):
            write(tmp_path, {"tools.py": "\n".join(order), "pipeline.py": asset + first})
            seen.add(look(tmp_path).versions["result"])

    assert len(seen) == 1


def test_versions_equal_the_recorded_ones(tmp_path: Path) -> None:
    """They are the same in every Python. If you change what counts, change `ALGORITHM` in
    `sources.py` and these versions as well."""
    write(tmp_path, PROJECT)
    first, second = read_edits("ordinary.txt")[0], read_edits("hard.txt")[0]
    found = [look(tmp_path).versions["result"]]
    for edit in (first, second):
        write(tmp_path, edit.files())
        found.append(look(tmp_path).versions["result"])

    assert found == ["03145b98b942efaa0c9f", "c59cda1ed225871c9b76", "d2d4a5f7846e55e43a4f"]


def test_a_chain_of_two_thousand_helpers_has_a_version(tmp_path: Path) -> None:
    helpers = [f"def f{i}(x): return f{i + 1}(x)" for i in range(2000)]
    text = "\n".join([*helpers, "def f2000(x): return x"])
    asset = "import tools\nfrom assetgraph import asset\n@asset\ndef result(): "
    write(tmp_path, {"tools.py": text, "pipeline.py": asset + "return tools.f0(1)"})
    before = look(tmp_path)
    write(tmp_path, {"tools.py": text.replace("return x", "return -x")})
    after = look(tmp_path)
    found = Comparison(before.table, after.table).changes(
        before.versions["result"], after.versions["result"]
    )

    assert [change.text for change in found] == ["`f2000` in `tools.py` changed"]


@pytest.mark.parametrize(
    "body",
    [
        "return " + " + ".join(["x"] * 900),
        "if x == 0: return 0\n"
        + "".join(f"    elif x == {i}: return {i}\n" for i in range(1, 400)),
        "return " + "".join(["("] * 80) + "x" + "".join([")"] * 80),
        "return x" + ".real" * 900,
    ],
    ids=["a long sum", "many branches", "many parentheses", "many attributes"],
)
def test_deep_code_has_a_version(tmp_path: Path, body: str) -> None:
    write(tmp_path, {"pipeline.py": _asset(f"def f(x):\n    {body}\n", "f(1)")})

    assert look(tmp_path).versions["result"]


# Functions that are not in a file


def test_functions_of_a_notebook_count_by_the_text_of_their_cell() -> None:
    versions = [_cell(f"def f(x):\n    return x * {n}  # {note}\n") for n, note in _CELLS]

    assert versions[0] == versions[1] != versions[2]


def test_a_helper_in_another_cell_is_followed() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    codes = []
    for helper in ("return 1", "return 2"):
        _run_cell(f"def g():\n    {helper}\n", names)
        _run_cell("def f():\n    return g()\n", names)
        codes.append(CodeVersions(None).version(names["f"]))

    assert codes[0] != codes[1]


def test_a_function_without_a_text_counts_by_its_instructions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if Python keeps another text under the same filename: that of `python -c`."""
    other_text = (9, None, ["def f(x): return 0\n"], "<string>")
    monkeypatch.setitem(linecache.cache, "<string>", other_text)

    def made(text: str) -> Any:
        names: dict[str, Any] = {"__name__": "__main__", "RATE": 2}
        exec(text, names)
        return names["f"]

    codes = CodeVersions(None)
    first, same, other = map(made, ("def f(x): return x * RATE",) * 2 + ("def f(x): return RATE",))

    assert codes.version(first) == codes.version(same) != codes.version(other)
    assert codes.covers(first)[0].notes == (f"line 1: {NO_SOURCE}",)
    assert [definition.name for definition in codes.covers(first)] == ["f", "RATE"]


def test_a_script_counts_like_a_module(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    versions = look(tmp_path).versions
    script = tmp_path / "pipeline.py"
    script.write_text(f"{script.read_text()}\nnames = dict(globals()){_REPORT}")

    assert json.loads(_run(tmp_path, "pipeline.py")) == versions


def test_lambdas_on_one_line_count_together_where_python_keeps_no_columns(tmp_path: Path) -> None:
    versions = []
    for number in (2, 3):
        text = f"f, g = lambda x: x * 1, lambda x: x * {number}\n"
        write(tmp_path, {"pipeline.py": _asset(text, "f(1)")})
        versions.append(_in_another_process(tmp_path, PYTHONNODEBUGRANGES="1"))

    assert versions[0] != versions[1]
    assert look(tmp_path).versions["result"]


# The cache


def test_with_a_cache_nothing_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "project", PROJECT)
    cache = FolderCache(str(tmp_path / "cache"))
    with imported(tmp_path / "project") as module:
        first = CodeVersions(tmp_path / "project", cache).version(module.result.function)
        monkeypatch.setattr("assetgraph.code.summarize.summarize", _must_not_run)
        second = CodeVersions(tmp_path / "project", cache).version(module.result.function)

    assert first == second


def test_a_damaged_cache_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "project", PROJECT)
    cache = FolderCache(str(tmp_path / "cache"))
    with imported(tmp_path / "project") as module:
        first = CodeVersions(tmp_path / "project", cache).version(module.result.function)
        for name in cache:
            cache[name] = cache[name][:20]
        second = CodeVersions(tmp_path / "project", cache).version(module.result.function)

    assert first == second


def test_threads_may_ask_at_once(tmp_path: Path) -> None:
    helpers = [f"def f{i}(x): return f{(i + 1) % 50}(x) + f{i * 7 % 50}(x)\n" for i in range(50)]
    assets = [f"@asset\ndef a{i}(): return tools.f{i}(1) + {i}\n" for i in range(50)]
    imports = "import tools\nfrom assetgraph import asset\n"
    write(tmp_path, {"tools.py": "".join(helpers), "pipeline.py": imports + "".join(assets)})
    expected = list(look(tmp_path).versions.values())
    found: list[list[str]] = []
    with imported(tmp_path) as module:
        codes, barrier = CodeVersions(tmp_path), threading.Barrier(4)

        def ask() -> None:
            barrier.wait()
            found.append([codes.version(getattr(module, f"a{i}").function) for i in range(50)])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [expected] * 4


_CELLS = ((2, "as it is"), (2, "again"), (3, "as it is"))
_REPORT = f"""
import json, pathlib, sys
sys.path.insert(0, {str(Path(importer.__file__).parents[2])!r})
from assetgraph import Asset
from assetgraph.code import CodeVersions
codes = CodeVersions(pathlib.Path.cwd())
found = [(k, v) for k, v in names.items() if isinstance(v, Asset)]
print(json.dumps(dict((k, codes.version(v.function)) for k, v in found)))
"""


def _returning(number: int) -> str:
    return _asset("", str(number))


def _asset(before: str, returns: str) -> str:
    imports = "from assetgraph import asset\n"
    return f"{imports}{before}\n@asset\ndef result():\n    return {returns}\n"


def _in_another_process(root: Path, **environment: str) -> dict[str, str]:
    program = (
        f"import sys\nsys.path.insert(0, '.')\nimport pipeline\nnames = vars(pipeline){_REPORT}"
    )
    found: dict[str, str] = json.loads(_run(root, "-c", program, **environment))
    return found


def _run(root: Path, *arguments: str, **environment: str) -> str:
    package = str(Path(importer.__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": package, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


def _cell(text: str) -> str:
    names: dict[str, Any] = {"__name__": "__main__"}
    _run_cell(text, names)
    return CodeVersions(None).version(names["f"])


def _run_cell(text: str, names: dict[str, Any]) -> None:
    """Run a cell as a notebook does: `linecache` knows its text under a name of its own."""
    name = f"<ipython-input-{len(linecache.cache)}-{hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), names)


def _must_not_run(*_: object) -> None:
    raise AssertionError("a source was parsed")


@pytest.mark.parametrize(
    ("imports", "table"),
    [
        ("from q import c", "c.T"),
        ("import q.c", "q.c.T"),
        ("from q.c import T", "T"),
        ("import q.c as c", "c.T"),
    ],
)
def test_the_order_of_a_dict_that_is_looked_up_in_through_a_package_does_not_count(
    tmp_path: Path, imports: str, table: str
) -> None:
    pipeline = f"""\
        from assetgraph import asset
        {imports}

        @asset
        def looks_up():
            return {table}['a']

        @asset
        def reads():
            return list({table})
        """
    package = {"q/__init__.py": "", "pipeline.py": pipeline}
    write(tmp_path, {**package, "q/c.py": "T = {'a': 1, 'b': 2}\n"})
    before = look(tmp_path).versions
    write(tmp_path, {"q/c.py": "T = {'b': 2, 'a': 1}\n"})
    after = look(tmp_path).versions
    assert before["looks_up"] == after["looks_up"]
    assert before["reads"] != after["reads"]
