"""`materialize` and the record of a run: statuses, events, config, metadata, results."""

from __future__ import annotations

import gc
import os
import platform
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ProjectFolder
from small_assets import asset_named

import assetgraph as dg
from assetgraph.errors import AssetGraphError, ConfigError, NoValueError, SelectionError
from assetgraph.keys import Target
from assetgraph.queries.run_views import (
    failures,
    list_runs,
    run_details,
    run_details_json,
    run_json,
)
from assetgraph.records import EventType, RunStatus, StepState, now
from assetgraph.run.executors import make
from assetgraph.run.step import run_step
from assetgraph.storage.store import Store

STEP = sys.modules[run_step.__module__]  # the very module: another test may import it again


class Month(dg.Config):
    month: str = "2023-03"
    rows: int = 10
    day: date | None = None


class Needed(dg.Config):
    month: str


@dg.asset
def monthly(config: Month) -> str:
    return f"{config.month} {config.rows}"


def broken(name: str, *upstream: str) -> dg.Asset:
    made = asset_named(name, *upstream)

    def fail(**inputs: object) -> None:
        raise ValueError(f"{name} is broken")

    parameters = made.function
    fail.__signature__ = __import__("inspect").signature(parameters)  # type: ignore[attr-defined]
    return dg.asset(name=name)(fail)


def states(result: dg.RunResult) -> dict[str, str]:
    details = run_details(result.instance.store, result.run_id)
    return {step.step_id: step.state.value for step in details.steps}


def test_values_go_from_upstream_to_downstream(instance: dg.Instance) -> None:
    result = dg.materialize(
        [asset_named("c", "a", "b"), asset_named("b", "a"), asset_named("a")], instance=instance
    )
    assert result.success
    assert result.value("c") == [[], [[]]]
    assert result.output_for_node("b") == [[]]
    assert result.failures == {}


def test_a_run_is_summed_up_in_its_record(instance: dg.Instance) -> None:
    before = datetime.now(UTC)
    result = dg.materialize(
        [monthly, asset_named("a")],
        dg.RunConfig(ops={"monthly": Month(rows=3)}),
        instance=instance,
        selection=["monthly", "a"],
        tags={"team": "data"},
    )
    record = Store(instance.store.folder).runs.read(result.run_id)
    assert record.status is RunStatus.SUCCESS
    assert (record.root_run_id, record.parent_run_id) == (None, None)
    assert record.tags == {"team": "data"}
    assert record.selection == ("monthly", "a")
    assert record.assets == ("a", "monthly")
    assert record.config["monthly"]["rows"] == 3
    assert record.step_counts == {"success": 2}
    assert record.failed_steps == ()
    assert record.launched_by == "python"
    assert record.pid == os.getpid()
    assert record.python_version == platform.python_version()
    assert record.assetgraph_version == dg.__version__
    assert record.ended_at is not None
    assert before <= record.started_at <= record.ended_at <= datetime.now(UTC)
    assert record.duration_s == (record.ended_at - record.started_at).total_seconds()


def test_a_step_has_a_status_a_start_a_duration_and_its_error_from_the_events(
    instance: dg.Instance,
) -> None:
    result = dg.materialize(
        [asset_named("a"), broken("b", "a"), asset_named("c", "b"), asset_named("d", "a")],
        instance=instance,
        raise_on_error=False,
    )
    details = run_details(instance.store, result.run_id)
    assert {s.step_id: s.state for s in details.steps} == {
        "a": StepState.SUCCESS,
        "b": StepState.FAILURE,
        "c": StepState.SKIPPED,
        "d": StepState.SUCCESS,
    }
    steps = {step.step_id: step for step in details.steps}
    assert steps["a"].started_at is not None
    assert steps["a"].duration_s is not None
    assert 0 <= steps["a"].duration_s < 60
    assert steps["c"].started_at is None
    assert steps["c"].reason == "upstream b failed"
    (failed,) = failures(details.steps)
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("ValueError", "b is broken")
    assert details.record.status is RunStatus.FAILURE
    assert details.record.step_counts == {"success": 2, "failure": 1, "skipped": 1}
    assert details.record.failed_steps == ("b",)
    assert details.record.failure.startswith("b: ")
    assert set(result.failures) == {"b"}


