"""Measure how fast the page is, in headless Chromium on generated graphs.

    python benchmarks/page.py [--sizes 200 2000 5000] [--partitions 100000] [--rounds 3]
                              [--dagster PATH]

Each figure is the median of the rounds:

- the server: time from start to first answer, time to stop with an open stream, and memory after
  it showed the graph;
- the lineage with every group open: time from navigation to the drawn graph;
- panning: frames a second while the mouse drags the graph for three seconds;
- event to pixel: time from a line in a run's log to the frame that shows it, at 20 events a second;
- a run of 10,000 events: time from navigation to the drawn page, and frames a second while its log
  scrolls;
- an asset with that many partitions, one of a chain of two: time from start to its first page, time
  from navigation to the drawn page, time from a key that zooms its bar to the frame that shows it,
  and memory of the server; and the page of the run that made them.

With `--partitions 0`, or `--sizes` without numbers, what they measure is left out.

The benchmark needs the extras ui and test, and Chromium. Give --dagster the path of a `dagster`
executable with dagster-webserver beside it to measure Dagster's server and lineage on the same
graphs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import msgspec
from dagster_page import PATIENCE_S, DagsterPage
from playwright.sync_api import BrowserContext, Page, sync_playwright

from assetgraph.records import Event, EventType, RunRecord, RunStatus, now
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store

ROOT = Path(__file__).resolve().parent.parent
EVENTS_PER_S = 20
WIDTH = 40
PROJECT = """
import assetgraph as dg

def make(number):
    layer, place = divmod(number, {width})
    near = [(place + step) % {width} for step in (0, 1, 7)][: 1 + number % 3]
    deps = [f"asset_{{(layer - 1) * {width} + other}}" for other in near] if layer else []

    @dg.asset(name=f"asset_{{number}}", deps=deps, group_name=f"group_{{layer % 12}}")
    def made() -> int:
        "An asset of a generated graph, with a line that says what it is for."
        return number

    return made

assets = [make(number) for number in range({count})]
"""

PARTITIONED = """
import assetgraph as dg

hours = dg.HourlyPartitionsDefinition("2010-01-01-00:00", end_date="{end}")

@dg.asset(partitions_def=hours, code_version="1")
def readings(context) -> int:
    if context.partition_key.endswith("01-03:00"):
        raise ValueError("the sensor was off")
    return 1

@dg.asset(partitions_def=hours, code_version="1")
def cleaned(readings: int) -> int:
    return readings
"""

FRAMES = """() => new Promise((done) => {
    const times = [];
    const count = (at) => {
        times.push(at);
        if (window.counting) requestAnimationFrame(count);
        else done(times);
    };
    window.counting = true;
    requestAnimationFrame(count);
})"""
SCROLL = """(box) => new Promise((done) => {
    const times = [];
    const step = (at) => {
        times.push(at);
        box.scrollTop += 90;
        if (at - times[0] < 3000) requestAnimationFrame(step);
        else done(times);
    };
    requestAnimationFrame(step);
})"""
WATCH = """() => {
    window.shown = [];
    const note = ({id, state}) =>
        window.shown.push([id, state, performance.timeOrigin + performance.now()]);
    const observer = new MutationObserver((changes) => {
        for (const {target} of changes) {
            if (!target.dataset?.id) continue;
            const now = {...target.dataset};
            requestAnimationFrame(() => setTimeout(() => note(now)));
        }
    });
    observer.observe(document.querySelector('.graph-cards'), {
        attributes: true, attributeFilter: ['data-state'], subtree: true,
    });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[200, 2000, 5000])
    parser.add_argument("--partitions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dagster", metavar="PATH", help="measure this executable's page as well")
    options = parser.parse_args()
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("Chromium is not installed. Install it with: apt-get install chromium")
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=executable, args=arguments)
        for size in options.sizes:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            with tempfile.TemporaryDirectory() as folder:
                measure_graph(context.new_page(), Path(folder), size, options.rounds)
            if options.dagster:
                with tempfile.TemporaryDirectory() as folder:
                    measure_dagster(context, Path(folder), size, options)
            context.close()
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        if options.sizes:
            with tempfile.TemporaryDirectory() as folder:
                measure_log(page, Path(folder), options.rounds)
        if options.partitions:
            with tempfile.TemporaryDirectory() as folder:
                measure_partitions(page, Path(folder), options.partitions, options.rounds)
        browser.close()


