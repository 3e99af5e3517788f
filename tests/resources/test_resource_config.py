"""The config that a run gives its resources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.errors import ConfigError
from assetgraph.states import EXECUTORS

PLANTED = "tok_931bd77c02"


class Inner(dg.ConfigurableResource):
    token: dg.Secret[str] = "none yet"
    depth: int = 1


class Shop(dg.ConfigurableResource):
    url: str
    sample: float = 1.0
    day: date = date(2026, 1, 1)
    port: int = 80
    inner: Inner = Inner()


@dg.asset
def orders(shop: Shop) -> str:
    return f"{shop.url} {shop.sample} {shop.day} {shop.port} {shop.inner.depth}"


@dg.asset
def holds(holder: Holder) -> str:
    return holder.shop.url


class Holder(dg.ConfigurableResource):
    shop: Shop


class Several(dg.ConfigurableResource):
    inner: list[Inner] = []  # noqa: RUF012


SHOP = Shop(url="https://a")


@pytest.mark.parametrize(
    "given",
    [
        {"ops": {}, "resources": {"shop": {"config": {"sample": "0.5", "day": "2026-02-01"}}}},
        {"resources": {"shop": {"config": {"sample": 0.5, "day": date(2026, 2, 1)}}}},
        dg.RunConfig(resources={"shop": {"sample": 0.5, "day": "2026-02-01"}}),
        dg.RunConfig(resources={"shop": Shop(url="https://a", sample=0.5, day=date(2026, 2, 1))}),
    ],
)
def test_a_run_gives_fields_of_a_resource(given: Any, instance: dg.Instance) -> None:
    result = dg.materialize([orders], given, resources={"shop": SHOP}, instance=instance)
    assert result.value("orders") == "https://a 0.5 2026-02-01 80 1"
    recorded = instance.store.runs.read(result.run_id).config["resources.shop"]
    assert recorded["day"] == "2026-02-01"
    assert SHOP.sample == 1.0


def test_what_is_inside_of_another_resource_is_configured_too() -> None:
    given = {"resources": {"shop": {"config": {"url": "https://b", "inner": {"depth": 3}}}}}
    resources = {"shop": SHOP, "holder": Holder(shop=SHOP)}
    result = dg.materialize([orders, holds], given, resources=resources)
    assert result.value("orders").endswith(" 3")
    assert result.value("holds") == "https://b"


def test_a_resource_is_configured_at_launch() -> None:
    shop = Shop.configure_at_launch(sample=0.5)
    given = dg.RunConfig(resources={"shop": {"url": "https://c"}})
    result = dg.materialize([orders], given, resources={"shop": shop})
    assert result.value("orders").startswith("https://c 0.5 ")
    with pytest.raises(ConfigError, match="'url' is not given") as wrong:
        dg.materialize([orders], resources={"shop": shop})
    assert wrong.value.hint is not None
    assert '{"resources": {"shop": {"config": {"url": …}}}}' in wrong.value.hint
    bad = Shop.configure_at_launch(sample="much")
    with pytest.raises(ConfigError, match=r"sample: .*number"):
        dg.materialize([orders], given, resources={"shop": bad})


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"shpo": {"config": {}}}, "resource 'shpo'"),
        ({"shop": {"config": {"smaple": 1}}}, "no field 'smaple'"),
        ({"shop": {"config": {"sample": "much"}}}, "sample: .*number"),
        ({"shop": {"config": {"inner": {"token": PLANTED}}}}, "token is secret"),
        ({"plain": {"config": {"a": 1}}}, "no ConfigurableResource"),
        ({"shop": {"config": {"url": {"env": "NOT_SET_ANYWHERE"}}}}, "NOT_SET_ANYWHERE"),
    ],
)
def test_wrong_config_of_a_resource_is_an_error_before_any_step(
    config: dict[str, Any], says: str, instance: dg.Instance
) -> None:
    with pytest.raises(ConfigError, match=says) as wrong:
        dg.materialize(
            [orders],
            {"resources": config},
            resources={"shop": SHOP, "plain": object()},
            instance=instance,
        )
    assert wrong.value.hint
    assert PLANTED not in f"{wrong.value} {wrong.value.hint}"
    assert list(instance.store.runs.ids()) == []


def test_an_object_with_a_secret_is_not_recorded(instance: dg.Instance) -> None:
    given = dg.RunConfig(resources={"shop": Shop(url="u", inner=Inner(token=PLANTED))})
    with pytest.raises(ConfigError, match="token is secret"):
        dg.materialize([orders], given, resources={"shop": SHOP}, instance=instance)
    several = {"resources": {"several": {"config": {"inner": [{"token": PLANTED}]}}}}
    with pytest.raises(ConfigError, match="token is secret"):
        dg.materialize([orders], several, resources={"shop": SHOP, "several": Several()})


PIPELINE = """
import assetgraph as dg

