"""A run while it goes: in a pipe, and on a terminal that is a real one."""

from __future__ import annotations

import errno
import io
import os
import pty
import re
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from conftest import REPOSITORY, ProjectFolder

from assetgraph.cli.progress.live_display import live
from assetgraph.cli.progress.plain_display import PrintedText
from assetgraph.cli.progress.reporter import reporting
from assetgraph.cli.progress.run_progress import RunProgress
from assetgraph.cli.terminal.output import Output
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.records import Event, EventType, StepState

START = datetime(2026, 11, 22, 16, 8, 37, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(kind: EventType, seconds: float, step: str, **more: object) -> Event:
    return Event(kind, at(seconds), step, **more)  # type: ignore[arg-type]


def text(lines: list[Line]) -> str:
    return "\n".join(line.plain.rstrip() for line in lines)


def running(keys: list[str], done: int) -> RunProgress:
    """A run whose first `done` steps succeeded and whose next one runs."""
    progress = RunProgress(keys)
    for n, key in enumerate(keys[: done + 1]):
        progress.event(event(EventType.STEP_START, n, key))
        if n < done:
            progress.event(event(EventType.STEP_SUCCESS, n + 0.5, key))
    return progress


def test_a_small_run_shows_every_step_with_what_it_downloads() -> None:
    progress = running(["zones", "택시_운행", "trips"], 1)
    progress.progress("택시_운행", 20_000_000, 50_000_000, "B", at(2))
    progress.progress("택시_운행", 30_000_000, 50_000_000, "B", at(3))
    assert (
        text(live(progress, at(3), 80, 20))
        == """\
✓ zones       0.50s  success
⠋ 택시_운행    2.0s  ━━━━━━━━━━───────  30.0 MB of 50.0 MB  10.0 MB/s  2s left
· trips              waiting"""
    )


@pytest.mark.parametrize(("level", "mark"), [("ERROR", "✕"), ("WARNING", "!")])
def test_the_step_of_a_check_that_failed_is_not_shown_as_a_success(level: str, mark: str) -> None:
    progress = running(["trips:sane"], 0)
    failed = {"passed": False}
    found = event(EventType.ASSET_CHECK_EVALUATION, 1, "trips:sane", level=level, data=failed)
    progress.event(found)
    progress.event(event(EventType.STEP_SUCCESS, 1, "trips:sane"))
    assert text(live(progress, at(1), 80, 20)) == f"{mark} trips:sane    1.0s  check failed"


def test_progress_without_a_total_shows_what_is_known() -> None:
    progress = running(["trips"], 0)
    progress.progress("trips", 3, None, "rows", at(1))
    assert text(live(progress, at(1), 80, 20)) == "⠋ trips    1.0s  3 rows"


def test_the_speed_is_that_of_the_last_seconds() -> None:
    progress = running(["trips"], 0)
    for second in range(20):
        progress.progress("trips", second * (1 if second < 10 else 100), None, "B", at(second))
    assert progress.steps["trips"].rate == pytest.approx(100)


@pytest.mark.parametrize("done", [0, 5, 500, 998, 999])
def test_a_big_run_shows_a_window_and_counts_the_rest(done: int) -> None:
    keys = [f"asset_{n:04}" for n in range(1000)]
    lines = live(running(keys, done), at(2000), 80, 12)
    assert len(lines) <= 12
    assert any(keys[done] in line.plain for line in lines)
    assert f"{done} of 1,000" in lines[-1].plain
    assert all(line.width <= 80 for line in lines)


def test_of_a_big_run_that_ended_only_the_counts_stay() -> None:
    progress = running([f"asset_{n}" for n in range(100)], 99)
    (line,) = live(progress, at(100), 80, 12, ended=True)
    assert "99 of 100" in line.plain


def test_a_window_never_leaves_out_all_that_runs_however_much_does() -> None:
    progress = RunProgress([f"asset_{n}" for n in range(100)])
    for n in range(50):
        progress.event(event(EventType.STEP_START, 0, f"asset_{n}"))
    lines = live(progress, at(1), 80, 8)
    assert len(lines) <= 8
    assert sum("1.0s" in line.plain for line in lines) >= 4
    assert "50 running" in lines[-1].plain


def test_each_event_moves_its_step_to_the_next_state() -> None:
    progress = RunProgress(["a", "b"])
    for kind, state in [
        (EventType.STEP_START, StepState.RUNNING),
        (EventType.STEP_UP_FOR_RETRY, StepState.WAITING),
        (EventType.STEP_RESTARTED, StepState.RUNNING),
        (EventType.STEP_FAILURE, StepState.FAILURE),
    ]:
        progress.event(event(kind, 1, "a"))
        assert progress.steps["a"].state is state
    progress.event(event(EventType.STEP_SKIPPED, 1, "b"))
    assert progress.ended == 2


def test_what_a_step_prints_waits_for_the_end_of_its_line() -> None:
    printed = PrintedText()
    assert printed.add("a", "out", "one ") == []
    assert text(printed.add("a", "out", "line\ntwo\nthr")) == "  a │ one line\n  a │ two"
    assert printed.add("b", "out", "other") == []
    assert text(printed.rest("a")) == "  a │ thr"
    assert text(printed.rest()) == "  b │ other"
    assert printed.rest() == []


def test_into_a_pipe_goes_a_line_an_event() -> None:
    stream = io.StringIO()
    with reporting(Output(stream), ["zones", "trips", "fares"]) as reporter:
        reporter.event(event(EventType.STEP_START, 0, "zones"))
        reporter.output("zones", "out", "half a ")
        reporter.progress("zones", 1, 2, "B")
        reporter.event(event(EventType.LOG, 0, "zones", message="hello"))
        reporter.event(event(EventType.LOG, 0, "zones", level="DEBUG", message="hidden"))
        reporter.event(event(EventType.LOG, 0, "zones", level="WARNING", message="odd\x1b[2J"))
        reporter.event(event(EventType.STEP_SUCCESS, 1.5, "zones"))
        reporter.event(event(EventType.STEP_START, 2, "trips"))
        failed = {"error": {"type": "ValueError", "message": "no\nmore"}}
        reporter.event(
            event(EventType.STEP_FAILURE, 3, "trips", message="ValueError: no\nmore", data=failed)
        )
        reporter.event(event(EventType.STEP_SKIPPED, 3, "fares", data={"upstream": "trips"}))
    assert (
        stream.getvalue()
        == """\
▶ zones
  zones │ hello
  zones │ WARNING odd\\x1b[2J
  zones │ half a
✓ zones  1.5s
▶ trips
✕ trips  ValueError: no  1.0s
– fares  Skipped: upstream trips failed.
"""
    )


@pytest.mark.parametrize(
    ("number", "terminal"),
    [(errno.EPIPE, False), (errno.ENOSPC, False), (errno.EIO, True)],
    ids=["pipe", "full disk", "terminal"],
)
def test_a_run_goes_on_when_nobody_listens_any_more(number: int, terminal: bool) -> None:
    gone = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str, /) -> int:
            if gone.is_set():
                raise OSError(number, os.strerror(number))
            return len(text)

        def isatty(self) -> bool:
            return terminal

    with reporting(Output(Stream()), ["a"]) as reporter:
        gone.set()
        reporter.event(event(EventType.STEP_START, 0, "a"))
        reporter.output("a", "out", "text\n")


