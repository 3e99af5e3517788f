"""The limits of code versions: notes on code that cannot be followed, versions of libraries, values
that cannot be read, and large values."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from code_projects import Seen, imported, look, write

from assetgraph.code import CodeVersions
from assetgraph.code import constant_values as values
from assetgraph.code.changes import Change, Comparison
from assetgraph.code.libraries import Distributions, Libraries
from assetgraph.definitions.registry import current_registry

ASSET = "from assetgraph import asset\n"


def pipeline(before: str, returns: str = "1", parameters: str = "") -> dict[str, str]:
    text = f"{ASSET}{before}\n@asset\ndef result({parameters}):\n    return {returns}\n"
    return {"pipeline.py": text}


def notes(seen: Seen) -> str:
    return "\n".join(note for found in seen.covers["result"] for note in found.notes)


def difference(before: Seen, after: Seen) -> list[str]:
    old, new = before.versions["result"], after.versions["result"]
    return [change.text for change in Comparison(before.table, after.table).changes(old, new)]


# What cannot be followed


@pytest.mark.parametrize(
    ("before", "returns", "note"),
    [
        ("class B: pass", "B.__subclasses__()", "line 5: `__subclasses__` finds classes"),
        ("name = 'f'", "globals()[name]", "line 5: `globals()` is read"),
        ("import importlib", "importlib.import_module(__name__)", "`import_module` chooses"),
        ("", "open('x').read()", "`open` reads or writes a file"),
        ("from pathlib import Path", "Path('x').read_text()", "`read_text` reads a file"),
        ("def f(g): return g.__doc__", "f(1)", "line 2: `__doc__` reads a docstring"),
        ("def f(g): return g.__name__", "f(1)", "`__name__` is read when it runs"),
        ("def f(g, n): return getattr(g, n)", "f(1, 'a')", "reads a name that is computed"),
        ("", "eval('1')", "`eval` runs text"),
        ("import subprocess", "subprocess.run(['ls'])", "`subprocess.run` runs another program"),
        ("import typing", "typing.get_type_hints(1)", "`get_type_hints` reads annotations"),
    ],
)  # fmt: skip
def test_code_that_cannot_be_followed_is_noted_with_its_place(
    tmp_path: Path, before: str, returns: str, note: str
) -> None:
    write(tmp_path, pipeline(before, returns))

    assert note in notes(look(tmp_path))


@pytest.mark.parametrize(
    ("before", "returns", "name"),
    [
        ("import time\ndef f(): return time.time()\nNOW = f()", "NOW", "time.time"),
        ("from datetime import datetime\ndef f(x=datetime.now()): return x", "f()", "datetime.now"),
        ("import random\nNOISE = [random.random() for _ in 'abc']", "NOISE", "random.random"),
        ("import os\nHOME = os.environ['HOME']", "HOME", "os.environ"),
        ("import os\nHOME = os.environ.get('HOME')", "HOME", "os.environ.get"),
        (
            "import time\nfrom dataclasses import dataclass, field\n@dataclass\nclass Run:\n"
            "    at: float = field(default_factory=time.time)\nRUN = Run()",
            "RUN.at",
            "time.time",
        ),
    ],
)
def test_a_value_that_may_change_by_itself_is_noted(
    tmp_path: Path, before: str, returns: str, name: str
) -> None:
    write(tmp_path, pipeline(before, returns))

    assert f"its value comes from `{name}`, so it may change by itself" in notes(look(tmp_path))


def test_a_clock_that_is_only_a_default_changes_no_value(tmp_path: Path) -> None:
    before = (
        "import time\nfrom dataclasses import dataclass\n@dataclass\nclass Patience:\n"
        "    tries: int = 3\n    clock: object = time.monotonic\nPATIENCE = Patience()"
    )
    write(tmp_path, pipeline(before, "PATIENCE.tries"))

    assert "may change by itself" not in notes(look(tmp_path))


def test_a_name_that_hides_a_builtin_is_followed_and_not_noted(tmp_path: Path) -> None:
    write(tmp_path, pipeline("def open(x): return x", "open('x')"))
    seen = look(tmp_path)

    assert notes(seen) == ""
    assert [found.name for found in seen.covers["result"]] == ["result", "open"]


def test_a_class_that_only_an_annotation_names_is_followed(tmp_path: Path) -> None:
    before = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        f"{ASSET}if TYPE_CHECKING:\n    from tools import Tax\n"
    )
    text = f"{before}@asset\ndef result(x: Tax):\n    return x.of(1)\n"
    write(
        tmp_path, {"pipeline.py": text, "tools.py": "class Tax:\n    def of(self, x): return x\n"}
    )
    first = look(tmp_path)
    write(tmp_path, {"tools.py": "class Tax:\n    def of(self, x): return -x\n"})

    assert difference(first, look(tmp_path)) == ["`Tax.of` in `tools.py` changed"]


def test_a_module_that_cannot_be_imported_is_noted(tmp_path: Path) -> None:
    before = "def f():\n    import broken\n    return broken.x\n"
    write(tmp_path, pipeline(before, "f()") | {"broken.py": "1 / 0\n"})

    assert "it cannot be imported: ZeroDivisionError: division by zero" in notes(look(tmp_path))


def test_assets_of_a_module_that_only_a_function_imports_are_not_registered(
    tmp_path: Path,
) -> None:
    before = "def f():\n    import later\n    return later.other()\n"
    write(tmp_path, pipeline(before, "f()"))
    write(tmp_path, {"later.py": f"{ASSET}@asset\ndef other(): return 1\n"})
    with imported(tmp_path) as module:
        CodeVersions(tmp_path).version(module.result.function)

        assert [item.key.text for item in current_registry()] == ["result"]


# Reasons


def test_a_value_that_changed_without_its_code_has_its_own_reason(tmp_path: Path) -> None:
    write(tmp_path, pipeline("import time\nNOW = time.perf_counter_ns()", "NOW"))

    assert difference(look(tmp_path), look(tmp_path)) == [
        "the value of `NOW` in `pipeline.py` changed, but its code did not "
        "(a clock, the environment, a file?)"
    ]


def test_a_reason_names_the_definitions_that_are_used_only_now(tmp_path: Path) -> None:
    before = "def f(): return 1\ndef g(): return 2"
    write(tmp_path, pipeline(before, "f()"))
    first = look(tmp_path)
    write(tmp_path, pipeline(before, "g()"))
    second = look(tmp_path)
    found = Comparison(first.table, second.table).changes(
        first.versions["result"], second.versions["result"]
    )

    assert found == (Change("code", "result", "pipeline.py", 4, added=("g",), removed=("f",)),)


def test_the_change_of_a_version_that_is_not_on_record_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, pipeline(""))
    seen = look(tmp_path)
    found = Comparison({}, seen.table).changes("gone", seen.versions["result"])

    assert [change.text for change in found] == [
        "its code changed (the old code is no longer on record)"
    ]


@pytest.mark.parametrize(
    ("before", "returns", "reason"),
    [
        ("f = lambda x: x * 2", "f(1)", "`f` in `pipeline.py` changed"),
        ("fs = [lambda x: x * 2]", "fs[0](1)", "a lambda on line 2 of `pipeline.py` changed"),
        ("def m(n): return lambda x: x * n\nf = m(2)", "f(1)", "`n` of a lambda on line 2 of"),
    ],
)
def test_a_lambda_is_named_by_what_holds_it_or_by_its_place(
    tmp_path: Path, before: str, returns: str, reason: str
) -> None:
    write(tmp_path, pipeline(before, returns))
    first = look(tmp_path)
    write(tmp_path, pipeline(before.replace("2", "3"), returns))

    assert reason in "; ".join(difference(first, look(tmp_path)))


def test_constants_of_the_same_value_keep_their_names(tmp_path: Path) -> None:
    write(tmp_path, pipeline("A = 1\nB = 2\nC = 2", "A, B, C"))
    first = look(tmp_path)
    write(tmp_path, pipeline("A = 2\nB = 2\nC = 2", "A, B, C"))

    assert difference(first, look(tmp_path)) == ["`A` in `pipeline.py` changed"]


# Libraries


def install(site: Path, name: str, module: str, version: str, listed: str = "") -> None:
    for old in site.glob(f"{name}-*"):
        old.rename(site / f"gone {old.name}")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text(listed)
    (site / f"{module}.py").write_text("def call(): return 1\nRATE = 3\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "env" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_librarys_version_counts_and_is_named(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "Some_Library", "some_library", "1.0")
    write(tmp_path, pipeline("import some_library", "some_library.call()"))
    first = look(tmp_path)
    install(site, "Some_Library", "some_library", "1.1")
    second = look(tmp_path)

    assert difference(first, second) == ["Some_Library 1.0 is now Some_Library 1.1"]


def test_a_distribution_is_found_by_its_files_once(tmp_path: Path, site: Path) -> None:
    install(site, "PyOther", "other_library", "2.5", "other_library.py,sha256=x,1\n")
    cache: dict[str, bytes] = {}

    assert Distributions(cache).of("other_library") == "PyOther 2.5"
    (site / "PyOther-2.5.dist-info" / "RECORD").unlink()
    assert Distributions(cache).of("other_library") == "PyOther 2.5"
    assert Distributions({}).of("json") == ""
    assert Distributions({}).of("nobody_has_this") is None


def test_a_distribution_that_adds_to_the_package_of_another_counts_too(site: Path) -> None:
    install(site, "acme", "acme", "1.0", "acme/__init__.py,,\n")
    install(site, "acme_core", "unused", "2.0", "acme/core.py,,\n")
    install(site, "acme_else", "unused", "3.0", "acme_else/__init__.py,,\n")

    assert Distributions({}).of("acme") == "acme 1.0, acme_core 2.0"


def test_a_library_in_editable_mode_is_noted(tmp_path: Path, site: Path) -> None:
    install(site, "acme", "acme", "1.0", "__editable__.acme.pth,,\n")
    info = site / "acme-1.0.dist-info"
    (info / "direct_url.json").write_text('{"dir_info": {"editable": true}, "url": "file:///x"}')
    write(tmp_path, pipeline("import acme", "acme.call()"))

    assert "installed in editable mode" in notes(look(tmp_path))


def test_an_extension_module_without_a_distribution_counts_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"quick{EXTENSION_SUFFIXES[0]}"
    module = ModuleType("quick")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "quick", module)
    contents = []
    for content in (b"one", b"two"):
        file.write_bytes(content)
        vertex = Libraries(Distributions({})).as_written("quick", "f").vertex
        assert vertex is not None
        assert not vertex.blind_spots
        contents.append(vertex.own)

    assert contents[0] != contents[1]


def test_a_library_without_a_distribution_is_noted(tmp_path: Path, site: Path) -> None:
    (site / "loose_library.py").write_text("def call(): return 1\n")
    write(tmp_path, pipeline("import loose_library", "loose_library.call()"))

    assert "it belongs to no installed distribution" in notes(look(tmp_path))


@pytest.mark.parametrize(
    ("before", "returns"),
    [
        ("TABLE = {'f': made_by.times(3)}", "TABLE['f'](1)"),
        ("TABLE = {'f': made_by.again(3)(f)}", "TABLE['f'](1)"),
        ("TABLE = [made_by.Times(3, f)]", "TABLE[0](1)"),
        ("P = partial(map, made_by.times(3))", "list(P([1]))"),
        ("class T: f = [made_by.times(3)]", "T.f[0](1)"),
        ("def g(f=made_by.times(3)): return f(1)", "g()"),
        ("def m(f): return lambda: f(1)\ng = m(made_by.times(3))", "g()"),
    ],
)
def test_an_object_that_a_library_made_counts_by_its_arguments_wherever_it_is_kept(
    tmp_path: Path, site: Path, before: str, returns: str
) -> None:
    install(site, "made-by", "made_by", "1.0")
    (site / "made_by.py").write_text(
        "import functools\n"
        "def times(n): return lambda x: x * n\n"
        "def again(n): return lambda f: functools.wraps(f)(lambda *a: [f(*a)] * n)\n"
        "class Times:\n"
        "    def __init__(self, n, f): functools.update_wrapper(self, f).n = n\n"
        "    def __call__(self, x): return self.n\n"
    )
    before = f"import made_by\nfrom functools import partial\ndef f(x): return x\n{before}"
    seen = []
    for text in (before, before.replace("3", "4")):
        write(tmp_path, pipeline(text, returns))
        seen.append(look(tmp_path, call=True))

    assert seen[0].value != seen[1].value
    assert difference(*seen)


def test_constants_of_a_library_count_by_their_name(tmp_path: Path, site: Path) -> None:
    """The values that a library holds may change while it runs (`os.environ`, `sys.argv`)."""
    install(site, "some-library", "some_library", "1.0")
    versions = []
    for text in ("import some_library as s", "from some_library import RATE"):
        write(tmp_path, pipeline(text, "s.RATE" if " as " in text else "RATE"))
        versions.append(look(tmp_path).versions["result"])

    assert versions[0] == versions[1]


# Values


def test_a_value_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    write(tmp_path, pipeline("import threading\nLOCK = threading.Lock()", "LOCK"))
    seen = look(tmp_path)

    assert "_thread.lock cannot be read, so the expression that makes it counts" in notes(seen)
    assert seen.versions == look(tmp_path).versions


def test_a_value_of_too_many_instances_counts_by_its_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "MAX_STEPS", 50)
    text = "class T:\n    def __init__(self, n): self.n = n\nTS = [T(n) for n in range({})]"
    seen = []
    for size in (100, 100, 101):
        write(tmp_path, pipeline(text.format(size), "len(TS)"))
        seen.append(look(tmp_path))

    assert "a list of this size cannot be read" in notes(seen[0])
    assert seen[0].versions == seen[1].versions != seen[2].versions


def test_plain_data_is_read_without_looking_at_each_item() -> None:
    large = {str(n): [n, n / 2, None, (str(n), b"x")] for n in range(100_000)}
    writer = values.ValueWriter(_nothing, _nothing, lambda _: False)
    writer.write(large)

    assert writer.steps == 0


def test_equal_data_counts_the_same_whatever_it_shares() -> None:
    def written(value: Any) -> bytes:
        return values.ValueWriter(_nothing, _nothing, lambda _: False).write(value)

    text = "".join(["a", "b", "c", "d"] * 3)
    again = "".join(["abcd"] * 3)
    shared = [1, 2]

    assert written([text, text]) == written([text, again])
    assert written([shared, shared]) == written([[1, 2], [1, 2]])
    assert written({1: shared, 2: {shared[0]}}) == written({1: [1, 2], 2: {1}})
    assert written([object, shared, shared]) == written([object, [1, 2], [1, 2]])


@pytest.mark.parametrize(
    ("library", "one", "other"),
    [
        ("numpy", "numpy.arange(6)", "numpy.arange(6.0)"),
        ("numpy", "numpy.arange(6)", "numpy.arange(6).reshape(2, 3)"),
        ("numpy", "numpy.arange(6)[::2]", "numpy.arange(6)[1::2]"),
        ("numpy", "numpy.array(['a', None])", "numpy.array(['b', None])"),
        ("pyarrow", "pyarrow.table({'a': [1, 2]})", "pyarrow.table({'a': [1, 3]})"),
        ("pyarrow", "pyarrow.schema([('a', 'int64')])", "pyarrow.schema([('a', 'int32')])"),
        ("pandas", "pandas.DataFrame({'a': ['x', 'y']})", "pandas.DataFrame({'a': ['x', 'z']})"),
        ("polars", "polars.DataFrame({'a': ['x', 'y']})", "polars.DataFrame({'a': ['x', 'z']})"),
    ],
)
def test_values_of_libraries_count_by_their_content(
    tmp_path: Path, library: str, one: str, other: str
) -> None:
    pytest.importorskip(library)
    seen = []
    for expression in (one, one, other):
        write(tmp_path, pipeline(f"import {library}\nVALUE = {expression}", "VALUE"))
        seen.append(look(tmp_path))

    assert seen[0].versions == seen[1].versions != seen[2].versions
    assert notes(seen[0]) == ""


def test_the_garbage_collector_and_the_recursion_limit_are_left_unchanged(tmp_path: Path) -> None:
    import gc

    limit, enabled = sys.getrecursionlimit(), gc.isenabled()
    deep = "def f(x):\n    if x: return 0\n" + "".join(
        f"    elif x == {i}: return {i}\n" for i in range(400)
    )
    write(tmp_path, pipeline(deep, "f(1)"))
    look(tmp_path)

    assert (sys.getrecursionlimit(), gc.isenabled()) == (limit, enabled)


def _nothing(_: object) -> None:
    return None
