"""The list of runs and the page of one, whole, at fixed widths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from assetgraph.cli.render.failure_lines import failure
from assetgraph.cli.render.run_list import page_notes, run_table
from assetgraph.cli.render.run_page import run_page
from assetgraph.cli.render.run_summary import RunHighlights, summary
from assetgraph.cli.render.timeline_bars import bar, timeline
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.queries.event_text import event_text
from assetgraph.queries.run_views import RunDetails, RunPage, step_json
from assetgraph.records import (
    ErrorInfo,
    Event,
    EventType,
    Frame,
    RunRecord,
    RunStatus,
    StepRecord,
    StepState,
)
from assetgraph.storage.step_states import run_steps

pytestmark = pytest.mark.usefixtures("utc")

START = datetime(2026, 11, 22, 16, 8, 37, 482_000, tzinfo=UTC)
NOW = START + timedelta(seconds=200)
RUN_ID = "20261122-160837-482-4f2a"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


ERROR = ErrorInfo(
    type="NameError",
    message="name 'constants' is not defined",
    frames=(
        Frame("taxi/trips.py", 9, "taxi_trips_file", ("    write(month)",), 9),
        Frame(
            "taxi/trips.py",
            12,
            "write",
            (
                "def write(month):",
                "    raw = fetch(month)",
                "    with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month), 'wb') as f:",
                "        f.write(raw.content)",
                "",
            ),
            10,
        ),
    ),
    trace="Traceback (most recent call last):\n  …\nNameError: name 'constants' is not defined\n",
)
FAILED = RunRecord(
    run_id=RUN_ID,
    status=RunStatus.FAILURE,
    started_at=START,
    ended_at=at(2.4),
    selection=("+trips",),
    assets=("taxi_zones_file", "taxi_trips_file", "택시_운행", "trips"),
    step_counts={"success": 2, "failure": 1, "skipped": 1},
    failed_steps=("taxi_trips_file",),
    failure="taxi_trips_file: NameError: name 'constants' is not defined",
    config={"taxi_trips_file": {"month": "2023-04"}},
    tags={"reason": "test"},
    launched_by="command line (ada)",
    python_version="3.11.7",
    assetgraph_version="0.1.0",
)
REPEATED = RunRecord(
    run_id="20261122-160912-007-b3c1",
    status=RunStatus.SUCCESS,
    started_at=at(34.5),
    ended_at=at(36),
    root_run_id=RUN_ID,
    parent_run_id=RUN_ID,
    selection=("+trips",),
    assets=("taxi_trips_file", "trips"),
    step_counts={"success": 2},
)
RUNNING = RunRecord(
    run_id="20261122-161137-001-00ff",
    status=RunStatus.STARTED,
    started_at=at(180),
    selection=("*",),
    assets=("taxi_zones_file", "trips"),
)
INTERRUPTED = RunRecord(
    run_id="20261120-091500-000-abcd",
    status=RunStatus.INTERRUPTED,
    started_at=datetime(2026, 11, 20, 9, 15, tzinfo=UTC),
    assets=tuple(f"asset_{n}" for n in range(1000)),
)
STEPS = (
    StepRecord("taxi_zones_file", StepState.SUCCESS, 1, at(0.0), at(0.7)),
    StepRecord("taxi_trips_file", StepState.FAILURE, 1, at(0.7), at(1.1), ERROR),
    StepRecord("택시_운행", StepState.SUCCESS, 1, at(1.1), at(2.4)),
    StepRecord("trips", StepState.SKIPPED, reason="upstream taxi_trips_file failed"),
)
EVENTS = (
    Event(EventType.RUN_START, at(0)),
    Event(EventType.STEP_START, at(0), "taxi_zones_file"),
    Event(
        EventType.LOG,
        at(0.5),
        "taxi_zones_file",
        "WARNING",
        "embedded sample: the host could not be reached, so these are not the zones of the city",
    ),
    Event(EventType.STEP_OUTPUT, at(0.7), "taxi_zones_file",
          data={"format": "path", "path": "data/raw/taxi_zones.csv", "size": 34_000}),
    Event(EventType.STEP_SUCCESS, at(0.7), "taxi_zones_file"),
    Event(EventType.STEP_FAILURE, at(1.1), "taxi_trips_file", "ERROR",
          "NameError: name 'constants' is not defined", {"error": msgspec.to_builtins(ERROR)}),
    Event(EventType.LOG, at(1.5), "택시_운행", message="first line\n\x1b[2Jsecond \u202eline"),
    Event(EventType.STEP_SKIPPED, at(2.4), "trips", data={"upstream": "taxi_trips_file"}),
    Event(EventType.RUN_FAILURE, at(2.4)),
)  # fmt: skip
DETAILS = RunDetails(FAILED, STEPS, EVENTS, (REPEATED.run_id,))


def failed(steps: int, error: ErrorInfo) -> RunHighlights:
    """The highlights of a run in which `steps` steps named a0, a1, … failed with `error`."""
    data = {"error": msgspec.to_builtins(error)}
    return RunHighlights(
        Event(EventType.STEP_FAILURE, at(1), f"a{n}", "ERROR", error.message, data)
        for n in range(steps)
    )


def text(lines: list[Line]) -> str:
    return "\n".join(line.plain.rstrip() for line in lines)


def test_the_list_of_runs_at_80_columns() -> None:
    lines = run_table([RUNNING, REPEATED, FAILED], NOW, 80)
    assert (
        text(lines)
        == """\