def test_a_million_printed_lines_are_taken_in_without_being_kept() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with reporting(Output(stream), ["a"]) as reporter:
        reporter.event(event(EventType.STEP_START, 0, "a"))
        for n in range(1000):
            reporter.output("a", "out", "".join(f"line {n}-{m}\n" for m in range(100)))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "line 999-99" in shown
    assert "more lines, kept in the run's record" in shown
    assert shown.count("│ line") < 50_000


class Terminal:
    """A command on a terminal of 80 by 24, to read from and type into."""

    def __init__(self, project: ProjectFolder, *arguments: str, **environment: str) -> None:
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "assetgraph", *arguments],
            cwd=project.root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", "COLUMNS": "80",
                 "LINES": "24", "NO_COLOR": "", **environment},
            stdin=follower, stdout=follower, stderr=follower,
        )  # fmt: skip
        os.close(follower)
        self.seen = ""

    def until(self, wanted: str) -> str:
        """What is shown until `wanted` appears, or the end if it is empty."""
        start = len(self.seen)
        while not (wanted and wanted in self.seen[start:]):
            if not select.select([self._leader], [], [], 60)[0]:
                raise AssertionError(f"{wanted!r} did not appear in {self.seen[start:]!r}")
            try:
                read = os.read(self._leader, 65536)
            except OSError:  # the other end was closed
                read = b""
            if not read:
                assert not wanted, f"{wanted!r} did not appear in {self.seen[start:]!r}"
                break
            self.seen += read.decode()
        return self.seen[start:]

    def type(self, line: str) -> None:
        os.write(self._leader, line.encode() + b"\n")

    def end(self) -> int:
        self.until("")
        os.close(self._leader)
        return self.process.wait(60)


