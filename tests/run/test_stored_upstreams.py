"""A run of some assets reads the others from the store. `load` reads older and other values."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from conftest import ProjectFolder

from assetgraph import AssetGraphError, AssetIn, Instance, asset, load, materialize
from assetgraph.errors import DefinitionsError, NoValueError, ProjectError, UnknownRunError

MakeProject = Callable[..., ProjectFolder]


@asset
def a() -> int:
    return 20


@asset(key_prefix="deep")
def c() -> int:
    return 5


@asset
def b(a: int) -> int:
    return a + 1


@asset
def prefixed(c: int) -> int:
    return c + 1


@asset(ins={"x": AssetIn("deep/c")})
def renamed(x: int) -> int:
    return x + 2


@asset(deps=["a"])
def after() -> int:
    return 1


@pytest.mark.parametrize(
    ("reader", "value"), [(b, 21), (prefixed, 6), (renamed, 7), (after, 1)], ids=lambda x: str(x)
)
@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_an_upstream_that_is_not_given_is_read_from_the_store(
    instance: Instance, reader: object, value: int, executor: str
) -> None:
    before = materialize([a, c], instance=instance)
    result = materialize([reader], instance=instance, executor=executor)  # type: ignore[list-item]
    assert result.value(reader) == value  # type: ignore[arg-type]
    assert result.outcome.record.step_counts == {"success": 1}
    assert result.outcome.record.warnings == ()
    current, _ = instance.store.history.current(before.facts.graph.targets[a.key])
    assert current is not None
    assert current.run_id == before.run_id  # it was read, not made


def test_a_reader_stays_fresh_when_its_upstream_is_given_again(instance: Instance) -> None:
    materialize([a], instance=instance)
    materialize([b], instance=instance)
    together = materialize([a, b], instance=instance, selection="status:stale or b")
    assert together.facts.graph.validate() == ()
    assert together.outcome.record.assets == ("b",)


def test_without_a_value_in_the_store_the_upstream_is_still_unknown(instance: Instance) -> None:
    for where in (instance, None):
        with pytest.raises(DefinitionsError, match="needs 'a'"):
            materialize([b], instance=where)


def test_an_upstream_whose_value_is_gone_fails_with_what_to_pass(instance: Instance) -> None:
    @asset
    def big() -> list[int]:
        return list(range(10_000))

    @asset
    def reader(big: list[int]) -> int:
        return len(big)

    materialize([big], instance=instance)
    for file in Path(instance.store.folder, "values").rglob("value.*"):
        file.unlink()
    with pytest.raises(NoValueError, match="Pass the asset itself to materialize too"):
        materialize([reader], instance=instance)


@pytest.fixture
def made(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    folder = project({"pipeline.py": "from assetgraph import asset\n@asset\ndef n(): return 1\n"})
    monkeypatch.chdir(folder.root)
    return folder


def runs_of(folder: ProjectFolder) -> list[str]:
    ids = []
    for value in (1, 2):
        counted = asset(name="n")(lambda value=value: value)
        ids.append(materialize([counted], instance=Instance.get()).run_id)
    return ids


def test_load_takes_the_value_of_an_older_run(made: ProjectFolder) -> None:
    first, second = runs_of(made)
    assert (load("n"), load("n", run_id=first), load("n", run_id=second)) == (2, 1, 2)
    assert load("n", run_id="latest") == 2
    assert load("n", run_id=first[-9:]) == 1
    with pytest.raises(UnknownRunError):
        load("n", run_id="nothing")
    other = materialize([asset(name="m")(lambda: 5)], instance=Instance.get())
    with pytest.raises(NoValueError, match=rf"made no value of 'n'.*newest first: {second}, "):
        load("n", run_id=other.run_id)


def test_of_an_older_run_only_what_is_kept_is_loaded_and_the_error_names_what_is(
    made: ProjectFolder,
) -> None:
    runs = []
    for number in range(4):

        @asset(name="n")
        def table(number: int = number) -> set[int]:
            return {number}

        @asset(name="f")
        def file(number: int = number) -> Path:
            Path("out.csv").write_text(str(number) * (number + 1))
            return Path("out.csv")

        runs.append(materialize([table, file], instance=Instance.get()).run_id)
    assert [load("n", run_id=run) for run in runs[2:]] == [{2}, {3}]
    assert load("f", run_id=runs[3]).read_text() == "3333"
    kept = f"kept, newest first: {runs[3]}, {runs[2]}\\."
    with pytest.raises(NoValueError, match=rf"'n' that the run {runs[0]} made is not kept.*{kept}"):
        load("n", run_id=runs[0])
    for old in runs[:3]:  # the file has what the last run wrote
        with pytest.raises(NoValueError, match=rf"'f' that the run .* kept, .* {runs[3]}\."):
            load("f", run_id=old)
    made.write("out.csv", "edited")
    with pytest.raises(NoValueError, match="it was replaced"):
        load("f", run_id=runs[3])
    assert load("f").read_text() == "edited"


@pytest.mark.parametrize("folder", ["..", "../project/..", "inner/../.."])
def test_a_folder_that_is_named_by_dots_is_not_taken_for_the_current_project(
    made: ProjectFolder, folder: str
) -> None:
    runs_of(made)
    (made.root / "inner").mkdir()
    with pytest.raises(ProjectError, match="no project in"):
        load("n", project=folder)
    assert load("n", project="inner/..") == load("n", project="inner") == 2


@pytest.mark.parametrize("wrong", [pathlib, 3, "pandas", "my.Frame", [], {"a": int}, Path(), "a b"])
def test_what_is_asked_for_must_be_a_type(made: ProjectFolder, wrong: object) -> None:
    runs_of(made)
    result = materialize([a])
    for ask in (lambda: load("n", wrong), lambda: result.value("a", wrong)):
        with pytest.raises(TypeError, match="as_type must be a type such as"):
            ask()
    for right in (int, "int", int | str, Literal[2, 20], Any, "Any", None | int, Annotated[int, 1]):
        assert (load("n", right), result.value("a", right)) == (2, 20)


def test_load_reads_another_project_and_a_store_without_importing_anything(
    made: ProjectFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs_of(made)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    made.write("pipeline.py", "raise RuntimeError('imported')")
    for place in (made.root, str(made.root / ".assetgraph"), "../project"):
        assert load("n", project=place) == 2
    with pytest.raises(NoValueError, match=r"has no value of 'nn'.* mean 'n'|Materialize it there"):
        load("nn", project=made.root)
    with pytest.raises(ProjectError, match="there is no folder"):
        load("n", project="nowhere")
    with pytest.raises(AssetGraphError, match="no project in"):
        load("n", project=elsewhere)
    assert Path.cwd() == elsewhere


def test_load_does_not_suggest_the_name_that_it_was_asked_for(
    instance: Instance, folder: Path
) -> None:
    @asset
    def fails() -> int:
        raise ValueError

    materialize([fails], instance=instance, raise_on_error=False)
    with pytest.raises(NoValueError, match=r"has no value of 'fails'\. Materialize it there\."):
        load("fails", project=instance.store.folder)