RUN                       STATUS     STARTED    TIME  PARENT  ASSETS
20261122-161137-001-00ff  ▶ STARTED  16:11:37  20.0s          taxi_zones_file t…
20261122-160912-007-b3c1  ✓ SUCCESS  16:09:11   1.5s  4f2a    +trips
20261122-160837-482-4f2a  ✕ FAILURE  16:08:37   2.4s          ✕ taxi_trips_file
  taxi_trips_file: NameError: name 'constants' is not defined"""
    )
    long = msgspec.structs.replace(FAILED, failure="trips: ValueError: " + "x" * 100)
    assert text(run_table([long], NOW, 80)).splitlines()[2] == (
        "  trips: ValueError: " + "x" * 58 + "…"
    )


def test_the_list_of_runs_at_160_columns() -> None:
    lines = run_table([RUNNING, REPEATED, FAILED, INTERRUPTED], NOW, 160)
    assert (
        text(lines)
        == """\
RUN                       STATUS         STARTED        TIME  STEPS   PARENT  ASSETS
20261122-161137-001-00ff  ▶ STARTED      16:11:37      20.0s  0/2             taxi_zones_file trips
20261122-160912-007-b3c1  ✓ SUCCESS      16:09:11       1.5s  2/2     4f2a    +trips
20261122-160837-482-4f2a  ✕ FAILURE      16:08:37       2.4s  2/4             ✕ taxi_trips_file
  taxi_trips_file: NameError: name 'constants' is not defined
20261120-091500-000-abcd  ! INTERRUPTED  Nov 20 09:15      –  0/1000          asset_0 asset_1 asset_2 asset_3 asset_4 +995"""
    )


def test_in_a_pipe_each_run_is_one_line_with_the_whole_reason_why_it_failed() -> None:
    lines = text(run_table([REPEATED, FAILED], NOW, None)).splitlines()
    assert len(lines) == 3
    assert lines[2].endswith(
        "✕ taxi_trips_file  taxi_trips_file: NameError: name 'constants' is not defined"
    )


def test_an_empty_list_says_how_to_make_a_run_and_what_does_not_read() -> None:
    assert run_table([], NOW, 80) == []
    notes = page_notes(RunPage(()), None)
    assert text(notes) == "No runs yet. To start one: assetgraph materialize --all"
    notes = page_notes(RunPage((), ("the run X has no run.json.",)), None)
    assert text(notes) == "! the run X has no run.json."


def test_the_page_of_a_failed_run_at_80_columns() -> None:
    assert (
        text(run_page(DETAILS, NOW, 80))
        == """\
