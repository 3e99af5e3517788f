"""Assets that misbehave: each fails its own step, and the run and its record stay whole."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_assets import asset_named

import assetgraph as dg
from assetgraph.errors import ValueTypeError
from assetgraph.keys import Target
from assetgraph.queries.run_views import list_runs, run_details
from assetgraph.records import ErrorInfo, EventType, RunStatus, StepState
from assetgraph.storage.store import Store


def failure(instance: dg.Instance, bad: dg.Asset) -> ErrorInfo:
    """The error of `bad`, in a run whose other assets succeed and whose record can be read."""
    beside = asset_named("beside")
    result = dg.materialize([bad, beside], instance=instance, raise_on_error=False)
    details = run_details(Store(instance.store.folder), result.run_id)
    assert details.record.status is RunStatus.FAILURE
    assert details.record.step_counts == {"failure": 1, "success": 1}
    (step,) = [step for step in details.steps if step.step_id == bad.key.text]
    assert step.state is StepState.FAILURE
    assert step.error is not None
    assert not instance.store.is_running(Target(bad.key))
    return step.error


def test_a_failure_records_type_message_frames_source_and_trace(instance: dg.Instance) -> None:
    def helper() -> None:
        raise LookupError("no such month")  # the line

    @dg.asset
    def bad() -> None:
        helper()

    error = failure(instance, bad)
    assert (error.type, error.message) == ("LookupError", "no such month")
    assert [frame.function.rpartition(".")[2] for frame in error.frames] == ["bad", "helper"]
    inner = error.frames[-1]
    assert inner.file.endswith("test_bad_assets.py")
    assert len(inner.source) == 5
    assert inner.source[inner.line - inner.source_start].strip().startswith("raise LookupError")
    assert error.trace.startswith("Traceback")
    assert "assetgraph/run/step.py" not in error.trace
    assert error.trace.rstrip().endswith("LookupError: no such month")


def test_a_cause_is_in_the_trace(instance: dg.Instance) -> None:
    @dg.asset
    def bad() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("outer") from error

    trace = failure(instance, bad).trace
    assert "KeyError: 'inner'" in trace
    assert "direct cause" in trace


@pytest.mark.parametrize("code", [0, 3, "no more"])
def test_sys_exit_in_an_asset_fails_its_step(instance: dg.Instance, code: object) -> None:
    @dg.asset
    def bad() -> None:
        sys.exit(code)  # type: ignore[arg-type]

    error = failure(instance, bad)
    assert error.type == "SystemExit"
    assert error.message == f"the asset called sys.exit({code})"


def test_a_keyboard_interrupt_in_an_asset_cancels_the_run(instance: dg.Instance) -> None:
    @dg.asset
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([asset_named("a"), interrupted, asset_named("z", "a")], instance=instance)
    (record,) = list_runs(instance.store).runs
    assert record.status is RunStatus.CANCELED
    assert record.ended_at is not None
    steps = {s.step_id: s.state for s in run_details(instance.store, record.run_id).steps}
    assert steps["a"] is StepState.SUCCESS
    assert steps["interrupted"] is StepState.CANCELED
    assert [e.type for e in instance.store.runs.events(record.run_id)][-1] is (
        EventType.RUN_CANCELED
    )
    assert not instance.store.is_running(Target(interrupted.key))


class Unspeakable(Exception):
    """An exception whose text cannot be read and that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.hint = object()
        self.lock = open(os.devnull)  # noqa: SIM115 - an object that cannot be pickled

    def __str__(self) -> str:
        self.lock.close()
        raise RuntimeError("no text")

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("cannot be pickled")


def test_an_exception_that_cannot_be_read_or_pickled_is_recorded(instance: dg.Instance) -> None:
    @dg.asset
    def bad() -> None:
        raise Unspeakable

    error = failure(instance, bad)
    assert error.type.endswith("Unspeakable")
    assert error.message == "<its message cannot be read: RuntimeError>"
    assert error.hint is None
    assert "raise Unspeakable" in error.trace


