"""What something else makes: declared by a spec, as a source file, or by an observation."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Answer, ProjectFolder

import assetgraph as dg
from assetgraph.errors import AssetGraphError, DefinitionsError, SelectionError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.run.launch_process import launch_process
from assetgraph.run.observe import observe
from assetgraph.storage.store import Store

Command = Callable[..., Answer]

PIPELINE = """\
from pathlib import Path
import assetgraph as dg

orders = dg.AssetSpec("orders", group_name="warehouse", kinds={"postgres"}, owners=["team:data"])
customers = dg.source_file("data/customers.csv")
parts = dg.source_file("data/part_*.csv", key="parts")

@dg.observable_source_asset
def feed(context):
    assert context.asset_key.text == "feed"
    return dg.ObserveResult(
        dg.DataVersion(Path("version.txt").read_text()), metadata={"from": "version.txt"}
    )

@dg.asset
def names(customers: Path) -> list[str]:
    return customers.read_text().split()

@dg.asset(deps=[orders, feed])
def report(names, parts: list[Path]) -> int:
    return len(names) + len(parts)

@dg.asset
def apart() -> int:
    return 1
"""


@pytest.fixture
def pipeline(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE})
    (made.root / "data").mkdir()
    for name, text in {
        "data/customers.csv": "a b",
        "data/part_1.csv": "1",
        "data/part_2.csv": "2",
        "version.txt": "v1",
    }.items():
        (made.root / name).write_text(text)
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def run(pipeline: ProjectFolder, assetgraph: Command) -> Command:
    assert assetgraph("materialize", "--all").code == 0
    assert assetgraph("observe").code == 0
    assert assetgraph("materialize", "--stale").code == 0
    return assetgraph


def planned(assetgraph: Command) -> dict[str, str]:
    """The assets that would run, each with its reasons."""
    steps = json.loads(assetgraph("plan", "--json").out)
    return {step["key"]: "; ".join(r["text"] for r in step["reasons"]) for step in steps}


def test_a_run_passes_over_what_something_else_makes(run: Command, pipeline: ProjectFolder) -> None:
    shown = json.loads(run("runs", "show", "latest", "--json").out)
    assert shown["assets"] == ["report"]  # the others were up to date
    assert planned(run) == {}


@pytest.mark.parametrize(
    ("edited", "stale", "says"),
    [
        ("data/customers.csv", {"names", "report"}, "upstream customers has new data"),
        ("data/part_2.csv", {"report"}, "upstream parts has new data"),
        ("data/part_3.csv", {"report"}, "upstream parts has new data"),
    ],
)
def test_what_reads_a_source_file_is_stale_when_its_content_changes(
    run: Command, pipeline: ProjectFolder, edited: str, stale: set[str], says: str
) -> None:
    (pipeline.root / edited).write_text("changed")

    steps = planned(run)

    assert steps.keys() == stale
    assert says in steps[min(stale)]
    assert run("materialize", "--stale").code == 0
    assert planned(run) == {}


def test_a_source_file_that_is_only_touched_makes_nothing_stale(
    run: Command, pipeline: ProjectFolder
) -> None:
    os.utime(pipeline.root / "data/customers.csv", (1, 1))

    assert planned(run) == {}


def test_a_source_file_that_is_gone_makes_its_readers_stale_and_their_run_says_so(
    run: Command, pipeline: ProjectFolder
) -> None:
    (pipeline.root / "data/customers.csv").unlink()

    assert planned(run)["names"] == "upstream customers is missing"
    assert "its data is not there: data/customers.csv" in run("status", "customers").out
    failed = run("materialize", "--stale")
    assert failed.code == 1
    assert "there is no file" in failed.err
    assert "correct its source_file" in failed.err


def test_stale_observes_first_and_plan_says_when_that_was(
    run: Command, pipeline: ProjectFolder
) -> None:
    (pipeline.root / "version.txt").write_text("v2")

    assert planned(run) == {}  # a plan runs no code
    assert "last observed" in run("status", "feed").out
    assert run("materialize", "--stale").code == 0
    shown = json.loads(run("runs", "show", "latest", "--json").out)
    assert shown["assets"] == ["report"]
    (found,) = json.loads(run("status", "feed", "--json").out)
    assert found["external"]["data_version"] == "v2"
    assert found["external"]["metadata"]["from"] == "version.txt"


def test_stale_observes_only_what_the_selection_depends_on(
    run: Command, pipeline: ProjectFolder
) -> None:
    (pipeline.root / "version.txt").unlink()  # an observation would fail

    assert run("materialize", "--stale", "apart").code == 0
    failed = run("materialize", "--stale")
    assert failed.code == 2
    assert "the observation of 'feed' failed: FileNotFoundError" in failed.err
    assert "pipeline.py" in failed.err


def test_a_report_makes_what_reads_the_asset_stale(run: Command) -> None:
    assert run("report", "orders", "--metadata", "rows=5").code == 0

    assert "upstream orders has new data" in planned(run)["report"]
    assert run("materialize", "--stale").code == 0
    assert run("report", "orders", "--data-version", "monday").code == 0
    assert run("materialize", "--stale").code == 0
    assert run("report", "orders", "--data-version", "monday").code == 0
    assert planned(run) == {}
    shown = run("show", "orders").out
    assert "last reported" in shown
    assert "reported, data monday" in shown


def test_what_the_project_makes_cannot_be_reported(run: Command) -> None:
    refused = run("report", "names")

    assert refused.code == 2
    assert "the project makes 'names' itself" in refused.err
    assert "assetgraph materialize names" in refused.err


def test_a_source_file_cannot_be_reported_since_its_content_says_which_version_it_has(
    run: Command,
) -> None:
    refused = run("report", "customers")
    assert refused.code != 0
    assert "'customers' is data/customers.csv, whose content says" in refused.err
    assert "assetgraph plan" in refused.err


def test_status_names_a_source_file_that_is_gone_once(run: Command) -> None:
    Path("data/customers.csv").unlink()
    assert run("status", "customers").out.count("data/customers.csv") == 1


def test_the_state_of_what_something_else_makes_is_external(run: Command) -> None:
    states = {one["key"]: one["state"] for one in json.loads(run("status", "--json").out)}

    assert {key for key, state in states.items() if state == "external"} == {
        "orders", "customers", "parts", "feed",
    }  # fmt: skip
    assert run("status", "--exit-code").code == 0
    listed = json.loads(run("list", "status:external", "--json").out)
    assert [one["key"] for one in listed] == ["customers", "feed", "orders", "parts"]
    assert "All 3 assets are up to date." in run("status").err
    assert run("accept", "*").code == 0


def test_to_run_only_what_something_else_makes_is_refused(run: Command) -> None:
    refused = run("materialize", "orders")

    assert refused.code == 2
    assert "something else makes orders" in refused.err
    assert "assetgraph materialize orders+" in refused.err


def test_an_edit_within_the_second_of_a_run_is_not_missed(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    for text in ("one two", "two one", "one one"):  # the same size, within one stamp perhaps
        (pipeline.root / "data/customers.csv").write_text(text)
        assert assetgraph("materialize", "--stale", "names").code == 0
        value = json.loads(assetgraph("show", "names", "--json").out)["materialization"]["value"]
        assert json.loads(value["inline"]) == text.split()


def test_a_settled_file_is_read_once_for_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, read = tmp_path / "big.csv", []
    file.write_text("data")
    os.utime(file, (1, 1))
    from assetgraph.storage.formats import verified_contents

    digest = verified_contents.digest_of_file
    monkeypatch.setattr(verified_contents, "digest_of_file", lambda p: read.append(p) or digest(p))
    monkeypatch.setattr(verified_contents, "_SETTLED_NS", 0)

    versions = set()
    for _ in range(3):
        store = Store(tmp_path / ".assetgraph")
        store.prepare()
        versions.add(store.values.look_at_source("big.csv").data_version)

    assert len(versions) == 1
    assert len(read) == 1


def graph_with(source: dg.Asset, tmp_path: Path) -> tuple[dg.AssetGraph, dg.Instance]:
    @dg.asset(ins={"data": source}, code_version="1")
    def reader(data: Any) -> str:
        return repr(data)

    return dg.Definitions([source, reader]).graph, dg.Instance(tmp_path / ".assetgraph")


def stale(graph: dg.AssetGraph, instance: dg.Instance) -> list[str]:
    request = RunRequest(stale=True)
    return [step.id for step in plan_run(request, StoreFacts(graph, instance.store)).steps]


@pytest.mark.parametrize(
    "change",
    ["write", "write_same_size", "replace_with_older", "link_elsewhere", "delete"],
)
def test_every_way_to_change_a_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file, other = tmp_path / "a.csv", tmp_path / "b.csv"
    file.write_text("one")
    other.write_text("two")
    os.utime(file, (100, 100))
    os.utime(other, (100, 100))
    graph, instance = graph_with(dg.source_file("a.csv"), tmp_path)
    dg.materialize(graph, instance=instance)
    assert stale(graph, instance) == []

    if change == "write":
        file.write_text("other")
    elif change == "write_same_size":
        file.write_text("two")
        os.utime(file, (100, 100))
    elif change == "replace_with_older":
        os.replace(other, file)
    elif change == "link_elsewhere":
        file.unlink()
        file.symlink_to(other)
    else:
        file.unlink()

    assert stale(graph, instance) == ["reader"]


@pytest.mark.parametrize("change", ["add", "edit", "remove", "rename", "in_a_folder_below"])
def test_every_change_in_a_folder_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "raw"
    (folder / "below").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "below/c.csv"):
        (folder / name).write_text(name)
    graph, instance = graph_with(dg.source_file("raw"), tmp_path)
    dg.materialize(graph, instance=instance)
    (folder / ".hidden").write_text("an editor's")
    assert stale(graph, instance) == []

    match change:
        case "add":
            (folder / "d.csv").touch()
        case "edit":
            (folder / "a.csv").write_text("other")
        case "remove":
            (folder / "a.csv").unlink()
        case "rename":
            (folder / "a.csv").rename(folder / "z.csv")
        case _:
            (folder / "below/c.csv").write_text("other")

    assert stale(graph, instance) == ["reader"]


def test_a_parameter_gets_a_path_or_the_paths_of_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).touch()
    one, all_of_them = dg.source_file("a.csv", key="one"), dg.source_file("*.csv", key="many")

    @dg.asset
    def seen(one: Path, many: list[Path]) -> list[str]:
        assert isinstance(one, Path)
        return [str(one), *map(str, many)]

    instance = dg.Instance(tmp_path / ".assetgraph")
    result = dg.materialize([one, all_of_them, seen], instance=instance)

    assert result.value("seen") == ["a.csv", "a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("data/customers.csv", "customers"),
        ("data/trips.2023.parquet", "trips"),
        ("data/raw", "raw"),
        ("data/raw/", "raw"),
        ("data/raw/*.csv", "raw"),
        ("s3://bucket/orders.parquet", "orders"),
        ("data/my file.csv", "my_file"),
    ],
)
def test_a_source_file_is_called_after_its_file(path: str, key: str) -> None:
    assert dg.source_file(path).key == AssetKey(key)


def test_a_parameter_cannot_load_what_has_no_value_here() -> None:
    orders = dg.AssetSpec("orders")

    @dg.asset
    def report(orders: list[int]) -> int:
        return len(orders)

    with pytest.raises(DefinitionsError) as refused:
        dg.materialize([orders, report])

    (problem,) = refused.value.problems
    assert "loads 'orders'" in problem.message
    assert "deps=['orders']" in (problem.remedy or "")


def test_an_io_manager_can_load_what_something_else_makes() -> None:
    class Warehouse(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, value: object) -> None:
            raise AssertionError("nothing here writes it")

        def load_input(self, context: dg.InputContext) -> list[int]:
            return [1, 2, 3]

    orders = dg.AssetSpec("orders", io_manager=Warehouse())

    @dg.asset
    def report(orders: list[int]) -> int:
        return sum(orders)

    assert dg.materialize([orders, report]).value("report") == 6


def test_wrong_options_of_a_spec_are_problems_with_a_place() -> None:
    defs = dg.Definitions([dg.AssetSpec("orders", tags="gold", owners=[3])])  # type: ignore[arg-type, list-item]

    problems = [problem.message for problem in defs.graph.validate()]

    assert any("tags=" in text for text in problems)
    assert any("owners=" in text for text in problems)
    assert {os.path.basename(p.file) for p in defs.graph.validate()} == {"test_external_assets.py"}


@pytest.mark.parametrize("returned", [None, "v1", 3, ("v1",)])
def test_an_observation_that_returns_no_data_version_is_refused(
    returned: object, tmp_path: Path
) -> None:
    @dg.observable_source_asset
    def feed() -> object:
        return returned

    from assetgraph.run.observe import observe

    graph = dg.Definitions([feed]).graph
    facts = StoreFacts(graph, Store(tmp_path / "store"))
    with pytest.raises(AssetGraphError, match="Return DataVersion") as refused:
        observe(facts, [AssetKey("feed")])
    assert "'feed'" in str(refused.value)


def test_an_observation_has_no_upstream() -> None:
    @dg.observable_source_asset
    def feed(orders: int) -> dg.DataVersion:
        return dg.DataVersion(str(orders))

    (problem,) = dg.Definitions([feed]).graph.validate()

    assert "takes no 'orders'" in problem.message


def test_the_deps_of_an_external_asset_are_drawn_and_do_not_make_it_stale(tmp_path: Path) -> None:
    @dg.asset
    def exported() -> int:
        return 1

    loaded = dg.AssetSpec("loaded", deps=[exported])

    @dg.asset(deps=[loaded])
    def report() -> int:
        return 2

    graph = dg.Definitions([exported, loaded, report]).graph
    instance = dg.Instance(tmp_path)
    dg.materialize(graph, instance=instance)

    assert graph.parents(AssetKey("loaded")) == (AssetKey("exported"),)
    assert stale(graph, instance) == []
    instance.report("loaded")
    assert stale(graph, instance) == ["report"]


def test_a_selection_of_external_assets_alone_is_refused_in_python() -> None:
    with pytest.raises(SelectionError, match="something else makes orders"):
        dg.materialize([dg.AssetSpec("orders")])


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_every_executor_loads_a_source_file(
    pipeline: ProjectFolder, assetgraph: Command, executor: str
) -> None:
    assert assetgraph("materialize", "names", "--executor", executor, "-j", "2").code == 0
    assert Store(pipeline.root / ".assetgraph").history.current(Target(AssetKey("names")))[0]


def test_a_device_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    graph, instance = graph_with(dg.source_file(tmp_path / "pipe"), tmp_path)

    facts = StoreFacts(graph, instance.store)
    (reason,) = facts.states([AssetKey("pipe")])[AssetKey("pipe")][1]

    assert "neither a file nor a folder" in reason.text


def test_a_script_may_depend_on_what_nothing_defines(tmp_path: Path) -> None:
    @dg.asset(deps=["warehouse_table"])
    def report() -> int:
        return 1

    result = dg.materialize([report], instance=dg.Instance(tmp_path))

    assert result.success
    assert result.facts.graph.externals == {AssetKey("warehouse_table")}


def test_a_mistyped_dependency_of_a_script_is_still_a_mistake() -> None:
    @dg.asset
    def raw_trips() -> int:
        return 1

    @dg.asset(deps=["raw_trip"])
    def report() -> int:
        return 1

    with pytest.raises(DefinitionsError, match="raw_trips"):
        dg.materialize([raw_trips, report])


def test_a_dependency_of_a_project_that_nothing_defines_says_how_to_declare_it(
    project: Callable[..., ProjectFolder], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'import assetgraph as dg\n\n@dg.asset(deps=["warehouse"])\ndef report(): ...\n'
    monkeypatch.chdir(project({"pipeline.py": text}).root)

    refused = assetgraph("check")

    assert refused.code == 2
    assert 'AssetSpec("warehouse")' in refused.out


def test_the_value_of_a_source_is_its_path_and_that_of_a_table_elsewhere_is_not_here(
    run: Command, pipeline: ProjectFolder
) -> None:
    assert dg.load("customers") == Path("data/customers.csv")
    assert dg.load("parts") == [Path("data/part_1.csv"), Path("data/part_2.csv")]
    assert "a b" in run("show", "customers", "--head", "5").out
    for key in ("orders", "feed"):
        with pytest.raises(dg.AssetGraphError, match=f"something else makes '{key}'"):
            dg.load(key)
        shown = run("show", key, "--head", "5")
        assert shown.code != 0
        assert "its value is not here" in shown.err


def test_a_run_in_a_process_of_its_own_observes_first_too(
    run: Command, pipeline: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    (pipeline.root / "version.txt").write_text("v3")
    project = pipeline.find()

    launched = launch_process(RunRequest(stale=True), project, project.open_store())

    assert launched.run_id is not None  # without the observation there is nothing to do
    (found,) = json.loads(run("status", "feed", "--json").out)
    assert found["external"]["data_version"] == "v3"


def test_an_observation_is_of_all_partitions_of_a_source(instance: dg.Instance) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04")
    version = "1"

    @dg.observable_source_asset(partitions_def=days)
    def feed() -> dg.DataVersion:
        return dg.DataVersion(version)

    @dg.asset(partitions_def=days, deps=[feed], code_version="1")
    def trips() -> None: ...

    @dg.asset(deps=[feed], code_version="1")
    def total() -> None: ...

    facts = StoreFacts(dg.Definitions([feed, trips, total]).graph, instance.store)

    def states() -> dict[str, str]:
        found = facts.states(facts.graph.order)
        return {key.text: one.state.value for key, one in found.items()}

    dg.materialize([feed, trips, total], instance=instance, partitions="*")
    observe(facts, [feed.key])
    stale = {"feed": "external", "trips": "stale", "total": "stale"}
    facts = StoreFacts(facts.graph, instance.store)
    assert states() == stale
    run = dg.materialize([feed, trips, total], instance=instance, partitions="*")
    facts = run.facts
    assert states() == {"feed": "external", "trips": "fresh", "total": "fresh"}
    version = "2"
    observe(facts, [feed.key])
    assert states() == stale


def test_a_spec_is_shown_by_its_key_before_it_is_declared() -> None:
    assert repr(dg.AssetSpec("orders")) == "<AssetSpec orders>"
    assert repr(dg.AssetSpec(AssetKey("shop/orders"))) == "<AssetSpec shop/orders>"