def measure_graph(page: Page, folder: Path, size: int, rounds: int) -> None:
    write_project(folder, size)
    with Served(folder) as server:
        address = f"{server.url}/lineage?collapsed="
        shown(page, address)  # computes the layout
        ready = [shown(page, address) for _ in range(rounds)]
        report(f"{size} assets: start to first answer", server.started_s, "s")
        report(f"{size} assets: lineage ready", median(ready), "s")
        report(f"{size} assets: panning", median(panning(page) for _ in range(rounds)), "fps")
        if size == 2000:
            delays = event_to_pixel(page, server, folder)
            report(f"{size} assets: event to pixel, p95", quantiles(delays, n=20)[-1] * 1000, "ms")
        report(f"{size} assets: memory of the server", server.memory_mb(), "MB")
        report(f"{size} assets: time to stop with an open stream", server.end(), "s")


def measure_dagster(
    context: BrowserContext, folder: Path, size: int, options: argparse.Namespace
) -> None:
    ours = PROJECT.format(count=size, width=WIDTH)
    (folder / "pipeline.py").write_text(ours.replace("assetgraph", "dagster"))
    with DagsterPage(options.dagster, folder) as server:
        report(f"{size} assets: Dagster's start to first answer", server.started_s, "s")
        ready = []
        for _ in range(options.rounds + 1):
            taken = server.shown(context.new_page())
            if taken is None:
                print(f"{size} assets: Dagster drew nothing within {PATIENCE_S} s")
                break
            ready.append(taken)
        else:
            report(f"{size} assets: Dagster's lineage ready", median(ready[1:]), "s")
        memory, processes = server.memory_mb()
        report(f"{size} assets: memory of its {processes} processes", memory, "MB")


def measure_log(page: Page, folder: Path, rounds: int) -> None:
    write_project(folder, 10)
    run_id = write_long_run(folder, 10_000)
    with Served(folder) as server:
        ready = [shown(page, f"{server.url}/runs/{run_id}") for _ in range(rounds + 1)][1:]
        report("10,000 events: run page ready", median(ready), "s")
        page.locator(".log-row").first.wait_for()
        scrolled = [page.locator(".log-scroll").evaluate(SCROLL) for _ in range(rounds)]
        report("10,000 events: scrolling", median(map(frames_per_s, scrolled)), "fps")


