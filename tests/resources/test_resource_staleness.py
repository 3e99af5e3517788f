"""What a changed resource makes stale, what does not, and what `accept` takes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import assetgraph as dg

PIPELINE = """
import assetgraph as dg

class Shop(dg.ConfigurableResource):
    url: str
    user: str
    token: dg.Secret[str]
    sample: float = 1.0
    unversioned = ("url",)

    def orders(self) -> int:
        return 1

@dg.asset
def by_annotation(shop: Shop) -> int:
    return shop.orders()

@dg.asset
def by_name(shop) -> int:
    return shop.orders()

@dg.asset(required_resource_keys={"shop"})
def by_context(context) -> int:
    return context.resources.shop.orders()

@dg.asset
def without() -> int:
    return 1

@dg.asset
def reads(by_name: int) -> int:
    return by_name

@dg.asset
def reads_another(without: int) -> int:
    return without

resources = {"shop": Shop(url="https://a", user=dg.EnvVar("USER_OF_SHOP"), token="one")}
"""
USERS = ["by_annotation", "by_context", "by_name"]
HARMLESS = [
    ("https://a", "https://b"),
    ('token="one"', 'token="two"'),
    ("    def orders", "    # A comment.\n    def orders"),
]
CHANGES = [
    ("return 1\n\n@dg.asset\ndef by_annotation", "return 2\n\n@dg.asset\ndef by_annotation"),
    ("sample: float = 1.0", "sample: float = 0.5"),
    ('url="https://a",', 'url="https://a", sample=0.5,'),
]


@pytest.mark.parametrize(("old", "new"), HARMLESS)
def test_what_does_not_count_of_a_resource_makes_nothing_stale(
    project: Callable[..., Any],
    assetgraph: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
) -> None:
    monkeypatch.setenv("USER_OF_SHOP", "ann")
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    assert PIPELINE.count(old) == 1
    made.write("pipeline.py", PIPELINE.replace(old, new))
    monkeypatch.setenv("USER_OF_SHOP", "bob")
    assert assetgraph("plan", "--json").json == []


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_makes_exactly_the_users_stale_and_accept_takes_it_over(
    project: Callable[..., Any],
    assetgraph: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
) -> None:
    monkeypatch.setenv("USER_OF_SHOP", "ann")
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    assert PIPELINE.count(old) == 1
    made.write("pipeline.py", PIPELINE.replace(old, new))

    planned = assetgraph("plan", "--json").json
    reasons = {one["key"]: {reason["kind"] for reason in one["reasons"]} for one in planned}
    assert sorted(reasons) == [*USERS, "reads"]
    assert reasons.pop("reads") == {"upstream_stale"}
    assert all(
        kinds <= {"resource_changed", "code_changed"} and kinds for kinds in reasons.values()
    )
    assert "resource_changed" in reasons["by_name"]
    assert sorted(assetgraph("accept", *USERS, "--json").json) == USERS
    assert assetgraph("plan", "--json").json == []
    assert assetgraph("accept", *USERS, "--json").json == []


def test_an_io_manager_that_is_a_resource_stores_and_loads(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLDER_OF_FILES", "kept")
    opened = []

    class Files(dg.ConfigurableResource):
        folder: str
        suffix: str = ".txt"

        def setup_for_execution(self, context: dg.InitResourceContext) -> None:
            opened.append(self.folder)

        def _path(self, context: Any) -> str:
            return f"{self.folder}-{context.asset_key.text}{self.suffix}"

        def handle_output(self, context: Any, value: Any) -> None:
            with open(self._path(context), "w") as file:
                file.write(value)

        def load_input(self, context: Any) -> str:
            with open(self._path(context)) as file:
                return file.read() + " loaded"

    @dg.asset
    def one() -> str:
        return "one"

    @dg.asset(io_manager_key="others")
    def two(one: str) -> str:
        return f"{one} two"

    @dg.asset
    def three(two: str) -> str:
        return f"{two} three"

    resources = {
        "io_manager": Files(folder=dg.EnvVar("FOLDER_OF_FILES")),
        "others": Files(folder="others", suffix=".md"),
    }
    result = dg.materialize([one, two, three], resources=resources, instance=instance)

    assert opened == ["kept", "others"]
    with (
        open("kept-one.txt") as first,
        open("others-two.md") as second,
        open("kept-three.txt") as third,
    ):
        assert first.read() == "one"
        assert second.read() == "one loaded two"
        assert third.read() == "one loaded two loaded three"
    opened.clear()
    assert result.value("three") == "one loaded two loaded three loaded"
    definitions = dg.Definitions([one, two, three], resources=resources)
    assert instance.load_asset_value("two", definitions=definitions) == "one loaded two loaded"
    assert opened == ["kept", "others"]