Run 20261122-160837-482-4f2a  ✕ FAILURE
! taxi_zones_file: embedded sample: the host could not be reached, so these are
  not the zones of the city

✕ taxi_trips_file failed: NameError: name 'constants' is not defined

  taxi/trips.py:12, in write
    10 │ def write(month):
    11 │     raw = fetch(month)
  ❱ 12 │     with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month), 'wb') as f:
    13 │         f.write(raw.content)
    14 │

  Frames, innermost last
    taxi/trips.py:9 in taxi_trips_file  write(month)
    taxi/trips.py:12 in write  with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PAT…

Full trace:  assetgraph runs show 20261122-160837-482-4f2a --trace
Re-execute:  assetgraph runs rerun 20261122-160837-482-4f2a --from-failure
All steps:   assetgraph runs rerun 20261122-160837-482-4f2a

Statistics
  Assets          taxi_zones_file, taxi_trips_file, 택시_운행, trips
  Selection       +trips
  Started         2026-11-22 16:08:37
  Duration        2.4s
  Steps           ✓ 2 success   ✕ 1 failure   – 1 skipped
  Re-executed by  20261122-160912-007-b3c1
  Launched by     command line (ada)
  Tags            reason=test
  Config          taxi_trips_file.month=2023-04
  Versions        assetgraph 0.1.0, Python 3.11.7

Timeline
                   0s         0.5s      1s         1.5s      2s
                   ├──────────┼─────────┼──────────┼─────────┼───────┤
✓ taxi_zones_file  ██████████████▉                                       0.70s
✕ taxi_trips_file  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌▕████████▍                              0.40s
✓ 택시_운행        ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▐███████████████████████████    1.3s
– trips            upstream taxi_trips_file failed

Log
16:08:37.482                   RUN_START     The run started.
16:08:37.482  taxi_zones_file  STEP_START    Started.
16:08:37.982  taxi_zones_file  WARNING
              embedded sample: the host could not be reached, so these are not
              the zones of the city
16:08:38.182  taxi_zones_file  STEP_OUTPUT
              Returned the path data/raw/taxi_zones.csv.
16:08:38.182  taxi_zones_file  STEP_SUCCESS  Succeeded.
16:08:38.582  taxi_trips_file  STEP_FAILURE
              NameError: name 'constants' is not defined