def measure_partitions(page: Page, folder: Path, count: int, rounds: int) -> None:
    end = datetime(2010, 1, 1) + timedelta(hours=count)
    (folder / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
    (folder / "pipeline.py").write_text(PARTITIONED.format(end=f"{end:%Y-%m-%d-%H:%M}"))
    half = datetime(2010, 1, 1) + timedelta(hours=count // 2)
    materialize(folder, "readings", "--all-partitions")
    materialize(folder, "cleaned", "--partitions", f"2010-01-01-00:00..{half:%Y-%m-%d-%H:%M}")
    begun = time.perf_counter()
    with Served(folder) as server:
        shown(page, f"{server.url}/assets/cleaned")
        report(f"{count} partitions: start to first page", time.perf_counter() - begun, "s")
        ready = [shown(page, f"{server.url}/assets/cleaned") for _ in range(rounds)]
        report(f"{count} partitions: asset page ready", median(ready), "s")
        report(f"{count} partitions: bar zoomed", median(zoomed(page) for _ in range(rounds)), "s")
        report(f"{count} partitions: memory of the server", server.memory_mb(), "MB")
        ready = [shown(page, f"{server.url}/runs/latest") for _ in range(rounds)]
        report(f"{count // 2} partitions: run page ready", median(ready), "s")
        report(f"{count} partitions: memory after that", server.memory_mb(), "MB")


def materialize(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "assetgraph", "materialize", *arguments, "-y"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)


def zoomed(page: Page) -> float:
    """The seconds from a key that zooms the bar to the frame that shows what the server then
    answered."""
    stage = page.locator(".partition-stage")
    stage.focus()
    page.keyboard.press("0")
    page.locator("body:not([data-loading])").wait_for()
    begun = time.perf_counter()
    with page.expect_response(lambda answer: "/api/states/" in answer.url):
        page.keyboard.press("+")
    page.locator("body:not([data-loading])").wait_for()
    return time.perf_counter() - begun


def shown(page: Page, url: str) -> float:
    """The seconds from navigation until the page is drawn."""
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("body[data-ready]").wait_for()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return time.perf_counter() - started


def panning(page: Page) -> float:
    """The frames a second while the mouse drags the graph back and forth."""
    box = page.locator(".graph").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(f"() => {{ window.counted = ({FRAMES})(); }}")
    page.mouse.move(x, y)
    page.mouse.down()
    begun = time.perf_counter()
    step = 0
    while time.perf_counter() - begun < 3:
        step += 1
        page.mouse.move(x + 8 * (step % 60), y + 5 * (step % 40))
    page.mouse.up()
    times: list[float] = page.evaluate("() => { window.counting = false; return window.counted; }")
    return frames_per_s(times)


def frames_per_s(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) * 1000


def event_to_pixel(page: Page, server: Served, folder: Path) -> list[float]:
    """The seconds from each event in the log of a run to the frame that shows it."""
    shown(page, f"{server.url}/lineage?collapsed=&q=asset_1000")
    page.get_by_label("Search assets").press("Enter")
    page.locator(".graph-card.selected").wait_for()
    keys = page.locator(".graph-card").evaluate_all("cards => cards.map((one) => one.dataset.id)")
    page.evaluate(WATCH)
    with living_run(folder, keys) as log:
        written: dict[tuple[str, str], float] = {}
        page.wait_for_timeout(500)
        write_events(page, log, keys, written)
        page.wait_for_timeout(500)
    seen: list[tuple[str, str, float]] = page.evaluate("window.shown")
    first = {(key, state): at for key, state, at in reversed(seen)}
    return [
        first[key, state] / 1000 - at
        for (key, state), at in written.items()
        if (key, state) in first
    ]


def write_events(
    page: Page, log: RunLog, keys: list[str], written: dict[tuple[str, str], float]
) -> None:
    """Write 20 events a second from a thread, for five seconds."""

    def write() -> None:
        for number in range(min(len(keys), 5 * EVENTS_PER_S)):
            written[keys[number], "running"] = time.time()
            log.append([Event(EventType.STEP_START, now(), keys[number])])
            time.sleep(1 / EVENTS_PER_S)

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        page.wait_for_timeout(50)


class Served:
    """A running `assetgraph dev` on a free port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""
        self.started_s = 0.0

    def __enter__(self) -> Served:
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assetgraph", "dev", "--port", "0"],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        self.url = found[0]
        self.started_s = time.perf_counter() - begun
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def end(self) -> float:
        """Stop the server, and return the seconds from Ctrl-C to the end of its process."""
        begun = time.perf_counter()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=30)
        return time.perf_counter() - begun


def write_project(folder: Path, count: int) -> None:
    (folder / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
    (folder / "pipeline.py").write_text(PROJECT.format(count=count, width=WIDTH))


def write_long_run(folder: Path, count: int) -> str:
    with living_run(folder, [f"asset_{n}" for n in range(10)]) as log:
        started = now()
        log.append(
            Event(
                EventType.LOG,
                started + timedelta(milliseconds=n),
                f"asset_{n % 10}",
                "INFO",
                f"line {n} of a long log that says what it does as it goes",
            )
            for n in range(count)
        )
    return Path(log.folder).name


@contextmanager
def living_run(folder: Path, keys: list[str]) -> Iterator[RunLog]:
    """The log of a run of `keys` that is in progress until the block ends."""
    store = Store(folder / ".assetgraph", project_root=folder)
    store.prepare()
    started = now()
    record = RunRecord(
        new_run_id(started), RunStatus.STARTED, started, assets=tuple(keys), pid=os.getpid()
    )
    log = store.runs.start(record)
    try:
        yield log
    finally:
        ended = msgspec.structs.replace(
            record,
            status=RunStatus.SUCCESS,
            ended_at=now(),
            step_counts={"success": len(keys)},
        )
        log.finish(ended)
        log.close()


def report(what: str, value: float, unit: str) -> None:
    print(f"{what:45} {value:8.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
