"""Modules that a package imports on demand: code versions follow them if their names are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_projects import look, write

from assetgraph.code.changes import Comparison

BY_NAME = """
    from importlib import import_module
    def __getattr__(name):
        return import_module(f'.{name}', __name__)
    """
BY_A_FIXED_NAME = """
    from importlib import import_module
    def __getattr__(name):
        return getattr(import_module('.fares', __package__), name)
    """
BY_A_FIXED_NAME_TOO = BY_A_FIXED_NAME.replace("__package__", "package=__name__")


def pipeline(imports: str, returns: str) -> str:
    return f"""
        {imports}
        from assetgraph import asset
        @asset
        def result():
            return {returns}
        """


@pytest.mark.parametrize(
    ("package", "imports", "returns"),
    [
        (BY_NAME, "import trips", "trips.fares.fare()"),
        (BY_NAME, "from trips import fares", "fares.fare()"),
        (BY_NAME, "import trips, trips.fares", "trips.fares.fare()"),
        (BY_A_FIXED_NAME, "import trips", "trips.fare()"),
        (BY_A_FIXED_NAME_TOO, "import trips", "trips.fare()"),
    ],
)
def test_a_module_that_a_package_imports_on_demand_is_followed(
    tmp_path: Path, package: str, imports: str, returns: str
) -> None:
    text = pipeline(imports, returns)
    fares = "def fare(): return 2\n"
    write(tmp_path, {"pipeline.py": text, "trips/__init__.py": package, "trips/fares.py": fares})
    before = look(tmp_path, call=True)
    write(tmp_path, {"trips/fares.py": fares.replace("2", "3")})
    after = look(tmp_path, call=True)
    old, new = before.versions["result"], after.versions["result"]

    assert (before.value, after.value) == (2, 3)
    assert [change.text for change in Comparison(before.table, after.table).changes(old, new)] == [
        "`fare` in `trips/fares.py` changed"
    ]


def test_how_a_package_finds_its_modules_counts_whoever_asks_first(tmp_path: Path) -> None:
    """The first request imports the module, and from then on the package holds it."""
    text = pipeline("import trips", "trips.fares.fare()")
    both = text + text.replace("result", "another").partition("assetgraph import asset")[2]
    fares = "def fare(): return 2\n"
    write(tmp_path, {"pipeline.py": both, "trips/__init__.py": BY_NAME, "trips/fares.py": fares})
    before = look(tmp_path).versions
    write(tmp_path, {"trips/__init__.py": BY_NAME.replace("return", "return None or")})
    after = look(tmp_path).versions

    assert before["result"] == before["another"] != after["result"] == after["another"]