class Shop(dg.ConfigurableResource):
    url: str = "https://a"
    sample: float = 1.0
    token: dg.Secret[str] = "none yet"

@dg.asset
def orders(shop: Shop) -> str:
    return f"{shop.url} {shop.sample} {len(shop.token)}"

shop = Shop()
resources = {"shop": shop}
"""


@pytest.mark.parametrize("executor", sorted(set(EXECUTORS) - {"dask"}))
def test_a_run_of_the_command_line_configures_it_and_so_does_its_rerun(
    project: Callable[..., Any],
    assetgraph: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    executor: str,
) -> None:
    monkeypatch.setenv("TOKEN_OF_SHOP", PLANTED)
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    made.write(
        "run.json",
        '{"resources": {"shop": {"config": {"sample": 0.5, "token": {"env": "TOKEN_OF_SHOP"}}}}}',
    )
    where = ("--executor", executor)
    options = ("--config-file", "run.json", "--config", "resources.shop.url=https://b")
    answer = assetgraph("materialize", "orders", *options, *where)
    assert answer.code == 0, answer.err
    assert assetgraph("show", "orders", "--head", "1", "--json").json["text"] == (
        f"https://b 0.5 {len(PLANTED)}"
    )
    shown = assetgraph("runs", "show", "latest")
    assert "TOKEN_OF_SHOP" in shown.out
    again = assetgraph("runs", "rerun", "latest", "--config", "resources.shop.sample=0.25", *where)
    assert again.code == 0, again.err
    assert assetgraph("show", "orders", "--head", "1", "--json").json["text"] == (
        f"https://b 0.25 {len(PLANTED)}"
    )
    run = made.find().open_store()
    assert run.runs.read(next(run.runs.ids())).config == {
        "resources.shop": {"sample": "0.25", "token": {"env": "TOKEN_OF_SHOP"}, "url": "https://b"}
    }
    assert "sample (0.25, now 1.0)" in assetgraph("plan", "--stale").out
    monkeypatch.delenv("TOKEN_OF_SHOP")
    refused = assetgraph("runs", "rerun", "latest", *where)
    assert refused.code == 2
    assert "TOKEN_OF_SHOP" in refused.err
    files = [file.read_bytes() for file in made.root.rglob("*") if file.is_file()]
    assert not any(PLANTED.encode() in data for data in files)


def test_check_looks_at_what_a_job_configures() -> None:
    from assetgraph.planning.job_config import job_config_problems

    def problems(sample: Any) -> list[str]:
        given = {"resources": {"shop": {"config": {"sample": sample, "url": {"env": "NOT_SET"}}}}}
        job = dg.define_asset_job("all_of_it", config=given)
        defs = dg.Definitions([orders], jobs=[job], resources={"shop": SHOP})
        return [problem.message for problem in job_config_problems(defs)]

    assert problems(0.5) == []
    assert "sample" in problems("much")[0]


def test_an_asset_that_is_called_resources_keeps_its_config() -> None:
    class Part(dg.Config):
        depth: int = 1

    class Whole(dg.Config):
        shop: Part = Part()

    @dg.asset
    def resources(config: Whole) -> int:
        return config.shop.depth

    result = dg.materialize(
        [resources, orders], {"resources.shop": {"depth": 2}}, resources={"shop": SHOP}
    )
    assert result.value("resources") == 2


def test_a_request_of_a_schedule_keeps_the_config_of_resources() -> None:
    given = dg.RunConfig({"a": {"limit": 1}}, resources={"shop": {"sample": 0.5}})
    assert dg.RunRequest(run_config=given).run_config == {
        "ops": {"a": {"config": {"limit": 1}}},
        "resources": {"shop": {"config": {"sample": 0.5}}},
    }