PIPELINE = """\
import assetgraph as dg

@dg.asset
def zones():
    print("looking \\x1b[2J around")
    return 5

@dg.asset
def trips(zones):
    return zones + 1
"""


def test_on_a_terminal_steps_are_drawn_and_prints_stand_above(
    project: Callable[..., ProjectFolder],
) -> None:
    terminal = Terminal(project({"pipeline.py": PIPELINE}), "materialize", "--all")
    assert terminal.end() == 0
    assert "zones │ " in terminal.seen
    assert "\x1b[2J" not in terminal.seen
    assert "looking \\x1b[2J around" in terminal.seen
    assert "\x1b[32m✓" in terminal.seen
    assert "\x1b[?25h" in terminal.seen  # the cursor is back


def test_what_a_step_logs_is_broken_between_words_under_itself(
    project: Callable[..., ProjectFolder],
) -> None:
    long = PIPELINE.replace("looking", "far " * 20 + "looking")
    terminal = Terminal(project({"pipeline.py": long}), "materialize", "zones")
    assert terminal.end() == 0
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", terminal.seen)
    assert re.search(r"  zones │( far){17}\n {10}far far far looking", said)


def test_an_error_is_broken_between_words(project: Callable[..., ProjectFolder]) -> None:
    wrong = PIPELINE.replace("trips(zones)", f"trips({'z' * 40})")
    terminal = Terminal(project({"pipeline.py": wrong}), "list")
    assert terminal.end() == 2
    assert f"'{'z' * 40}' (a" in terminal.seen
    assert "\n  parameter), which nothing defines." in terminal.seen


def test_a_run_that_cannot_begin_leaves_no_steps_on_the_terminal(
    project: Callable[..., ProjectFolder],
) -> None:
    config = "class C(dg.Config):\n    month: str\n\n@dg.asset\ndef zones(config: C):"
    made = project({"pipeline.py": PIPELINE.replace("@dg.asset\ndef zones():", config)})
    terminal = Terminal(made, "materialize", "zones")
    assert terminal.end() == 2
    before, _, error = terminal.seen.rpartition("\x1b[2K")
    assert "waiting" in before
    assert "waiting" not in error
    assert "'zones' needs a value for its config field 'month'." in error


def test_no_color_is_obeyed_on_a_terminal(project: Callable[..., ProjectFolder]) -> None:
    terminal = Terminal(project({"pipeline.py": PIPELINE}), "list", NO_COLOR="1")
    assert terminal.end() == 0
    assert "never materialized" in terminal.seen
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", terminal.seen)


def test_a_breakpoint_in_an_asset_gets_the_terminal(
    project: Callable[..., ProjectFolder],
) -> None:
    pipeline = PIPELINE.replace("return zones + 1", "breakpoint()\n    return zones + 1")
    terminal = Terminal(project({"pipeline.py": pipeline}), "materialize", "--all")
    terminal.until("(Pdb) ")
    terminal.type("p zones * 1000")
    assert "5000" in terminal.until("(Pdb) ")
    terminal.type("continue")
    assert terminal.end() == 0
    assert "✓ trips" in re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen)


def test_the_thread_that_draws_ends_with_the_run() -> None:
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    with reporting(Output(stream), ["a"]):
        assert any(thread.name == "assetgraph-live" for thread in threading.enumerate())
    assert not any(thread.name == "assetgraph-live" for thread in threading.enumerate())
