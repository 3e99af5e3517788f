"""Code versions do not depend on where the modules of assetgraph lie: a public class or function
counts by its name, so a release that moves modules makes no asset stale.

The versions below were recorded under the first layout of the package, with all modules side by
side. If one of these tests fails, an upgrade would make the assets of existing projects stale.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from code_projects import look, write

import assetgraph as dg
from assetgraph.code.libraries import Distributions

RECORDED = {
    "Asset": "8e100e50c1b10f1a914d",
    "AssetExecutionContext": "5eee9a6b7e86b428766e",
    "AssetGraph": "92b29aba97fbea6976b3",
    "AssetGraphError": "ec162cd4f03baaf666bd",
    "AssetIn": "4febf342641c6f1e3474",
    "AssetKey": "5234e77654fb26d4e8d0",
    "Backoff": "6b4501d4f56550057361",
    "Config": "da13675662e9a6386d36",
    "Definitions": "deb5a825fe21dfed2e95",
    "IOManager": "425028832c6f4c0594fe",
    "InputContext": "ddcd8388cf2556438244",
    "Instance": "f3b8da76468a4eb80c7f",
    "Jitter": "bb5d87ac628a66c68335",
    "MaterializeResult": "8dc548573cbe97e9d900",
    "MetadataValue": "e0f54b732438738c9bce",
    "OutputContext": "23cc4fb815775a0c39f0",
    "Registry": "917d85d2f9869487320a",
    "RetryPolicy": "006bcda1736c07fd2e53",
    "RetryRequested": "28c09d489578da263e58",
    "RunConfig": "9274f33ee5a043c05937",
    "RunResult": "04f22fa804e1994fec2f",
    "asset": "43cc48b31cd4afec1141",
    "load": "dc3c0c8b450dbe7cebee",
    "load_assets_from_modules": "8795908bc01713513f6f",
    "materialize": "53115a83f3458beb8138",
}
PROJECT_RECORDED = {
    "configs": "e608f67abd75322cdfdc",
    "managers": "6b9a3836635965c26188",
    "errors": "984257cbf9546860feec",
    "instances": "d1708aecf2f05b70262e",
    "contexts": "7b6c874b98e7ba2435df",
    "assets": "e5568e7da2ca96393df5",
    "whole": "10e46388deb074630e13",
}

ONE_NAME = """
    import assetgraph as dg
    from assetgraph import NAME as other
    HELD = [other, {"a": other}]
    class Holder:
        held = other
        def read(self): return dg.NAME, other.__name__, dg.NAME.__module__
    @dg.asset
    def result(a: dg.NAME, b: "other", c=other, d=dg.NAME) -> other:
        from assetgraph import NAME as inner
        return inner, other, dg.NAME, HELD, Holder, isinstance(a, dg.NAME), getattr(dg, "NAME")
    """

PROJECT = {
    "tools.py": """
        from __future__ import annotations
        from dataclasses import dataclass, field
        from functools import partial
        from typing import TYPE_CHECKING
        import assetgraph
        import assetgraph as dg
        from assetgraph import AssetGraphError, AssetIn, AssetKey, Backoff, Config, Jitter, Registry
        from assetgraph import MaterializeResult, MetadataValue, RetryPolicy, RetryRequested
        from assetgraph import Config as Settings
        if TYPE_CHECKING:
            from assetgraph import InputContext as Loading

        class Month(Settings):
            month: str = "2023-03"
            more: list[int] = []
        class Later(Month, frozen=True):
            key: dg.AssetKey | None = None
            def path(self): return dg.AssetKey(self.month)
        class Manager(dg.IOManager):
            def __init__(self, base): self.base = base
            def handle_output(self, context: dg.OutputContext, obj) -> None: self.last = obj
            def load_input(self, context: Loading): return dg.MaterializeResult(1)
        class NoTrips(dg.AssetGraphError): hint = "Load them first."
        class Again(RetryRequested):
            def __init__(self): super().__init__(3)
        @dataclass(frozen=True)
        class Holder:
            key: AssetKey = AssetKey("a")
            policy: RetryPolicy = RetryPolicy(3, delay=1, backoff=Backoff.LINEAR, jitter=Jitter.FULL)
            month: Month = field(default_factory=Month)
            kind: type = dg.Config

        MONTHS = [Month(month="2023-04"), Later(key=AssetKey("b"))]
        MANAGER = Manager("x")
        INSTANCES = [RetryPolicy(2), AssetIn("x"), MetadataValue.md("x"), MaterializeResult(1), Registry()]
        ENUMS = {Backoff.LINEAR: 1, Jitter.FULL: {AssetKey("a"), Backoff.EXPONENTIAL}}
        CALLS = [partial(dg.materialize, selection="x"), partial(Month, month="x"), MetadataValue.json]
        HELD = Holder()
        def captured():
            key, month, manager, kind, call, package = AssetKey("c"), Month(), MANAGER, Config, dg.load, dg
            return lambda: (key, month, manager, kind, call, package)
        CAPTURED = captured()
        def matched(item):
            match item:
                case AssetKey() | dg.RetryPolicy(max_retries=3): return 1
                case Backoff.LINEAR: return 2
            try: raise Again
            except (AssetGraphError, dg.RetryRequested): return 3
        """,
    "pipeline.py": """
        import assetgraph as dg
        import tools
        @dg.asset
        def configs(config: tools.Later): return config, tools.Month, tools.MONTHS
        @dg.asset
        def managers(): return tools.MANAGER
        @dg.asset
        def errors(): raise tools.NoTrips from tools.Again
        @dg.asset
        def instances(): return tools.INSTANCES, tools.ENUMS, tools.CALLS, tools.HELD, tools.CAPTURED
        @dg.asset
        def contexts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return tools.matched(context)
        @dg.asset(retry_policy=dg.RetryPolicy(2), io_manager=tools.MANAGER)
        def assets(configs, other=dg.AssetKey("x")): return configs, [managers, errors], managers()
        DEFINED = dg.Definitions([configs, managers])
        @dg.asset
        def whole(): return tools, dg, DEFINED
        """,
}


@pytest.fixture(autouse=True)
def _no_library_has_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Config` is built on a library whose version would count, and that version changes."""

    def standard_library(_: Distributions, module: str) -> str:
        return ""

    monkeypatch.setattr(Distributions, "of", standard_library)


@pytest.mark.parametrize("name", RECORDED)
def test_a_public_name_counts_as_it_did_in_the_first_layout(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"pipeline.py": ONE_NAME.replace("NAME", name)})

    assert look(tmp_path).versions["result"] == RECORDED[name]


def test_a_project_that_uses_them_in_many_ways_counts_as_it_did_in_the_first_layout(
    tmp_path: Path,
) -> None:
    write(tmp_path, PROJECT)

    assert look(tmp_path).versions == PROJECT_RECORDED


@pytest.mark.parametrize("name", [n for n in RECORDED if isinstance(getattr(dg, n), type)])
def test_a_class_that_moves_to_another_module_keeps_the_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(tmp_path, {"pipeline.py": ONE_NAME.replace("NAME", name)})
    before = look(tmp_path).versions
    monkeypatch.setattr(getattr(dg, name), "__module__", "assetgraph.elsewhere")

    assert look(tmp_path).versions == before