16:08:38.982  택시_운행        INFO          first line
              \\x1b[2Jsecond \\u202eline
16:08:39.882  trips            STEP_SKIPPED
              Skipped: upstream taxi_trips_file failed.
16:08:39.882                   RUN_FAILURE   The run failed."""
    )


def test_the_page_of_an_interrupted_run_says_when_it_was_last_heard_of_and_how_to_go_on() -> None:
    run = msgspec.structs.replace(
        FAILED, status=RunStatus.INTERRUPTED, ended_at=None, step_counts={"success": 1},
        failed_steps=(), assets=("a", "b", "c"), pid=4242, host="vm",
    )  # fmt: skip
    events = (
        Event(EventType.STEP_START, at(0), "a"),
        Event(EventType.STEP_SUCCESS, at(1), "a"),
        Event(EventType.STEP_START, at(1), "b"),
    )
    for heard, bar_of_b in (
        (at(4), "! b  ╌╌╌╌╌╌╌╌╌╌╌▐█████████████████████████████████   ≥3.0s"),
        (at(1), "! b  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▕       –"),
    ):
        details = RunDetails(run, run_steps(run, events, heard), events, (), heard)
        page = text(run_page(details, NOW, 60))
        assert f"\n{bar_of_b}\n· c  waiting\n" in page
    assert page.startswith(
        """\
Run 20261122-160837-482-4f2a  ! INTERRUPTED
! The process of this run (4242 on vm) died while b ran. It
  last recorded something at 2026-11-22 16:08:38, 1.0s after
  the start.
"""
    )
    assert page.endswith(
        """\
16:08:38.482  b  STEP_START    Started.
! The log ends here: the process died. To continue:
  assetgraph runs rerun 20261122-160837-482-4f2a --from-failure"""
    )


def test_the_page_shows_the_whole_trace_in_place_of_the_frames() -> None:
    page = text(run_page(DETAILS, NOW, 160, trace=True))
    assert "  Full trace\n    Traceback (most recent call last):\n      …\n" in page
    assert "Frames" not in page
    assert "--trace" not in page


def test_the_page_of_a_repeated_run_names_its_root() -> None:
    page = text(run_page(RunDetails(REPEATED, (), (), ()), NOW, 160))
    assert f"  Parent run      {RUN_ID}\n  Root run        {RUN_ID}\n" in page
    assert page.count(RUN_ID) == 2
    assert "Re-execute" not in page


def test_only_commands_and_the_failing_line_may_be_wider_than_the_terminal() -> None:
    for width in (60, 80, 160):
        page = run_page(DETAILS, NOW, width)
        uncut = [line for line in page if "assetgraph runs" in line.plain or "❱" in line.plain]
        assert all(line.width <= width for line in page if line not in uncut)


def test_a_long_log_and_a_long_timeline_are_cut_unless_all_is_asked_for() -> None:
    steps = tuple(
        StepRecord(f"step_{n:03}", StepState.SUCCESS, 1, at(n), at(n + 0.5 + n / 1000))
        for n in range(300)
    )
    events = tuple(
        Event(EventType.STEP_START, step.started_at or START, step.step_id) for step in steps
    )
    record = msgspec.structs.replace(FAILED, ended_at=at(300))
    details = RunDetails(record, steps, events, ())
    short = text(run_page(details, NOW, 80))
    assert "… 260 shorter steps not shown: add --all" in short
    assert "… 100 earlier events not shown: add --all" in short
    whole = text(run_page(details, NOW, 80, whole=True))
    assert "step_000  STEP_START" in whole
    assert "not shown" not in whole


def test_a_bar_begins_and_ends_in_parts_of_a_cell() -> None:
    assert bar(0, 4, 10) == (0, "████")
    assert bar(1.5, 3.25, 10) == (1, "▐█▎")
    assert bar(2, 2.001, 10) == (2, "▏")
    assert bar(9.999, 10, 10) == (9, "▕")
    assert bar(10, 10, 10) == (9, "▕")
    assert bar(3.4, 3.5, 10) == (3, "│")


@pytest.mark.parametrize(
    ("seconds", "axis"),
    [
        (3e-4, "0µs        50µs       100µs      150µs     200µs      250µs 300µs"),
        (0.04, "0ms             10ms            20ms             30ms        40ms"),
        (61.0, "0s         10s       20s        30s        40s       50s       1m"),
        (7300, "0s              30m             1h              1h30m          2h"),
    ],
)
def test_the_axis_has_round_times_whatever_the_length_of_the_run(seconds: float, axis: str) -> None:
    record = msgspec.structs.replace(FAILED, ended_at=at(seconds))
    steps = (StepRecord("a", StepState.SUCCESS, 1, START, at(seconds)),)
    assert text(timeline(record, steps, NOW, 80)).splitlines()[0].strip() == axis


def test_the_bar_of_a_running_step_reaches_until_now() -> None:
    steps = (StepRecord("taxi_zones_file", StepState.RUNNING, 1, at(190)),)
    drawn = text(timeline(RUNNING, steps, NOW, 60)).splitlines()[-1]
    assert drawn == "▶ taxi_zones_file  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▐███████████████   10.0s"


def test_a_run_without_a_started_step_has_no_timeline() -> None:
    assert text(timeline(RUNNING, (), NOW, 80)) == "No step started."


def test_the_summary_of_a_failed_run_ends_with_what_to_type_next() -> None:
    assert (
        text(summary(FAILED, RunHighlights(EVENTS), 80))
        == """\

✕ taxi_trips_file failed: NameError: name 'constants' is not defined

  taxi/trips.py:12, in write
    10 │ def write(month):
    11 │     raw = fetch(month)
  ❱ 12 │     with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month), 'wb') as f:
    13 │         f.write(raw.content)
    14 │