def test_steps_that_do_not_need_a_failed_step_still_run(instance: dg.Instance) -> None:
    result = dg.materialize(
        [
            broken("bad"),
            broken("worse"),
            asset_named("under", "bad"),
            asset_named("deep", "under", "good"),
            asset_named("good"),
            asset_named("fine", "good"),
        ],
        instance=instance,
        raise_on_error=False,
    )
    assert states(result) == {
        "bad": "failure",
        "worse": "failure",
        "under": "skipped",
        "deep": "skipped",
        "good": "success",
        "fine": "success",
    }
    skipped = [e for e in result.events if e.type is EventType.STEP_SKIPPED]
    assert {e.step: e.data["upstream"] for e in skipped} == {"under": "bad", "deep": "bad"}


def test_the_events_of_a_run_in_order(instance: dg.Instance) -> None:
    result = dg.materialize(
        [asset_named("a"), broken("b", "a"), asset_named("c", "b")],
        instance=instance,
        raise_on_error=False,
    )
    assert [(e.type.value, e.step) for e in result.events] == [
        ("RUN_START", None),
        ("STEP_START", "a"),
        ("STEP_OUTPUT", "a"),
        ("ASSET_MATERIALIZATION", "a"),
        ("STEP_SUCCESS", "a"),
        ("STEP_START", "b"),
        ("LOADED_INPUT", "b"),
        ("STEP_FAILURE", "b"),
        ("STEP_SKIPPED", "c"),
        ("RUN_FAILURE", None),
    ]
    times = [e.timestamp for e in result.events]
    assert times == sorted(times)
    assert all(time.tzinfo is not None for time in times)
    assert next(e.level for e in result.events if e.type is EventType.STEP_FAILURE) == "ERROR"


def test_a_failure_raises_what_the_asset_raised_once_the_run_is_recorded(
    instance: dg.Instance,
) -> None:
    with pytest.raises(ValueError, match="b is broken") as caught:
        dg.materialize([broken("b"), asset_named("a")], instance=instance)
    assert caught.traceback[-1].name == "fail"
    (record,) = list_runs(instance.store).runs
    assert record.status is RunStatus.FAILURE
    assert record.step_counts == {"failure": 1, "success": 1}


