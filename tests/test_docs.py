"""The pages under docs/ name what there is, and nothing else."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from small_assets import asset_named, graph_of

import assetgraph
from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.project.settings import SETTINGS
from assetgraph.records import AssetState, RunStatus, StepState

DOCS = Path(__file__).parents[1] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n in assetgraph.__all__ if n != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    assert f"`{name}`" in page("python.md")


def test_every_option_of_the_decorator_is_documented_and_no_other() -> None:
    line = next(line for line in page("python.md").splitlines() if line.startswith("| `asset` |"))
    documented = re.findall(r"`(\w+)`", line.partition("Options:")[2])
    options = [p for p in inspect.signature(assetgraph.asset).parameters if p != "function"]
    assert documented == options


@pytest.mark.parametrize("word", [*AssetState, *StepState, *RunStatus, *ReasonKind])
def test_every_word_for_a_state_or_a_reason_is_documented(word: str) -> None:
    assert f"`{word}`" in page("json.md")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_of_a_project_is_in_the_readme(name: str) -> None:
    assert f"{name} = " in (DOCS.parent / "README.md").read_text(encoding="utf-8")


def test_the_names_of_a_run_are_documented() -> None:
    from assetgraph.queries.run_views import run_json
    from assetgraph.records import RunRecord, now

    for name in run_json(RunRecord("r", RunStatus.SUCCESS, now())):
        assert f"`{name}`" in page("json.md")


def test_the_names_that_one_asset_is_shown_with_are_documented() -> None:
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.queries.asset_views import asset_details, asset_details_json

    asset = asset_named("trips")
    state = StoreFacts(graph_of(asset), assetgraph.Instance.ephemeral().store)
    for name in asset_details_json(asset_details(state, Target(asset.key))):
        assert f"`{name}`" in page("json.md")


def test_the_names_of_an_error_are_documented() -> None:
    from assetgraph.records import ErrorInfo, Frame

    for kind in (ErrorInfo, Frame):
        for field in msgspec.structs.fields(kind):
            assert f"`{field.name}`" in page("json.md")


def test_every_address_of_the_page_is_documented_and_no_other() -> None:
    pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
    from assetgraph.web.http.routes import api_routes

    named = {"run_id": "ID", "key:path": "KEY", "name:path": "NAME", "number": "NUMBER"}
    served = {re.sub(r"\{([^}]+)\}", lambda m: named[m[1]], r.path) for r in api_routes()}
    documented = set(re.findall(r"`(/api/[\w/.]+)", page("page.md")))
    assert documented == served


def test_every_setting_of_a_project_is_documented_and_no_other() -> None:
    table = page("execution.md").partition("## Settings")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(SETTINGS)


def test_every_executor_is_documented_and_no_other() -> None:
    from assetgraph.states import EXECUTORS

    table = page("execution.md").partition("## Executors")[2].partition("##")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.M)) == EXECUTORS


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    listed = [project["build-system"]["requires"], project["project"]["dependencies"], *extras]
    names = {re.split(r"[\[><=]", line)[0] for lines in listed for line in lines} - {"assetgraph"}
    reasons = page("architecture.md").partition("## Dependencies")[2]
    assert {
        name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", reasons)
    } == set()