class Quits(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


class Subclassed(str):
    """A subclass of `str`, like the text of a markup library."""


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (Quits(), "<its message cannot be read: SystemExit>"),
        (ValueError("a \udcff b"), "a \\udcff b"),
        (ValueError("x" * 100_000), "x" * 10_000 + " …"),
        (ValueError(Subclassed("text")), "text"),
        (BaseException("bare"), "bare"),
        (ExceptionGroup("several", [ValueError("one")]), "several (1 sub-exception)"),
        (MemoryError(), ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_is_recorded(
    instance: dg.Instance, raised: BaseException, message: str
) -> None:
    @dg.asset
    def bad() -> None:
        raise raised

    assert failure(instance, bad).message == message


def test_endless_recursion_is_recorded_in_few_frames(instance: dg.Instance) -> None:
    def down(n: int) -> int:
        return down(n + 1)

    @dg.asset
    def bad() -> int:
        return down(0)

    error = failure(instance, bad)
    assert error.type == "RecursionError"
    assert len(error.frames) <= 20
    assert len(error.trace) < 110_000


def test_an_async_asset_is_awaited(instance: dg.Instance) -> None:
    @dg.asset
    async def slow() -> int:
        await asyncio.sleep(0)
        print("inside")
        return 5

    @dg.asset
    def reads(slow: int) -> int:
        return slow + 1

    result = dg.materialize([slow, reads], instance=instance)
    assert result.value("reads") == 6
    ((_, _, _, path),) = instance.store.runs.outputs(result.run_id)
    assert Path(path).read_text() == "inside\n"


def test_an_async_asset_runs_inside_a_running_event_loop(instance: dg.Instance) -> None:
    @dg.asset
    async def slow() -> int:
        await asyncio.sleep(0)
        return 5

    async def notebook() -> int:
        value: int = dg.materialize([slow], instance=instance).value("slow")
        return value

    assert asyncio.run(notebook()) == 5


def test_an_async_asset_that_fails_fails_its_step(instance: dg.Instance) -> None:
    @dg.asset
    async def bad() -> None:
        raise ValueError("later")

    assert failure(instance, bad).message == "later"


def numbers() -> Iterator[int]:
    yield 1
    yield 2


async def later() -> object:
    yield 1


@pytest.mark.parametrize(
    "make",
    [numbers, later, lambda: iter([]), lambda: iter([1]), lambda: map(str, [1])],
    ids=["generator", "async generator", "empty iterator", "iterator", "map"],
)
def test_an_iterator_of_anything_but_batches_says_what_to_return(
    instance: dg.Instance, make: object
) -> None:
    bad = dg.asset(name="bad")(make)  # type: ignore[call-overload]
    error = failure(instance, bad)
    assert error.type.endswith(ValueTypeError.__name__)
    assert "bad" in error.message
    assert error.hint


def test_an_iterator_of_batches_is_a_table(instance: dg.Instance) -> None:
    import pyarrow as pa

    @dg.asset
    def batches() -> Iterator[pa.RecordBatch]:
        for start in (0, 3):
            yield pa.record_batch({"n": [start, start + 1, start + 2]})

    result = dg.materialize([batches], instance=instance)
    assert result.value("batches", pa.Table).column("n").to_pylist() == [0, 1, 2, 3, 4, 5]


def test_an_iterator_that_fails_half_way_leaves_no_value(instance: dg.Instance) -> None:
    import pyarrow as pa

    @dg.asset
    def bad() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": [1]})
        raise ValueError("cut")

    assert failure(instance, bad).message == "cut"
    assert instance.store.history.current(Target(bad.key))[0] is None
    assert not [p for p in Path(instance.store.folder, "values").rglob("*") if p.is_file()]


def test_a_value_that_cannot_be_stored_fails_its_step(instance: dg.Instance) -> None:
    @dg.asset
    def bad() -> object:
        return lambda: 1

    assert "bad" in failure(instance, bad).message


def test_a_missing_path_fails_its_step(instance: dg.Instance) -> None:
    @dg.asset
    def bad() -> Path:
        return Path("nowhere.csv")

    assert "nowhere.csv" in failure(instance, bad).message


def test_metadata_that_cannot_be_recorded_fails_its_step(instance: dg.Instance) -> None:
    @dg.asset
    def bad(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"rows": object()})

    assert "'rows' is an object" in failure(instance, bad).message


def test_an_asset_that_changes_the_folder_or_removes_a_stream_does_no_harm(
    instance: dg.Instance, folder: Path
) -> None:
    (folder / "elsewhere").mkdir()

    @dg.asset
    def bad() -> None:
        os.chdir("elsewhere")
        sys.stdout = None  # type: ignore[assignment]
        raise ValueError("gone")

    stdout = sys.stdout
    assert failure(instance, bad).message == "gone"
    assert sys.stdout is stdout


def test_a_failed_attempt_does_not_hide_the_value_before_it(instance: dg.Instance) -> None:
    works = True

    @dg.asset
    def sometimes() -> int:
        if not works:
            raise ValueError("not today")
        return 1

    first = dg.materialize([sometimes], instance=instance)
    works = False
    dg.materialize([sometimes], instance=instance, raise_on_error=False)
    current, failed = instance.store.history.current(Target(sometimes.key))
    assert current is not None
    assert current.run_id == first.run_id
    assert failed is not None
    assert failed.error == "ValueError: not today"


@pytest.mark.parametrize("name", ["class", "택시_운행", "a.b", "-x", "2024", "año", "운" * 66])
def test_every_allowed_name_makes_an_asset_that_runs(instance: dg.Instance, name: str) -> None:
    noisy = dg.asset(name=name)(lambda context: print("hi") or context.log.info("ho") or [1])
    result = dg.materialize([noisy], instance=instance)
    assert result.value(dg.AssetKey([name])) == [1]
    details = run_details(Store(instance.store.folder), result.run_id)
    assert [step.step_id for step in details.steps] == [name]
    assert [key for key, *_ in instance.store.runs.outputs(result.run_id)] == [name]