def test_without_an_instance_nothing_is_left_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tmp").mkdir()
    (folder / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.chdir(folder / "work")
    result = dg.materialize([asset_named("a")])
    assert result.value("a") == []
    assert len(list((folder / "tmp").iterdir())) == 1
    del result
    gc.collect()  # a warning here would fail the test
    assert list((folder / "tmp").iterdir()) == []
    assert list((folder / "work").iterdir()) == []


def test_an_instance_records_in_its_folder_and_another_reads_it(folder: Path) -> None:
    first = dg.materialize([asset_named("a")], instance=dg.Instance(folder / "records"))
    again = dg.Instance(folder / "records")
    assert [r.run_id for r in list_runs(again.store).runs] == [first.run_id]


def test_an_instance_records_the_code_that_ran_though_a_module_was_reloaded(project) -> None:
    made = project(
        {
            "pipeline.py": """
                import assetgraph as dg, helpers
                @dg.asset
                def trips(): return helpers.rows()
                """,
            "helpers.py": "def rows(): return 5\n",
        }
    )
    done = made.python(
        """
        import importlib, pathlib
        import assetgraph as dg, helpers, pipeline
        instance, text = dg.Instance.get(), pathlib.Path("helpers.py").read_text()
        def run():
            result = dg.materialize([pipeline.trips], instance=instance)
            return result.value("trips"), result.materialization("trips").code_version
        first, version = run()
        pathlib.Path("helpers.py").write_text(text.replace("5", "60"))  # Python sees another size
        importlib.reload(helpers)
        second, other = run()
        assert (first, second) == (5, 60)
        assert version != other
        """
    )
    assert done.returncode == 0, done.stderr


def test_loading_a_mistyped_asset_asks_which_one_was_meant(
    project: Callable[..., ProjectFolder],
) -> None:
    pipeline = "import assetgraph as dg\n@dg.asset\ndef revenue(): return 1\n"
    loaded = project({"pipeline.py": pipeline}).python(
        "import assetgraph; assetgraph.load('revnue')"
    )
    assert "there is no asset 'revnue'. Did you mean 'revenue'?" in loaded.stderr


def test_the_projects_instance_is_found_and_its_values_loaded(project) -> None:
    made = project(
        {
            "pipeline.py": """
                import assetgraph as dg
                @dg.asset
                def trips(): return {"rows": 5}
                @dg.asset
                def never(): return 1
                """
        }
    )
    done = made.python(
        """
        import assetgraph as dg, pipeline
        dg.materialize([pipeline.trips], instance=dg.Instance.get())
        assert dg.load("trips") == {"rows": 5}
        try:
            dg.load("never")
        except dg.AssetGraphError as error:
            print(error)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "'never' was never materialized. Materialize it with: assetgraph materialize never\n"
    )
    assert (made.root / ".assetgraph/store.json").exists()


@pytest.mark.parametrize("given", ["a", ["a"], dg.AssetKey("a"), [dg.AssetKey("a")]])
def test_a_selection_runs_with_its_upstreams_that_have_no_value(
    instance: dg.Instance, given: object
) -> None:
    assets = [asset_named("root"), asset_named("a", "root"), asset_named("b", "a")]
    first = dg.materialize(assets, instance=instance, selection=given)  # type: ignore[arg-type]
    assert states(first) == {"root": "success", "a": "success"}
    second = dg.materialize(assets, instance=instance, selection=given)  # type: ignore[arg-type]
    assert states(second) == {"a": "success"}


def test_a_selection_may_be_an_asset_and_an_empty_one_is_an_error(instance: dg.Instance) -> None:
    a, b = asset_named("a"), asset_named("b")
    assert states(dg.materialize([a, b], instance=instance, selection=b)) == {"b": "success"}
    assert states(dg.materialize([a, b], instance=instance, selection=[a, b])).keys() == {"a", "b"}
    with pytest.raises(AssetGraphError, match="the selection is empty"):
        dg.materialize([a], selection=[])
    with pytest.raises(SelectionError):
        dg.materialize([a], selection="nothing_of_this_name")


def test_assets_come_in_any_collection_but_never_alone(instance: dg.Instance) -> None:
    a = asset_named("a")
    module = types.ModuleType("pipeline")
    module.a = a  # type: ignore[attr-defined]
    definitions = dg.Definitions([a])
    for given in ([a], [[a]], (a,), definitions, definitions.graph, module):
        assert states(dg.materialize(given, instance=instance)) == {"a": "success"}
    with pytest.raises(TypeError, match=r"write \[a\]"):
        dg.materialize(a)  # type: ignore[arg-type]


def test_arguments_of_a_wrong_type_say_what_to_write(folder: Path) -> None:
    a = asset_named("a")
    with pytest.raises(TypeError, match=r"write instance=Instance\('st'\)"):
        dg.materialize([a], instance="st")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="assets must be a list of assets, not 3"):
        dg.Definitions(assets=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"write \[a\]"):
        dg.Definitions(a)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'nope' is not a module: import it"):
        dg.load_assets_from_modules(["nope"])  # type: ignore[list-item]


def test_jobs_run_steps_at_once_in_worker_processes(instance: dg.Instance) -> None:
    result = dg.materialize([asset_named("a"), asset_named("b")], instance=instance, jobs=2)
    assert states(result) == {"a": "success", "b": "success"}


def test_jobs_that_cannot_be_are_refused_before_anything_runs(instance: dg.Instance) -> None:
    with pytest.raises(AssetGraphError, match="jobs must be at least 1, not 0"):
        dg.materialize([asset_named("a")], instance=instance, jobs=0)
    with pytest.raises(AssetGraphError, match=r"Pass jobs to executors\.make"):
        dg.materialize([asset_named("a")], instance=instance, executor=make("serial"), jobs=2)
    assert not list(instance.store.runs.ids())


def test_a_value_that_is_not_of_the_type_asked_for_says_what_it_is(instance: dg.Instance) -> None:
    result = dg.materialize([asset_named("a")], instance=instance)
    with pytest.raises(dg.AssetGraphError, match="cannot be loaded as `bytes`: it is") as raised:
        result.value("a", bytes)
    assert "parameter" not in str(raised.value)


def test_a_value_that_does_not_fit_a_parameter_names_the_parameter_and_its_asset(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def text():
        return "x"

    @dg.asset
    def number(text: int) -> int:
        return text

    told = r"parameter 'text' of asset 'number': the value cannot be loaded as `int`: it is a str"
    with pytest.raises(dg.AssetGraphError, match=told):  # passed on within the run
        dg.materialize([text, number], instance=instance)
    with pytest.raises(dg.AssetGraphError, match=told):  # loaded from the store
        dg.materialize([text, number], instance=instance, selection="number")


def test_config_reaches_the_asset_and_is_recorded_with_its_value(instance: dg.Instance) -> None:
    for given in (
        {"monthly": {"rows": 5}},
        {"monthly": {"rows": "5"}},
        dg.RunConfig(ops={"monthly": Month(rows=5)}),
        dg.RunConfig({"monthly": {"rows": 5}}),
    ):
        result = dg.materialize([monthly], given, instance=instance)
        assert result.value("monthly") == "2023-03 5"
        assert result.materialization("monthly").config["rows"] == 5


def test_a_value_of_a_type_that_json_lacks_is_recorded_as_json(instance: dg.Instance) -> None:
    given = {"monthly": {"day": date(2023, 3, 1)}}
    result = dg.materialize([monthly], given, instance=instance)
    assert result.materialization("monthly").config == {"day": "2023-03-01"}
    assert result.outcome.record.config == {"monthly": {"day": "2023-03-01"}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"monthly": {"rows": "many"}}, "config of 'monthly': rows"),
        ({"monthly": {"mnth": "x"}}, "has no config field 'mnth'"),
        ({"plain": {"rows": 5}}, r"asset 'plain' takes no config\. Give it a parameter"),
        ({"monthy": {"rows": 5}}, "Did you mean 'monthly'"),
    ],
)
def test_config_that_does_not_fit_stops_the_run_before_it_starts(
    instance: dg.Instance, given: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(AssetGraphError, match=message):
        dg.materialize([monthly, asset_named("plain")], given, instance=instance)
    assert list_runs(instance.store).runs == ()


def test_a_missing_required_field_stops_the_run_before_it_starts(instance: dg.Instance) -> None:
    @dg.asset
    def needy(config: Needed) -> str:
        return config.month

    with pytest.raises(ConfigError, match=r"'needy'.*month"):
        dg.materialize([asset_named("a"), needy], instance=instance)
    assert list_runs(instance.store).runs == ()


def test_the_context_says_what_is_being_materialized(instance: dg.Instance) -> None:
    @dg.asset(key_prefix="nyc")
    def says(context: dg.AssetExecutionContext) -> dict[str, object]:
        context.add_output_metadata({"rows": 5, "source": "TLC"})
        context.add_output_metadata({"rows": 6, "home": dg.MetadataValue.url("https://x.org")})
        return {
            "run_id": context.run_id,
            "key": context.asset_key.text,
            "retry": context.retry_number,
        }

    result = dg.materialize([says], instance=instance)
    assert result.value("nyc/says") == {"run_id": result.run_id, "key": "nyc/says", "retry": 0}
    recorded = {"rows": 6, "source": "TLC", "home": {"type": "url", "value": "https://x.org"}}
    assert result.materialization("nyc/says").metadata == recorded
    (event,) = [e for e in result.events if e.type is EventType.ASSET_MATERIALIZATION]
    assert event.data["metadata"] == recorded


def test_a_result_carries_value_metadata_and_data_version(instance: dg.Instance) -> None:
    @dg.asset
    def made() -> dg.MaterializeResult:
        return dg.MaterializeResult({"a": 1}, metadata={"rows": 1}, data_version="mine")

    @dg.asset
    def reader(made) -> int:
        return made["a"]

    result = dg.materialize([made, reader], instance=instance)
    assert result.value("reader") == 1
    made_record = result.materialization("made")
    assert (made_record.metadata, made_record.data_version) == ({"rows": 1}, "mine")
    assert result.materialization("reader").inputs == {"made": "mine"}


def test_a_value_that_contradicts_the_annotation_fails_with_both_named(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def nothing() -> None:
        return 5  # type: ignore[return-value]

    @dg.asset
    def text() -> str:
        return 2  # type: ignore[return-value]

    result = dg.materialize([nothing, text], instance=instance, raise_on_error=False)
    assert set(result.failures) == {"nothing", "text"}
    assert "int" in result.failures["nothing"].message
    assert "None" in result.failures["nothing"].message
    assert "int" in result.failures["text"].message
    assert "str" in result.failures["text"].message


def test_a_step_waits_for_its_deps_and_records_them_as_inputs(instance: dg.Instance) -> None:
    order = []
    first = dg.asset(name="z_first")(lambda: order.append("first"))
    then = dg.asset(name="a_then", deps=[first])(lambda: order.append("then"))
    result = dg.materialize([then, first], instance=instance)
    assert order == ["first", "then"]
    assert result.materialization("a_then").inputs.keys() == {"z_first"}


def test_keyword_only_and_defaulted_parameters(instance: dg.Instance) -> None:
    trips = dg.asset(name="trips")(lambda: 5)
    limit = dg.asset(name="limit")(lambda: 100)

    @dg.asset
    def fares(*, trips: int, limit: int = 2) -> int:
        return trips * limit

    @dg.asset(ins={"limit": dg.AssetIn("limit")})
    def limited(trips: int, limit: int = 2) -> int:
        return trips * limit

    result = dg.materialize([trips, limit, fares, limited], instance=instance)
    assert (result.value("fares"), result.value("limited")) == (10, 500)


def test_a_result_returns_the_values_of_its_own_run(instance: dg.Instance) -> None:
    one = dg.materialize([monthly], {"monthly": {"rows": 1}}, instance=instance)
    two = dg.materialize([monthly], {"monthly": {"rows": 2}}, instance=instance)
    assert one.value("monthly") == "2023-03 1"
    assert two.value("monthly") == "2023-03 2"
    assert one.materialization("monthly").run_id == one.run_id


def test_asking_for_a_value_that_does_not_exist_is_an_error(instance: dg.Instance) -> None:
    a, b = asset_named("a"), asset_named("b")
    result = dg.materialize([a, b], instance=instance, selection="a")
    with pytest.raises(NoValueError, match="'b' was never materialized"):
        result.value("b")
    with pytest.raises(AssetGraphError, match="there is no asset 'c'"):
        result.value("c")


def test_no_assets_make_an_empty_run(instance: dg.Instance) -> None:
    result = dg.materialize([], instance=instance)
    assert result.success
    assert [e.type.value for e in result.events] == ["RUN_START", "RUN_SUCCESS"]


def test_a_graph_of_many_assets_runs_each_once_after_its_upstreams(instance: dg.Instance) -> None:
    order: list[str] = []
    assets = []
    for row in range(6):
        for column in range(10):
            names = [f"n{row - 1}_{c}" for c in (column, (column + 3) % 10)] if row else []
            made = dg.asset(name=f"n{row}_{column}", deps=names)(
                lambda name=f"n{row}_{column}": order.append(name)
            )
            assets.append(made)
    result = dg.materialize(assets[::-1], instance=instance)
    assert sorted(order) == sorted(a.key.text for a in assets)
    assert tuple(order) == result.outcome.record.assets
    place = {name: position for position, name in enumerate(order)}
    assert all(place[d.text] < place[a.key.text] for a in assets for d in a.deps)


def test_the_json_of_a_run_has_every_name_a_script_may_use(instance: dg.Instance) -> None:
    result = dg.materialize(
        [asset_named("a"), broken("b")], instance=instance, raise_on_error=False
    )
    details = run_details(instance.store, result.run_id)
    shown = run_details_json(details)
    assert shown.keys() >= {
        "run_id", "status", "root_run_id", "parent_run_id", "started_at", "ended_at", "duration_s",
        "tags", "config", "selection", "step_counts", "failed_steps", "failure", "steps", "events",
    }  # fmt: skip
    assert run_json(details.record).keys() == shown.keys() - {
        "steps", "events", "reruns", "last_heard_at",
    }  # fmt: skip
    assert all(
        event.keys() == {"type", "timestamp", "step", "target", "level", "message", "data"}
        for event in shown["events"]
    )
    assert all(event["message"] for event in shown["events"])
    (failed,) = [step for step in shown["steps"] if step["state"] == "failure"]
    assert failed["error"]["message"] == "b is broken"


def test_a_run_that_is_read_while_it_runs_is_running(instance: dg.Instance) -> None:
    seen = []

    @dg.asset
    def looks(context) -> None:
        details = run_details(Store(instance.store.folder), context.run_id)
        seen.append((details.record.status, details.steps[0].state))
        seen.append(Store(instance.store.folder).is_running(Target(context.asset_key)))

    dg.materialize([looks], instance=instance)
    assert seen == [(RunStatus.STARTED, StepState.RUNNING), True]
    assert not instance.store.is_running(Target(looks.key))


def test_a_long_message_is_shorter_in_the_log_than_in_the_error(
    instance: dg.Instance,
) -> None:
    def fails() -> None:
        raise ValueError("x" * 2_000_000)

    result = dg.materialize([dg.asset(fails)], instance=instance, raise_on_error=False)
    event = next(e for e in result.events if e.type is EventType.STEP_FAILURE)
    assert event.message is not None
    assert event.message.startswith("ValueError: xxx")
    assert len(event.message) <= 600
    assert len(event.data["error"]["message"]) > 9_000


def test_the_last_two_values_of_each_asset_are_kept(folder: Path) -> None:
    @dg.asset
    def text() -> str:
        return "x" * 10_000

    instance = dg.Instance(".assetgraph")
    runs = [dg.materialize([text], instance=instance).run_id for _ in range(4)]
    stored = [kept.run_id for kept in instance.store.values.runs()]
    assert stored == runs[-2:]


def test_a_run_that_ended_is_on_the_disk_unless_its_store_is_temporary(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("assetgraph.run.journal.sync_file_system", synced.append)
    dg.materialize([asset_named("a")])
    assert synced == []
    instance = dg.Instance(".assetgraph")
    dg.materialize([asset_named("a")], instance=instance)
    assert synced == [instance.store.folder]


def test_a_clock_that_jumps_back_during_a_run_hides_nothing(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def trips() -> int:
        return 3

    monkeypatch.setattr(STEP, "now", lambda: now() + timedelta(hours=1))
    result = dg.materialize([trips], instance=instance)
    assert result.value("trips") == 3
    assert result.materialization("trips").run_id == result.run_id


def test_a_long_run_is_synced_while_it_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("assetgraph.run.journal.sync_file_system", synced.append)
    monkeypatch.setattr("assetgraph.run.journal.SYNC_INTERVAL_S", -1.0)  # a sync is always due
    dg.materialize([asset_named("a"), asset_named("b")], instance=dg.Instance(".assetgraph"))
    assert len(synced) == 3  # after each step, and at the end


def test_the_end_of_a_step_is_synced_while_another_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Event()
    monkeypatch.setattr("assetgraph.run.journal.sync_file_system", lambda _: synced.set())
    monkeypatch.setattr("assetgraph.run.journal.SYNC_INTERVAL_S", 0.01)

    @dg.asset
    def works_on() -> bool:
        return synced.wait(timeout=20)

    result = dg.materialize(
        [works_on, asset_named("quick")],
        instance=dg.Instance(".assetgraph"),
        executor=make("threads", 2),
    )
    assert result.value("works_on") is True


def test_the_repr_of_a_result_is_one_line(instance: dg.Instance) -> None:
    result = dg.materialize([asset_named("a"), asset_named("b")], instance=instance)
    assert repr(result) == f"<RunResult {result.run_id} SUCCESS: 2 success>"


def test_a_warning_of_a_step_is_a_warning_of_the_run(instance: dg.Instance) -> None:
    @dg.asset
    def made_up(context: dg.AssetExecutionContext) -> None:
        context.log.warning("this is a sample")

    details = run_details(instance.store, dg.materialize([made_up], instance=instance).run_id)
    assert run_details_json(details)["warnings"] == ["made_up: this is a sample"]
