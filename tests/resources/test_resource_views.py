"""Resources as `show` and the page's Definitions have them: names and fields, and no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock

import pytest
from conftest import ProjectFolder
from pydantic import BaseModel, SecretStr

import assetgraph as dg
from assetgraph.queries.resource_views import resource_views

PLANTED = "tok_931bd77c02"
PIPELINE = f"""
import assetgraph as dg

class Inner(dg.ConfigurableResource):
    token: dg.Secret[str]

class Warehouse(dg.ConfigurableResource):
    url: str
    password: str
    inner: Inner

class Files(dg.IOManager):
    def handle_output(self, context, value): ...
    def load_input(self, context): ...

@dg.asset
def trips(warehouse: Warehouse) -> int: ...

@dg.asset(required_resource_keys={{"warehouse"}}, io_manager_key="files")
def fares(trips: int) -> int: ...

@dg.asset
def plain() -> int: ...

resources = {{
    "warehouse": Warehouse(
        url="https://a", password=dg.EnvVar("PLANTED"), inner=Inner(token="{PLANTED}")
    ),
    "files": Files(),
    "unused": object(),
}}
"""


class Part(BaseModel):
    token: dg.Secret[str]
    plain: int = 1


@dataclass
class Pair:
    token: dg.Secret[str]
    size: int


class Opaque:
    def __repr__(self) -> str:
        return PLANTED


class Everything(dg.ConfigurableResource):
    literal: dg.Secret[str] = PLANTED
    several: list[dg.Secret[str]] = [PLANTED]  # noqa: RUF012
    optional: dg.Secret[str] | None = PLANTED
    unset: dg.Secret[str] | None = None
    wrapped: SecretStr = SecretStr(PLANTED)
    by_name: dict[str, Any] = {"key": SecretStr(PLANTED), "part": Part(token=PLANTED)}  # noqa: RUF012
    part: Part = Part(token=PLANTED)
    pair: Pair = Pair(PLANTED, 2)
    opaque: Any = Opaque()
    variable: dg.Secret[str] = dg.EnvVar("PLANTED")
    inside: list[str] = [dg.EnvVar("PLANTED"), "plain"]  # noqa: RUF012
    number: int = dg.EnvVar.int("PORT")
    long: str = "x" * 1000


def test_every_field_is_shown_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", PLANTED)

    @dg.asset
    def takes(every: Everything) -> None: ...

    graph = dg.Definitions(
        [takes], resources={"every": Everything(), "fake": Mock(spec=Everything)}
    ).graph
    every, fake = resource_views(graph)

    assert PLANTED not in f"{every} {fake}"
    assert every.used_by == ("takes",)
    assert (fake.type, fake.fields, fake.used_by) == ("Mock", {}, ())
    assert {name: every.fields[name] for name in ("literal", "several", "optional", "unset")} == {
        "literal": "***", "several": "***", "optional": "***", "unset": "None",
    }  # fmt: skip
    assert every.fields["part"] == "Part(token=***, plain=1)"
    assert every.fields["pair"] == "Pair(token=***, size=2)"
    assert every.fields["opaque"] == "<Opaque>"
    assert every.fields["variable"] == "EnvVar('PLANTED')"
    assert every.fields["inside"] == "[EnvVar('PLANTED'), 'plain']"
    assert every.fields["number"] == "EnvVar.int('PORT')"
    assert len(every.fields["long"]) == 200


def test_show_says_what_an_asset_takes(
    project: Callable[..., ProjectFolder], assetgraph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "planted-value")
    monkeypatch.chdir(project({"pipeline.py": PIPELINE}).root)
    text = assetgraph("show", "trips").out
    shown = "warehouse: Warehouse(url='https://a', password=EnvVar('PLANTED'), inner=Inner(token="
    assert shown in text
    found = assetgraph("show", "fares", "--json").out
    assert [
        (one["name"], one["type"], one["used_by"]) for one in json.loads(found)["resources"]
    ] == [
        ("files", "Files", ["fares"]),
        ("warehouse", "Warehouse", ["fares", "trips"]),
    ]
    assert json.loads(assetgraph("show", "plain", "--json").out)["resources"] == []
    assert "Resources" not in assetgraph("show", "plain").out
    assert not any(secret in text + found for secret in (PLANTED, "planted-value"))


def test_the_page_lists_resources_and_who_takes_them(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
    pytest.importorskip("httpx2", reason="the test client needs httpx2")
    from web_pages import served

    monkeypatch.setenv("PLANTED", "planted-value")
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    with served(made.find()) as client:
        listed = client.get("/api/resources")
        asset = client.get("/api/assets/trips")
        others = [client.get(f"/api/{name}").text for name in ("definitions", "assets", "summary")]

    assert [(one["name"], one["used_by"]) for one in listed.json()] == [
        ("files", ["fares"]),
        ("unused", []),
        ("warehouse", ["fares", "trips"]),
    ]
    assert listed.json()[2]["fields"] == {
        "url": "'https://a'",
        "password": "EnvVar('PLANTED')",
        "inner": "Inner(token=***)",
    }
    assert [one["name"] for one in asset.json()["resources"]] == ["warehouse"]
    everything = "".join([listed.text, *others])
    assert not any(secret in everything for secret in (PLANTED, "planted-value"))
