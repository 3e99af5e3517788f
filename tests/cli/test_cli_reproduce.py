"""`reproduce` runs a step again, records nothing, and says whether its value is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store

PIPELINE = """
    import itertools
    import random
    from datetime import datetime
    from pathlib import Path

    import assetgraph as dg
    import pandas as pd

    OUT = Path("out")


    @dg.asset
    def steady() -> list[int]:
        return list(range(5000))


    @dg.asset
    def table(steady: list[int]) -> pd.DataFrame:
        return pd.DataFrame({"a": steady, "b": [random.random() for _ in steady]})


    @dg.asset
    def stamped() -> dict:
        return {"at": datetime.now().isoformat(), "rows": 3}


    @dg.asset
    def exported(steady: list[int]) -> Path:
        OUT.mkdir(exist_ok=True)
        (OUT / "part.csv").write_text(f"rows\\n{random.random()}\\n")
        return OUT


    @dg.asset
    def fragile() -> int:
        if Path("broken").exists():
            raise ValueError("it is broken")
        return 1


    class Manager(dg.IOManager):
        def handle_output(self, context, obj):
            Path("managed.txt").write_text(repr(obj))

        def load_input(self, context):
            return eval(Path("managed.txt").read_text())


    @dg.asset(io_manager=Manager())
    def managed() -> list[int]:
        return [1, 2, int(Path("third").read_text() if Path("third").exists() else 3)]
    """
Command = Callable[..., Any]


@pytest.fixture
def made(project: Callable[..., Any], assetgraph: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project whose assets are all materialized."""
    folder = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(folder.root)
    assert assetgraph("materialize", "--all").code == 0
    return Path(folder.root)


def recorded(root: Path) -> dict[str, bytes]:
    """Everything that the store and the project have, but for caches and the files of locks."""
    return {
        str(file.relative_to(root)): file.read_bytes() + str(file.stat().st_mtime_ns).encode()
        for file in sorted(root.rglob("*"))
        if file.is_file() and not {"cache", "locks", "__pycache__"} & set(file.parts)
    }


def test_a_step_that_makes_the_same_value_says_so_and_records_nothing(
    made: Path, assetgraph: Command
) -> None:
    before = recorded(made)
    for key in ("steady", "fragile", "managed"):
        said = assetgraph("reproduce", key)
        assert (said.code, said.out) == (0, f"✓ {key} makes the same value again.\n")
    found = assetgraph("reproduce", "steady", "--json")

    assert found.code == 0
    assert found.json["same"] is True
    assert found.json["differences"] == []
    assert recorded(made) == before


@pytest.mark.parametrize(("key", "said", "cause"), [
    ("table", "the column b differs in 5,000 of 5,000 rows, first in row 0: ", "random.random"),
    ("stamped", "['at']: '20", "datetime"),
    ("exported", "part.csv: line 2: '0.", "random.random"),
])  # fmt: skip
def test_a_step_that_makes_another_value_says_where_and_leaves_the_old_one(
    made: Path, assetgraph: Command, key: str, said: str, cause: str
) -> None:
    before = recorded(made)
    answer = assetgraph("reproduce", key)

    assert answer.code == 1
    assert f"✕ {key} makes another value:\n  {said}" in answer.out
    assert cause in answer.out.partition("! Its code uses ")[2]
    assert recorded(made) == before
    assert assetgraph("status", "--exit-code").code == 0


def test_a_step_that_fails_says_why_and_stays_as_it_was(made: Path, assetgraph: Command) -> None:
    (made / "broken").touch()
    before = recorded(made)
    answer = assetgraph("reproduce", "fragile")

    assert (answer.code, answer.out) == (1, "✕ fragile failed: ValueError: it is broken\n")
    assert assetgraph("reproduce", "fragile", "--json").json["error"]["message"] == "it is broken"
    assert recorded(made) == before


def test_an_asset_that_was_not_up_to_date_says_that_too(made: Path, assetgraph: Command) -> None:
    (made / "pipeline.py").write_text(
        (made / "pipeline.py").read_text().replace("return list(range(5000))", "return [1]")
    )
    answer = assetgraph("reproduce", "steady")

    assert answer.code == 1
    assert "5,000 items before, 1 now" in answer.out
    assert "! It was not up to date: `steady` in `pipeline.py` changed." in answer.out


def test_a_value_of_an_io_manager_is_compared_and_not_overwritten(
    made: Path, assetgraph: Command
) -> None:
    (made / "third").write_text("4")
    before = recorded(made)
    answer = assetgraph("reproduce", "managed")

    assert answer.code == 1
    assert "[2]: 3 before, 4 now" in answer.out
    assert recorded(made) == before


def test_what_was_never_materialized_or_is_being_materialized_cannot_be_reproduced(
    made: Path, assetgraph: Command
) -> None:
    lock = Store(made / ".assetgraph").lock(Target(AssetKey("steady")))
    assert lock.acquire()
    taken = assetgraph("reproduce", "steady")
    lock.release()
    assetgraph("wipe", "fragile", "--yes")
    never = assetgraph("reproduce", "fragile")

    assert taken.code != 0
    assert "'steady' is being materialized by" in taken.err
    assert never.code != 0
    assert "'fragile' was never materialized" in never.err