! taxi_zones_file: embedded sample: the host could not be reached, so these are
  not the zones of the city
✕ Run 20261122-160837-482-4f2a failed after 2.4s
  taxi_zones_file  data/raw/taxi_zones.csv  34.0 kB
  Steps:       ✓ 2 success   ✕ 1 failure   – 1 skipped
  Details:     assetgraph runs show 20261122-160837-482-4f2a
  Re-execute:  assetgraph runs rerun 20261122-160837-482-4f2a --from-failure"""
    )


def test_a_message_of_many_lines_is_cut_and_its_first_line_stands_in_the_headline() -> None:
    error = msgspec.structs.replace(
        ERROR, message="\n".join(["bad table", *(f"  row {n}" for n in range(20))]), frames=()
    )
    lines = text(summary(FAILED, failed(1, error), 80)).splitlines()
    assert lines[1:4] == ["✕ a0 failed: NameError: bad table", "    row 0", "    row 1"]
    assert "  … 8 more lines of the message: runs show --trace" in lines


def test_a_message_of_one_long_line_is_cut_by_its_characters() -> None:
    error = msgspec.structs.replace(ERROR, message="x" * 10_000, frames=())
    for width in (80, None):
        shown = text(failure("trips", error, width))
        assert shown.count("x") == 600
        assert "  … 9,400 more characters of the message: runs show --trace" in shown


def test_frames_that_repeat_are_shown_once_with_how_often() -> None:
    outer, inner = ERROR.frames
    error = msgspec.structs.replace(ERROR, frames=(outer, *[inner] * 18))
    shown = text(failure("trips", error, 80)).partition("Frames, innermost last\n")[2]
    assert [line.split("  ")[2][:20] for line in shown.splitlines()] == [
        "taxi/trips.py:9 in t", "taxi/trips.py:12 in ", "… 18 times",
    ]  # fmt: skip


def test_the_summary_names_every_step_that_failed() -> None:
    error = msgspec.structs.replace(ERROR, frames=())
    shown = text(summary(FAILED, failed(5, error), 80))
    assert "✕ a2 failed: " in shown
    assert "\n✕ Also failed: a3, a4\n" in shown


def test_a_run_of_which_nothing_succeeded_is_not_offered_from_failure() -> None:
    record = msgspec.structs.replace(FAILED, step_counts={"failure": 1, "skipped": 1})
    for view in (
        run_page(RunDetails(record, STEPS[1:2], (), ()), NOW, 80),
        summary(record, failed(1, ERROR), 80),
    ):
        assert "runs rerun" in text(view)
        assert "--from-failure" not in text(view)


def test_the_log_of_a_run_counts_the_rows_of_a_table_and_leaves_the_warning_to_its_own_line() -> (
    None
):
    table = {"type": "table", "value": [{"name": "a", "type": "int64"}] * 19}
    metadata = {"warning": "embedded sample", "rows": 3000, "columns": table}
    event = Event(EventType.ASSET_MATERIALIZATION, START, "trips", data={"metadata": metadata})
    assert event_text(event) == "Materialized: rows 3000, columns table of 19 rows."


def test_json_names_the_asset_and_the_partition_of_a_step() -> None:
    whole = step_json(StepRecord("nyc/trips", StepState.WAITING))
    part = step_json(StepRecord("nyc/trips@2023-03", StepState.WAITING))
    assert (whole["key"], whole["partition"]) == ("nyc/trips", None)
    assert (part["key"], part["partition"]) == ("nyc/trips", "2023-03")
